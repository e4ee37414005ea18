"""Behind a real nginx: TLS, the service under /risk/, links, forms and redirects that stay there."""

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.testclient import TestClient

from serving.app import create_app
from tests.bench.port import free_port
from tests.drawn_people import NOW, PASSWORD, staffed_office

CONF = Path(__file__).parents[1] / "serving" / "deploy" / "nginx.conf"
LINK = re.compile(r'\s(?:href|action|formaction|src|hx-get|hx-post)="([^"]*)"')
PAGES = ("/", "/jobs", "/accounts", "/receipts", "/tokens")


def certificate(folder: Path) -> None:
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the service's root behind nginx."""
    if shutil.which("nginx") is None:
        pytest.skip("no nginx")
    folder = tmp_path_factory.mktemp("site")
    settings = replace(staffed_office(folder / "home"), root_path="risk")
    app_port, port, plain = free_port(), free_port(), free_port()
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings, now=lambda: NOW, poll_seconds=60), port=app_port, log_config=None)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    certificate(folder)
    text = CONF.read_text("utf-8")
    for old, new in (
        ("127.0.0.1:8000", f"127.0.0.1:{app_port}"), ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"), ("/etc/risk/", f"{folder}/"),
    ):  # fmt: skip
        assert old in text, old
        text = text.replace(old, new)
    (folder / "nginx.conf").write_text(f"pid {folder}/nginx.pid; error_log {folder}/error.log; user root;\n{text}")
    subprocess.run(["nginx", "-t", "-q", "-c", folder / "nginx.conf"], check=True, capture_output=True)
    proxy = subprocess.Popen(["nginx", "-g", "daemon off;", "-c", folder / "nginx.conf"])
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                if httpx2.get(f"https://127.0.0.1:{port}/risk/api/v1/health", verify=False).status_code == 200:
                    break
            except httpx2.HTTPError:
                pass
            time.sleep(0.2)
        yield f"https://127.0.0.1:{port}"
    finally:
        proxy.terminate()
        proxy.wait(10)
        server.should_exit = True
        thread.join(10)


def log_in(browser: httpx2.Client) -> None:
    door = browser.get("/risk/login")
    form = {"login": "quantri", "password": PASSWORD, "next": "/jobs"}
    form["door"] = door.text.split('name="door" value="')[1].split('"')[0]
    told = browser.post("/risk/login", data=form)
    assert (told.status_code, told.headers["location"]) == (303, "/risk/jobs")


def test_a_login_form_leads_to_the_page_and_every_link_stays_under_the_path(site: str) -> None:
    with httpx2.Client(base_url=site, verify=False, timeout=30) as browser:
        log_in(browser)
        seen = set()
        for page in PAGES:
            told = browser.get(f"/risk{page}", follow_redirects=True)
            assert told.status_code == 200, page
            links = [one for one in LINK.findall(told.text) if one.startswith("/")]
            assert links
            assert [one for one in links if not one.startswith("/risk/")] == []
            seen |= {one for one in links if one.startswith("/risk/static/")}
        for source in seen:
            assert browser.get(source).status_code == 200, source


def test_a_stranger_is_led_to_the_door_under_the_path(site: str) -> None:
    told = httpx2.get(f"{site}/risk/jobs", verify=False)
    assert (told.status_code, told.headers["location"]) == (303, "/risk/login?next=%2Fjobs")
    assert httpx2.get(f"{site}/risk", verify=False).headers["location"].endswith("/risk/")


def test_tls_is_seen_by_the_service(site: str) -> None:
    told = httpx2.get(f"{site}/risk/login", verify=False)
    assert "max-age" in told.headers["strict-transport-security"]
    assert all("Secure" in one for one in told.headers.get_list("set-cookie"))
    assert httpx2.get(f"{site}/risk/api/v1/health", verify=False).json()["status"] == "ok"


def test_without_a_path_nothing_is_rewritten(tmp_path: Path) -> None:
    with TestClient(create_app(staffed_office(tmp_path), now=lambda: NOW, poll_seconds=60)) as client:
        assert 'href="/static/style.css"' in client.get("/login").text
