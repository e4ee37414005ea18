"""The image as an administrator builds it, to the first page: `serving/deploy/Containerfile` read by podman, its
container as `compose.yaml` starts it (read-only, no rights, nobody's user), the runbook's commands in it.

Where the registry of images is away, `base` makes Debian with Python by mmdebstrap in its place.
"""

import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import httpx2
import typer

from tests.bench.group import bench
from tests.bench.port import free_port

ROOT = Path(__file__).resolve().parents[2]
BASE = "localhost/dossier-base:bookworm"
PASSWORD = "Sông Đà xanh màu ngọc bích 9"
OWN_PASSWORD = "Núi Tản cao 1296 thước"
RIGHTS = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
"""As compose.yaml starts it."""
HERE = ("--network", "host", "--cgroups=disabled", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")
"""What a machine with hybrid cgroups and low limits needs; nothing of the image's."""


@dataclass
class Walk:
    """What was typed and what it said, with the seconds that each took."""

    lines: list[str] = field(default_factory=list)

    def told(self, what: str, said: str, begun: float) -> None:
        """Adds a step with the last line that it said."""
        last = (said.strip().splitlines() or ["–"])[-1]
        self.lines.append(f"| `{what}` | {last[:110].replace('|', '/')} | {time.monotonic() - begun:.0f} |")


def podman(*words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs podman in a mount namespace of its own, without the half of hybrid cgroups that crun refuses."""
    unified = Path("/sys/fs/cgroup/unified")
    before = f"umount {unified} 2>/dev/null; " if unified.exists() else ""
    return subprocess.run(
        ["unshare", "-m", "bash", "-c", f'{before}exec podman "$@"', "podman", *words],
        capture_output=True, text=True, input=text, cwd=ROOT,
    )  # fmt: skip


def base(folder: Path) -> None:
    """Makes an image of Debian with Python under the name `BASE`, with this machine's certificates."""
    root = folder / "root"
    packages = "ca-certificates,python3,python3-pip,python3-venv"
    subprocess.run(["mmdebstrap", "--variant=minbase", f"--include={packages}", "bookworm", str(root)], check=True)
    (root / "usr/bin/python").symlink_to("python3")
    (root / "usr/lib/python3.11/EXTERNALLY-MANAGED").unlink()
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", root / "etc/ssl/certs/ca-certificates.crt")
    (root / "etc/pip.conf").write_text("[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n")
    subprocess.run(["tar", "-C", str(root), "-cf", str(folder / "base.tar"), "."], check=True)
    podman("import", "-q", str(folder / "base.tar"), BASE)


def walk(folder: Path, dossiers: int = 4000, *, image: str = "dossier-risk", build: bool = True) -> Walk:
    """Builds the image and walks to the first page in it; AssertionError where a step fails."""
    found = Walk()
    begun = time.monotonic()
    if build:
        if podman("image", "exists", BASE).returncode:
            base(folder)
        given = ("--build-arg", f"BASE={BASE}", "--build-arg", "LEARN=--extra train")
        file = ("-f", "serving/deploy/Containerfile")
        done = podman("build", "--isolation", "chroot", "--network", "host", *file, *given, "-t", image, ".")
        assert done.returncode == 0, done.stderr[-2000:]
        size = podman("image", "inspect", image, "--format", "{{.Size}}").stdout
        found.told("podman build …", f"{int(size) / 1e9:.2f} GB", begun)
    volumes = ("-v", "risk-walk:/var/lib/risk", "-v", "backups-walk:/var/lib/risk/backups")
    again = ("-v", "again-walk:/var/lib/risk", *volumes[2:])
    podman("volume", "rm", "-f", "risk-walk", "again-walk", "backups-walk")

    def typed(*words: str, text: str | None = None, on: tuple[str, ...] = volumes) -> str:
        begun = time.monotonic()
        done = podman("run", "--rm", "-i", *HERE, *RIGHTS, *on, image, *words, text=text)
        assert done.returncode == 0, f"risk {' '.join(words)}: {done.stdout[-800:]} {done.stderr[-800:]}"
        found.told(f"risk {' '.join(words)}", done.stdout or done.stderr, begun)
        return done.stdout

    whose = podman("run", "--rm", *HERE, "--entrypoint", "id", image).stdout
    assert "uid=10001(risk)" in whose
    typed("doctor")
    typed("accounts", "add-admin", "quantri", text=f"{PASSWORD}\n")
    typed("accounts", "add", "thanhtra", "--name", "Thanh tra", "--role", "inspector", "--unit", "*",
          text=f"{PASSWORD}\n")  # fmt: skip
    typed("simulate", "--out", "/var/lib/risk/first", "--dossiers", str(dossiers))
    typed("ingest", "/var/lib/risk/first", "--source", "canonical")
    now = time.strftime("%Y-%m-%d", time.gmtime())
    typed("train", "lateness", "--cutoff", time.strftime("%Y-%m-%d", time.gmtime(time.time() - 28 * 86400)))
    typed("promote", "lateness")
    typed("score", "--as-of", now)
    typed("jobs", "run", "backup")
    typed("doctor")
    archive = "/var/lib/risk/backups/walk"
    typed("backup", f"{archive}.tar.gz", "--keys", f"{archive}.keys", text=f"{PASSWORD}\n")
    typed("restore", f"{archive}.tar.gz", "--keys", f"{archive}.keys", text=f"{PASSWORD}\n", on=again)
    typed("doctor", on=again)
    begun = time.monotonic()
    port, name = free_port(), f"risk-walk-{os.getpid()}"
    started = podman("run", "-d", "--name", name, *HERE, *RIGHTS, *again, image,
                     "serve", "--host", "127.0.0.1", "--port", str(port), "--workers", "2")  # fmt: skip
    assert started.returncode == 0, started.stderr
    try:
        page = _first_page(f"http://127.0.0.1:{port}")
        found.told("risk serve --workers 2, log in, GET /list", page, begun)
    finally:
        podman("rm", "-f", "-t", "5", name)
        podman("volume", "rm", "-f", "risk-walk", "again-walk", "backups-walk")
    return found


def _first_page(address: str) -> str:
    """Logs in as the inspector and opens the list, as a browser does; how many dossiers it shows."""
    until = time.monotonic() + 300
    with httpx2.Client(base_url=address, timeout=60, follow_redirects=True) as client:
        while True:
            try:
                assert client.get("/api/v1/health").json()["status"] == "ok"
                break
            except httpx2.HTTPError:
                assert time.monotonic() < until, "no answer"
                time.sleep(0.3)
        who = {"login": "thanhtra"}
        hidden_field = r'type="hidden" name="([^"]+)" value="([^"]*)"'
        form = client.get("/login").text
        client.post("/login", data={**dict(re.findall(hidden_field, form)), **who, "password": PASSWORD})
        form = client.get("/password").text  # what an administrator gave is a temporary one
        own = {"present": PASSWORD, "wanted": OWN_PASSWORD, "repeated": OWN_PASSWORD}
        client.post("/password", data={**dict(re.findall(hidden_field, form)), **own})
        form = client.get("/login").text
        client.post("/login", data={**dict(re.findall(hidden_field, form)), **who, "password": OWN_PASSWORD})
        page = client.get("/list?due=all")
        assert page.status_code == 200
        shown = len(set(re.findall(r'href="[^"]*dossier\?id=([^"&]+)', page.text)))
        assert shown > 0, page.text[:500]
    return f"{shown} dossiers on the first page"


def report(found: Walk) -> str:
    """The walk as a card."""
    words = (
        "`python -m tests.bench container`: the Containerfile read by podman, the container as compose starts it "
        "(read-only, no capabilities, uid 10001), the runbook's commands typed in it; the page is of the home restored."
    )
    head = ["# From an image to the first page", "", words, "", "| typed | said | s |", "|---|---|---|"]
    return "\n".join([*head, *found.lines]) + "\n"


@bench.command("container")
def container(
    card: Annotated[Path | None, typer.Option(help="Also write the card to this file.")] = None,
    build: Annotated[bool, typer.Option(help="Build the image; without, the one that is there.")] = True,
) -> None:
    """The image built and walked to the first page by podman (Debian's packages podman, buildah, crun, mmdebstrap)."""
    with TemporaryDirectory(prefix="risk-container-") as folder:
        told = report(walk(Path(folder), build=build))
    typer.echo(told)
    if card is not None:
        card.write_text(told, "utf-8")
