"""The working state: the same tests on SQLite and on a real PostgreSQL that the tests start."""

import multiprocessing
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from serving.receipt_witness import Witness
from serving.receipts import Receipts
from serving.state import Base, LoginFailure, Receipt, State, Submission, downgrade, open_state, upgrade

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
POSTGRES = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL server started for these tests.

    As a user that is not root (it refuses root).
    """
    if not (POSTGRES / "postgres").exists():
        pytest.skip(f"no PostgreSQL at {POSTGRES}")
    who = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    folder = Path(tempfile.mkdtemp(prefix="risk-pg"))
    shutil.chown(folder, who.pw_uid, who.pw_gid)
    as_user = {"user": who.pw_uid, "group": who.pw_gid} if os.geteuid() == 0 else {}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    common = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **as_user}
    subprocess.run([POSTGRES / "initdb", "-D", data, "-A", "trust", "-U", "risk", "--no-sync"], **common)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    control = [POSTGRES / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    subprocess.run([*control, "-o", options, "start"], **common)
    try:
        yield f"postgresql://risk@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **common)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, empty database on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'state.db'}"
        return
    server: str = request.getfixturevalue("postgres_url")
    admin = State(server)
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("DROP DATABASE IF EXISTS risk_test WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE risk_test"))
    admin.close()
    yield server.replace("/postgres", "/risk_test")


def tables(state: State) -> set[str]:
    return set(inspect(state.engine).get_table_names()) - {"alembic_version"}


def test_migrations_make_the_declared_tables_go_back_and_forth(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    state = open_state(url)
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


def test_a_write_is_whole_or_absent(url: str) -> None:
    state = open_state(url)

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


def test_moments_come_back_as_the_same_moment_and_naive_ones_are_refused(url: str) -> None:
    state = open_state(url)
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


def test_foreign_keys_hold(url: str) -> None:
    state = open_state(url)
    with pytest.raises(IntegrityError), state.writing() as session:
        session.add(Submission(key="k", account_id=999, sent_at=NOW, outcome="/"))
    state.close()


def append_many(url: str, folder: Path, count: int) -> None:
    """Runs in a process of its own: adds `count` receipts, killed by the test at any point."""
    state = State(url)
    chain = Receipts(state, Witness(folder / "keys", folder / "receipts"))
    for place in range(count):
        chain.record(f"process{os.getpid()}", "list.read", {"n": str(place)}, now=NOW, subjects=[f"dossier:{place}"])


def test_two_processes_append_to_one_chain(url: str, tmp_path: Path) -> None:
    state = open_state(url)
    chain = Receipts(state, Witness(tmp_path / "keys", tmp_path / "receipts"))
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=append_many, args=(url, tmp_path, 40)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert chain.verify() == []
    assert chain.latest(most=1)[0].seq == 80
    state.close()


def test_a_killed_writer_leaves_a_sound_chain(url: str, tmp_path: Path) -> None:
    state = open_state(url)
    chain = Receipts(state, Witness(tmp_path / "keys", tmp_path / "receipts"))
    context = multiprocessing.get_context("spawn")
    for round_ in range(2):
        writer = context.Process(target=append_many, args=(url, tmp_path, 100_000))
        writer.start()
        deadline = time.monotonic() + 30
        before = len(chain.latest(most=10_000))
        while len(chain.latest(most=10_000)) < before + 20 + round_ * 17 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(writer.pid, signal.SIGKILL)
        writer.join(30)
        assert chain.verify() == []
    with state.reading() as session:
        assert len(session.scalars(select(Receipt.seq)).all()) >= 40
    state.close()
