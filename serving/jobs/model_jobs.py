"""Work on models that a person asks for on a page: each in a process of its own, one at a time, noted.

The service imports nothing of training; the command learns, judges and asks every gate. A process that dies with the
machine stands as running until the next one begins, which finds it killed (`serving.jobs.run_log`).
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from serving.jobs.run_log import DONE, FAILED, RunLog
from serving.jobs.runner import sole_runner
from serving.language import LazyText as lazy
from serving.settings import Settings
from serving.state import State

LOCK = "model"
"""One lock for all of them: two trainings at once would take the machine from those who read."""
LONGEST, LONGEST_PROMOTION = timedelta(hours=12), timedelta(minutes=5)
"""After which a run is given up; the champion of before then stays."""
_RISK = "from serving.cli import main; main()"
_LONGEST_RESULT = 300


@dataclass(frozen=True)
class ModelJob:
    """One kind of work. name: as the log of runs has it; words: on pages; line: the command's words."""

    name: str
    words: str
    line: Callable[[str, datetime, str, Path], list[str]]


MODEL_JOBS: Mapping[str, ModelJob] = {
    one.name: one
    for one in (
        ModelJob("model-train", lazy("Huấn luyện lại"), lambda target, at, by, _: [
            "train", target, f"--cutoff={at.isoformat()}", f"--by={by}"]),
        ModelJob("model-rolling", lazy("Kiểm tra lùi theo thời gian"), lambda target, at, by, home: [
            "rolling", target, f"--last={at.isoformat()}", f"--out={home / 'models' / f'rolling-{target}.html'}"]),
        ModelJob("model-tune", lazy("Dò công thức tốt hơn (30 phút)"), lambda target, at, by, _: [
            "tune", target, f"--cutoff={at.isoformat()}", "--minutes=30"]),
        ModelJob("model-rollback", lazy("Quay về mô hình trước"), lambda target, at, by, _: [
            "rollback", target, f"--by={by}"]),
    )
}  # fmt: skip
"""Name → what can be asked for."""


def start(settings: Settings, state: State, job: ModelJob, target: str, by: str, now: datetime) -> None:
    """Begins the work and returns at once; ValueError where some is under way."""
    begun = threading.Event()
    busy: list[bool] = []
    threading.Thread(target=_run, args=(settings, state, job, target, by, now, begun, busy), daemon=True).start()
    begun.wait(30)
    if busy:
        raise ValueError("some work on models is under way; wait for its end")


def _run(
    settings: Settings, state: State, job: ModelJob, target: str, by: str, now: datetime, begun: threading.Event,
    busy: list[bool],
) -> None:  # fmt: skip
    log = RunLog(state)
    with sole_runner(state, settings.home, LOCK) as ours:
        run_id = log.begin(job.name, now, f"{socket.gethostname()}:{os.getpid()}", now) if ours else None
        if run_id is None:
            busy.append(True)
            begun.set()
            return
        begun.set()
        started = time.monotonic()
        outcome, result = _command(settings.home, job.line(target, now, by, settings.home), LONGEST)
        spent = time.monotonic() - started
        log.end(run_id, outcome, result, now + timedelta(seconds=spent), spent)


def promote_by_command(home: Path, target: str, by: str) -> str | None:
    """Makes the candidate of `target` champion in the name of `by`; what the command said where it refused, else None.

    A gate is never overruled here: whoever wants that says so on the command line, with a reason.
    """
    outcome, result = _command(home, ["promote", target, f"--by={by}"], LONGEST_PROMOTION)
    return None if outcome == DONE else result


def _command(home: Path, words: list[str], longest: timedelta) -> tuple[str, str]:
    """How it ended, and the last line of its output; that of an error holds no people's data."""
    line = [sys.executable, "-c", _RISK, "--home", str(home), *words]
    try:
        done = subprocess.run(
            line, capture_output=True, text=True, timeout=longest.total_seconds(), check=False,
            env={**os.environ, "COLUMNS": "400"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return FAILED, f"no end in {longest}"
    output = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines() or ["no word of the command"]
    return DONE if done.returncode == 0 else FAILED, output[-1].removeprefix("risk: ")[:_LONGEST_RESULT]
