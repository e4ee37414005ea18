"""One training run: gather, fit, package as candidate, and log all of it in MLflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.calendar.working_time import PLAIN_WEEK, Calendar
from features.record.claimed_knowledge import claimed_knowledge
from features.record.record import Record
from models import artefact, pointers
from models.cases import landmarks
from models.risk_model import RiskModel
from models.target import Target
from models.targets import MAIN
from training.attribute_leak import heaviest
from training.drift import background
from training.fit import fit_judged, suited
from training.gates import against, gates_of
from training.members import Recipe
from training.model_selection import Choices
from training.packaging import Trained, package
from training.provenance import provenance
from training.reason_stability import steadiness
from training.remaining_time import OpenSample, endings, open_landmarks, with_remaining_time
from training.sample import Sample
from training.time_travel import time_travel
from training.tracking_check import insist_on_tracking
from training.training_set import MOST, WEEK, built_together, drawn, ripe_cases, training_cases
from training.tune import recipes_of

Say = Callable[[str], None]
LEAST_FRESH = 100
WINDOW_WEEKS = 26
WATCHED = 12_000
"""Rows of the training window that later scorings are compared with, about."""


def train(
    record: Record,
    cutoff: datetime,
    models: Path,
    *,
    mlflow_url: str | None = None,
    version: int | None = None,
    calendar: Calendar = PLAIN_WEEK,
    by: str | None = None,
    recipes: Mapping[str, Recipe] | None = None,
    most: int = MOST,
    target: Target = MAIN,
    refit: Callable[[RiskModel, Recipe], RiskModel] | None = None,
    say: Say = lambda line: None,
) -> Trained:
    """Learns `target` from what was known at `cutoff`; the result stands as candidate under `models/<target>`.

    MLflow is asked first whether it will take the run (TrackingRefused); where it goes away meanwhile the candidate
    stands all the same, and `training.tracking.resume` logs it later.

    `models`: the folder of packaged models. `mlflow_url`: tracking server or SQLite URL that gets the run; without
    it nothing is logged. `version`: the record as it was then, without it as it is. `by`: who trains.
    `recipes`: without them the standing ones and the best of the last tuning. `most`: landmarks learnt at most.
    `refit`: fits members of what was chosen once more, on more rows than one machine holds (`training.dask_trees`).
    ValueError where the record holds too little to learn from.
    """
    if mlflow_url is not None:
        insist_on_tracking(mlflow_url, target.name)
    say("read the record and build the matrix")
    version = record.version() if version is None else version
    con = record.connect(version=version, cutoff=cutoff, copied=True)
    cases, labelled = ripe_cases(con, training_cases(con, cutoff, target), cutoff, most=most, target=target)
    timed = open_landmarks(con, cutoff, calendar) if target.overdue_is_certain else cases.slice(0, 0)
    cells, weekly, open_cells = built_together(con, [cases, window(con, cutoff), timed], calendar)
    sample = Sample.of(cells, labelled)
    about: dict[str, Any] = {
        "cutoff": cutoff.astimezone(UTC).isoformat(),
        "record_version": version,
        "calendar": calendar.name,
        "sampling": {"most": most, "seed": 0},
        **provenance(sample.matrix.column_names),
    }
    say("check that no cell looks ahead")
    checked = time_travel(record, sample.matrix, calendar, version=version)
    about["time_travel"] = {"holds": checked.holds, "words": str(checked)}
    about["claimed_knowledge"] = asdict(claimed_knowledge(con))
    recipes = suited(recipes_of(models / target.name) if recipes is None else recipes, sample)
    # a list, for their order breaks ties and a manifest sorts its keys
    about["recipes"] = [{"name": name, **asdict(recipe)} for name, recipe in recipes.items()]
    model, choices = fit_judged(sample, target=target.name, recipes=recipes, about=about, say=say)
    if refit is not None:
        model = refit(model, recipes[choices.recipe])
    say("compare with the champion, look whether reasons stay")
    beside = beside_champion(models / target.name, sample, choices)
    steady = steadiness(model, sample, recipes[choices.recipe])
    heavy = heaviest(model, sample, recipes[choices.recipe])
    model = replace(
        model,
        about={
            **model.about,
            "champion": beside,
            "background": background(model, weekly),
            "steadiness": steady,
            "attribute": heavy and asdict(heavy),
        },
    )
    say("learn the time to the end")
    if target.overdue_is_certain:
        opened = OpenSample(timed, open_cells, endings(con, timed, cutoff, calendar))
        model = with_remaining_time(model, con, sample, choices, cutoff, calendar, opened)
    say("package the candidate")
    trained = package(model, sample, cutoff, models)
    if mlflow_url is not None:
        say("log the run")
        trained = _logged(trained, mlflow_url, say)
    with pointers.held(models / target.name):
        pointers.write(
            models / target.name,
            "candidate",
            {
                "version": trained.version,
                "sha256": trained.sha256,
                "run_id": trained.run_id,
                "trained_by": by,
                "gates": [asdict(gate) for gate in gates_of(model.about)],  # asked again at the promotion
            },
        )
    return trained


def _logged(trained: Trained, url: str, say: Say) -> Trained:
    """The training with its run; without one where MLflow went away since it was asked: the candidate is not lost."""
    from training.tracking import log_run

    try:
        return log_run(trained, url)
    except Exception as error:  # MLflow's errors and those of its libraries have no kind in common
        later = f"risk log {trained.model.target}"
        say(f"MLflow could not be told ({type(error).__name__}); the candidate stands, tell it later: {later}")
        return trained


def beside_champion(folder: Path, sample: Sample, choices: Choices) -> dict[str, Any] | None:
    """The champion's figures beside those of models that had not learnt the judged rows, on rows new to both.

    None where there is no champion that can be loaded, or where it has learnt all the judged rows.
    """
    pointer = pointers.read(folder, "champion")
    if pointer is None:
        return None
    try:
        champion = artefact.load(folder / pointer["version"], sha256=pointer["sha256"])
        known_until = datetime.fromisoformat(str(champion.about["cutoff"])).timestamp() * 1_000_000
        fresh = sample.as_of[choices.rows] >= known_until
        rows = choices.rows[fresh]
        if len(rows) < LEAST_FRESH:
            return None
        theirs = champion.probability(sample.take(rows).matrix)
    except (artefact.ArtefactError, KeyError):
        return None
    difference = against(sample.label[rows], choices.score[fresh], theirs, sample.dossier[rows])
    intervals = {metric: [one.value, one.low, one.high] for metric, one in difference.items()}
    if not np.isfinite([number for numbers in intervals.values() for number in numbers]).all():
        return None
    return {"version": pointer["version"], "rows": len(rows), **intervals}


def window(con: Any, cutoff: datetime, most: int = WATCHED) -> pa.Table:
    """What was open at the weekly landmarks of the last half year before the cutoff: what scoring should keep looking
    like. About `most` cases, whole dossiers drawn."""
    cases = landmarks(con, cutoff - WINDOW_WEEKS * WEEK, cutoff, every=WEEK)
    if cases.num_rows > most:
        cases = cases.filter(drawn(cases["dossier_id"], most / cases.num_rows))
    return cases
