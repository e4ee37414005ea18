"""Backup and restore of an installation whose database is PostgreSQL and whose record lies outside the home."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from features.record.record import Record
from serving.access.account import add_account
from serving.access.permissions import Role
from serving.jobs.backup import back_up, drill, restore
from serving.settings import Settings
from serving.state import Base, State, open_state
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts
from tests.drawn_office import draw_office
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
