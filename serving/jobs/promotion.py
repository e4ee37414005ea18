"""A promotion that a person asks for on a page: done by the command `risk promote`, in a process of its own.

The service imports nothing of training; the command asks every gate again, flies the canary and swaps the pointer.
"""

import os
import subprocess
import sys
from pathlib import Path

LONGEST = 300
"""Seconds after which a promotion is given up; the champion of before then stays."""
_RISK = "from serving.cli import main; main()"


def promote_by_command(home: Path, target: str, by: str) -> str | None:
    """Makes the candidate of `target` champion in the name of `by`; what the command said where it refused, else None.

    A gate is never overruled here: whoever wants that says so on the command line, with a reason.
    """
    words = [sys.executable, "-c", _RISK, "--home", str(home), "promote", target, f"--by={by}"]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=LONGEST, check=False, env={**os.environ, "COLUMNS": "400"}
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {LONGEST} seconds"
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or ["the command failed"])[-1].removeprefix("risk: ")
