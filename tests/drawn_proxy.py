"""The shipped nginx configuration before a server of a test: TLS under a made-up certificate, free ports."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.bench.port import free_port

CONF = Path(__file__).parents[1] / "serving" / "deploy" / "nginx.conf"


@dataclass(frozen=True)
class Site:
    """Where nginx listens. port: with TLS; plain: without, where it leads to TLS."""

    port: int
    plain: int

    @property
    def address(self) -> str:
        """Of the site's root."""
        return f"https://127.0.0.1:{self.port}"


def certificate(folder: Path) -> None:
    """A certificate of localhost and its key, for two days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=2)).sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "tls.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@contextmanager
def behind_nginx(folder: Path, app_port: int) -> Iterator[Site]:
    """nginx before the service at `app_port`, which answers under /risk/; ended at the end."""
    site = Site(free_port(), free_port())
    certificate(folder)
    text = CONF.read_text("utf-8")
    for old, new in (
        ("127.0.0.1:8000", f"127.0.0.1:{app_port}"), ("listen 443 ssl", f"listen 127.0.0.1:{site.port} ssl"),
        ("listen 80;", f"listen 127.0.0.1:{site.plain};"), ("/etc/risk/", f"{folder}/"),
    ):  # fmt: skip
        assert old in text, old
        text = text.replace(old, new)
    conf = folder / "nginx.conf"
    conf.write_text(f"pid {folder}/nginx.pid; error_log {folder}/error.log; user root;\n{text}")
    subprocess.run(["nginx", "-t", "-q", "-c", conf], check=True, capture_output=True)
    proxy = subprocess.Popen(["nginx", "-g", "daemon off;", "-c", conf])
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                if httpx2.get(f"{site.address}/risk/api/v1/health", verify=False).status_code == 200:
                    break
            except httpx2.HTTPError:
                pass
            time.sleep(0.2)
        yield site
    finally:
        proxy.terminate()
        proxy.wait(10)
