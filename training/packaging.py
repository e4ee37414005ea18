"""What a training leaves: the model in a folder of its own, named by cutoff and identity."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from models import artefact
from models.risk_model import RiskModel
from training.sample import Sample

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


def package(model: RiskModel, sample: Sample, cutoff: datetime, models: Path) -> Trained:
    """Saves the model in a folder of its own, named by cutoff and identity; the same model has the same folder."""
    root = models / model.target
    half = root / f".half-{cutoff.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    if half.exists():  # what a killed run left
        shutil.rmtree(half)
    golden = model.encoder.encode(sample.matrix.slice(0, GOLDEN_ROWS))
    sha256 = artefact.save(model, half, golden=golden)
    version = f"{cutoff.astimezone(UTC):%Y%m%dT%H%M%SZ}-{sha256[:8]}"
    folder = root / version
    if folder.exists():
        shutil.rmtree(half)
    else:
        half.rename(folder)
    return Trained(model, version, folder, sha256, sample)
