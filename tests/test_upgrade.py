"""Homes that older commits made open, migrate and pass `doctor`; a newer one is refused and left as it is.

`tests/assets/homes/<commit>.tar.xz`: a small office made by that commit's own code, once, and never made again.
"""

import signal
import sqlite3
import tarfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from features.record.record import Record
from features.record.schema_version import NewerRecord, mark
from serving.app import create_app
from serving.cli import app
from serving.settings import Settings
from serving.state import ExplanationAct, ExplanationSlip, NewerDatabase, head, open_state
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts
from tests.bench.killed_paths import upgrade_until
from tests.bench.kills import SERVER
from tests.drawn_people import NOW, sit_down

HOMES = sorted((Path(__file__).parent / "assets" / "homes").glob("*.tar.xz"))
EARLY_0004 = "02077ac"


def unpacked(archive: Path, folder: Path) -> Settings:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return Settings.from_env(folder)


def risk(home: Path, *words: str) -> str:
    told = CliRunner().invoke(app, ["--home", str(home), *words])
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    return told.output + ("" if told.exit_code == 0 else f"exit {told.exit_code}")


def test_there_are_homes_of_at_least_four_commits() -> None:
    assert len(HOMES) >= 4


@pytest.mark.parametrize("archive", HOMES, ids=lambda path: path.name.split(".")[0])
def test_an_old_home_opens_migrates_and_serves(archive: Path, tmp_path: Path) -> None:
    settings = unpacked(archive, tmp_path / "home")
    check = risk(settings.home, "upgrade", "--check")
    assert "to do: risk backup FILE, then risk upgrade" in check
    assert f"→ {head()}" in risk(settings.home, "upgrade")
    assert "nothing to do" in risk(settings.home, "upgrade", "--check")
    told = risk(settings.home, "doctor")
    assert [
        line for line in told.splitlines() if line.startswith("✗") and not line.startswith(("✗ disk", "✗ memory"))
    ] == []
    for line in ("✓ record", "✓ model: v1", "✓ list", "✓ database", "✓ keys"):
        assert line in told, told
    state = open_state(settings.database_url)
    assert Receipts(state, Witness(settings.keys, settings.home / "receipts")).latest(most=1)[0].seq == 3
    if archive.name.startswith(EARLY_0004):
        with state.reading() as session:
            assert session.query(ExplanationSlip).one().dossier_id == "d-7"
            assert session.query(ExplanationAct).one().text == "lý do cũ"
    state.close()
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=60)) as client:
        sit_down(client, "thanhtra")
        for page in ("/list", "/explanations", "/apologies", "/remedies", "/reports", "/contests"):
            assert client.get(page).status_code == 200, page


def test_a_home_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    settings = unpacked(HOMES[0], tmp_path / "home")
    risk(settings.home, "upgrade")
    con = sqlite3.connect(settings.home / "state.db")
    con.execute("UPDATE alembic_version SET version_num = '9999'")
    con.commit()
    con.close()
    with pytest.raises(NewerDatabase, match="newer version"):
        risk(settings.home, "upgrade", "--check")
    with pytest.raises(NewerDatabase, match="9999"):
        create_app(settings)


def test_a_record_of_a_newer_schema_is_refused(tmp_path: Path) -> None:
    settings = unpacked(HOMES[0], tmp_path / "home")
    delivery = Record(settings.record_url).table("delivery").open()
    assert delivery is not None
    assert not mark(delivery)
    assert mark(delivery, 2)
    with pytest.raises(NewerRecord, match="schema 2, this version knows up to 1"):
        Record(settings.record_url).connect()


def test_an_upgrade_killed_at_any_statement_leaves_the_tables_of_before_and_the_next_one_ends(tmp_path: Path) -> None:
    """In the home of the oldest revision, which has the longest way."""
    told = tmp_path / "statements"
    settings = unpacked(HOMES[0], tmp_path / "first")
    _upgraded(settings.database_url, 0, told)
    statements = int(told.read_text())
    settings = unpacked(HOMES[0], tmp_path / "home")
    before = risk(settings.home, "upgrade", "--check")
    for at in (2, statements // 3, 2 * statements // 3, statements):
        assert _upgraded(settings.database_url, at) == -signal.SIGKILL
        assert risk(settings.home, "upgrade", "--check") == before
    assert f"→ {head()}" in risk(settings.home, "upgrade")
    assert "nothing to do" in risk(settings.home, "upgrade", "--check")


def _upgraded(url: str, at: int, told: Path | None = None) -> int | None:
    """The exit code of a process that upgrades, killed before its `at`-th statement."""
    process = SERVER.Process(target=upgrade_until, args=(url, at, told))
    process.start()
    process.join(120)
    return process.exitcode
