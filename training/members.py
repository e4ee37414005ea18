"""Fitting the members of the blend on one sample: category rates, trees, ridge regression, identities, simple rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from features.matrix.batch import FEATURES
from models.booster import TreeMember
from models.encoding import Encoder, LevelOffsets, column_of_text, shrunk_rates
from models.level import KEYS as LEVELS
from models.level import STAGE
from models.linear import LinearMember
from models.logit import EDGE, logit
from models.risk_model import Member
from models.rule import RuleMember
from training.bagging import mean_of
from training.identities import STAGES, fit_identities, identity_member
from training.sample import Sample

KEYS = ("dossier_id", "as_of")
FOLDS = 5
DIRECTION = {feature.name: feature.monotone for feature in FEATURES if feature.monotone}
"""Features whose rise must never lower the score (+1), or never lift it (-1), as declared."""
OFFICE_MOVES = frozenset(feature.name for feature in FEATURES if feature.group == "promise" and feature.monotone == 1)
"""Those by which an office moves its promise: in every recipe they may only raise a score, whatever the past says."""


@dataclass(frozen=True)
class Recipe:
    """How members are fitted; chosen inside the training period, stored with the model.

    `m`: dossiers that a category's parent rate counts for. `trees`: LightGBM parameters and `rounds`. `ridge`:
    inverse strength of the penalty (scikit-learn's C), None leaves the regression out. `evenness`: 0 counts rows,
    1 counts dossiers; between, a row counts its share of its dossier to this power. `monotone`: trees keep all
    directions that features declare, not those of `OFFICE_MOVES` alone. `bags`: trees learnt with so many seeds, and
    their mean taken. `identities`: inverse strength of the penalty on identities (`training.identities`); with them
    trees see the past rate of every category, learnt out of fold, and joint rates are among the rules. None leaves out
    all that names say.
    """

    m: float = 20.0
    rounds: int = 150
    trees: dict[str, Any] = field(default_factory=dict)
    ridge: float | None = 0.001
    evenness: float = 0.5
    seed: int = 7
    monotone: bool = False
    bags: int = 1
    identities: float | None = 3.0


def row_weight(sample: Sample, evenness: float) -> np.ndarray:
    """What each row counts [n], mean 1: its share of its dossier to the power `evenness`."""
    weight = sample.share**evenness
    return np.asarray(weight / weight.mean())


def is_category(column: pa.ChunkedArray) -> bool:
    """Whether a matrix column holds text."""
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def fit_encoder(
    sample: Sample, m: float, identities: float | None = None, pairs: Sequence[tuple[str, str]] = ()
) -> Encoder:
    """Numbers as they are, categories as shrunk rates; a column of numbers that is missing throughout is left out.

    `identities`: penalty of what identities say by stage (`Recipe`). `pairs`: categories whose joint rate is wanted
    too; it is shrunk to that of the first.
    """
    weight = sample.share
    prior = float(logit(np.average(sample.label, weights=weight)))
    names = [name for name in sample.matrix.column_names if name not in KEYS]
    categories = [name for name in names if is_category(sample.matrix[name])]
    numbers = [
        name for name in names if name not in categories and sample.matrix[name].null_count < sample.matrix.num_rows
    ]
    rates = {name: shrunk_rates(sample.matrix, sample.label, weight, (name,), m=m, prior=prior) for name in categories}
    joint = [
        shrunk_rates(sample.matrix, sample.label, weight, pair, m=m, prior=prior, parent=rates[pair[0]])
        for pair in pairs
    ]
    every = (*rates.values(), *joint)
    if STAGES.column not in numbers:
        return Encoder(tuple(numbers), every)
    terms = (
        ()
        if identities is None
        else fit_identities(sample.matrix, sample.label, sample.dossier, categories, STAGES, identities)
    )
    levels = tuple(LevelOffsets(key) for key in LEVELS if key == STAGE or key in categories)
    return Encoder(tuple(numbers), every, terms, STAGES, levels)


def hidden(x: np.ndarray, first: int) -> np.ndarray:
    """Encoded rows with the columns from `first` on constant, so that no learner uses them."""
    shown = x.copy()
    shown[:, first:] = 0.0
    return shown


def pairs_of(members: Iterable[str]) -> list[tuple[str, str]]:
    """The pairs of categories that the joint rates among the named members need."""
    joint = [name.removeprefix("rate:").split("+") for name in members if name.startswith("rate:") and "+" in name]
    return [(first, second) for first, second in joint]


def learner_view(x: np.ndarray, encoder: Encoder, sample: Sample, recipe: Recipe) -> np.ndarray:
    """What trees learn from: encoded rows [n × columns], rates out of fold, everything later hidden.

    In the rows that a rate was learnt from it holds the answer; so each of `FOLDS` parts of the dossiers has the rates
    that the others teach (cross-fitting). Joint rates and identities are for the rules and for a member of their own.
    """
    first = len(encoder.numbers)
    singles = [rate for rate in encoder.rates if len(rate.keys) == 1] if recipe.identities is not None else []
    seen = hidden(x, first)
    fold = sample.dossier % FOLDS
    for at, rate in enumerate(singles, start=first):
        seen[:, at] = _out_of_fold(column_of_text(sample.matrix, rate.keys[0]), sample, fold, recipe.m, rate.prior)
    return seen


def _out_of_fold(text: np.ndarray, sample: Sample, fold: np.ndarray, m: float, prior: float) -> np.ndarray:
    values, inverse = np.unique(text.astype(str), return_inverse=True)
    cell = inverse * FOLDS + fold
    n = len(values) * FOLDS
    late = np.bincount(cell, sample.share * sample.label, n).reshape(-1, FOLDS)
    total = np.bincount(cell, sample.share, n).reshape(-1, FOLDS)
    others = [part.sum(axis=1, keepdims=True) - part for part in (late, total)]
    rate = (others[0] + m * expit(prior)) / (others[1] + m)
    return np.asarray(logit(rate)[inverse, fold])


def joint_rates(learn: Sample, judged: Sample, m: float) -> dict[str, np.ndarray]:
    """Log-odds [n] that the past rate of every pair of categories gives the judged rows, by the rule's name.

    As `fit_encoder` would learn each, without a column a pair.
    """
    both = pa.concat_tables([learn.matrix, judged.matrix])
    n, weight = len(learn), learn.share
    prior = float(np.average(learn.label, weights=weight))
    codes = {}
    for name in (one for one in both.column_names if one not in KEYS and is_category(both[one])):
        values, inverse = np.unique(column_of_text(both, name).astype(str), return_inverse=True)
        if len(values) > 1:
            codes[name] = inverse

    def shrunk(code: np.ndarray, above: np.ndarray) -> np.ndarray:
        size = int(code.max()) + 1
        late = np.bincount(code[:n], weight * learn.label, size)[code]
        return np.asarray((late + m * above) / (np.bincount(code[:n], weight, size)[code] + m))

    single = {name: shrunk(code, np.full(len(code), prior)) for name, code in codes.items()}
    found = {}
    for first, second in combinations(codes, 2):
        pair = np.unique(codes[first] * (int(codes[second].max()) + 1) + codes[second], return_inverse=True)[1]
        found[f"rate:{first}+{second}"] = logit(shrunk(pair, single[first])[n:])
    return found


def directions(recipe: Recipe, columns: Sequence[str], x: np.ndarray | None = None) -> dict[str, list[int]]:
    """LightGBM's parameter of the directions that trees must keep; none where no column of `x` that varies has one."""
    ways = [DIRECTION.get(name, 0) if recipe.monotone or name in OFFICE_MOVES else 0 for name in columns]
    if x is not None and not recipe.monotone:
        ways = [way if way and len(np.unique(x[:, at])) > 1 else 0 for at, way in enumerate(ways)]
    return {"monotone_constraints": ways} if any(ways) else {}


def fit_trees(
    x: np.ndarray, label: np.ndarray, weight: np.ndarray, recipe: Recipe, columns: Sequence[str] = ()
) -> TreeMember:
    """Boosted trees by LightGBM: one thread, deterministic, the same text for the same rows and seed.

    `columns`: names of the columns of `x`, by which their declared directions are known.
    """
    texts = []
    for bag in range(recipe.bags):
        params = {
            "objective": "binary",
            "num_threads": 1,
            "deterministic": True,
            "force_col_wise": True,
            "seed": recipe.seed + bag,
            "verbosity": -1,
            **recipe.trees,
            **directions(recipe, columns, x),
        }
        names = [f"c{at}" for at in range(x.shape[1])]
        data = lightgbm.Dataset(x, label, weight=weight, feature_name=names, params=params)
        texts.append(lightgbm.train(params, data, num_boost_round=recipe.rounds).model_to_string())
    return TreeMember(mean_of(texts))


def fit_ridge(
    x: np.ndarray, label: np.ndarray, weight: np.ndarray, c: float, columns: Sequence[str] = ()
) -> LinearMember:
    """Ridge logistic regression: clipped to the middle 98 %, standardised, missing cells with a term of their own.

    Of `columns`, the names of those of `x`, one of `OFFICE_MOVES` that would lower a score is left out.
    """
    low, high = _quantiles(x, 0.01), _quantiles(x, 0.99)
    absent = np.isnan(x)
    filled = np.where(absent, np.nan, np.clip(x, low, high))
    some = ~absent.all(axis=0)
    center, spread = np.zeros(x.shape[1]), np.ones(x.shape[1])
    center[some], spread[some] = np.nanmean(filled[:, some], axis=0), np.nanstd(filled[:, some], axis=0)
    scale = np.where(spread > EDGE, spread, 1.0)
    rare = absent.any(axis=0) & some
    design = np.hstack([np.nan_to_num((filled - center) / scale), absent[:, rare].astype(float)])
    may_only_raise = np.array([name in OFFICE_MOVES for name in columns] or [False] * x.shape[1])
    with threadpool_limits(1):
        while True:
            fitted = LogisticRegression(C=c, max_iter=500, tol=1e-5).fit(design, label, sample_weight=weight)
            coefficient = fitted.coef_[0]
            lowers = np.flatnonzero(may_only_raise & (coefficient[: x.shape[1]] < 0))
            if not len(lowers):
                break
            design[:, lowers] = 0.0
            may_only_raise[lowers] = False
    missing = np.zeros(x.shape[1])
    missing[rare] = coefficient[x.shape[1] :]
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
            rules[name] = _rule(name, at, expit(odds), odds, base, x, weight)
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


def _rule(
    name: str, at: int, knots: np.ndarray, values: np.ndarray, missing: float, x: np.ndarray, weight: np.ndarray
) -> RuleMember:
    without_base = RuleMember(name, at, knots, values, missing, 0.0)
    return RuleMember(name, at, knots, values, missing, float(np.average(without_base.log_odds(x), weights=weight)))


def _quantiles(x: np.ndarray, q: float) -> np.ndarray:
    out = np.zeros(x.shape[1])
    for at in range(x.shape[1]):
        cell = x[:, at][~np.isnan(x[:, at])]
        out[at] = np.quantile(cell, q) if len(cell) else 0.0
    return out


def fit_members(
    sample: Sample, recipe: Recipe, pairs: Sequence[tuple[str, str]] = ()
) -> tuple[Encoder, dict[str, Member]]:
    """The encoder and every member fitted on the sample; rates and rules count every dossier once."""
    encoder = fit_encoder(sample, recipe.m, recipe.identities, pairs)
    x = encoder.encode(sample.matrix)
    seen = learner_view(x, encoder, sample, recipe)
    weight = row_weight(sample, recipe.evenness)
    members: dict[str, Member] = {"trees": fit_trees(seen, sample.label, weight, recipe, encoder.columns)}
    if recipe.ridge is not None:
        members["ridge"] = fit_ridge(
            hidden(x, len(encoder.numbers)), sample.label, weight, recipe.ridge, encoder.columns
        )
    if encoder.terms:
        members["identity"] = identity_member(encoder, x, sample.share)
    members |= fit_rules(x, sample.label, sample.share, encoder.columns)
    return encoder, members
