"""Tuning: recipes are tried on the earlier slices of the training period; the latest only says what was gained.

Optuna's tree-structured Parzen estimator (Akiba et al. 2019), started from the standing recipes and the best ones of
the tuning before. The best recipe is kept beside the models and joins the next training as one more recipe, which ships
only where it is better beyond doubt (`training.model_selection.plainest`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from models.pointers import replace_file
from models.targets import MAIN
from training.evaluate import Metric, interval
from training.fit import LARGE, RECIPES, stable_columns
from training.members import Recipe
from training.model_selection import best_blend_losses, judge
from training.sample import Sample
from training.split import rolling

TUNING_FILE = "tuning.json"
TUNED = "tuned"
WARM = 5
"""Best recipes of the tuning before that a new one starts from."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """One recipe tried and its loss (log-loss of the calibrated blend on judged rows of earlier slices)."""

    recipe: Recipe
    loss: float


@dataclass(frozen=True)
class Tuned:
    """What a tuning found: trials in their order, and the loss gained on the latest slice (standing − best), which no
    trial saw; below zero the tuned recipe is worse there."""

    trials: tuple[Trial, ...]
    standing: str
    gained: Metric

    @property
    def best(self) -> Trial:
        """The trial of least loss."""
        return min(self.trials, key=lambda trial: trial.loss)


def tune(
    sample: Sample,
    over: Callable[[], bool],
    *,
    before: list[Recipe] | None = None,
    most: int = 1000,
    seed: int = 0,
    tell: Callable[[int, Trial], None] = lambda number, trial: None,
) -> Tuned:
    """Tries recipes until `over` says that the time is up, at least the standing ones and at most `most`.

    `before`: recipes of an earlier tuning, best first. `tell` gets every trial. ValueError where the sample has
    too few slices to try on and to judge.
    """
    import optuna

    splits = rolling(sample)
    if len(splits) < 2:
        raise ValueError("wanted at least two later slices to tune on, came fewer; ingest more history")
    stable = replace(sample, matrix=sample.matrix.select(stable_columns(sample, splits[:-1])))
    earlier, last = splits[:-1], splits[-1:]
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    trials: list[Trial] = []

    def objective(trial: Any) -> float:
        recipe = _drawn(trial)
        losses, weight = best_blend_losses(judge(stable, earlier, recipe))
        loss = float(np.average(losses, weights=weight))
        trials.append(Trial(recipe, loss))
        tell(len(trials), trials[-1])
        return loss

    starts = [*RECIPES.values(), *(before or [])[:WARM]]
    for recipe in starts:
        study.enqueue_trial(_as_parameters(recipe), skip_if_exists=True)
    while len(trials) < most and (len(trials) < len(RECIPES) or not over()):
        study.optimize(objective, n_trials=1)
    standing = min(RECIPES, key=lambda name: trials[list(RECIPES).index(name)].loss)
    best = min(trials, key=lambda trial: trial.loss)
    return Tuned(tuple(trials), standing, _gained(stable, last, RECIPES[standing], best.recipe))


def _gained(sample: Sample, last: list[Any], standing: Recipe, tuned: Recipe, draws: int = 300) -> Metric:
    """Loss of the standing recipe minus that of the tuned one on the latest slice, with an interval over dossiers."""
    theirs, ours = judge(sample, last, standing), judge(sample, last, tuned)
    (loss, weight), (other, _) = best_blend_losses(theirs), best_blend_losses(ours)
    clusters = np.unique(theirs.dossier, return_inverse=True)[1]
    n = int(clusters.max()) + 1
    rng = np.random.default_rng(0)
    counts = [np.ones(n), *(np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(draws))]
    return interval(np.array([np.average(loss - other, weights=weight * count[clusters]) for count in counts]))


def _drawn(trial: Any) -> Recipe:
    """The space that is searched; trees stay narrow enough for their reasons to be computed at once."""
    return Recipe(
        rounds=trial.suggest_int("rounds", 80, 500, step=10),
        ridge=0.001 if trial.suggest_categorical("with_ridge", [True, False]) else None,
        evenness=trial.suggest_float("evenness", 0.0, 1.0),
        monotone=trial.suggest_categorical("monotone", [True, False]),
        bags=trial.suggest_int("bags", 1, 3),
        trees={
            "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.1, log=True),
            "num_leaves": trial.suggest_int("num_leaves", 4, 31),
            "max_depth": trial.suggest_int("max_depth", 3, 6),
            "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 20, 200, log=True),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.1, 0.8),
            "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 100.0, log=True),
            "path_smooth": trial.suggest_float("path_smooth", 0.1, 100.0, log=True),
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
        },
    )


def _as_parameters(recipe: Recipe) -> dict[str, Any]:
    trees = {name: recipe.trees.get(name, LARGE.trees[name]) for name in LARGE.trees if not name.startswith("bagging")}
    return {
        "rounds": recipe.rounds,
        "with_ridge": recipe.ridge is not None,
        "evenness": recipe.evenness,
        "monotone": recipe.monotone,
        "bags": recipe.bags,
        **trees,
    }


def keep(folder: Path, tuned: Tuned, cutoff: datetime) -> None:
    """Writes the best recipes of a tuning beside the models, best first."""
    ranked = sorted(tuned.trials, key=lambda trial: trial.loss)[:WARM]
    document = {
        "cutoff": cutoff.isoformat(),
        "trials": len(tuned.trials),
        "gained": [tuned.gained.value, tuned.gained.low, tuned.gained.high],
        "recipes": [{"loss": trial.loss, **asdict(trial.recipe)} for trial in ranked],
    }
    replace_file(folder, TUNING_FILE, document)


def stored_recipes(folder: Path) -> list[Recipe]:
    """The recipes of the last tuning, best first; none without one."""
    path = folder / TUNING_FILE
    if not path.exists():
        return []
    entries = json.loads(path.read_text("utf-8"))["recipes"]
    return [Recipe(**{name: value for name, value in one.items() if name != "loss"}) for one in entries]


def recipes_of(folder: Path) -> Mapping[str, Recipe]:
    """The standing recipes and, last, the best of the last tuning."""
    tuned = stored_recipes(folder)
    return {**RECIPES, TUNED: tuned[0]} if tuned else RECIPES


@contextmanager
def logged(url: str, cutoff: datetime, record_version: int) -> Iterator[tuple[Callable[[int, Trial], None], Any]]:
    """One MLflow run around a tuning; gives what logs a trial as a run of its own under it, and what logs the end."""
    from training.tracking import connect

    mlflow = connect(url)
    tags = {"kind": "tuning", "target": MAIN.name, "cutoff": cutoff.isoformat(), "record_version": str(record_version)}
    with mlflow.start_run(run_name=f"tuning {cutoff:%Y-%m-%d}", tags=tags):

        def tell(number: int, trial: Trial) -> None:
            with mlflow.start_run(run_name=f"trial {number}", nested=True, tags={"kind": "trial"}):
                mlflow.log_params(_as_parameters(trial.recipe))
                mlflow.log_metric("loss", trial.loss)

        def end(tuned: Tuned) -> None:
            mlflow.log_metrics({"loss": tuned.best.loss, "gained": tuned.gained.value, "trials": len(tuned.trials)})
            mlflow.log_dict(asdict(tuned.best.recipe), "recipe.json")

        yield tell, end
