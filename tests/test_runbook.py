"""The runbook names what exists: commands with their options, settings, metrics, files."""

import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

from features.record.schema import TABLES
from serving.access.route_table import ROUTES
from serving.api import watch
from serving.cli import app
from serving.settings import ENVIRONMENT

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "runbook.md").read_text("utf-8")
TYPED = sorted(set(re.findall(r"`(risk [^`…]+)`", TEXT)))


def test_it_answers_twenty_questions() -> None:
    assert [int(number) for number in re.findall(r"^\*\*(\d+)\.", TEXT, re.MULTILINE)] == list(range(1, 21))


@pytest.mark.parametrize("typed", TYPED)
def test_every_command_exists_with_its_options(typed: str) -> None:
    command = get_command(app)
    words = [word for word in typed.split()[1:] if word]
    if words[0] == "--home":
        words = words[2:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
    assert command is not get_command(app), typed
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options, typed


def test_every_setting_named_exists() -> None:
    """All of them stand in docs/reference/configuration.md (`tests/test_docs.py`)."""
    named = set(re.findall(r"\b((?:RISK|OTEL)_[A-Z_]+[A-Z])\b", TEXT))
    assert len(named) > 3
    assert named - {one.name for one in ENVIRONMENT} == set()


def test_every_file_and_route_named_exists() -> None:
    for name in re.findall(r"`((?:serving|features)/[\w./-]+)`", TEXT):
        assert (ROOT / name).exists(), name
    for path in re.findall(r"GET (/[\w/.]+)`", TEXT):
        assert path.endswith("openapi.json") or f"GET {path}" in ROUTES, path


def test_alerts_and_dashboard_ask_for_metrics_that_exist() -> None:
    names = {
        f"{one._name}{ending}"
        for one in vars(watch).values()
        if hasattr(one, "_name")
        for ending in ("", "_total", "_bucket")
    }
    alerts = (ROOT / "serving" / "deploy" / "alerts.yaml").read_text("utf-8")
    board = json.loads((ROOT / "serving" / "deploy" / "dashboard.json").read_text("utf-8"))
    asked = set(re.findall(r"risk_\w+", alerts + json.dumps([panel["targets"] for panel in board["panels"]])))
    assert len(asked) > 6
    assert asked <= names


def test_the_columns_of_a_new_unit_are_the_tables_own() -> None:
    told = re.search(r"`unit\.csv` with `([a-z_,]+)`", TEXT)
    assert told is not None
    assert set(told[1].split(",")) <= set(TABLES["unit"].names)
