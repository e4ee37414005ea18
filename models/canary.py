"""The canary: a process of its own loads a model and scores golden rows before anybody trusts it.

A model that passes hash and structure can still end the process that loads it, or give other scores than it gave
when it was made (another library version, another processor). So a subprocess goes first. Golden rows are encoded
cells and the log-odds (and hazards) that the model gave for them, kept in the package as `golden.json`.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np

from models.artefact import GOLDEN, ArtefactError, golden_hazard, load

AGREE = 1e-9
SECONDS = 60


def check(folder: Path) -> int:
    """Scores the golden rows of the model in `folder` in this process and gives their number.

    ArtefactError where there are none or any log-odds differ by more than `AGREE`.
    """
    model = load(folder)
    try:
        golden = json.loads((folder / GOLDEN).read_text("utf-8"))
        x = np.array([[math.nan if cell is None else float(cell) for cell in row] for row in golden["rows"]], float)
        wanted = np.array(golden["log_odds"], float)
        hazard = np.array(golden.get("hazard", ()), float)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ArtefactError(f"{GOLDEN}: wanted golden rows, came {type(error).__name__}; train again") from error
    if x.ndim != 2 or x.shape != (len(wanted), len(model.encoder.columns)) or not len(x):
        raise ArtefactError(f"{GOLDEN}: wanted rows of {len(model.encoder.columns)} columns, came {x.shape}")
    came = model.log_odds(x)
    if not np.allclose(came, wanted, rtol=0.0, atol=AGREE):
        raise ArtefactError(f"{GOLDEN}: log-odds differ by up to {np.abs(came - wanted).max():.3g}; train again here")
    if model.remaining is not None and not np.allclose(golden_hazard(model.remaining, x), hazard, rtol=0.0, atol=AGREE):
        raise ArtefactError(f"{GOLDEN}: times to the end differ; train again here")
    return len(x)


def fly(folder: Path) -> None:
    """Runs `check` in a subprocess; ArtefactError where it refuses, dies or takes longer than a minute."""
    command = [sys.executable, "-m", "models.canary", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ArtefactError(f"canary: no answer within {SECONDS} s; the model is not used") from error
    if done.returncode != 0:
        message = (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:200]
        raise ArtefactError(f"canary: ended with {done.returncode}: {message}")


if __name__ == "__main__":
    check(Path(sys.argv[1]))
