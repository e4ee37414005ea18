"""Reproducing: train again from what a run says of itself, and compare predictions to the bit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from features.calendar.working_time import PLAIN_WEEK, Calendar
from features.record.record import Record
from models import artefact
from models.targets import MAIN
from training.members import Recipe
from training.provenance import provenance
from training.run import train
from training.training_set import MOST

Say = Callable[[str], None]
ORIGINS = ("git_commit", "lock_hash", "features_hash")


@dataclass(frozen=True)
class Reproduced:
    """What came of it: whether the manifest and every prediction are the same, and what differs in origin."""

    identical: bool
    cases: int
    largest: float
    differing: tuple[str, ...]

    def __str__(self) -> str:
        if self.identical:
            return f"identical: {self.cases} predictions to the bit"
        why = f"; differing: {', '.join(self.differing)}" if self.differing else ""
        return f"not identical: predictions differ by up to {self.largest:.3g}{why}"


def reproduce(
    record: Record, folder: Path, *, calendar: Calendar = PLAIN_WEEK, say: Say = lambda line: None
) -> Reproduced:
    """Trains the packaged model in `folder` again and compares. ArtefactError where the package is damaged.

    The record may have moved and may hold more by now: the run's record version is read. ValueError where the
    record does not reach that version.
    """
    before = artefact.load(folder)
    about = before.about
    if record.version() < int(about["record_version"]):
        raise ValueError(f"wanted a record of version {about['record_version']}, came one of {record.version()}")
    cutoff = datetime.fromisoformat(str(about["cutoff"]))
    with tempfile.TemporaryDirectory() as scratch:
        again = train(
            record,
            cutoff,
            Path(scratch),
            version=int(about["record_version"]),
            calendar=calendar,
            recipes=_recipes(about["recipes"]) if "recipes" in about else None,
            most=int(about.get("sampling", {}).get("most", MOST)),
            say=say,
        )
        ours = before.probability(again.sample.matrix)
        theirs = again.model.probability(again.sample.matrix)
    now = provenance(again.sample.matrix.column_names)
    differing = tuple(name for name in ORIGINS if about.get(name) != now[name])
    largest = float(np.abs(ours - theirs).max()) if len(ours) else 0.0
    return Reproduced(bool(np.array_equal(ours, theirs)), len(ours), largest, differing)


def _recipes(entries: list[dict[str, Any]]) -> dict[str, Recipe]:
    """The recipes that a training tried, by name and in their order."""
    return {one["name"]: Recipe(**{key: value for key, value in one.items() if key != "name"}) for one in entries}


def folder_of_run(run_id: str, url: str, models: Path, target: str = MAIN.name) -> Path:
    """The package of an MLflow run: the local folder, else fetched from the run. ValueError for an unknown run."""
    from training.tracking import connect

    mlflow = connect(url)
    try:
        run = mlflow.get_run(run_id)
    except mlflow.exceptions.MlflowException as error:
        raise ValueError(f"wanted a run of {url.split('@')[-1]}, came {run_id!r:.60}") from error
    folder = models / target / str(run.data.tags["model_version"])
    if not folder.exists():
        mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="package", dst_path=str(folder.parent))
        (folder.parent / "package").rename(folder)
    return folder
