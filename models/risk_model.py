"""What ships: a blend that is a sum in log-odds, so score and reasons come out of one call and add up.

    log_odds = intercept + slope · Σ weight_k · member_k(x)

Members are boosted trees, a ridge regression and simple rules; weights are ≥ 0; intercept and slope are Platt's
calibration in log-odds. SHAP values are linear in the model, so those of the blend are the weighted sum of those
of its members, exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from scipy.special import expit

from models.encoding import CategoryRates, Encoder


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
    `usual` and `rates`: what the model knows of peers, for words (`models.reasons`).
    """

    probability: np.ndarray
    log_odds: np.ndarray
    base: float
    contributions: np.ndarray
    features: tuple[str, ...]
    usual: Mapping[str, Any] = field(default_factory=dict)
    rates: tuple[CategoryRates, ...] = ()


@dataclass(frozen=True)
class RiskModel:
    """A trained, calibrated model of one target.

    `members` and `weights` by name; `rule` names the member that is the best simple rule, kept even with weight
    0 for comparison and as the fallback. `usual`: per feature the peers' usual values (`models.peer_medians`).
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

    def score(self, matrix: pa.Table) -> Scores:
        """Score and contributions of every row of a matrix. KeyError names a column that is missing."""
        return self.score_encoded(self.encoder.encode(matrix))

    def score_encoded(self, x: np.ndarray) -> Scores:
        """Score and contributions of encoded rows [n × columns]."""
        base = self.intercept
        cells = np.zeros_like(x)
        for name, weight in sorted(self.weights.items()):  # one order, so that what is loaded adds up to the same bit
            if weight:
                member_base, terms = self.members[name].contributions(x)
                base += self.slope * weight * member_base
                cells += self.slope * weight * terms
        contributions = self.encoder.by_feature(cells)
        log_odds = base + contributions.sum(axis=1)
        return Scores(
            expit(log_odds), log_odds, base, contributions, self.encoder.features, self.usual, self.encoder.rates
        )

    def probability(self, matrix: pa.Table) -> np.ndarray:
        """Scores [n] alone, without contributions: many times faster where trees are large."""
        return np.asarray(expit(self.log_odds(self.encoder.encode(matrix))))

    def log_odds(self, x: np.ndarray) -> np.ndarray:
        """Log-odds [n] of encoded rows [n × columns]."""
        blended = np.zeros(len(x))
        for name, weight in sorted(self.weights.items()):  # one order, so that what is loaded adds up to the same bit
            if weight:
                blended += weight * self.members[name].log_odds(x)
        return self.intercept + self.slope * blended

    def rule_probability(self, matrix: pa.Table) -> np.ndarray:
        """What the best simple rule says [n]."""
        return np.asarray(expit(self.members[self.rule].log_odds(self.encoder.encode(matrix))))
