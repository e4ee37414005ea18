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
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from models.encoding import column_of_numbers
from models.reasons import DECLARED
from models.risk_model import Member, RiskModel
from models.shrinkage import sigmoid
from models.usual import usual_values
from training.calibrate import blend_weights, latest, platt
from training.evaluate import auc, with_intervals
from training.members import KEYS, Recipe, fit_members, is_category, row_weight
from training.sample import Sample
from training.split import Split, rolling

LEARNERS = ("trees", "ridge")
LEARNT = "rate:"
NOTHING = 1e-6
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
    trees={
        "learning_rate": 0.03,
        "num_leaves": 15,
        "max_depth": 6,
        "min_data_in_leaf": 50,
        "feature_fraction": 0.3,
        **_REGULAR,
    },
)
RECIPES: Mapping[str, Recipe] = {"small": SMALL, "large": LARGE}
"""From plain to rich; a richer one must be better beyond doubt, two standard errors (Breiman et al. 1984 take one).

With few dossiers shallow trees stand beside a regression; with many, deeper trees alone hold what it knows, and do
not stretch a drifting count along a line."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Judged:
    """What members said of rows that they had not learnt; all arrays [n]."""

    members: dict[str, np.ndarray]
    label: np.ndarray
    weight: np.ndarray
    slice: np.ndarray
    dossier: np.ndarray


@dataclass(frozen=True)
class Choices:
    """What the validation slices chose, the losses by which they did, and the figures on them (plain JSON)."""

    recipe: str
    rule: str
    weights: dict[str, float]
    intercept: float
    slope: float
    losses: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)


def fit(
    sample: Sample,
    *,
    target: str,
    recipes: Mapping[str, Recipe] = RECIPES,
    about: Mapping[str, Any] | None = None,
    say: Say = lambda line: None,
) -> RiskModel:
    """The model that ships, from a labelled sample. ValueError where the sample holds no row of each class."""
    if not len(sample) or sample.label.min() == sample.label.max():
        raise ValueError(
            "wanted ripe cases of both outcomes, came only one outcome or none; ingest more history or "
            "take a later cutoff"
        )
    splits = rolling(sample)
    kept = stable_columns(sample, splits)
    sample = replace(sample, matrix=sample.matrix.select(kept))
    choices = choose(sample, splits, recipes, say)
    say("fit on the whole training period")
    recipe = recipes[choices.recipe]
    encoder, members = fit_members(sample, recipe)
    shipped: dict[str, Member] = {name: members[name] for name in (*choices.weights, choices.rule)}
    details = {
        "recipe": choices.recipe,
        "parameters": {
            "rounds": recipe.rounds,
            "ridge": recipe.ridge,
            "m": recipe.m,
            "seed": recipe.seed,
            **recipe.trees,
        },
        "slope": choices.slope if choices.losses else None,
        "losses": choices.losses,
        "rows": len(sample),
        "dossiers": int(sample.dossier.max()) + 1,
        "late_rate": float(np.average(sample.label, weights=sample.share)),
    }
    return RiskModel(
        target,
        encoder,
        shipped,
        choices.weights,
        choices.intercept,
        choices.slope,
        choices.rule,
        usual=usual_values(sample.matrix, encoder.numbers, DECLARED),
        about={**(about or {}), "training": details, "figures": choices.figures},
    )


def choose(sample: Sample, splits: list[Split], recipes: Mapping[str, Recipe], say: Say = lambda line: None) -> Choices:
    """Recipe, best simple rule, blend and calibration by rows of later slices; the base rate where there are none."""
    if not splits:
        return Choices(next(iter(recipes)), "base_rate", {"base_rate": 1.0}, 0.0, 1.0)
    judged = {}
    for name, recipe in recipes.items():
        say(f"judge recipe {name}")
        judged[name] = judge(sample, splits, recipe)
    blends = {name: blend(said) for name, said in judged.items()}
    common = next(iter(judged.values()))  # all judged the same rows; they are compared under the same weights
    losses = {name: _losses(found.log_odds, common) for name, found in blends.items()}
    chosen = plainest(losses, common)
    said, (rule, weights, blended) = judged[chosen], blends[chosen]
    intercept, slope = latest(blended, said.label, said.weight, said.slice)
    return Choices(
        chosen,
        rule,
        weights,
        intercept,
        slope,
        {
            "recipes": {name: float(np.average(loss, weights=common.weight)) for name, loss in losses.items()},
            "rules": {name: _loss(z, said) for name, z in said.members.items() if name not in LEARNERS},
        },
        judged_figures(said, intercept + slope * blended, said.members[rule]),
    )


def judged_figures(said: Judged, log_odds: np.ndarray, rule: np.ndarray) -> dict[str, dict[str, list[float | None]]]:
    """Figures [value, low, high] of the blend, the rule and their paired difference on the judged rows."""
    alone, pairs = with_intervals(
        said.label, {"blend": sigmoid(log_odds), "rule": sigmoid(rule)}, said.dossier, draws=200
    )
    found = {**alone, "blend_over_rule": pairs["blend", "rule"]}
    return {
        who: {
            metric: [number if np.isfinite(number) else None for number in (figure.value, figure.low, figure.high)]
            for metric, figure in metrics.items()
        }
        for who, metrics in found.items()
    }


class Blend(NamedTuple):
    """The best simple rule, the members' weights, and the blended log-odds [n] of judged rows."""

    rule: str
    weights: dict[str, float]
    log_odds: np.ndarray


def blend(said: Judged) -> Blend:
    """The learners beside the best simple rule; the rule alone where they do not beat it."""
    rules = {name: _loss(z, said) for name, z in said.members.items() if name not in LEARNERS}
    rule = best_rule(rules, said)
    names = [*(name for name in LEARNERS if name in said.members), rule]
    weights = blend_weights({name: said.members[name] for name in names}, said.label, said.weight, said.slice)
    weights = {name: weight for name, weight in weights.items() if weight > NOTHING}
    blended = sum((weight * said.members[name] for name, weight in weights.items()), np.zeros(len(said.label)))
    if not weights or _loss(blended, said) >= rules[rule]:
        return Blend(rule, {rule: 1.0}, said.members[rule])
    return Blend(rule, weights, blended)


def best_rule(rules: Mapping[str, float], said: Judged) -> str:
    """The simple rule of least loss; a rolling one where a rate learnt once is not better beyond doubt.

    A learnt rate stays what it was at the cutoff, a rolling one follows what became known since.
    """
    best = min(rules, key=rules.__getitem__)
    rolling = min((name for name in rules if not name.startswith(LEARNT)), key=rules.__getitem__)
    return plainest({name: _losses(said.members[name], said) for name in (rolling, best)}, said)


def judge(sample: Sample, splits: list[Split], recipe: Recipe) -> Judged:
    """What members fitted by `recipe` on each split say of the rows it judges."""
    said: dict[str, list[np.ndarray]] = {}
    for split in splits:
        learn, judge_rows = sample.take(split.learn), sample.take(split.judge)
        encoder, members = fit_members(learn, recipe)
        x = encoder.encode(judge_rows.matrix)
        for name, member in members.items():
            said.setdefault(name, []).append(member.log_odds(x))
    rows = np.concatenate([split.judge for split in splits])
    number = np.concatenate([np.full(len(split.judge), at) for at, split in enumerate(splits)])
    both = {name: np.concatenate(parts) for name, parts in said.items() if len(parts) == len(splits)}
    # rows count as they did in learning; in all they are as much evidence as there are dossiers
    weight = np.concatenate([row_weight(sample.take(split.judge), recipe.evenness) for split in splits])
    weight *= sum(len(np.unique(sample.dossier[split.judge])) for split in splits) / weight.sum()
    return Judged(both, sample.label[rows], weight, number, sample.dossier[rows])


def stable_columns(sample: Sample, splits: list[Split], most: float = 0.8) -> list[str]:
    """The matrix columns without numbers that tell the slices of time apart.

    A count that only grows (days seen, outcomes known so far) has at scoring a value that no training row had.
    Dropped is every number by which a judged row of the last split is told from a learnt one with an AUC of
    `most` or more, either way.
    """
    names = sample.matrix.column_names
    if not splits:
        return list(names)
    split = splits[-1]
    later = np.concatenate([np.zeros(len(split.learn)), np.ones(len(split.judge))])
    rows = np.concatenate([split.learn, split.judge])
    kept = []
    for name in names:
        if name not in KEYS and not is_category(sample.matrix[name]):
            cell = column_of_numbers(sample.matrix, name)[rows]
            seen = ~np.isnan(cell)
            apart = auc(later[seen], cell[seen])
            if max(apart, 1 - apart) >= most:
                continue
        kept.append(name)
    return kept


def plainest(losses: Mapping[str, np.ndarray], said: Judged) -> str:
    """The first recipe whose loss [n] is within two standard errors (over dossiers) of the least."""
    mean = {name: float(np.average(loss, weights=said.weight)) for name, loss in losses.items()}
    best = min(mean, key=mean.__getitem__)
    _, dossier = np.unique(said.dossier, return_inverse=True)
    for name, loss in losses.items():
        worse = np.bincount(dossier, weights=said.weight * (loss - losses[best]))
        error = float(np.sqrt(len(worse)) * worse.std() / said.weight.sum())
        if mean[name] - mean[best] <= 2 * error:
            return name
    return best


def _losses(log_odds: np.ndarray, said: Judged) -> np.ndarray:
    """Log-loss [n] after Platt's calibration within each slice: what is told apart, whatever the level."""
    loss = np.zeros(len(said.label))
    for number in np.unique(said.slice):
        at = said.slice == number
        intercept, slope = platt(log_odds[at], said.label[at], said.weight[at])
        z = intercept + slope * log_odds[at]
        loss[at] = np.logaddexp(0.0, z) - said.label[at] * z
    return loss


def _loss(log_odds: np.ndarray, said: Judged) -> float:
    return float(np.average(_losses(log_odds, said), weights=said.weight))
