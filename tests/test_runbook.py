"""The runbook names what exists: commands with their options, settings, metrics, files."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.main import get_command
from typer.testing import CliRunner

from features.record.schema import TABLES
from serving.access.permissions import Role
from serving.access.route_table import ROUTES
from serving.api import watch
from serving.app import create_app
from serving.cli import app
from serving.cli.receipts import open_chain
from serving.jobs.key_copy import close_keys
from serving.settings import ENVIRONMENT
from serving.warnings.channels.webhook import signature
from tests.drawn_people import NOW, staffed_office, token

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


def test_a_webhook_is_checked_by_the_line_that_stands_there(tmp_path: Path) -> None:
    """Question 20, with openssl."""
    if shutil.which("openssl") is None or shutil.which("xxd") is None:
        pytest.skip("no openssl or no xxd")
    (line,) = re.findall(r"`(\{ printf .*base64)`", TEXT)
    secret, body = bytes(range(32)), '{"text":"hồ sơ"}'.encode()
    (tmp_path / "webhook.key").write_bytes(secret)
    (tmp_path / "body.json").write_bytes(body)
    told = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "ID": "m-1", "TIMESTAMP": "1772418000"},
    )  # fmt: skip
    assert f"v1,{told.stdout.strip()}" == signature(secret, "m-1", "1772418000", body)


def test_lost_keys_come_back_from_their_copy_and_no_new_ones_are_made_for_old_receipts(tmp_path: Path) -> None:
    """Question 14."""
    settings = staffed_office(tmp_path / "home")
    state, chain = open_chain(settings)
    chain.record("thanhtra", "list.read", {}, now=NOW)
    (settings.keys / "webhook.key").write_bytes(b"w" * 32)
    word = "một lời dài giữ ở nơi khác"
    kept = {path.name: path.read_bytes() for path in settings.keys.iterdir()}
    close_keys(settings.keys, tmp_path / "risk.keys", word)
    for name in ("receipts.key", "webhook.key"):
        (settings.keys / name).unlink()
    for _ in range(2):
        with pytest.raises(FileNotFoundError, match="risk restore-keys"):
            open_chain(settings)
    told = CliRunner().invoke(app, ["--home", str(settings.home), "restore-keys", str(tmp_path / "risk.keys")],
                              input=f"{word}\n")  # fmt: skip
    assert told.output.strip().endswith("receipts.key, webhook.key")
    assert {path.name: path.read_bytes() for path in settings.keys.iterdir()} == kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in settings.keys.iterdir() if path.name != "webhook.key")
    assert open_chain(settings)[1].verify() == []
    (settings.keys / "heads.key").write_bytes(b"x" * 32)
    (settings.keys / "webhook.key").unlink()
    told = CliRunner().invoke(app, ["--home", str(settings.home), "restore-keys", str(tmp_path / "risk.keys")],
                              input=f"{word}\n")  # fmt: skip
    assert told.exit_code != 0
    assert not (settings.keys / "webhook.key").exists()
    state.close()


def test_an_administrator_reads_the_metrics_with_a_token(tmp_path: Path) -> None:
    """Question 17."""
    settings = staffed_office(tmp_path)
    bearer = {"Authorization": f"Bearer {token(settings, Role.ADMINISTRATOR)}"}
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=3600)) as client:
        told = client.get("/api/v1/metrics", headers=bearer)
        assert (told.status_code, "risk_" in told.text) == (200, True)
        assert client.get("/api/v1/metrics", headers={"Authorization": "Bearer risk_nothing"}).status_code == 401
