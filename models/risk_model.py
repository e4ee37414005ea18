"""What ships: a blend that is a sum in log-odds, so score and reasons come out of one call and add up.

    log_odds = intercept + slope · Σ weight_{s,k} · member_k(x) + level(x)

Members are boosted trees, a ridge regression, identities and simple rules; weights are ≥ 0 and may differ by the stage
s of the term (at arrival identities tell most, later the clock); intercept and slope calibrate in log-odds; offsets of
the level, estimated since the training, are added as they are (`models.level`).
SHAP values are linear in the model, so those of the blend are the weighted sum of those of its members, exactly; what
the stage itself changes goes to the cell that tells the stage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from scipy.special import expit

from models.booster import TreeMember
from models.encoding import CategoryRates, Encoder
from models.remaining_time import RemainingTime
from models.tree_walk import Variants


class Member(Protocol):
    """One part of the blend, on encoded columns."""

    kind: str

    def log_odds(self, x: np.ndarray) -> np.ndarray:
        """Log-odds [n] of encoded rows [n × columns]."""

    def contributions(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Base log-odds and what each cell adds [n × columns]; together they are `log_odds`."""


@dataclass(frozen=True)
class Scores:
    """Scores of n cases and where they come from.

    `probability` [n] in (0, 1); `log_odds` [n]; `base`: log-odds of an ordinary case; `contributions`
    [n × features] in log-odds, `features` their matrix columns. `contributions.sum(1) + base == log_odds`.
    `usual`, `rates`, `target`: what the model knows of peers, and what it predicts, for words (`models.reasons`).
    `x` [n × columns], `model`: the encoded rows and what scored them, to score again (`models.counterfactual`).
    `spread` [n]: weighted standard deviation of the members' log-odds.
    """

    probability: np.ndarray
    log_odds: np.ndarray
    base: float
    contributions: np.ndarray
    features: tuple[str, ...]
    usual: Mapping[str, Any] = field(default_factory=dict)
    rates: tuple[CategoryRates, ...] = ()
    target: str = ""
    x: np.ndarray | None = field(default=None, repr=False)
    model: RiskModel | None = field(default=None, repr=False)
    spread: np.ndarray | None = field(default=None, repr=False)

    def range(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Low and high probability [n] within which four in five groups of such cases end; None where none is told."""
        if self.model is None or self.spread is None or not self.model.doubt:
            return None
        either = self.model.doubt * self.spread
        return expit(self.log_odds - either), expit(self.log_odds + either)


@dataclass(frozen=True)
class RiskModel:
    """A trained, calibrated model of one target.

    `members` and `weights` by name; `rule` names the member that is the best simple rule, kept even with weight
    0 for comparison and as the fallback. `by_stage`: where the encoder tells stages, the weights of
    each; `weights` is then their mean, by which the base is told. `usual`: per feature the peers' usual values
    (`models.peer_medians`). `doubt`: how many deviations of its members the range of a score reaches either way; 0:
    none is told. `remaining`: how long open dossiers still take, where it was learnt.
    `about`: what it was trained on (record version, hashes, period, figures); plain JSON.
    """

    target: str
    encoder: Encoder
    members: Mapping[str, Member]
    weights: Mapping[str, float]
    intercept: float
    slope: float
    rule: str
    usual: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    by_stage: tuple[Mapping[str, float], ...] = ()
    remaining: RemainingTime | None = None
    doubt: float = 0.0

    def score(self, matrix: pa.Table) -> Scores:
        """Score and contributions of every row of a matrix. KeyError names a column that is missing."""
        return self.score_encoded(self.encoder.encode(matrix))

    def score_encoded(self, x: np.ndarray) -> Scores:
        """Score and contributions of encoded rows [n × columns]."""
        base = self.intercept
        cells = np.zeros_like(x)
        stage = self.encoder.stage(x)
        said: dict[str, np.ndarray] = {}
        for name in self._blended():
            member_base, terms = self.members[name].contributions(x)
            weight = self._weight(name)[stage]
            base += self.slope * self.weights.get(name, 0.0) * member_base
            cells += self.slope * weight[:, None] * terms
            said[name] = member_base + terms.sum(axis=1)
            if self.by_stage:
                cells[:, -1] += self.slope * (weight - self.weights.get(name, 0.0)) * member_base
        cells[:, self.encoder.leveled] += x[:, self.encoder.leveled]
        contributions = self.encoder.by_feature(cells)
        log_odds = base + contributions.sum(axis=1)
        return Scores(
            expit(log_odds), log_odds, base, contributions, self.encoder.features, self.usual, self.encoder.rates,
            self.target, x, self, self.slope * spread(said, {name: self._weight(name)[stage] for name in said}),
        )  # fmt: skip

    def probability(self, matrix: pa.Table) -> np.ndarray:
        """Scores [n] alone, without contributions: many times faster where trees are large."""
        return np.asarray(expit(self.log_odds(self.encoder.encode(matrix))))

    def log_odds(self, x: np.ndarray) -> np.ndarray:
        """Log-odds [n] of encoded rows [n × columns]."""
        blended = self._blend(self.encoder.stage(x), lambda member: member.log_odds(x))
        return np.asarray(blended + x[:, self.encoder.leveled].sum(axis=1))

    def log_odds_of_variants(self, variants: Variants) -> np.ndarray:
        """The same [m] of encoded rows that are others with a few changed cells, quicker where they are many."""
        stage = self.encoder.stage(variants.column_at(len(self.encoder.columns) - 1)[:, None])
        blended = self._blend(stage, lambda member: _of_variants(member, variants))
        for column in range(len(self.encoder.columns))[self.encoder.leveled]:
            blended = blended + variants.column_at(column)
        return blended

    def _blend(self, stage: np.ndarray, log_odds_of: Callable[[Member], np.ndarray]) -> np.ndarray:
        blended = np.zeros(len(stage))
        for name in self._blended():
            blended += self._weight(name)[stage] * log_odds_of(self.members[name])
        return np.asarray(self.intercept + self.slope * blended)

    def _blended(self) -> list[str]:
        """Members that count anywhere, in one order, so that what is loaded adds up to the same bit."""
        return sorted({name for weights in self._stage_weights() for name, weight in weights.items() if weight})

    def _weight(self, name: str) -> np.ndarray:
        """The member's weight in each stage."""
        return np.array([weights.get(name, 0.0) for weights in self._stage_weights()])

    def _stage_weights(self) -> Sequence[Mapping[str, float]]:
        stages = 1 if self.encoder.stages is None else len(self.encoder.stages)
        return self.by_stage or [self.weights] * stages

    def rule_probability(self, matrix: pa.Table) -> np.ndarray:
        """What the best simple rule says [n]."""
        return np.asarray(expit(self.members[self.rule].log_odds(self.encoder.encode(matrix))))


def _of_variants(member: Member, variants: Variants) -> np.ndarray:
    if isinstance(member, TreeMember):
        return member.log_odds_of_variants(variants)
    return np.concatenate([member.log_odds(rows) for rows in variants.rows()])


def spread(members: Mapping[str, np.ndarray], weights: Mapping[str, np.ndarray]) -> np.ndarray:
    """Weighted standard deviation [n] of the members' log-odds [n] about their mean; `weights` [n] by member."""
    z = np.array([members[name] for name in weights])
    weight = np.array([weights[name] for name in weights])
    weight = weight / np.maximum(weight.sum(axis=0), 1e-12)
    return np.asarray(np.sqrt((weight * (z - (weight * z).sum(axis=0)) ** 2).sum(axis=0)))
