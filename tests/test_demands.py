"""The table of demands: none is missing, and everything it names exists."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from serving.access.route_table import ROUTES
from serving.cli import app
from serving.reports.make import KINDS

ROOT = Path(__file__).resolve().parents[1]
SECTION = (ROOT / "docs" / "demands.md").read_text("utf-8")
CODES = re.findall(r"`([^`]+)`", SECTION)


def commands() -> set[str]:
    """Every command as it is typed, groups with their subcommands and alone."""
    found = set()
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        found.add(f"risk {name}")
        found |= {f"risk {name} {below}" for below in getattr(command, "commands", {})}
    return found


def test_every_demand_that_software_can_serve_is_named(shared: Path) -> None:
    text = (shared / "domain.md").read_text("utf-8").split("### 5.1", 1)[1].split("### 5.6", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:3] == "| S"]
    wanted = {row[0] for row in rows if re.match(r"D\b", row[-1])}
    assert len(wanted) > 70
    table = set(re.findall(r"S\d-\d\d", "\n".join(line for line in SECTION.splitlines() if line[:1] == "|")))
    assert wanted - table == set()
    assert table <= {row[0] for row in rows}


@pytest.mark.parametrize("typed", sorted({code for code in CODES if code.startswith("risk ")}))
def test_every_command_named_exists(typed: str) -> None:
    words = typed.split(" --")[0]
    assert words in commands(), words


@pytest.mark.parametrize("path", sorted({code for code in CODES if code.startswith(("/", "GET /"))}))
def test_every_page_named_exists(path: str) -> None:
    assert (path if path.startswith("GET ") else f"GET {path}") in ROUTES


def test_every_kind_of_report_named_exists_and_none_is_left_out() -> None:
    named = {kind for code in CODES for kind in re.findall(r"--kind ([a-z-]+)", code)}
    assert named == set(KINDS)


def test_what_is_not_served_is_said_with_its_reason() -> None:
    assert "Not served, or in part" in SECTION
    assert len(re.findall(r"\*\*S\d-\d\d", SECTION)) >= 3
