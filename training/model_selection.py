"""What is chosen on later slices of the training period: recipe, best simple rule, blend, calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit

from models.risk_model import spread
from training.calibrate import blend_weights, platt, tilt
from training.evaluate import with_intervals
from training.members import Recipe, fit_members, joint_rates, row_weight
from training.sample import Sample
from training.split import Split

LEARNERS = ("trees", "ridge", "identity")
RULE = "rule"
SAFE: tuple[Mapping[str, float], ...] = (
    {"identity": 0.35, "trees": 0.15, "ridge": 0.15, RULE: 0.35},
    {"identity": 0.3, "trees": 0.3, "ridge": 0.25, RULE: 0.15},
    {"identity": 0.2, "trees": 0.4, "ridge": 0.4},
)
"""Weights of the members in each stage, where judged rows do not show others to be better: at arrival identities and
the best rule tell most, late in the term the clock does, which trees and ridge see. Read off seven rolling folds inside
the training periods of three public sets (the card of identities): an average varies less than weights learnt from a
few hundred dossiers."""
LEARNT = "rate:"
JOINT = "+"
LEAST = 20
"""Judged rows of either outcome that a stage must have for weights of its own."""
NOTHING = 1e-6
INSIDE, GROUP, LEAST_GROUPS = 0.8, 25, 10
"""Of groups of about so many dossiers, at least so many, the share whose late share a score's range takes in."""
DEVIATIONS = np.arange(1, 13) / 4

Say = Callable[[str], None]


@dataclass(frozen=True)
class Judged:
    """Log-odds of members for rows that they had not learnt; all arrays [n]."""

    members: dict[str, np.ndarray]
    label: np.ndarray
    weight: np.ndarray
    slice: np.ndarray
    dossier: np.ndarray
    rows: np.ndarray
    stage: np.ndarray

    def take(self, at: np.ndarray) -> Judged:
        """The rows where a mask is true, their slices numbered anew from 0."""
        members = {name: z[at] for name, z in self.members.items()}
        number = np.unique(self.slice[at], return_inverse=True)[1]
        return Judged(members, self.label[at], self.weight[at], number, self.dossier[at], self.rows[at], self.stage[at])


@dataclass(frozen=True)
class Choices:
    """What the judged slices chose, the losses by which they did, and the figures on them (plain JSON).

    `rows`: the judged rows of the sample, `score`: what a model that had not learnt them says of each. `doubt`: how
    many deviations of the members a score's range reaches (`models.risk_model.RiskModel`).
    """

    recipe: str
    rule: str
    weights: dict[str, float]
    intercept: float
    slope: float
    by_stage: tuple[Mapping[str, float], ...] = ()
    losses: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)
    rows: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)
    score: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)
    doubt: float = 0.0


def choose(sample: Sample, splits: list[Split], recipes: Mapping[str, Recipe], say: Say = lambda line: None) -> Choices:
    """Recipe, best simple rule, blend and calibration by rows of later slices; the base rate where there are none."""
    if not splits:
        return Choices(next(iter(recipes)), "base_rate", {"base_rate": 1.0}, 0.0, 1.0)
    by_recipe = {}
    for name, recipe in recipes.items():
        say(f"judge recipe {name}")
        by_recipe[name] = judge(sample, splits, recipe)
    blends = {name: blend(judged) for name, judged in by_recipe.items()}
    common = next(iter(by_recipe.values()))  # all judged the same rows; they are compared under the same weights
    losses = {name: _losses(found.log_odds, common) for name, found in blends.items()}
    chosen = plainest(losses, common)
    judged, (rule, weights, blended, by_stage) = by_recipe[chosen], blends[chosen]
    intercept, slope = tilt(blended, judged.label, judged.weight, judged.slice)
    return Choices(
        chosen,
        rule,
        weights,
        intercept,
        slope,
        by_stage,
        {
            "recipes": {name: float(np.average(loss, weights=common.weight)) for name, loss in losses.items()},
            "rules": _losses_of_rules(judged),
        },
        judged_figures(judged, intercept + slope * blended, judged.members[rule]),
        judged.rows,
        expit(intercept + slope * blended),
        doubt(judged, by_stage or [weights] * (int(judged.stage.max()) + 1), intercept + slope * blended, slope),
    )


def doubt(said: Judged, by_stage: Sequence[Mapping[str, float]], log_odds: np.ndarray, slope: float) -> float:
    """The least number of the members' deviations that takes in the late share of `INSIDE` of groups of judged rows.

    Groups: a slice of time, then bands of the score, then those of little and of much disagreement, each of `GROUP`
    dossiers about; a group's own chance is allowed for by one standard error. 0 where there are too few groups.
    """
    names = sorted({name for weights in by_stage for name in weights})
    weights = {name: np.array([one.get(name, 0.0) for one in by_stage])[said.stage] for name in names}
    apart = slope * spread(said.members, weights)
    groups = []
    for number in np.unique(said.slice):
        rows = np.flatnonzero(said.slice == number)
        bands = max(1, len(np.unique(said.dossier[rows])) // (2 * GROUP))
        for band in np.array_split(rows[np.argsort(log_odds[rows], kind="stable")], bands):
            groups += np.array_split(band[np.argsort(apart[band], kind="stable")], 2)
    if len(groups) < LEAST_GROUPS:
        return 0.0
    late = np.array([said.label[rows].mean() for rows in groups])
    dossiers = np.array([len(np.unique(said.dossier[rows])) for rows in groups])
    chance = np.sqrt(late * (1 - late) / dossiers)
    for tried in DEVIATIONS:
        low, high = (
            np.array([expit(log_odds[rows] + way * tried * apart[rows]).mean() for rows in groups]) for way in (-1, 1)
        )
        if np.mean((late >= low - chance) & (late <= high + chance)) >= INSIDE:
            return float(tried)
    return float(DEVIATIONS[-1])


def judged_figures(judged: Judged, log_odds: np.ndarray, rule: np.ndarray) -> dict[str, dict[str, list[float | None]]]:
    """Figures [value, low, high] of the blend, the rule and their paired difference on the judged rows."""
    alone, pairs = with_intervals(
        judged.label, {"blend": expit(log_odds), "rule": expit(rule)}, judged.dossier, draws=200, listed=True
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
    """The best simple rule, the members' mean weights, the blended log-odds [n] of judged rows, the blend by stage."""

    rule: str
    weights: dict[str, float]
    log_odds: np.ndarray
    by_stage: tuple[Mapping[str, float], ...] = ()


def blend(judged: Judged) -> Blend:
    """The learners beside the best simple rule, stage by stage; the rule alone where it is better beyond doubt.

    With what names say, weights of a stage are those of `SAFE`, or free ones where those are better beyond doubt; each
    stage has the rule that is best in it. Without, there are many dossiers, and one set of free weights.
    """
    rule = best_rule(_losses_of_rules(judged), judged)
    if "identity" not in judged.members:
        weights = _free_weights(judged, rule)
        return Blend(rule, weights, _blended(weights, judged.members))
    by_stage, z = [], np.zeros(len(judged.label))
    for number in range(int(judged.stage.max()) + 1):
        at = judged.stage == number
        own = judged.take(at) if min(judged.label[at].sum(), (1 - judged.label[at]).sum()) >= LEAST else judged
        weights = _weights(own, SAFE[min(number, len(SAFE) - 1)])
        by_stage.append(weights)
        z[at] = _blended(weights, judged.members)[at]
    counted = np.bincount(judged.stage, judged.weight)
    names = dict.fromkeys(name for weights in by_stage for name in weights)
    mean = {name: float(np.average([one.get(name, 0.0) for one in by_stage], weights=counted)) for name in names}
    return Blend(rule, mean, z, tuple(by_stage) if len(by_stage) > 1 else ())


def _free_weights(judged: Judged, rule: str) -> dict[str, float]:
    """Weights of the learners and the rule; the rule alone where they do not beat it."""
    members = {name: judged.members[name] for name in (*LEARNERS, rule) if name in judged.members}
    weights = blend_weights(members, judged.label, judged.weight, judged.slice)
    weights = {name: weight for name, weight in weights.items() if weight > NOTHING}
    if not weights or _loss(_blended(weights, members), judged) >= _loss(members[rule], judged):
        return {rule: 1.0}
    return weights


def _weights(judged: Judged, safe: Mapping[str, float]) -> dict[str, float]:
    """The safe average of the learners and the best rule; free weights or the rule alone where better beyond doubt.

    Of a hundred rules the best seems better on the rows that chose it than it is, and so do weights fitted to them:
    on later time the average beat both (`SAFE`).
    """
    rule = best_rule(_losses_of_rules(judged), judged)
    members = {name: judged.members[name] for name in (*LEARNERS, rule) if name in judged.members}
    average = {name: safe.get(RULE if name == rule else name, 0.0) for name in members}
    tried = {"safe": {name: weight / sum(average.values()) for name, weight in average.items()}, RULE: {rule: 1.0}}
    losses = {how: _losses(_blended(weights, members), judged) for how, weights in tried.items()}
    if judged.slice.max() > 0:
        tried["free"] = blend_weights(members, judged.label, judged.weight, judged.slice)
        losses["free"] = _losses(_freely_blended(members, judged), judged)
    weights = tried[plainest(losses, judged)]
    return {name: weight for name, weight in weights.items() if weight > NOTHING} or {rule: 1.0}


def _blended(weights: Mapping[str, float], members: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.asarray(sum(weight * members[name] for name, weight in weights.items()))


def _freely_blended(members: Mapping[str, np.ndarray], judged: Judged) -> np.ndarray:
    """Log-odds [n] by weights that the other slices of time choose freely: what such weights are worth on new rows."""
    z = np.zeros(len(judged.label))
    for number in np.unique(judged.slice):
        at, others = judged.slice == number, judged.take(judged.slice != number)
        learnt = {name: others.members[name] for name in members}
        z[at] = _blended(blend_weights(learnt, others.label, others.weight, others.slice), members)[at]
    return z


def _losses_of_rules(judged: Judged) -> dict[str, float]:
    return {name: _loss(z, judged) for name, z in judged.members.items() if name not in LEARNERS}


def best_blend_losses(judged: Judged) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated log-loss [n] of the blend of what was judged, and what each row counts [n]."""
    return _losses(blend(judged).log_odds, judged), judged.weight


def best_rule(rules: Mapping[str, float], judged: Judged) -> str:
    """The simple rule of least loss; a rolling one where a rate learnt once is not better beyond doubt, the rate of one
    category where that of a pair is not.

    A learnt rate stays what it was at the cutoff, a rolling one follows what became known since.
    """
    kinds = [
        [name for name in rules if not name.startswith(LEARNT)],
        [name for name in rules if name.startswith(LEARNT) and JOINT not in name],
        [name for name in rules if JOINT in name],
    ]
    best = [min(names, key=rules.__getitem__) for names in kinds if names]
    return plainest({name: _losses(judged.members[name], judged) for name in best}, judged)


def judge(sample: Sample, splits: list[Split], recipe: Recipe) -> Judged:
    """What members fitted by `recipe` on each split say of the rows it judges."""
    by_member: dict[str, list[np.ndarray]] = {}
    stage = []
    for split in splits:
        learn, judge_rows = sample.take(split.learn), sample.take(split.judge)
        encoder, members = fit_members(learn, recipe)
        x = encoder.encode(judge_rows.matrix)
        for name, member in members.items():
            by_member.setdefault(name, []).append(member.log_odds(x))
        joint = {} if recipe.identities is None else joint_rates(learn, judge_rows, recipe.m)
        for name, z in joint.items():
            by_member.setdefault(name, []).append(z)
        stage.append(encoder.stage(x))
    rows = np.concatenate([split.judge for split in splits])
    number = np.concatenate([np.full(len(split.judge), at) for at, split in enumerate(splits)])
    both = {name: np.concatenate(parts) for name, parts in by_member.items() if len(parts) == len(splits)}
    # rows count as they did in learning; in all they are as much evidence as there are dossiers
    weight = np.concatenate([row_weight(sample.take(split.judge), recipe.evenness) for split in splits])
    weight *= sum(len(np.unique(sample.dossier[split.judge])) for split in splits) / weight.sum()
    return Judged(both, sample.label[rows], weight, number, sample.dossier[rows], rows, np.concatenate(stage))


def plainest(losses: Mapping[str, np.ndarray], judged: Judged) -> str:
    """The first recipe whose loss [n] is within two standard errors (over dossiers) of the least."""
    mean = {name: float(np.average(loss, weights=judged.weight)) for name, loss in losses.items()}
    best = min(mean, key=mean.__getitem__)
    _, dossier = np.unique(judged.dossier, return_inverse=True)
    for name, loss in losses.items():
        worse = np.bincount(dossier, weights=judged.weight * (loss - losses[best]))
        error = float(np.sqrt(len(worse)) * worse.std() / judged.weight.sum())
        if mean[name] - mean[best] <= 2 * error:
            return name
    return best


def _losses(log_odds: np.ndarray, judged: Judged) -> np.ndarray:
    """Log-loss [n] after Platt's calibration within each slice: what is told apart, whatever the level."""
    loss = np.zeros(len(judged.label))
    for number in np.unique(judged.slice):
        at = judged.slice == number
        intercept, slope = platt(log_odds[at], judged.label[at], judged.weight[at])
        z = intercept + slope * log_odds[at]
        loss[at] = np.logaddexp(0.0, z) - judged.label[at] * z
    return loss


def _loss(log_odds: np.ndarray, judged: Judged) -> float:
    return float(np.average(_losses(log_odds, judged), weights=judged.weight))
