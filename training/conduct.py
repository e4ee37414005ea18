"""Learns the target conduct: yearly forecasts for officials, one a tier, and the finding model for dossiers.

`models/conduct/<version>/`: the forecasts; `dossier/` in it: the finding model, where one ships. The pointer names
both by the sha256 of their manifests, and says why dossiers have no model where they have none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from features.case_state.custody import shared_out
from models import artefact, official_artefact, pointers
from models.official_events import TIERS
from models.official_forecast import OfficialForecast
from training import finding, official_forecast
from training.finding import LearntFinding
from training.gates import insist, second_person
from training.provenance import git_commit

TARGET = "conduct"
DOSSIER = "dossier"
"""Folder of the finding model within a version."""

HORIZON = timedelta(days=365)


@dataclass(frozen=True)
class LearntConduct:
    """What a training gave: its version and folder, the forecasts by tier, why a tier has none, what ships for
    dossiers, and `about` what it was trained on.
    """

    version: str
    folder: Path
    forecasts: dict[str, OfficialForecast]
    without: dict[str, str]
    dossier: LearntFinding
    about: dict[str, str]


def train(
    con: duckdb.DuckDBPyConnection, record_version: int, cutoff: datetime, models: Path, by: str | None = None
) -> LearntConduct:
    """Learns every tier from what was known at the cutoff; the result stands as candidate of `conduct`.

    `by`: who trains, for the second person of the promotion.
    A tier that the record cannot teach has the reason in `without`: then signals against peers alone rank.
    """
    forecasts, without = {}, {}
    for name, tier in TIERS.items():
        try:
            forecasts[name] = official_forecast.train(con, cutoff, tier, HORIZON)
        except ValueError as error:
            without[name] = str(error)
    dossier = _dossier(con, cutoff)
    shared = {name: f"{told[0]} of {told[1]}" for name, told in shared_out(con, cutoff).items() if told[1]}
    about = {"cutoff": cutoff.isoformat(), "record_version": str(record_version), "git_commit": git_commit()}
    about |= {f"{name}s_shared_out": told for name, told in shared.items()}
    version = f"{cutoff:%Y%m%dT%H%M%SZ}-v{record_version}"
    folder = models / TARGET / version
    said: dict[str, object] = {"version": version, "sha256": official_artefact.save(forecasts, about, folder)}
    said["dossier"] = {"ships": dossier.ships, "why": dossier.why}
    if dossier.model is not None:
        model = replace(dossier.model, about={**about, **dossier.about(), **dossier.model.about})
        said["dossier"] = {**dossier.about(), "sha256": artefact.save(model, folder / DOSSIER)}
    pointers.write(models / TARGET, "candidate", {**said, "trained_by": by})
    return LearntConduct(version, folder, forecasts, without, dossier, about)


def _dossier(con: duckdb.DuckDBPyConnection, cutoff: datetime) -> LearntFinding:
    try:
        return finding.learn(con, cutoff)
    except ValueError as error:
        return LearntFinding("signals", str(error), None, 0, 0)


def promote(models: Path, *, at: datetime, because: str | None = None, by: str | None = None) -> str:
    """Makes the candidate champion and gives its version; its files are loaded and checked first.

    The gate of each tier is in the forecast itself: the model ships only where it beat the best count by an
    interval; so is that of the finding model. `by`: who promotes; another than who trained, where both are told,
    or Refused unless `because` says why. FileNotFoundError without a candidate.
    """
    folder = models / TARGET
    candidate = pointers.read(folder, "candidate")
    if candidate is None:
        raise FileNotFoundError("no candidate of conduct; run: risk train conduct --cutoff T")
    insist([second_person(candidate.get("trained_by"), by)], because)
    official_artefact.load(folder / candidate["version"], sha256=candidate["sha256"])
    finding_sha = candidate.get("dossier", {}).get("sha256")
    if finding_sha:
        artefact.load(folder / candidate["version"] / DOSSIER, sha256=finding_sha)
    champion = pointers.read(folder, "champion")
    places = {"champion": candidate}
    if champion is not None and champion["sha256"] != candidate["sha256"]:
        places["previous"] = champion
    with pointers.held(folder):
        pointers.move(folder, places, "promote", at, because=because, by=by)
    return str(candidate["version"])
