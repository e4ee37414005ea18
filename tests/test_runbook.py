"""The runbook names what exists: commands with their options, settings, metrics, files."""

import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from typer.main import get_command
from typer.testing import CliRunner

from features.record.record import Record
from features.record.schema import TABLES
from serving.access.permissions import Role
from serving.access.route_table import ROUTES
from serving.api import watch
from serving.app import create_app
from serving.cli import app
from serving.cli.receipts import open_chain
from serving.jobs.key_copy import close_keys
from serving.settings import ENVIRONMENT
from serving.state import Account, JobRun, LoginFailure, LoginSession, open_state
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


def test_retention_removes_what_is_named_and_nothing_else(tmp_path: Path) -> None:
    """Question 10."""
    settings = staffed_office(tmp_path)
    (settings.home / "jobs.toml").write_text("keep_backups = 2\nkeep_days = 30\n", "utf-8")
    folder = settings.home / "backups"
    folder.mkdir()
    for day in (1, 2, 3):
        (folder / f"risk-2026030{day}T213000Z.tar.gz").write_bytes(b"whole")
    (folder / ".risk-20260201T213000Z.tar.gz.tmp").write_bytes(b"killed")
    os.utime(folder / ".risk-20260201T213000Z.tar.gz.tmp", (0, 0))
    (folder / ".risk-20260304T213000Z.tar.gz.tmp").write_bytes(b"being made")
    state = open_state(settings.database_url)
    today = datetime.now(UTC)
    with state.writing() as session:
        account = session.scalars(select(Account.id)).first()
        for number, seen in enumerate((today - timedelta(days=31), today - timedelta(days=29))):
            session.add(LoginSession(token_hash=f"h{number}", account_id=account, csrf="c", started_at=seen,
                                     seen_at=seen, expires_at=seen + timedelta(days=1)))  # fmt: skip
            session.add(LoginFailure(login_key="k", address="10.0.0.1", at=seen))
            session.add(
                JobRun(job="score", slot=seen, attempt=1, holder="h", started_at=seen, outcome="done", result="")
            )
    rows = Record(settings.record_url).version()
    told = CliRunner().invoke(app, ["--home", str(settings.home), "jobs", "run", "retention"])
    assert told.output.strip().endswith("1 archives, 1 runs, 2 logins removed"), told.output
    assert sorted(path.name for path in folder.iterdir()) == [
        ".risk-20260304T213000Z.tar.gz.tmp", "risk-20260302T213000Z.tar.gz", "risk-20260303T213000Z.tar.gz"
    ]  # fmt: skip
    with state.reading() as session:
        left = [session.scalar(select(func.count()).select_from(one)) for one in (LoginSession, LoginFailure)]
        assert left == [1, 1]
        assert session.scalar(select(func.count()).select_from(JobRun).where(JobRun.job == "score")) == 1
    state.close()
    assert Record(settings.record_url).version() == rows
    kept = {column for name, table in TABLES.items() if name not in ("holiday", "counter") for column in table.names}
    assert kept.isdisjoint({"name", "full_name", "phone", "email", "identity_number", "address"})
