"""Learns the target conduct: yearly forecasts for officials, one a tier, and the finding model for dossiers.

`models/conduct/<version>/`: the forecasts; `dossier/` in it: the finding model, where one ships; `training.json`: what
the run tells beside them. The pointer names both models by the sha256 of their manifests, and says why dossiers have
none where they have none.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from features.case_state.custody import shared_out
from features.complaints import history as complaint_history
from models import artefact, official_artefact, pointers
from models.official_events import TIERS
from models.official_forecast import OfficialForecast
from training import finding, official_forecast
from training.conduct_fairness import audit, groups_of
from training.finding import LearntFinding
from training.gates import insist, second_person
from training.promote import Say, move_up, tell_aliases
from training.provenance import git_commit

TARGET = "conduct"
DOSSIER = "dossier"
"""Folder of the finding model within a version."""

TRAINING = "training.json"

HORIZON = timedelta(days=365)


@dataclass(frozen=True)
class LearntConduct:
    """What a training gave: its version and folder, the forecasts by tier, why a tier has none, what ships for
    dossiers, `about` what it was trained on, and `officials`, the history of everybody in post at the cutoff.
    """

    version: str
    folder: Path
    sha256: str
    forecasts: dict[str, OfficialForecast]
    without: dict[str, str]
    dossier: LearntFinding
    about: dict[str, str]
    officials: pa.Table


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
    shared = {name: f"{part} of {whole}" for name, (part, whole) in shared_out(con, cutoff).items() if whole}
    about = {"cutoff": cutoff.isoformat(), "record_version": str(record_version), "git_commit": git_commit()}
    about |= {f"{name}s_shared_out": words for name, words in shared.items()}
    officials = complaint_history.build(con, [cutoff])
    half = models / TARGET / f".half-{cutoff:%Y%m%dT%H%M%SZ}"
    shutil.rmtree(half, ignore_errors=True)  # what a killed run left
    sha256 = official_artefact.save(forecasts, about, half)
    pointer: dict[str, Any] = {"sha256": sha256, "dossier": {"ships": dossier.ships, "why": dossier.why}}
    if dossier.model is not None:
        model = replace(dossier.model, about={**about, **dossier.about(), **dossier.model.about})
        pointer["dossier"] = {**dossier.about(), "sha256": artefact.save(model, half / DOSSIER)}
    training = {"without": without, "dossier": dossier.about(), "slices": _slices(con, cutoff, officials, forecasts)}
    (half / TRAINING).write_text(json.dumps(training, ensure_ascii=False, indent=1), "utf-8")
    identity = hashlib.sha256(json.dumps(pointer, sort_keys=True).encode()).hexdigest()[:8]
    version = f"{cutoff:%Y%m%dT%H%M%SZ}-v{record_version}-{identity}"
    folder = models / TARGET / version
    if folder.exists():  # the same was learnt before, and may be the champion
        shutil.rmtree(half)
    else:
        half.rename(folder)
    pointers.write(models / TARGET, "candidate", {"version": version, **pointer, "trained_by": by})
    return LearntConduct(version, folder, sha256, forecasts, without, dossier, about, officials)


def _slices(
    con: duckdb.DuckDBPyConnection, cutoff: datetime, officials: pa.Table, forecasts: Mapping[str, OfficialForecast]
) -> list[dict[str, Any]]:
    """Each tier's mean score by group of officials, and how far it lies from that of all others."""
    groups = groups_of(con, cutoff, officials["official_id"].to_pylist())
    found = []
    for tier, forecast in forecasts.items():
        score = forecast.score(officials)
        highest = score >= np.quantile(score, 0.9)
        for one in audit(score, highest, None, groups):
            found.append(
                {
                    "tier": tier, "by": one.by, "slice": one.name, "n": one.n, "score": one.score,
                    "highest_tenth": one.flagged, "apart": one.apart.value, "apart_low": one.apart.low,
                    "apart_high": one.apart.high,
                }
            )  # fmt: skip
    return found


def _dossier(con: duckdb.DuckDBPyConnection, cutoff: datetime) -> LearntFinding:
    try:
        return finding.learn(con, cutoff)
    except ValueError as error:
        return LearntFinding("signals", str(error), None, 0, 0)


def promote(
    models: Path,
    *,
    at: datetime,
    because: str | None = None,
    by: str | None = None,
    mlflow_url: str | None = None,
    say: Say = lambda line: None,
) -> str:
    """Makes the candidate champion and gives its version; its files are loaded and checked first.

    The gate of each tier is in the forecast itself: the model ships only where it beat the best count by an
    interval; so is that of the finding model. `by`: who promotes; another than who trained, where both are named,
    or Refused unless `because` says why. `mlflow_url`: moves the aliases too. FileNotFoundError without a candidate.
    """
    folder = models / TARGET
    with pointers.held(folder):
        candidate = pointers.read(folder, "candidate")
        if candidate is None:
            raise FileNotFoundError("no candidate of conduct; run: risk train conduct --cutoff T")
        insist([second_person(candidate.get("trained_by"), by)], because)
        check(folder / candidate["version"], candidate)
        move_up(folder, candidate, at, because, by)
    tell_aliases(mlflow_url, folder, say)
    return str(candidate["version"])


def check(folder: Path, pointer: Mapping[str, Any]) -> None:
    """ArtefactError where the packages in a version's folder are not what its pointer says."""
    official_artefact.load(folder, sha256=pointer["sha256"])
    finding_sha = pointer.get("dossier", {}).get("sha256")
    if finding_sha:
        artefact.load(folder / DOSSIER, sha256=finding_sha)
