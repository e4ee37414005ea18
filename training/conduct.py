"""Learns the target conduct: the yearly forecasts for officials, one a tier that the record can teach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from models import official_artefact
from models.official_events import TIERS
from models.official_forecast import OfficialForecast
from training import official_forecast, pointers
from training.provenance import git_commit

TARGET = "conduct"
HORIZON = timedelta(days=365)


@dataclass(frozen=True)
class LearntConduct:
    """What a training gave: its version, the forecasts by tier, and why a tier has none."""

    version: str
    forecasts: dict[str, OfficialForecast]
    without: dict[str, str]


def train(con: duckdb.DuckDBPyConnection, record_version: int, cutoff: datetime, models: Path) -> LearntConduct:
    """Learns every tier from what was known at the cutoff; the result stands as candidate of `conduct`.

    A tier that the record cannot teach has the reason in `without`: then signals against peers alone rank.
    """
    forecasts, without = {}, {}
    for name, tier in TIERS.items():
        try:
            forecasts[name] = official_forecast.train(con, cutoff, tier, HORIZON)
        except ValueError as error:
            without[name] = str(error)
    about = {"cutoff": cutoff.isoformat(), "record_version": str(record_version), "git_commit": git_commit()}
    version = f"{cutoff:%Y%m%dT%H%M%SZ}-v{record_version}"
    sha256 = official_artefact.save(forecasts, about, models / TARGET / version)
    pointers.write(models / TARGET, "candidate", {"version": version, "sha256": sha256})
    return LearntConduct(version, forecasts, without)


def promote(models: Path, *, at: datetime, because: str | None = None) -> str:
    """Makes the candidate champion and gives its version; its files are loaded and checked first.

    The gate of each tier is in the forecast itself: the model ships only where it beat the best count by an
    interval. FileNotFoundError without a candidate.
    """
    folder = models / TARGET
    candidate = pointers.read(folder, "candidate")
    if candidate is None:
        raise FileNotFoundError("no candidate of conduct; run: risk train conduct --cutoff T")
    official_artefact.load(folder / candidate["version"], sha256=candidate["sha256"])
    champion = pointers.read(folder, "champion")
    places = {"champion": candidate}
    if champion is not None and champion["sha256"] != candidate["sha256"]:
        places["previous"] = champion
    with pointers.held(folder):
        pointers.move(folder, places, "promote", at, because=because)
    return str(candidate["version"])
