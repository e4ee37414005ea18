"""What is chosen on later slices of the training period: recipe, best simple rule, blend, calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit

from training.calibrate import blend_weights, latest, platt
from training.evaluate import with_intervals
from training.members import Recipe, fit_members, row_weight
from training.sample import Sample
from training.split import Split

LEARNERS = ("trees", "ridge")
LEARNT = "rate:"
NOTHING = 1e-6

Say = Callable[[str], None]


@dataclass(frozen=True)
class Judged:
    """What members said of rows that they had not learnt; all arrays [n]."""

    members: dict[str, np.ndarray]
    label: np.ndarray
    weight: np.ndarray
    slice: np.ndarray
    dossier: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class Choices:
    """What the judged slices chose, the losses by which they did, and the figures on them (plain JSON).

    `rows`: the judged rows of the sample, `score`: what a model that had not learnt them says of each.
    """

    recipe: str
    rule: str
    weights: dict[str, float]
    intercept: float
    slope: float
    losses: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)
    rows: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)
    score: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)


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
        said.rows,
        expit(intercept + slope * blended),
    )


def judged_figures(said: Judged, log_odds: np.ndarray, rule: np.ndarray) -> dict[str, dict[str, list[float | None]]]:
    """Figures [value, low, high] of the blend, the rule and their paired difference on the judged rows."""
    alone, pairs = with_intervals(
        said.label, {"blend": expit(log_odds), "rule": expit(rule)}, said.dossier, draws=200, listed=True
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


def best_blend_losses(said: Judged) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated log-loss [n] of the blend of what was judged, and what each row counts [n]."""
    return _losses(blend(said).log_odds, said), said.weight


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
    return Judged(both, sample.label[rows], weight, number, sample.dossier[rows], rows)


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
