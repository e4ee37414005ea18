"""Runs one function of ours in a process of its own and tells what it took: `spend("module:function", …)`.

The process prints one line of JSON: processor seconds and wall seconds of the call, the greatest memory of the
process (its imports included), and what the function gave.
"""

import importlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST = 1_800
"""Seconds after which a contender is given up."""


@dataclass(frozen=True)
class Spent:
    """What a call took: processor seconds, wall seconds, greatest memory in MB; and what it gave."""

    cpu: float
    wall: float
    peak: float
    answer: Any


def spend(function: str, **arguments: object) -> Spent:
    """Calls `module:function` with JSON arguments in a new process. OSError says what it said when it failed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.contender", function, json.dumps(arguments)],
        capture_output=True, text=True, timeout=LONGEST, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    )  # fmt: skip
    if done.returncode:
        raise OSError(f"{function} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    return Spent(**json.loads(done.stdout.splitlines()[-1]))


def _run(function: str, arguments: dict[str, Any]) -> None:
    module, name = function.split(":")
    call = getattr(importlib.import_module(module), name)
    begun, wall = time.process_time(), time.perf_counter()
    answer = call(**arguments)
    spent = Spent(
        time.process_time() - begun,
        time.perf_counter() - wall,
        peak_kilobytes() / 1024,
        answer,
    )
    print(json.dumps(spent.__dict__))


def peak_kilobytes() -> int:
    """The most memory this process ever held (Linux); `ru_maxrss` also counts whoever started it (getrusage(2))."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    _run(sys.argv[1], json.loads(sys.argv[2]))
