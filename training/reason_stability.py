"""Do the reasons of a score stay the same when chance or a week changes nothing about the dossier?

Two looks: the same lesson learnt again with another seed, and the same dossier at its next weekly landmark. Told is
the share of a score's three strongest reasons that it has in common with the other look.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from models.risk_model import RiskModel
from training.evaluate import interval
from training.members import KEYS, Recipe, fit_members, pairs_of
from training.sample import Sample

TOP = 3
MOST = 600
WEEK = 604_800_000_000


def steadiness(model: RiskModel, sample: Sample, recipe: Recipe, *, seed: int = 0, draws: int = 200) -> dict[str, Any]:
    """`reseeded` and `next_week`: shares of common reasons as [value, low, high]; None where nothing can be compared.

    Looked at are up to `MOST` rows of the latest fifth of the sample; intervals over dossiers.
    """
    rng = np.random.default_rng(seed)
    late = np.flatnonzero(sample.as_of >= np.quantile(sample.as_of, 0.8))
    rows = np.sort(rng.permutation(late)[:MOST])
    lesson = [name for name in sample.matrix.column_names if name in {*KEYS, *model.encoder.features}]
    _, members = fit_members(
        replace(sample, matrix=sample.matrix.select(lesson)),
        replace(recipe, seed=recipe.seed + 1000),
        pairs_of(model.members),
    )
    again = replace(model, members={name: members[name] for name in model.members})
    asked = sample.take(rows)
    ours, theirs = (_strongest(one, asked) for one in (model, again))
    found: dict[str, Any] = {"reseeded": _share(ours, theirs, asked.dossier, rng, draws)}
    now, later = _neighbours(sample, late)
    chosen = np.sort(rng.permutation(len(now))[:MOST])
    first, second = sample.take(now[chosen]), sample.take(later[chosen])
    found["next_week"] = (
        _share(_strongest(model, first), _strongest(model, second), first.dossier, rng, draws) if len(chosen) else None
    )
    return found


def _strongest(model: RiskModel, sample: Sample) -> np.ndarray:
    """Places of the strongest contributions of every row [n × TOP]."""
    contributions = np.abs(model.score(sample.matrix).contributions)
    return np.argsort(-contributions, axis=1, kind="stable")[:, :TOP]


def _neighbours(sample: Sample, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and the same dossiers' rows exactly a week later (positions in the sample)."""
    place = {(int(sample.dossier[at]), int(sample.as_of[at])): int(at) for at in rows}
    pairs = [
        (at, place[dossier, moment + WEEK])
        for (dossier, moment), at in place.items()
        if (dossier, moment + WEEK) in place
    ]
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _share(
    one: np.ndarray, other: np.ndarray, dossier: np.ndarray, rng: np.random.Generator, draws: int
) -> list[float]:
    common = (one[:, :, None] == other[:, None, :]).any(axis=2).mean(axis=1)
    clusters = np.unique(dossier, return_inverse=True)[1]
    n = int(clusters.max()) + 1
    weights = [np.ones(len(common)), *(np.bincount(rng.integers(0, n, n), minlength=n)[clusters] for _ in range(draws))]
    figure = interval(np.array([np.average(common, weights=weight) for weight in weights]))
    return [figure.value, figure.low, figure.high]
