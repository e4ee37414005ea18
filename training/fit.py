"""One training: recipe and blend are chosen on later slices of the training period, then all is fitted again.

1. Rolling splits with an embargo inside the training period (`training.split`).
2. Columns that only tell how old the record is are dropped (`stable_columns`).
3. Each recipe is fitted on what each split may learn; the judged rows choose the recipe, the best simple rule and
   the weights of the blend.
4. Platt's calibration on the latest judged slice.
5. The members are fitted again on the whole training period, with the choices made.
Nothing here sees a row of the test period.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from models.encoding import column_of_numbers, column_of_text
from models.peer_medians import usual_values
from models.reasons import DECLARED
from models.risk_model import Member, RiskModel
from training.evaluate import auc, curve
from training.fairness import as_json, audit, groups_of
from training.members import KEYS, Recipe, fit_members, is_category, pairs_of
from training.model_selection import Choices, choose
from training.sample import Sample
from training.split import Split, rolling

_REGULAR = {"lambda_l2": 10.0, "bagging_fraction": 0.7, "bagging_freq": 1, "path_smooth": 10.0}
SMALL = Recipe(
    rounds=150,
    ridge=0.001,
    trees={
        "learning_rate": 0.02,
        "num_leaves": 6,
        "max_depth": 3,
        "min_data_in_leaf": 60,
        "feature_fraction": 0.3,
        **_REGULAR,
    },
)
LARGE = Recipe(
    rounds=300,
    ridge=None,
    evenness=0.0,
    identities=None,
    trees={
        "learning_rate": 0.03,
        "num_leaves": 15,
        "max_depth": 6,
        "min_data_in_leaf": 50,
        "feature_fraction": 0.15,
        **_REGULAR,
        "path_smooth": 50.0,
    },
)
RECIPES: Mapping[str, Recipe] = {"small": SMALL, "large": LARGE}
"""From plain to rich; a richer one must be better beyond doubt, two standard errors (Breiman et al. 1984 take one).

With few dossiers shallow trees stand beside a regression and what names say; with many, deeper trees alone hold what
those know, do not stretch a drifting count along a line, and follow rolling rates where names change their ways."""

FEW = 3_000
"""Dossiers up to which names are learnt; of more, rolling rates hold the same and follow what changes."""

ALMOST = 0.95
"""Share of dossiers of one value from which a category is almost constant."""

Say = Callable[[str], None]


def fit(
    sample: Sample,
    *,
    target: str,
    recipes: Mapping[str, Recipe] = RECIPES,
    say: Say = lambda line: None,
) -> RiskModel:
    """The model that ships, from a labelled sample (`fit_judged` without what it was chosen by)."""
    return fit_judged(sample, target=target, recipes=recipes, say=say)[0]


def suited(recipes: Mapping[str, Recipe], sample: Sample) -> dict[str, Recipe]:
    """The recipes as the sample's number of dossiers lets them be: without names where there are many."""
    few = len(np.unique(sample.dossier)) <= FEW
    return {name: recipe if few else replace(recipe, identities=None) for name, recipe in recipes.items()}


def fit_judged(
    sample: Sample,
    *,
    target: str,
    recipes: Mapping[str, Recipe] = RECIPES,
    about: Mapping[str, Any] | None = None,
    say: Say = lambda line: None,
) -> tuple[RiskModel, Choices]:
    """The model that ships, and what it was chosen by. ValueError where the sample holds no row of each class."""
    if not len(sample) or sample.label.min() == sample.label.max():
        raise ValueError(
            "wanted ripe cases of both outcomes, came only one outcome or none; ingest more history or "
            "take a later cutoff"
        )
    recipes = suited(recipes, sample)
    splits = rolling(sample)
    columns = stable_columns(sample, splits)
    sample = replace(sample, matrix=sample.matrix.select(columns))
    choices = choose(sample, splits, recipes, say)
    say("fit on the whole training period")
    recipe = recipes[choices.recipe]
    named = dict.fromkeys((*choices.weights, choices.rule))
    encoder, members = fit_members(sample, recipe, pairs_of(named))
    shipped: dict[str, Member] = {name: members[name] for name in named}
    details = {
        "recipe": choices.recipe,
        "parameters": {
            "rounds": recipe.rounds,
            "ridge": recipe.ridge,
            "m": recipe.m,
            "seed": recipe.seed,
            "monotone": recipe.monotone,
            "bags": recipe.bags,
            "identities": recipe.identities,
            **recipe.trees,
        },
        "slope": choices.slope if choices.losses else None,
        "losses": choices.losses,
        "rows": len(sample),
        "dossiers": int(sample.dossier.max()) + 1,
        "late_rate": float(np.average(sample.label, weights=sample.share)),
    }
    model = RiskModel(
        target,
        encoder,
        shipped,
        choices.weights,
        choices.intercept,
        choices.slope,
        choices.rule,
        usual=usual_values(sample.matrix, encoder.numbers, DECLARED),
        about={
            **(about or {}),
            "training": details,
            "figures": choices.figures,
            "curve": curve(sample.label[choices.rows], choices.score),
            "groups": groups(sample, choices),
        },
        by_stage=choices.by_stage if encoder.stages is not None else (),
        doubt=choices.doubt,
    )
    return model, choices


def groups(sample: Sample, choices: Choices) -> dict[str, Any]:
    """The fairness audit of the judged rows, as the card and the gate take it."""
    rows = choices.rows
    if not len(rows):
        return {}
    group = groups_of(sample.matrix.take(pa.array(rows)), sample.dossier[rows])
    return as_json(audit(sample.label[rows], choices.score, sample.dossier[rows], group))


def almost_constant(sample: Sample, name: str) -> bool:
    """Whether an attribute says the same of nearly all dossiers, but not of all.

    What the few others show is the past of few; and where it is no longer so rare, the source has changed.
    """
    if not name.startswith("x_") or not is_category(sample.matrix[name]):
        return False
    _, inverse = np.unique(column_of_text(sample.matrix, name).astype(str), return_inverse=True)
    most = float(np.bincount(inverse, sample.share).max() / sample.share.sum())
    return ALMOST <= most < 1.0 - 1e-9


def stable_columns(sample: Sample, splits: list[Split], most: float = 0.8) -> list[str]:
    """The matrix columns without numbers that separate the slices of time.

    A count that only grows (days seen, outcomes known so far) has at scoring a value that no training row had.
    A number that separates the judged rows of the last split from the learnt ones with an AUC of `most` or more, either
    way, is dropped.
    """
    names = [name for name in sample.matrix.column_names if not almost_constant(sample, name)]
    if not splits:
        return list(names)
    split = splits[-1]
    later = np.concatenate([np.zeros(len(split.learn)), np.ones(len(split.judge))])
    rows = np.concatenate([split.learn, split.judge])
    stable = []
    for name in names:
        if name not in KEYS and not is_category(sample.matrix[name]):
            cell = column_of_numbers(sample.matrix, name)[rows]
            seen = ~np.isnan(cell)
            apart = auc(later[seen], cell[seen])
            if max(apart, 1 - apart) >= most:
                continue
        stable.append(name)
    return stable
