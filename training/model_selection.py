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
        said = {name: z[at] for name, z in self.members.items()}
        number = np.unique(self.slice[at], return_inverse=True)[1]
        return Judged(said, self.label[at], self.weight[at], number, self.dossier[at], self.rows[at], self.stage[at])


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
    judged = {}
    for name, recipe in recipes.items():
        say(f"judge recipe {name}")
        judged[name] = judge(sample, splits, recipe)
    blends = {name: blend(said) for name, said in judged.items()}
    common = next(iter(judged.values()))  # all judged the same rows; they are compared under the same weights
    losses = {name: _losses(found.log_odds, common) for name, found in blends.items()}
    chosen = plainest(losses, common)
    said, (rule, weights, blended, by_stage) = judged[chosen], blends[chosen]
    intercept, slope = tilt(blended, said.label, said.weight, said.slice)
    return Choices(
        chosen,
        rule,
        weights,
        intercept,
        slope,
        by_stage,
        {
            "recipes": {name: float(np.average(loss, weights=common.weight)) for name, loss in losses.items()},
            "rules": _losses_of_rules(said),
        },
        judged_figures(said, intercept + slope * blended, said.members[rule]),
        said.rows,
        expit(intercept + slope * blended),
        doubt(said, by_stage or [weights] * (int(said.stage.max()) + 1), intercept + slope * blended, slope),
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
    """The best simple rule, the members' mean weights, the blended log-odds [n] of judged rows, the blend by stage."""

    rule: str
    weights: dict[str, float]
    log_odds: np.ndarray
    by_stage: tuple[Mapping[str, float], ...] = ()


def blend(said: Judged) -> Blend:
    """The learners beside the best simple rule, stage by stage; the rule alone where it is better beyond doubt.

    With what names say, weights of a stage are those of `SAFE`, or free ones where those are better beyond doubt; each
    stage has the rule that is best in it. Without, there are many dossiers, and one set of free weights.
    """
    rule = best_rule(_losses_of_rules(said), said)
    if "identity" not in said.members:
        weights = _free_weights(said, rule)
        return Blend(rule, weights, _blended(weights, said.members))
    by_stage, z = [], np.zeros(len(said.label))
    for number in range(int(said.stage.max()) + 1):
        at = said.stage == number
        own = said.take(at) if min(said.label[at].sum(), (1 - said.label[at]).sum()) >= LEAST else said
        weights = _weights(own, SAFE[min(number, len(SAFE) - 1)])
        by_stage.append(weights)
        z[at] = _blended(weights, said.members)[at]
    counted = np.bincount(said.stage, said.weight)
    names = dict.fromkeys(name for weights in by_stage for name in weights)
    mean = {name: float(np.average([one.get(name, 0.0) for one in by_stage], weights=counted)) for name in names}
    return Blend(rule, mean, z, tuple(by_stage) if len(by_stage) > 1 else ())


def _free_weights(said: Judged, rule: str) -> dict[str, float]:
    """Weights of the learners and the rule; the rule alone where they do not beat it."""
    members = {name: said.members[name] for name in (*LEARNERS, rule) if name in said.members}
    weights = blend_weights(members, said.label, said.weight, said.slice)
    weights = {name: weight for name, weight in weights.items() if weight > NOTHING}
    if not weights or _loss(_blended(weights, members), said) >= _loss(members[rule], said):
        return {rule: 1.0}
    return weights


def _weights(said: Judged, safe: Mapping[str, float]) -> dict[str, float]:
    """The safe average of the learners and the best rule; free weights or the rule alone where better beyond doubt.

    Of a hundred rules the best seems better on the rows that chose it than it is, and so do weights fitted to them:
    on later time the average beat both (`SAFE`).
    """
    rule = best_rule(_losses_of_rules(said), said)
    members = {name: said.members[name] for name in (*LEARNERS, rule) if name in said.members}
    average = {name: safe.get(RULE if name == rule else name, 0.0) for name in members}
    tried = {"safe": {name: weight / sum(average.values()) for name, weight in average.items()}, RULE: {rule: 1.0}}
    losses = {how: _losses(_blended(weights, members), said) for how, weights in tried.items()}
    if said.slice.max() > 0:
        tried["free"] = blend_weights(members, said.label, said.weight, said.slice)
        losses["free"] = _losses(_freely_blended(members, said), said)
    weights = tried[plainest(losses, said)]
    return {name: weight for name, weight in weights.items() if weight > NOTHING} or {rule: 1.0}


def _blended(weights: Mapping[str, float], members: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.asarray(sum(weight * members[name] for name, weight in weights.items()))


def _freely_blended(members: Mapping[str, np.ndarray], said: Judged) -> np.ndarray:
    """Log-odds [n] by weights that the other slices of time choose freely: what such weights are worth on new rows."""
    z = np.zeros(len(said.label))
    for number in np.unique(said.slice):
        at, others = said.slice == number, said.take(said.slice != number)
        learnt = {name: others.members[name] for name in members}
        z[at] = _blended(blend_weights(learnt, others.label, others.weight, others.slice), members)[at]
    return z


def _losses_of_rules(said: Judged) -> dict[str, float]:
    return {name: _loss(z, said) for name, z in said.members.items() if name not in LEARNERS}


def best_blend_losses(said: Judged) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated log-loss [n] of the blend of what was judged, and what each row counts [n]."""
    return _losses(blend(said).log_odds, said), said.weight


def best_rule(rules: Mapping[str, float], said: Judged) -> str:
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
    return plainest({name: _losses(said.members[name], said) for name in best}, said)


def judge(sample: Sample, splits: list[Split], recipe: Recipe) -> Judged:
    """What members fitted by `recipe` on each split say of the rows it judges."""
    said: dict[str, list[np.ndarray]] = {}
    stage = []
    for split in splits:
        learn, judge_rows = sample.take(split.learn), sample.take(split.judge)
        encoder, members = fit_members(learn, recipe)
        x = encoder.encode(judge_rows.matrix)
        for name, member in members.items():
            said.setdefault(name, []).append(member.log_odds(x))
        joint = {} if recipe.identities is None else joint_rates(learn, judge_rows, recipe.m)
        for name, z in joint.items():
            said.setdefault(name, []).append(z)
        stage.append(encoder.stage(x))
    rows = np.concatenate([split.judge for split in splits])
    number = np.concatenate([np.full(len(split.judge), at) for at, split in enumerate(splits)])
    both = {name: np.concatenate(parts) for name, parts in said.items() if len(parts) == len(splits)}
    # rows count as they did in learning; in all they are as much evidence as there are dossiers
    weight = np.concatenate([row_weight(sample.take(split.judge), recipe.evenness) for split in splits])
    weight *= sum(len(np.unique(sample.dossier[split.judge])) for split in splits) / weight.sum()
    return Judged(both, sample.label[rows], weight, number, sample.dossier[rows], rows, np.concatenate(stage))


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
