"""Learns the yearly forecast for officials and proves it on a year that it has not seen.

Everybody in post is a case at quarterly moments. A moment serves for training when its whole horizon,
and the time that its tier's labels need to mature, lies before the cutoff. The last such moments are
held back to choose between the model and the shrunk counts; the model ships only where its gain in AUC
over the best count has an interval above zero. Then everything is fitted again on all mature moments.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb
import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.complaints import history as complaint_history
from models.booster import TreeMember
from models.official_events import Tier, first_event, labels, last_known, maturity
from models.official_forecast import CountRule, OfficialForecast, values
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
SEEDS = (1, 2, 3)
BOOTSTRAP = 400


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
    ripening = maturity(con, tier, until)
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
    hard = probable(label)
    if label.sum() >= FEWEST_EVENTS:
        cells = values(history, features)
        boosters = tuple(_boosted(cells, label, seed) for seed in seeds)
    best = max(rules, key=lambda rule: auc(hard, rule.score(history)))
    return OfficialForecast(tier.name, features, boosters, best, "model" if boosters else "rule", {})


def train(con: duckdb.DuckDBPyConnection, cutoff: datetime, tier: Tier, horizon: timedelta) -> OfficialForecast:
    """What ships at the cutoff: model or count, as the last year that is known in full decides."""
    final = fit(con, cutoff, tier, horizon)
    proof_at = cutoff - horizon - maturity(con, tier, cutoff)
    try:
        inner = fit(con, proof_at, tier, horizon, SEEDS[:1])
    except ValueError:
        return OfficialForecast(tier.name, final.features, final.boosters, final.rule, "rule", {})
    if not inner.boosters or not final.boosters:
        return OfficialForecast(tier.name, final.features, final.boosters, final.rule, "rule", {})
    proof = complaint_history.build(con, [proof_at])
    label = probable(labels(con, proof, tier, horizon, cutoff))
    comparison = compare(label, inner.model_score(proof), inner.rule.score(proof))
    ships = "model" if comparison["low"] > 0 else "rule"
    return OfficialForecast(tier.name, final.features, final.boosters, final.rule, ships, comparison)


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


def compare(label: np.ndarray, model: np.ndarray, rule: np.ndarray) -> dict[str, float]:
    """AUC of both, and the 95 % bootstrap interval (over officials) of their difference."""
    alone, pairs = with_intervals(label, {"model": model, "rule": rule}, np.arange(len(label)), draws=BOOTSTRAP)
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
    # a label of 0.7 is a positive of weight 0.7 and a negative of weight 0.3
    shared = (label > 0) & (label < 1)
    rows = np.concatenate([cells, cells[shared]])
    hard = np.concatenate([(label > 0).astype(float), np.zeros(int(shared.sum()))])
    weight = np.concatenate([np.where(label > 0, label, 1.0), 1.0 - label[shared]])
    data = lgb.Dataset(rows, hard, weight=weight if shared.any() else None, free_raw_data=True)
    return TreeMember(lgb.train({**PARAMETERS, "seed": seed}, data, ROUNDS).model_to_string())
