"""One training run: gather, fit, package as candidate, and tell MLflow the whole story."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.calendar import PLAIN_WEEK, Calendar
from features.record import Record
from models import artefact
from models.lateness import LATENESS
from models.risk_model import RiskModel
from training import pointers
from training.fit import fit
from training.gather import gather
from training.provenance import provenance
from training.sample import Sample

Say = Callable[[str], None]
GOLDEN_ROWS = 20


@dataclass(frozen=True)
class Trained:
    """What a training left: the model, its folder (`version` is its name) and the identity of its manifest."""

    model: RiskModel
    version: str
    folder: Path
    sha256: str
    sample: Sample
    run_id: str | None = None


def train(
    record: Record,
    cutoff: datetime,
    models: Path,
    *,
    mlflow_url: str | None = None,
    version: int | None = None,
    calendar: Calendar = PLAIN_WEEK,
    say: Say = lambda line: None,
) -> Trained:
    """Learns lateness from what was known at `cutoff`; the result stands as candidate under `models/lateness`.

    `models`: the folder of packaged models. `mlflow_url`: tracking server or SQLite URL that gets the run; without
    it nothing is logged. `version`: the record as it was then, without it as it is. ValueError where the record holds too little to learn from.
    """
    say("read the record and build the matrix")
    version = record.version() if version is None else version
    sample = gather(record.connect(version=version, cutoff=cutoff), cutoff, calendar)
    about: dict[str, Any] = {
        "cutoff": cutoff.astimezone(UTC).isoformat(),
        "record_version": version,
        "calendar": calendar.name,
        **provenance(sample.matrix.column_names),
    }
    model = fit(sample, target=LATENESS.name, about=about, say=say)
    say("package the candidate")
    trained = package(model, sample, cutoff, models)
    if mlflow_url is not None:
        from training.tracking import log_run

        say("log the run")
        trained = log_run(trained, record, cutoff, mlflow_url, calendar)
    pointers.write(
        models / LATENESS.name,
        "candidate",
        {"version": trained.version, "sha256": trained.sha256, "run_id": trained.run_id},
    )
    return trained


def package(model: RiskModel, sample: Sample, cutoff: datetime, models: Path) -> Trained:
    """Saves the model in a folder of its own, named by cutoff and identity; the same model has the same folder."""
    root = models / model.target
    half = root / f".half-{cutoff.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    golden = model.encoder.encode(sample.matrix.slice(0, GOLDEN_ROWS))
    sha256 = artefact.save(model, half, golden=golden)
    version = f"{cutoff.astimezone(UTC):%Y%m%dT%H%M%SZ}-{sha256[:8]}"
    folder = root / version
    if folder.exists():
        for path in half.iterdir():
            path.unlink()
        half.rmdir()
    else:
        half.rename(folder)
    return Trained(model, version, folder, sha256, sample)
