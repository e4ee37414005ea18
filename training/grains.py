"""Late dossiers by official and by unit: whose open dossiers will be late, when their probabilities are added up?

An official answers for what lies in their hands at a landmark, a unit for what it received. What is expected of a group
is the mean probability of its dossiers, what came the share of them that were late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb
import numpy as np
import pyarrow as pa

from features.record.utc import naive_column
from training.evaluate import interval
from training.rolling_figures import Figures, JudgedRows

GRAINS = {"official": "official_id", "unit": "unit_code"}
"""Grain → the column that names its groups."""
LEAST = 5
"""Judged landmarks of a group below which its share says little: it is left out of rank and lift."""
TOP = 0.1

_SQL = {
    "official": """
        SELECT a.nth, arg_max(e.official_id, (e.happened_at, e.known_at)) AS name FROM asked_groups a
        LEFT JOIN event e ON e.dossier_id = a.dossier_id AND e.known_at < a.as_of AND e.official_id IS NOT NULL
        GROUP BY a.nth ORDER BY a.nth""",
    "unit": """
        SELECT a.nth, arg_max(d.unit_code, (d.known_at, d.row_id)) AS name FROM asked_groups a
        LEFT JOIN dossier d ON d.dossier_id = a.dossier_id AND d.known_at < a.as_of AND d.unit_code IS NOT NULL
        GROUP BY a.nth ORDER BY a.nth""",
}


def groups_of(con: duckdb.DuckDBPyConnection, cases: pa.Table, grain: str) -> pa.Array:
    """Who held each case (dossier_id, as_of) as known then, or its unit; null where nobody is named.

    KeyError for an unknown grain.
    """
    asked = [cases["dossier_id"], naive_column(cases["as_of"]), pa.array(range(cases.num_rows))]
    con.register("asked_groups", pa.table(asked, names=["dossier_id", "as_of", "nth"]))
    try:
        return con.sql(_SQL[grain]).to_arrow_table()["name"].combine_chunks()
    finally:
        con.unregister("asked_groups")


def added_up(table: pa.Table, group: pa.Array, column: str) -> pa.Table:
    """A backtest's rows (cutoff, as_of, score, rule_score, label) by landmark and group: `n` dossiers, mean scores.

    `label`: the share of them late; null until all their labels are known. Cases of nobody are left out.
    """
    grouped = table.append_column(column, group).filter(group.is_valid())
    means = [("dossier_id", "count"), ("score", "mean"), ("rule_score", "mean"),
             ("label", "mean", pa.compute.ScalarAggregateOptions(skip_nulls=False))]  # fmt: skip
    found = grouped.group_by(["cutoff", "as_of", column], use_threads=False).aggregate(means)
    names = {"dossier_id_count": "n", "score_mean": "score", "rule_score_mean": "rule_score", "label_mean": "label"}
    found = found.rename_columns([names.get(name, name) for name in found.column_names])
    found = found.select(["cutoff", "as_of", column, "n", "score", "rule_score", "label"])
    return found.sort_by([("as_of", "ascending"), (column, "ascending")])


def group_figures(
    rows: JudgedRows, group: pa.Array, scores: Mapping[str, np.ndarray], *, draws: int = 200, seed: int = 0
) -> tuple[dict[str, Figures], dict[str, Figures]]:
    """`MEASURES` of every score's groups over a whole window, and of the first score minus each other, with intervals.

    Scores are probabilities [n]; whole dossiers are drawn with replacement. Cases of nobody are left out; empty where
    fewer than two groups have `LEAST` of them.
    """
    coded = group.dictionary_encode()
    own = coded.indices.is_valid().to_numpy(zero_copy_only=False)
    number = coded.indices.drop_null().to_numpy()
    if (np.bincount(number) >= LEAST).sum() < 2:
        return {}, {}
    dossier, label = rows.dossier[own], rows.label[own]
    n, rng = int(rows.dossier.max()) + 1, np.random.default_rng(seed)
    weights = [np.ones(len(dossier))]
    weights += [np.bincount(rng.integers(0, n, n), minlength=n)[dossier].astype(float) for _ in range(draws)]
    drawn: dict[str, dict[str, list[float]]] = {name: {what: [] for what in MEASURES} for name in scores}
    for weight in weights:
        size = np.bincount(number, weights=weight)
        late = np.bincount(number, weights=weight * label)
        for name, score in scores.items():
            expected = np.bincount(number, weights=weight * score[own])
            for what, measure in MEASURES.items():
                drawn[name][what].append(measure(size, expected, late))
    values = {
        name: {what: np.array(numbers) for what, numbers in by_measure.items()} for name, by_measure in drawn.items()
    }
    alone = {
        name: {what: interval(numbers) for what, numbers in by_measure.items()} for name, by_measure in values.items()
    }
    first, *others = scores
    apart = {
        name: {what: interval(values[first][what] - values[name][what]) for what in MEASURES} for name in others
    }  # fmt: skip
    return alone, apart


def _gap(size: np.ndarray, expected: np.ndarray, late: np.ndarray) -> float:
    return float(np.abs(expected - late).sum() / size.sum())


def _rank(size: np.ndarray, expected: np.ndarray, late: np.ndarray) -> float:
    from scipy.stats import rankdata

    large = size >= LEAST
    if large.sum() < 2:
        return float("nan")
    ranks = [rankdata(part[large] / size[large]) for part in (expected, late)]
    return float(np.corrcoef(ranks)[0, 1]) if min(np.ptp(rank) for rank in ranks) else float("nan")


def _lift(size: np.ndarray, expected: np.ndarray, late: np.ndarray) -> float:
    large = np.flatnonzero(size >= LEAST)
    top = large[np.argsort(-expected[large] / size[large], kind="stable")][: max(1, round(TOP * len(large)))]
    return float(late[top].sum() / size[top].sum() / (late.sum() / size.sum())) if len(top) and late.sum() else np.nan


MEASURES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], float]] = {
    "gap": _gap,
    "rank": _rank,
    "lift_at_10": _lift,
}
"""Of groups' size, expected and late dossiers: mean distance of the two shares, rank correlation of the two (Spearman),
late share of the top tenth of groups over that of all."""
