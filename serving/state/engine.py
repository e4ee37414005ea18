"""The door to the working state: SQLite by default, PostgreSQL by URL, the same sessions on both."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from serving.state.base import Base

BUSY_MS = 10_000  # how long a writer of another process is waited for before SQLite answers "locked"


class State:
    """Working state behind one URL; `reading()` and `writing()` give sessions, a write is one transaction.

    On SQLite a write begins with BEGIN IMMEDIATE: the lock is taken at once, so two writers wait for one
    another and never fail halfway for having read before writing. Writers also queue on a lock of the machine
    (`Turn`), which spares them SQLite's sleeping retries.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        # the driver that we install; a bare URL would ask for psycopg2
        if self.url.drivername == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        if self.sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        arguments: dict[str, Any] = {"pool_size": 20, "max_overflow": 20}
        if not self.sqlite:
            # a connection that died with its server is replaced, not handed out
            arguments["pool_pre_ping"] = True
            arguments["connect_args"] = {"connect_timeout": 3}  # a host that hangs is away, not slow
        self.engine = create_engine(self.url, **arguments)
        if self.sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writing = self.engine.execution_options(writes=True)
        self._one_writer: AbstractContextManager[Any] = nullcontext()
        if self.sqlite:
            path = self.url.database or ":memory:"
            self._one_writer = threading.Lock() if path == ":memory:" else Turn(Path(f"{path}.turn"))
        self._watcher: sqlite3.Connection | None = None  # never writes: it only sees what others commit
        self._watching = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for looking; whatever it changed is rolled back at the end."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end, or not at all."""
        with self._one_writer, Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def generation(self) -> int | None:
        """A number that changes with every commit, whoever made it; what was read under one number still holds.

        None where that can't be told without asking (PostgreSQL), and while the database is away.
        """
        if not self.sqlite or self.url.database in (None, "", ":memory:"):
            return None
        with self._watching:
            try:
                if self._watcher is None:
                    path = f"{Path(self.url.database).absolute().as_uri()}?mode=ro"
                    self._watcher = sqlite3.connect(path, timeout=0, uri=True, check_same_thread=False)
                return int(self._watcher.execute("PRAGMA data_version").fetchone()[0])
            except sqlite3.Error:
                return None

    def __enter__(self) -> Self:
        """Itself; its connections are given back at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        self.close()

    def close(self) -> None:
        """Give back all connections."""
        with self._watching:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
        self.engine.dispose()


class Turn:
    """One writer at a time, over the threads of a process and the processes of a machine.

    SQLite's own waiting sleeps up to 0.1 s between two looks; this hands over at once. Whoever dies gives its turn
    back. It is a courtesy: the database's lock alone keeps writers apart.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = threading.Lock()
        self._file: int | None = None

    def __enter__(self) -> None:
        """Waits for the turn."""
        self._thread.acquire()
        with suppress(OSError):  # a folder that takes no lock file: the database's own lock must do
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        """Gives the turn on."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._thread.release()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves; the driver's implicit one is always deferred
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_once(door: Session | Connection, table: type[Base], **values: object) -> bool:
    """Puts a row in unless one with its key stands; whether it did. Of two at once, one waits for the other's end."""
    engine = door.get_bind() if isinstance(door, Session) else door
    put = _INSERT[engine.dialect.name](table).values(**values).on_conflict_do_nothing()
    return door.execute(put.returning(*table.__table__.primary_key)).first() is not None
