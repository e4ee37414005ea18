"""What stands in serving/deploy is sound as far as it can be told without the machine that it is for."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "serving" / "deploy"


@pytest.mark.parametrize("unit", [*sorted(path.name for path in DEPLOY.glob("*.service")), "risk-once.timer"])
def test_systemd_takes_the_units(unit: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze")
    for path in (*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")):
        text = path.read_text("utf-8").replace("/opt/risk/bin/risk", "/bin/true")
        (tmp_path / path.name).write_text(re.sub(r"^(User|Group)=risk$", r"\1=root", text, flags=re.MULTILINE))
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)], capture_output=True, text=True, env=os.environ
    )
    assert [line for line in told.stderr.splitlines() if unit in line] == []


def test_the_image_is_made_from_the_lock_and_holds_what_it_needs() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    for wanted in (
        "uv sync --frozen",
        "--extra postgres",
        "libgomp1",
        "USER risk",
        "HEALTHCHECK",
        "UV_COMPILE_BYTECODE",
    ):
        assert wanted in text, wanted
    assert "COPY . ." not in text
    for ignored in (".containerignore", ".dockerignore"):
        assert "var" in (ROOT / ignored).read_text("utf-8").split()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(re.findall(r"--extra (\w+)", text)) <= set(extras)


def test_the_two_proxies_differ_in_their_upstream_alone() -> None:
    def lines(name: str) -> list[str]:
        text = (DEPLOY / name).read_text("utf-8")
        return [line for line in text.splitlines() if not re.search(r"^#|upstream risk|api/v1/metrics", line)]

    assert lines("nginx.conf") == lines("nginx.compose.conf")
