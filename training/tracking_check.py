"""Whether MLflow will take a run, asked before anything is learnt: in seconds, without importing it.

What is asked is what would cost a training at its end: a server that is not there, a database that can't be written,
an experiment that somebody deleted.
"""

from __future__ import annotations

import json
import os
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

SECONDS = 10.0
"""How long the tracking server may take to answer."""


class TrackingRefused(ValueError):
    """MLflow would not take the run; says what to do."""


def insist_on_tracking(url: str, experiment: str, seconds: float = SECONDS) -> None:
    """TrackingRefused unless the tracking server or SQLite file at `url` answers and would take such a run."""
    if url.startswith("sqlite:///"):
        stage = _stage_in_file(Path(url.removeprefix("sqlite:///")), experiment, seconds)
    elif url.startswith(("http://", "https://")):
        stage = _stage_on_server(url, experiment, seconds)
    else:
        return  # another kind of store: MLflow itself says what it thinks of it
    if stage == "deleted":
        raise TrackingRefused(
            f"the experiment {experiment!r} is deleted in MLflow: restore it (mlflow experiments restore "
            "--experiment-id ID), or remove it for good (mlflow gc); nothing was trained"
        )


def _stage_in_file(path: Path, experiment: str, seconds: float) -> str | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise TrackingRefused(f"{path} can't be written: give its owner the right, or set RISK_MLFLOW_URL")
    if not path.exists():
        return None
    con = sqlite3.connect(path, timeout=seconds)
    try:
        row = con.execute("SELECT lifecycle_stage FROM experiments WHERE name = ?", [experiment]).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):  # made, and not migrated yet: MLflow does that on first use
            return None
        raise TrackingRefused(f"{path.name} does not answer: {error}") from error
    except sqlite3.DatabaseError as error:
        raise TrackingRefused(f"{path.name} is not MLflow's database: restore it from the backup") from error
    finally:
        con.close()
    return None if row is None else str(row[0])


def _stage_on_server(url: str, experiment: str, seconds: float) -> str | None:
    where = urllib.parse.urlsplit(url)
    shown = f"{where.scheme}://{where.hostname}{f':{where.port}' if where.port else ''}"  # without its password
    name = urllib.parse.quote(experiment)
    asked = f"{url.rstrip('/')}/api/2.0/mlflow/experiments/get-by-name?experiment_name={name}"
    try:
        with urllib.request.urlopen(asked, timeout=seconds) as answer:
            return str(json.load(answer)["experiment"]["lifecycle_stage"])
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (401, 403, 404):  # no such experiment yet; or MLflow's own client brings who asks
            return None
        raise TrackingRefused(
            f"MLflow at {shown} answers {error.code}: look at its log; nothing was trained"
        ) from error
    except (OSError, ValueError, KeyError) as error:  # refused, unknown name, too slow, or something else answers there
        raise TrackingRefused(
            f"MLflow at {shown} does not answer ({type(error).__name__}): start it, or correct RISK_MLFLOW_URL; "
            "nothing was trained"
        ) from error
