"""The yearly forecast for officials: a bag of LightGBM models and a logistic regression on logs of the counts, weighed;
or the shrunk count where that is better.

Trees find thresholds and interactions, the regression carries a smooth trend into counts that were rare in training,
and needs fewer events. How much each says is chosen on the last moments that are known in full, never later.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.special import expit

from models.booster import TreeMember
from models.linear import LinearMember

RULE_YEARS = 2.0
"""Years of the average official that the shrunk count starts with (the shape of its Gamma prior)."""


FADING = (120.0, 500.0)
"""Half-lives in days of what is left of the last event."""
GROWING = frozenset({"reported_ever", "upheld_ever", "rejected_ever", "discovered_ever", "watched_years"})
"""Features that are larger the longer the record is: a regression would carry that growth on beyond training."""
LONG_AGO = 4000.0
"""Days since an event that never was."""
BENDS = (3.0, 8.0, 15.0, 20.0, 25.0, 29.0)
"""Years in post where the line bends: probation, middle career, the ages at which people retire."""


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
    """What ships for a tier: the bag of Boosters with the regression when they beat the best rule by an interval, else
    the rule.

    `features` are the history's columns in the Boosters' order; `linear` reads `on_logs` of them and has `share` of the
    log-odds (None: none was fitted, the Boosters speak alone). Scores only rank and compare officials within a tier;
    they are reasons to look, never findings.
    """

    tier: str
    features: tuple[str, ...]
    boosters: tuple[TreeMember, ...]
    rule: CountRule
    ships: str
    comparison: dict[str, float]
    linear: LinearMember | None = None
    share: float = 0.5

    def score(self, history: pa.Table) -> np.ndarray:
        """Score of what ships, one a row: a probability of the model, or the rule's events a year."""
        return self.model_score(history) if self.ships == "model" else self.rule.score(history)

    def model_score(self, history: pa.Table) -> np.ndarray:
        """Mean log-odds of the bag and the regression as a probability, one a row."""
        cells = values(history, self.features)
        odds = np.mean([booster.log_odds(cells) for booster in self.boosters], axis=0)
        if self.linear is not None:
            smooth = self.linear.log_odds(on_logs(cells, self.features)[0])
            odds = (1 - self.share) * odds + self.share * smooth
        return np.asarray(expit(odds))

    def contributions(self, history: pa.Table) -> tuple[float, np.ndarray]:
        """Base log-odds and exact SHAP values [rows × features]; they add up to the model's log-odds."""
        cells = values(history, self.features)
        per_booster = [booster.contributions(cells) for booster in self.boosters]
        base, terms = (
            float(np.mean([base for base, _ in per_booster])),
            np.mean([terms for _, terms in per_booster], axis=0),
        )
        if self.linear is None:
            return base, terms
        logs, of = on_logs(cells, self.features)
        base_too, parts = self.linear.contributions(logs)
        summed = np.zeros_like(terms)
        for place, feature in enumerate(of):
            summed[:, feature] += parts[:, place]
        rest = 1 - self.share
        return rest * base + self.share * base_too, rest * terms + self.share * summed


def column(history: pa.Table, name: str) -> np.ndarray:
    """A column as doubles, gaps as NaN."""
    return np.asarray(history[name].to_numpy(zero_copy_only=False), dtype=np.float64)


def values(history: pa.Table, features: tuple[str, ...]) -> np.ndarray:
    """Cells of the named columns, rows × features."""
    return np.column_stack([column(history, name) for name in features])


def on_logs(cells: np.ndarray, features: tuple[str, ...]) -> tuple[np.ndarray, list[int]]:
    """Columns for the regression from `cells` [rows × features], none missing, and of which feature each is made.

    What grows with the record's age is left out. Counts and shares as log(1 + x); days since an event as what is left
    of it at two half-lives, 0 where it never was, and log(1 + x); years in post as a line with bends, apart for those
    of whom nothing was ever reported.
    """
    never = np.nan_to_num(cells[:, features.index("reported_ever")]) == 0 if "reported_ever" in features else None
    columns: list[np.ndarray] = []
    of: list[int] = []
    for place, name in enumerate(features):
        cell = cells[:, place]
        if name in GROWING:
            continue
        if name.startswith("days_since"):
            made = [np.where(np.isnan(cell), 0.0, 0.5 ** (np.nan_to_num(cell) / half)) for half in FADING]
            made.append(np.log1p(np.where(np.isnan(cell), LONG_AGO, np.maximum(cell, 0.0))))
        elif name == "tenure_days":
            years = np.maximum(np.nan_to_num(cell), 0.0) / 365
            made = [years, np.exp(-years / 2), *(np.maximum(years - bend, 0.0) for bend in BENDS)]
            if never is not None:
                made += [never * one for one in made]
        else:
            made = [np.log1p(np.maximum(np.nan_to_num(cell), 0.0))]
        columns += made
        of += [place] * len(made)
    if never is not None:
        columns.append(never.astype(float))
        of.append(features.index("reported_ever"))
    return np.column_stack(columns), of
