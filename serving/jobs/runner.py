"""One run of one job, by whoever gets its lock: begun, done, noted; nothing where the slot is done already."""

import fcntl
import hashlib
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from serving.extras import advice, missing_extra
from serving.jobs.run_log import DONE, FAILED, RunLog
from serving.jobs.schedule import Job, JobRules
from serving.settings import Settings
from serving.state import State

Action = Callable[[Settings, JobRules, datetime, datetime], str]
"""Does a job's work for a slot (second last) at a moment (last), and reports it in a line of counts.

Done again for the same slot it leaves what it left before: a run that was killed is done again.
"""

_PATIENCE = 600
"""Seconds for which writing the end of a run is tried again when the database is away."""


@dataclass(frozen=True)
class Run:
    """How a run ended: outcome `done` or `failed`, and its line; None: somebody else has it, or it is done."""

    outcome: str | None
    result: str


def run_slot(
    settings: Settings, state: State, rules: JobRules, job: Job, slot: datetime, action: Action,
    clock: Callable[[], datetime], patience: float = _PATIENCE,
) -> Run:  # fmt: skip
    """Runs a slot unless it is done, or another process runs the job now."""
    log = RunLog(state)
    with sole_runner(state, settings.home, job.name) as ours:
        if not ours:
            return Run(None, "another process runs it")
        run_id = log.begin(job.name, slot, f"{socket.gethostname()}:{os.getpid()}", clock())
        if run_id is None:
            return Run(None, "this slot is done")
        begun = time.monotonic()
        try:
            result, outcome = action(settings, rules, slot, clock()), DONE
        except Exception as error:  # whatever fails is noted and tried again; the next job has its turn
            result, outcome = trouble(error), FAILED
        seconds = time.monotonic() - begun
        _patiently(lambda: log.end(run_id, outcome, result, clock(), seconds), patience)
    return Run(outcome, result)


def trouble(error: Exception) -> str:
    """An error in a line without people's data: our own words and the system's; of an engine its kind alone."""
    if isinstance(error, ImportError) and (extra := missing_extra(error)):
        return advice(extra)
    module = type(error).__module__.split(".")[0]
    ours = isinstance(error, ValueError | LookupError | OSError) and module in (
        "builtins",
        "features",
        "models",
        "serving",
    )
    words = " ".join(str(error).split())[:300] if ours else ""
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def insist_on_space(rules: JobRules, folder: os.PathLike[str], wanted: int = 0) -> None:
    """OSError where less than `wanted` bytes and the reserve of the rules are free: stop before the disk is full."""
    free = shutil.disk_usage(folder).free
    if free < rules.least_free + wanted:
        need = (rules.least_free + wanted) / 2**30
        raise OSError(f"{free / 2**30:.1f} GiB free, wanted {need:.1f}: make room, or set least_free_gib in jobs.toml")


def _patiently(note: Callable[[], None], patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            return note()
        except OperationalError:
            if time.monotonic() >= until:
                raise  # the run stands as running; whoever comes next finds it killed and does it again
            time.sleep(min(5.0, patience))


_SPACE = 766_006  # our jobs among the advisory locks of the database


@contextmanager
def sole_runner(state: State, home: Path, job: str) -> Iterator[bool]:
    """Whether we alone may run `job` until the end of the block; False at once where somebody else does.

    Whoever dies gives the lock back by dying. PostgreSQL: an advisory lock of the session, so that machines which share
    a database share the jobs. SQLite: a lock on a file beside it, for one machine.
    """
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
