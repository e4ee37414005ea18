"""Backup and restore of an installation whose database is PostgreSQL or whose record lies outside the home."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from features.calendar.working_time import PLAIN_WEEK
from features.record.delivery import Chunk
from features.record.record import Record
from serving.access.account import add_account
from serving.access.permissions import Role
from serving.jobs import record_copy
from serving.jobs.backup import back_up, drill, restore
from serving.jobs.record_copy import put
from serving.scoring.batch import score_record
from serving.scoring.score_files import read_scores
from serving.settings import Settings
from serving.state import Base, State, open_state
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts
from tests import drawn_store
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import AS_OF, draw_office
from tests.drawn_people import NOW, add_people


@pytest.fixture
def two_databases(postgres_url: str) -> tuple[str, str]:
    """The URLs of two empty databases of one server."""
    admin = State(postgres_url)
    names = ("risk_from", "risk_to")
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in names:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {name}"))
    admin.close()
    return (postgres_url.replace("/postgres", "/risk_from"), postgres_url.replace("/postgres", "/risk_to"))


def rows(url: str) -> dict[str, int]:
    """Table → rows."""
    state = open_state(url)
    with state.reading() as session:
        found = {one.name: session.scalar(select(func.count()).select_from(one)) for one in Base.metadata.sorted_tables}
    state.close()
    return {name: int(count or 0) for name, count in found.items()}


def test_postgresql_and_a_record_elsewhere_come_back_whole_on_another_machine(
    two_databases: tuple[str, str], tmp_path: Path
) -> None:
    drawn = draw_office(tmp_path / "home")
    (tmp_path / "home" / "record").rename(tmp_path / "lake")
    settings = replace(drawn, database_url=two_databases[0], record_url=str(tmp_path / "lake"))
    state = open_state(settings.database_url)
    add_people(state)
    chain = Receipts(state, Witness(settings.keys, settings.home / "receipts"))
    for dossier in range(40):
        chain.record("thanhtra", "dossier.read", {"dossier": f"H{dossier}\t\\N\n'"}, now=NOW)
    chain.adopt(now=NOW)
    chain.sign_head(now=NOW)
    state.close()
    archive = tmp_path / "risk.tar.gz"
    back_up(settings, archive, now=NOW)
    keys = {path.name: path.read_bytes() for path in settings.keys.iterdir() if path.is_file()}
    assert "rows" in drill(archive, tmp_path, keys["backup.key"])

    there = Settings(
        home=tmp_path / "there", record_url=str(tmp_path / "lake2"), database_url=two_databases[1], mlflow_url="",
        zone=settings.zone,
    )  # fmt: skip
    restore(archive, there, keys)
    assert rows(two_databases[1]) == rows(two_databases[0])
    with Record(there.record_url).connect() as con, Record(settings.record_url).connect() as was:
        counted = "SELECT count(*), count(DISTINCT dossier_id), max(known_at) FROM dossier"
        assert con.execute(counted).fetchall() == was.execute(counted).fetchall()
    back = open_state(there.database_url)
    chain = Receipts(back, Witness(there.keys, there.home / "receipts"))
    assert chain.verify() == []
    with back.writing() as session:  # numbers go on where they stood
        add_account(session, "moi.den", "Người mới", Role.LEADER, now=NOW, password="Sông Đà xanh màu ngọc bích 9")
    chain.record("moi.den", "list.read", {}, now=NOW)
    assert [fault.what for fault in chain.verify()] == ["account:8 is told of by no receipt"]
    back.close()
    with pytest.raises(ValueError, match="not empty"):
        restore(archive, replace(there, home=tmp_path / "again", record_url=str(tmp_path / "lake3")), keys)


def test_a_backup_of_postgresql_is_not_poured_into_a_file_nor_into_the_home(
    two_databases: tuple[str, str], tmp_path: Path
) -> None:
    settings = replace(draw_office(tmp_path / "home"), database_url=two_databases[0])
    open_state(settings.database_url).close()
    archive = tmp_path / "risk.tar"
    back_up(settings, archive, now=NOW)
    keys = {path.name: path.read_bytes() for path in settings.keys.iterdir() if path.is_file()}
    home = tmp_path / "there"
    away = replace(settings, home=home, record_url=str(home / "record"), database_url=f"sqlite:///{home}/state.db")
    with pytest.raises(ValueError, match="RISK_DATABASE_URL asks for 'home'"):
        restore(archive, away, keys)
    assert not home.exists() or list(home.iterdir()) == []


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with drawn_store.object_store(tmp_path_factory.mktemp("s3")) as address:
        yield address


@pytest.fixture
def in_store(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An office whose record lies in an object store and nowhere else."""
    for name, value in drawn_store.environment(store).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(record_copy, "_PIECE", 1000)  # files of more than one
    drawn = draw_office(tmp_path / "home")
    url = drawn_store.bucket(store, f"tinh-{abs(hash(tmp_path))}")
    put(url, tmp_path / "home" / "record")
    (tmp_path / "home" / "record").rename(tmp_path / "was")
    ship(drawn.models, drawn_model(), "v1")
    open_state(drawn.database_url).close()
    return replace(drawn, record_url=url)


def keys_of(settings: Settings) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in settings.keys.iterdir() if path.is_file()}


def scored(settings: Settings) -> object:
    """What the restored installation says of its open dossiers."""
    return read_scores(score_record(settings, AS_OF, PLAIN_WEEK, latest=False)[1])[0]


def test_a_record_in_s3_comes_back_in_another_bucket_and_in_a_home_without_a_store(
    store: str, in_store: Settings, tmp_path: Path
) -> None:
    was = scored(in_store)
    version = Record(in_store.record_url).version()
    archive = tmp_path / "risk.tar"
    assert back_up(in_store, archive, now=NOW).record_version == version > 0
    keys = keys_of(in_store)
    assert "330 dossier rows" in drill(archive, tmp_path, keys["backup.key"])

    bucket = drawn_store.bucket(store, "another")
    there = tmp_path / "there"
    elsewhere = Settings(there, bucket, f"sqlite:///{there / 'state.db'}", "", in_store.zone)
    restore(archive, elsewhere, keys)
    assert not (there / "record").exists()
    assert scored(elsewhere) == was

    home = tmp_path / "alone"
    alone = Settings(home, str(home / "record"), f"sqlite:///{home / 'state.db'}", "", in_store.zone)
    restore(archive, alone, keys)
    assert scored(alone) == was
    with pytest.raises(ValueError, match="not empty: restore into an empty one"):
        restore(archive, replace(elsewhere, home=tmp_path / "twice"), keys)
    assert not (tmp_path / "twice").exists()


def test_a_backup_of_s3_while_deliveries_come_holds_whole_deliveries(in_store: Settings, tmp_path: Path) -> None:
    record, stop = Record(in_store.record_url), threading.Event()

    def deliver() -> None:
        number = 0
        while not stop.is_set():
            row = {"dossier_id": f"late-{number}", "kind": "note", "happened_at": AS_OF}
            record.append([Chunk("event", [row])], source="test", arrived_at=NOW)
            number += 1

    writer = threading.Thread(target=deliver)
    writer.start()
    try:
        back_up(in_store, tmp_path / "risk.tar", now=NOW)
    finally:
        stop.set()
        writer.join()
    home = tmp_path / "there"
    restore(tmp_path / "risk.tar", Settings(home, str(home / "record"), f"sqlite:///{home / 'state.db'}", "",
                                            in_store.zone), keys_of(in_store))  # fmt: skip
    with Record(home / "record").connect() as con:
        told, held = con.execute(
            "SELECT (SELECT sum((appended_by_table::JSON->>'event')::INT) FROM delivery), (SELECT count(*) FROM event)"
        ).fetchall()[0]
    assert told == held


@pytest.mark.parametrize("trouble", ["a file is gone", "no such bucket", "no such server"])
def test_a_record_in_s3_that_cannot_be_read_whole_leaves_no_archive(
    store: str, in_store: Settings, tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trouble == "a file is gone":
        paths, _ = Record(in_store.record_url).table("event").paths(None)
        drawn_store.remove(store, paths[0])
    elif trouble == "no such bucket":
        in_store = replace(in_store, record_url="s3://nowhere/record")
    else:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(OSError, match=r"S3|event"):
        back_up(in_store, tmp_path / "risk.tar", now=NOW)
    assert list(tmp_path.glob("*risk.tar*")) == []
