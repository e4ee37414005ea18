"""The documentation is not behind the code: generated pages, settings, routes, commands and links that it names."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from serving.access.permissions import Role
from serving.access.route_table import ROUTES
from serving.cli import app
from serving.settings import ENVIRONMENT
from tests.generated_docs import PAGES, REFERENCE, page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PROSE = [ROOT / "CONTRIBUTING.md", *(path for path in DOCS.rglob("*.md") if path.parent != REFERENCE)]
TUTORIALS = sorted(path for path in (DOCS / "huong-dan").glob("*.md") if path.name != "index.md")
VARIABLE = re.compile(r"^(RISK|OTEL|OMP|MLFLOW|PROMETHEUS)_[A-Z_]+$")
"""A whole name, or with `_` at its end the beginning of several that code puts together."""


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_as_the_code_is(name: str) -> None:
    stands = (REFERENCE / name).read_text("utf-8")
    assert stands == page(name), f"docs/reference/{name} is behind the code: python -m tests.generated_docs"


def test_no_page_of_the_reference_is_left_over() -> None:
    assert {path.name for path in REFERENCE.iterdir()} == set(PAGES)


def test_every_variable_of_the_environment_is_documented() -> None:
    read = {
        node.value
        for room in ("features", "models", "training", "serving")
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and VARIABLE.match(node.value)
    }
    assert {"RISK_HOME", "RISK_DEBUG", "OTEL_EXPORTER_OTLP_ENDPOINT", "MLFLOW_HTTP_REQUEST_TIMEOUT"} <= read
    names = {one.name for one in ENVIRONMENT}
    assert {name for name in read if not name.endswith("_")} - names == set()
    assert all(any(name.startswith(prefix) for name in names) for prefix in read if prefix.endswith("_"))


def test_every_variable_named_in_deployment_is_one_that_is_read() -> None:
    named = {
        name
        for path in (ROOT / "serving" / "deploy").iterdir()
        for name in re.findall(r"\bRISK_[A-Z_]+[A-Z]", path.read_text("utf-8"))
    }
    assert named - {one.name for one in ENVIRONMENT} == {"RISK_DB_PASSWORD"}  # compose's own


@pytest.mark.parametrize("path", PROSE, ids=where)
def test_what_a_page_names_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        assert link.startswith("http") or (path.parent / link).exists(), link
    for name in re.findall(r"`((?:serving|features|models|training|tests|notebooks)/[\w./-]+)`", text):
        assert "NAME" in name or (ROOT / name).exists(), name
    if path.parent.name == "huong-dan":
        for route in re.findall(r"`(/[a-z/]+)`", text):
            assert f"GET {route}" in ROUTES, route


@pytest.mark.parametrize("path", [DOCS / "steps.md", DOCS / "analyst.md", DOCS / "install.md"], ids=where)
def test_every_command_typed_exists(path: Path) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    typed = re.findall(r"`risk ([a-z-]+)(?: ([a-z]+)\b)?", path.read_text("utf-8"))
    assert typed
    for name, below in typed:
        assert name in commands, name
        groups = getattr(commands[name], "commands", {})
        assert not groups or not below or below in groups, f"{name} {below}"


def test_every_role_has_a_tutorial() -> None:
    assert len(TUTORIALS) == len(Role)
    index = (DOCS / "huong-dan" / "index.md").read_text("utf-8")
    assert all(f"({path.name})" in index for path in TUTORIALS)


def test_the_readme_fits_on_two_screens_and_shows_the_list() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 90
    picture = re.search(r"!\[.*?\]\((docs/images/.*?\.png)\)", text)
    assert picture is not None
    assert (ROOT / picture[1]).stat().st_size <= 200_000
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("http") or (ROOT / link).exists(), link


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    assert (tmp_path / "huong-dan" / "thanh-tra.html").exists()
    outside = re.compile(r'(?:src|href)="https?://[^"]+\.(?:js|css|woff2?)"')
    assert not [path for path in tmp_path.rglob("*.html") if outside.search(path.read_text("utf-8"))]
