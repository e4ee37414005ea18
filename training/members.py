"""Fitting the members of the blend on one sample: category rates, trees, ridge regression, simple rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from models.booster import TreeMember
from models.encoding import Encoder, shrunk_rates
from models.linear import LinearMember
from models.risk_model import Member
from models.rule import RuleMember
from models.shrinkage import EDGE, logit, sigmoid
from training.sample import Sample

KEYS = ("dossier_id", "as_of")
FOLDS = 5


@dataclass(frozen=True)
class Recipe:
    """How members are fitted; chosen inside the training period, stored with the model.

    `m`: dossiers that a category's parent rate counts for. `trees`: LightGBM parameters and `rounds`. `ridge`:
    inverse strength of the penalty (scikit-learn's C). `learnt_rates`: whether the learners see the rates learnt
    for categories, or only the matrix's own rolling ones (rules see both).
    """

    m: float = 20.0
    rounds: int = 120
    trees: dict[str, Any] = field(default_factory=lambda: {
        "learning_rate": 0.05, "num_leaves": 8, "max_depth": 4, "min_data_in_leaf": 20, "lambda_l2": 10.0,
        "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1, "path_smooth": 10.0})
    ridge: float = 0.003
    seed: int = 7
    learnt_rates: bool = True


def is_category(column: pa.ChunkedArray) -> bool:
    """Whether a matrix column holds text."""
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def fit_encoder(sample: Sample, m: float, only: np.ndarray | None = None) -> Encoder:
    """Numbers as they are, categories as shrunk rates of the sample's rows (of the rows `only`, where given).

    A column of numbers that is missing throughout is left out.
    """
    used = sample if only is None else sample.take(only)
    weight = used.share
    prior = float(logit(np.average(used.label, weights=weight)))
    names = [name for name in sample.matrix.column_names if name not in KEYS]
    categories = [name for name in names if is_category(sample.matrix[name])]
    numbers = [name for name in names if name not in categories
               and sample.matrix[name].null_count < sample.matrix.num_rows]
    rates = [shrunk_rates(used.matrix, used.label, weight, (name,), m=m, prior=prior) for name in categories]
    return Encoder(tuple(numbers), tuple(rates))


def cross_fitted(sample: Sample, encoder: Encoder, m: float, seed: int) -> np.ndarray:
    """Encoded rows [n × columns] in which no row's rates have seen its own dossier (folds by dossier)."""
    x = encoder.encode(sample.matrix)
    start = len(encoder.numbers)
    fold = np.random.default_rng(seed).integers(0, FOLDS, int(sample.dossier.max()) + 1)[sample.dossier]
    for number in range(FOLDS):
        held = np.flatnonzero(fold == number)
        rest = np.flatnonzero(fold != number)
        if not len(held) or not len(rest):
            continue
        other = fit_encoder(sample, m, rest)
        part = sample.matrix.take(pa.array(held))
        for at, rate in enumerate(other.rates, start=start):
            x[held, at] = rate.encode(part)
    return x


def fit_trees(x: np.ndarray, label: np.ndarray, weight: np.ndarray, recipe: Recipe, columns: Sequence[str]) -> TreeMember:
    """Boosted trees by LightGBM: one thread, deterministic, the same text for the same rows and seed."""
    params = {"objective": "binary", "num_threads": 1, "deterministic": True, "force_row_wise": True,
              "seed": recipe.seed, "verbosity": -1, **recipe.trees}
    names = [f"c{at}" for at in range(len(columns))]
    data = lightgbm.Dataset(x, label, weight=weight, feature_name=names, params={"verbosity": -1, "num_threads": 1})
    booster = lightgbm.train(params, data, num_boost_round=recipe.rounds)
    return TreeMember(booster.model_to_string())


def fit_ridge(x: np.ndarray, label: np.ndarray, weight: np.ndarray, recipe: Recipe) -> LinearMember:
    """Ridge logistic regression: clipped to the middle 98 %, standardised, missing cells with a term of their own."""
    with np.errstate(all="ignore"):
        low, high = _quantiles(x, 0.01), _quantiles(x, 0.99)
    clipped = np.clip(x, low, high)
    absent = np.isnan(x)
    seen = np.maximum((~absent * weight[:, None]).sum(0), EDGE)
    center = np.nansum(clipped * weight[:, None], axis=0) / seen
    spread = np.sqrt(np.nansum((clipped - center) ** 2 * weight[:, None], axis=0) / seen)
    scale = np.where(spread > 1e-9, spread, 1.0)
    z = np.nan_to_num((clipped - center) / scale)
    rare = absent.any(axis=0)
    design = np.hstack([z, absent[:, rare].astype(float)])
    fitted = LogisticRegression(C=recipe.ridge, max_iter=500, tol=1e-5).fit(design, label, sample_weight=weight)
    coefficient = fitted.coef_[0]
    missing = np.zeros(x.shape[1])
    missing[rare] = coefficient[x.shape[1]:]
    return LinearMember(float(fitted.intercept_[0]), coefficient[: x.shape[1]], center, scale, low, high, missing)


def fit_rules(x: np.ndarray, label: np.ndarray, weight: np.ndarray, columns: Sequence[str]) -> dict[str, RuleMember]:
    """Every simple rule that the columns allow, by name.

    `base_rate`; past rates (`rate:…` learnt, `…_late_rate` rolling) taken at their word; shares and amounts of
    time (`days_left`, `hours_left`, `time_used`, `promise_used`) as the late rate of ten bands.
    """
    base = float(logit(np.average(label, weights=weight)))
    none = np.zeros(1)
    rules = {"base_rate": RuleMember("base_rate", -1, none, none + base, base, base)}
    for at, name in enumerate(columns):
        if name.startswith("rate:"):
            knots = np.array([-20.0, 20.0])
            rules[name] = _rule(name, at, knots, knots, base, x, weight)
        elif "late_rate" in name:
            odds = np.linspace(-8.0, 8.0, 161)
            rules[name] = _rule(name, at, sigmoid(odds), odds, base, x, weight)
        elif name in ("days_left", "hours_left", "time_used", "promise_used"):
            rules[name] = _banded(name, at, base, x, label, weight)
    return rules


def _banded(name: str, at: int, base: float, x: np.ndarray, label: np.ndarray, weight: np.ndarray) -> RuleMember:
    cell = x[:, at]
    seen = ~np.isnan(cell)
    if not seen.any():
        return RuleMember(name, -1, np.zeros(1), np.full(1, base), base, base)
    edges = np.unique(np.quantile(cell[seen], np.linspace(0, 1, 11)))
    band = np.clip(np.searchsorted(edges, cell[seen], side="right") - 1, 0, max(len(edges) - 2, 0))
    n = np.bincount(band, weights=weight[seen])
    knots = np.bincount(band, weights=weight[seen] * cell[seen])[n > 0] / n[n > 0]
    late = np.bincount(band, weights=weight[seen] * label[seen])[n > 0]
    rate = (late + 20 / (1 + np.exp(-base))) / (n[n > 0] + 20)
    knots, first = np.unique(knots, return_index=True)
    return _rule(name, at, knots, logit(rate)[first], base, x, weight)


def _rule(name: str, at: int, knots: np.ndarray, values: np.ndarray, missing: float, x: np.ndarray,
          weight: np.ndarray) -> RuleMember:
    said = RuleMember(name, at, knots, values, missing, 0.0)
    return RuleMember(name, at, knots, values, missing, float(np.average(said.log_odds(x), weights=weight)))


def _quantiles(x: np.ndarray, q: float) -> np.ndarray:
    out = np.zeros(x.shape[1])
    for at in range(x.shape[1]):
        cell = x[:, at][~np.isnan(x[:, at])]
        out[at] = np.quantile(cell, q) if len(cell) else 0.0
    return out


def hidden(x: np.ndarray, first: int) -> np.ndarray:
    """Encoded rows with the columns from `first` on constant: no learner can use them, and none of them count."""
    shown = x.copy()
    shown[:, first:] = 0.0
    return shown


def fit_members(sample: Sample, weight: np.ndarray, recipe: Recipe) -> tuple[Encoder, dict[str, Member]]:
    """The encoder and every member fitted on the sample; `weight` [n] is what each row counts."""
    encoder = fit_encoder(sample, recipe.m)
    x = cross_fitted(sample, encoder, recipe.m, recipe.seed)
    seen = x if recipe.learnt_rates else hidden(x, len(encoder.numbers))
    members: dict[str, Member] = {
        "trees": fit_trees(seen, sample.label, weight, recipe, encoder.columns),
        "ridge": fit_ridge(seen, sample.label, weight, recipe),
    }
    members |= fit_rules(x, sample.label, weight, encoder.columns)
    return encoder, members
