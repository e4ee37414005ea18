"""The working state: the same tests on SQLite and on a real PostgreSQL that the tests start."""

import multiprocessing
import os
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.exc import IntegrityError, StatementError

from serving.state import Base, LoginFailure, Receipt, State, Submission, downgrade, open_state, upgrade
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def tables(state: State) -> set[str]:
    return set(inspect(state.engine).get_table_names()) - {"alembic_version"}


def test_migrations_make_the_declared_tables_go_back_and_forth(database_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    state = open_state(database_url)
    assert tables(state) == set(Base.metadata.tables)
    with state.reading() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, Base.metadata) == []
    downgrade(state, "base")
    assert tables(state) == set()
    upgrade(state)
    upgrade(state)
    assert tables(state) == set(Base.metadata.tables)
    state.close()


def test_a_write_is_whole_or_absent(database_url: str) -> None:
    state = open_state(database_url)

    def write_and_fail() -> None:
        with state.writing() as session:
            session.add(LoginFailure(login_key="k", address="a", at=NOW))
            session.flush()
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        write_and_fail()
    with state.reading() as session:
        assert session.scalars(select(LoginFailure)).all() == []
        session.add(LoginFailure(login_key="k", address="a", at=NOW))
        session.flush()  # reading() forgets what was written
    with state.reading() as session:
        assert session.scalars(select(LoginFailure)).all() == []
    state.close()


def test_moments_come_back_as_the_same_moment_and_naive_ones_are_refused(database_url: str) -> None:
    state = open_state(database_url)
    local = datetime(2026, 11, 21, 16, 0, 0, 123456, tzinfo=timezone(timedelta(hours=7)))
    with state.writing() as session:
        session.add(LoginFailure(login_key="k", address="a", at=local))
    with state.reading() as session:
        read = session.scalars(select(LoginFailure)).one().at
    assert read == local
    assert read.utcoffset() == timedelta(0)
    naive = LoginFailure(login_key="k", address="a", at=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(StatementError, match="zone"), state.writing() as session:
        session.add(naive)
    state.close()


def test_foreign_keys_hold(database_url: str) -> None:
    state = open_state(database_url)
    with pytest.raises(IntegrityError), state.writing() as session:
        session.add(Submission(key="k", account_id=999, sent_at=NOW, outcome="/"))
    state.close()


def append_many(database_url: str, folder: Path, count: int) -> None:
    """Runs in a process of its own: adds `count` receipts, killed by the test at any point."""
    state = State(database_url)
    chain = Receipts(state, Witness(folder / "keys", folder / "receipts"))
    for place in range(count):
        chain.record(f"process{os.getpid()}", "list.read", {"n": str(place)}, now=NOW, subjects=[f"dossier:{place}"])


def test_two_processes_append_to_one_chain(database_url: str, tmp_path: Path) -> None:
    state = open_state(database_url)
    chain = Receipts(state, Witness(tmp_path / "keys", tmp_path / "receipts"))
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=append_many, args=(database_url, tmp_path, 40)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert chain.verify() == []
    assert chain.latest(most=1)[0].seq == 80
    state.close()


def test_a_killed_writer_leaves_a_sound_chain(database_url: str, tmp_path: Path) -> None:
    state = open_state(database_url)
    chain = Receipts(state, Witness(tmp_path / "keys", tmp_path / "receipts"))
    context = multiprocessing.get_context("spawn")
    for round_ in range(2):
        writer = context.Process(target=append_many, args=(database_url, tmp_path, 100_000))
        writer.start()
        deadline = time.monotonic() + 30
        before = len(chain.latest(most=10_000))
        while len(chain.latest(most=10_000)) < before + 20 + round_ * 17 and time.monotonic() < deadline:
            time.sleep(0.01)
        writer.kill()
        writer.join(30)
        assert chain.verify() == []
    with state.reading() as session:
        assert len(session.scalars(select(Receipt.seq)).all()) >= 40
    state.close()
