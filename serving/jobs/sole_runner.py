"""One of many runs a job: a lock that whoever dies gives back by dying.

PostgreSQL: an advisory lock of the session (https://www.postgresql.org/docs/current/explicit-locking.html), so that
machines which share a database share the jobs. SQLite: a lock on a file beside it, for one machine.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from serving.state import State

_SPACE = 766_006  # our jobs among the advisory locks of the database


@contextmanager
def sole_runner(state: State, home: Path, job: str) -> Iterator[bool]:
    """Whether we alone may run `job` until the end of the block; False at once where somebody else does."""
    if state.sqlite:
        folder = home / "jobs"
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(folder / f"{job}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(file)
        return
    key = int.from_bytes(hashlib.sha256(job.encode()).digest()[:4], "big", signed=True)
    with state.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        ours = connection.scalar(text("SELECT pg_try_advisory_lock(:space, :job)"), {"space": _SPACE, "job": key})
        try:
            yield bool(ours)
        finally:
            if ours and not connection.closed:
                connection.scalar(text("SELECT pg_advisory_unlock(:space, :job)"), {"space": _SPACE, "job": key})
