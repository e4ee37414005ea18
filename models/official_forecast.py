"""The yearly forecast for officials: a bag of LightGBM models, or the shrunk count where that is better."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.special import expit

from models.booster import TreeMember

RULE_YEARS = 2.0
"""Years of the average official that the shrunk count starts with (the shape of its Gamma prior)."""


@dataclass(frozen=True)
class CountRule:
    """A count of past events a year, shrunk to the average: (count + years0·mean) / (years + years0).

    With the Gamma prior of mean `mean` and weight `years0` this is the posterior mean of the rate.
    `count` and `exposure` name columns of the history; a fading count has its own effective exposure.
    """

    name: str
    count: str
    exposure: str
    mean: float = 0.0
    years: float = RULE_YEARS

    def score(self, history: pa.Table) -> np.ndarray:
        """Expected events a year [rows]."""
        count = column(history, self.count)
        exposure = np.nan_to_num(column(history, self.exposure)) if self.exposure else np.zeros(len(count))
        return (count + self.years * self.mean) / (exposure + self.years)

    def fitted(self, history: pa.Table) -> CountRule:
        """The same rule with the mean of this history."""
        exposure = np.nan_to_num(column(history, self.exposure)).sum() if self.exposure else history.num_rows
        mean = float(column(history, self.count).sum() / max(exposure, 1e-9))
        return CountRule(self.name, self.count, self.exposure, mean, self.years)


@dataclass(frozen=True)
class OfficialForecast:
    """What ships for a tier: the bag of Boosters when it beat the best rule by an interval, else the rule.

    `features` are the history's columns in the Boosters' order. Scores only rank and compare officials
    within a tier; they are reasons to look, never findings.
    """

    tier: str
    features: tuple[str, ...]
    boosters: tuple[TreeMember, ...]
    rule: CountRule
    ships: str
    comparison: dict[str, float]

    def score(self, history: pa.Table) -> np.ndarray:
        """Score of what ships, one a row: a probability of the model, or the rule's events a year."""
        return self.model_score(history) if self.ships == "model" else self.rule.score(history)

    def model_score(self, history: pa.Table) -> np.ndarray:
        """Mean log-odds of the bag as a probability, one a row."""
        cells = values(history, self.features)
        return np.asarray(expit(np.mean([booster.log_odds(cells) for booster in self.boosters], axis=0)))

    def contributions(self, history: pa.Table) -> tuple[float, np.ndarray]:
        """Base log-odds and exact SHAP values [rows × features]; they add up to the model's log-odds."""
        cells = values(history, self.features)
        told = [booster.contributions(cells) for booster in self.boosters]
        return float(np.mean([base for base, _ in told])), np.mean([terms for _, terms in told], axis=0)


def column(history: pa.Table, name: str) -> np.ndarray:
    """A column as doubles, gaps as NaN."""
    return np.asarray(history[name].to_numpy(zero_copy_only=False), dtype=np.float64)


def values(history: pa.Table, features: tuple[str, ...]) -> np.ndarray:
    """Cells of the named columns, rows × features."""
    return np.column_stack([column(history, name) for name in features])
