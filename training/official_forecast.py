"""Learns the yearly forecast for officials and proves it on a year that it has not seen.

Everybody in post is a case at quarterly moments. A moment serves for training when its whole horizon, and the time in
which half of its tier's verdicts are given, lies before the cutoff. The last such moments, a year apart, are held back
to choose between the model and the shrunk counts, each against a model learnt before it; the model ships only where its
gain in AUC over the best count has an interval above zero, officials redrawn whole. Then everything is fitted again on
all such moments.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import duckdb
import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import rankdata

from features.complaints import history as complaint_history
from models.booster import TreeMember
from models.linear import LinearMember
from models.official_events import LEARNT_SHARE, Tier, first_event, labels, last_known, maturity
from models.official_forecast import CountRule, OfficialForecast, on_logs, values
from training.evaluate import auc, with_intervals

STEP = timedelta(days=91)
MOMENTS = 20
WARM_UP = timedelta(days=365)
"""No training moment lies in the first year of the record: its windows would look empty, not quiet."""

FEWEST_EVENTS = 50
"""With fewer positive cases than this the model is not tried and the count ships."""

PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "lambda_l2": 10.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
ROUNDS = 200
RIDGE = 0.01
"""Inverse strength of the regression's ridge, on standardised columns."""
SHARES = (0.5, 0.25, 0.75, 0.0, 1.0)
"""Shares of the regression that are tried; of equals the first."""
SEEDS = (1, 2, 3)
BOOTSTRAP = 400
PROOFS = 3
"""Moments held back, a year apart: verdicts are rare, one moment shows little."""


def moments(first: datetime, last: datetime) -> list[datetime]:
    """Quarterly training moments, latest first, at most `MOMENTS`, none before `first`."""
    latest = [last - STEP * k for k in range(MOMENTS)]
    return [moment for moment in latest if moment >= first]


def fit(
    con: duckdb.DuckDBPyConnection,
    until: datetime,
    tier: Tier,
    horizon: timedelta,
    seeds: tuple[int, ...] = SEEDS,
) -> OfficialForecast:
    """Forecast learnt from what was known at `until` of the moments whose horizon ends by `until`.

    Raises ValueError, with what is there and what is wanted, when the record is too young for one moment.
    """
    began = first_event(con, until)
    if began is None:
        raise ValueError(
            f"no complaint or finding that names an official, or a dossier that one held, is known before"
            f" {until:%Y-%m-%d}: nothing to learn from"
        )
    ripening = maturity(con, tier, until, LEARNT_SHARE)
    chosen = moments(began + WARM_UP, until - horizon - ripening) or moments(began, until - horizon)
    if not chosen:
        raise ValueError(
            f"the record begins {began:%Y-%m-%d}; a forecast of {horizon.days} days wants a start before"
            f" {until - horizon:%Y-%m-%d}: bring earlier deliveries or a later cutoff"
        )
    history = complaint_history.build(con, chosen)
    label = labels(con, history, tier, horizon, until)
    features = tuple(name for name in history.column_names if name not in complaint_history.KEYS)
    newest = history.filter(pc.equal(history["as_of"], pc.max(history["as_of"])))
    rules = [rule.fitted(newest) for rule in candidates(tier)]
    boosters: tuple[TreeMember, ...] = ()
    linear = None
    hard = probable(label)
    if label.sum() >= FEWEST_EVENTS:
        cells = values(history, features)
        boosters = tuple(_boosted(cells, label, seed) for seed in seeds)
        linear = _regressed(on_logs(cells, features)[0], label)
    best = max(rules, key=lambda rule: auc(hard, rule.score(history)))
    return OfficialForecast(tier.name, features, boosters, best, "model" if boosters else "rule", {}, linear)


def train(con: duckdb.DuckDBPyConnection, cutoff: datetime, tier: Tier, horizon: timedelta) -> OfficialForecast:
    """What ships at the cutoff: model or count, as the last year that is known in full decides."""
    final = fit(con, cutoff, tier, horizon)
    proofs = _proofs(con, cutoff, tier, horizon) if final.boosters else []
    if not proofs:
        return replace(final, ships="rule")
    label = np.concatenate([one.label for one in proofs])
    who = np.concatenate([one.who for one in proofs])
    tried = {
        share: np.concatenate([_ranks(replace(one.inner, share=share).model_score(one.history)) for one in proofs])
        for share in SHARES
    }
    share = max(tried, key=lambda one: auc(label, tried[one]))
    rule = np.concatenate([_ranks(one.inner.rule.score(one.history)) for one in proofs])
    comparison = compare(label, tried[share], rule, who)
    ships = "model" if comparison["low"] > 0 else "rule"
    return replace(final, ships=ships, comparison=comparison, share=share)


@dataclass(frozen=True)
class _Proof:
    """One moment that is held back: what was learnt before it, everybody's history at it [rows], and what came."""

    inner: OfficialForecast
    history: pa.Table
    label: np.ndarray
    who: np.ndarray


def _proofs(con: duckdb.DuckDBPyConnection, cutoff: datetime, tier: Tier, horizon: timedelta) -> list[_Proof]:
    """The last moments whose labels are known at the cutoff, a year apart, at most `PROOFS`, the latest first."""
    latest = cutoff - horizon - maturity(con, tier, cutoff, LEARNT_SHARE)
    found: list[_Proof] = []
    for at in (latest - timedelta(days=365) * k for k in range(PROOFS)):
        try:
            inner = fit(con, at, tier, horizon, SEEDS[:1])
        except ValueError:
            break
        if not inner.boosters:
            break
        history = complaint_history.build(con, [at])
        label = probable(labels(con, history, tier, horizon, cutoff))
        found.append(_Proof(inner, history, label, np.asarray(history["official_id"].to_pylist())))
    return found


def _ranks(score: np.ndarray) -> np.ndarray:
    """Ranks in [0, 1] within one moment, so that moments can stand side by side."""
    return np.asarray(rankdata(score) / max(len(score), 1))


def backtest(
    con: duckdb.DuckDBPyConnection, cutoff: datetime, tier: Tier, horizon: timedelta
) -> tuple[pa.Table, OfficialForecast]:
    """Everybody in post at the cutoff: official_id, score, rule_score and, as what came, label.

    `con` sees the whole record; training reads only what was known at the cutoff. The label is read from all
    that the record knows now, and null where the record ends before the horizon does.
    """
    forecast = train(con, cutoff, tier, horizon)
    history = complaint_history.build(con, [cutoff])
    ends = last_known(con)
    label = probable(labels(con, history, tier, horizon, ends))
    over = cutoff + horizon <= ends
    table = pa.table(
        {
            "official_id": history["official_id"],
            "score": forecast.score(history),
            "rule_score": forecast.rule.score(history),
            "label": pa.array(label if over else [None] * len(label), pa.float64()),
        }
    )
    return table, forecast


def candidates(tier: Tier) -> list[CountRule]:
    """The shrunk counts that a model must beat: of the tier itself over its windows, and of complaints."""
    own = [CountRule(f"{tier.prefix}, all, a year", f"{tier.prefix}_ever", "watched_years")]
    own.append(CountRule(f"{tier.prefix}, 5 years", f"{tier.prefix}_5y", "watched_5y"))
    fading = CountRule("reported, fading, half-life a year", "reported_fading_365d", "")
    return [*own, fading, CountRule("reported, all, a year", "reported_ever", "watched_years")]


def compare(label: np.ndarray, model: np.ndarray, rule: np.ndarray, who: np.ndarray | None = None) -> dict[str, float]:
    """AUC of both, and the 95 % bootstrap interval (over officials) of their difference.

    `who`: the official of each row; each row is another's where left out.
    """
    clusters = np.arange(len(label)) if who is None else who
    alone, pairs = with_intervals(label, {"model": model, "rule": rule}, clusters, draws=BOOTSTRAP)
    gain = pairs["model", "rule"]["auc"]
    return {
        "model": alone["model"]["auc"].value,
        "rule": alone["rule"]["auc"].value,
        "low": gain.low,
        "high": gain.high,
    }


def probable(label: np.ndarray) -> np.ndarray:
    """Labels [n] as 0 or 1, for judging: shared-out events count for whom they more likely than not belong to."""
    return (label >= 0.5).astype(float)


def _boosted(cells: np.ndarray, label: np.ndarray, seed: int) -> TreeMember:
    rows, hard, weight = _split(cells, label)
    data = lgb.Dataset(rows, hard, weight=weight if (weight < 1).any() else None, free_raw_data=True)
    return TreeMember(lgb.train({**PARAMETERS, "seed": seed}, data, ROUNDS).model_to_string())


def _regressed(logs: np.ndarray, label: np.ndarray) -> LinearMember:
    """Ridge logistic regression on standardised columns; what lies beyond training counts as its end."""
    from sklearn.linear_model import LogisticRegression

    rows, hard, weight = _split(logs, label)
    center, scale = rows.mean(axis=0), rows.std(axis=0)
    scale[scale == 0] = 1.0
    fitted = LogisticRegression(C=RIDGE, max_iter=1000).fit((rows - center) / scale, hard, sample_weight=weight)
    coefficient = np.asarray(fitted.coef_[0], float)
    return LinearMember(
        float(fitted.intercept_[0]), coefficient, center, scale, rows.min(axis=0), rows.max(axis=0),
        np.zeros(len(coefficient)),
    )  # fmt: skip


def _split(cells: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, labels and weights: a label of 0.7 is a positive of weight 0.7 and a negative of weight 0.3."""
    shared = (label > 0) & (label < 1)
    rows = np.concatenate([cells, cells[shared]])
    hard = np.concatenate([(label > 0).astype(float), np.zeros(int(shared.sum()))])
    weight = np.concatenate([np.where(label > 0, label, 1.0), 1.0 - label[shared]])
    return rows, hard, weight
