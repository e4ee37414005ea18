"""Do conduct scores treat groups of officials alike? By level and region of the unit, sector and tenure.

Figures of a group are those of fairlearn's `MetricFrame` (Bird et al. 2020): mean score, share flagged, and,
where the truth is known, the share of the planted or confirmed that was flagged and the share of the others
flagged by mistake. Each level, region, sector and tenure is looked at, and each pair of them crossed; groups
under `LEAST` officials are merged. The difference between a group and all others has Student's interval with
the variance of both together, wide enough for as many looks as were taken (Bonferroni), so that one of twenty
is not news.

Citizens' and officials' personal traits are nowhere in the record and not asked for here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

import duckdb
import numpy as np
import pyarrow as pa
from scipy.stats import t as student

from features.record.positions import positions
from features.record.succession import families, levels
from features.record.utc import naive_utc
from training.evaluate import Metric

BY = ("level", "region", "sector", "tenure")
LEAST = 10
"""Officials that a group must have to stand alone."""
OTHERS = "others"
UNKNOWN = "unknown"
TENURES = ((timedelta(days=365), "under 1 year"), (timedelta(days=3 * 365), "1 to 3 years"))
LONGER = "3 years and more"


@dataclass(frozen=True)
class OfficialGroup:
    """One group: of `by` (one of `BY`, or two crossed) the part called `name`, with `n` officials.

    score: mean; flagged: share; recall: share flagged of those the truth names, mistaken: share flagged of the others;
    None where the truth is not known or names nobody. apart: mean score less that of all others, with an interval.
    """

    by: str
    name: str
    n: int
    score: float
    flagged: float
    recall: float | None
    mistaken: float | None
    apart: Metric

    @property
    def beyond_noise(self) -> bool:
        """Whether the interval of the difference lies on one side of zero."""
        return self.apart.low > 0 or self.apart.high < 0


def groups_of(con: duckdb.DuckDBPyConnection, as_of: datetime, ids: Sequence[str]) -> pa.Table:
    """official_id and the columns of `BY` for each of `ids`, as known before `as_of`. `con`: of `Record.connect`.

    region: the former unit where the present one took over from another, else the unit above; sector: where most of
    the dossiers handled in the past year belong.
    """
    in_post, level, family = positions(con, as_of), levels(con, as_of), families(con, as_of)
    now = naive_utc(as_of)
    parents = dict(
        con.execute(
            "SELECT unit_code, arg_max(parent_code, (known_at, row_id)) FROM unit WHERE known_at < ? GROUP BY 1", [now]
        ).fetchall()
    )
    sector = dict(
        con.execute(
            """SELECT official_id, arg_max(sector_code, (n, sector_code)) FROM (
                   SELECT e.official_id, p.sector_code, count(DISTINCT e.dossier_id) AS n
                   FROM event e JOIN (SELECT dossier_id, arg_max(procedure_code, (known_at, row_id)) AS procedure_code
                                      FROM dossier WHERE known_at < $now GROUP BY dossier_id) d USING (dossier_id)
                   JOIN (SELECT procedure_code, arg_max(sector_code, (known_at, row_id)) AS sector_code
                         FROM procedure WHERE known_at < $now GROUP BY procedure_code) p USING (procedure_code)
                   WHERE e.known_at < $now AND e.happened_at >= $since AND e.official_id IS NOT NULL
                   GROUP BY ALL) GROUP BY official_id""",
            {"now": now, "since": now - timedelta(days=365)},
        ).fetchall()
    )
    rows = []
    for who in ids:
        post = in_post.get(who)
        unit = post.unit_code if post else ""
        region = family[unit] if family.get(unit, unit) != unit else parents.get(unit)
        tenure = post.tenure if post else None
        worded = UNKNOWN if tenure is None else next((word for most, word in TENURES if tenure < most), LONGER)
        rows.append({"official_id": who, "level": level.get(unit, UNKNOWN), "region": region or UNKNOWN,
                     "sector": sector.get(who, UNKNOWN), "tenure": worded})  # fmt: skip
    return pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in ("official_id", *BY)]))


def audit(score: np.ndarray, flag: np.ndarray, truth: np.ndarray | None, groups: pa.Table) -> list[OfficialGroup]:
    """Every group's figures. `score` (finite), `flag` and `truth` (None: not known) as arrays [officials], in the order
    of the rows of `groups` (`groups_of`). ValueError where the lengths differ.
    """
    if not len(score) == len(flag) == groups.num_rows or (truth is not None and len(truth) != len(score)):
        raise ValueError(f"wanted as many scores and flags as officials, got {len(score)}, {len(flag)}")
    varying = [name for name in BY if len(set(_merged([groups[name].to_pylist()]).tolist())) > 1]
    looks = [
        (by, _merged([groups[name].to_pylist() for name in by]))
        for size in (1, 2)
        for by in combinations(varying, size)
    ]
    many = sum(len(set(group.tolist())) for _, group in looks)
    found = []
    for by, group in looks:
        found += _look(" × ".join(by), group, np.asarray(score, float), np.asarray(flag, float),
                       None if truth is None else np.asarray(truth, float), 0.05 / many)  # fmt: skip
    return found


def table(found: Sequence[OfficialGroup]) -> list[str]:
    """The groups as lines of a Markdown table, with the verdict beneath."""
    if not found:
        return ["One group only: nothing to compare."]
    lines = [
        "| groups by | group | n | mean score | flagged | recall | flagged by mistake | score less the others' |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        recall, mistaken = ("–" if share is None else f"{share:.2f}" for share in (one.recall, one.mistaken))
        mark = " **beyond noise**" if one.beyond_noise else ""
        figures = f"{one.n} | {one.score:.3f} | {one.flagged:.2f} | {recall} | {mistaken} | {one.apart}{mark}"
        lines.append(f"| {one.by} | {one.name} | {figures} |")
    apart = sum(one.beyond_noise for one in found)
    return [*lines, "", f"{apart} of {len(found)} groups differ from all others beyond noise (Bonferroni, 5 % in all)."]


def _merged(columns: Sequence[Sequence[str]]) -> np.ndarray:
    crossed = np.array([" × ".join(cells) for cells in zip(*columns, strict=True)], dtype=object)
    names, count = np.unique(crossed.astype(str), return_counts=True)
    small = set(names[count < LEAST].tolist())
    return np.array([OTHERS if name in small else name for name in crossed.tolist()], dtype=object)


def _look(
    by: str, group: np.ndarray, score: np.ndarray, flag: np.ndarray, truth: np.ndarray | None, level: float
) -> list[OfficialGroup]:
    from fairlearn.metrics import (
        MetricFrame,
        count,
        false_positive_rate,
        mean_prediction,
        selection_rate,
        true_positive_rate,
    )

    name = group.astype(str)
    labels = np.zeros(len(score)) if truth is None else truth
    means = MetricFrame(metrics=mean_prediction, y_true=labels, y_pred=score, sensitive_features=name).by_group
    rates = MetricFrame(
        metrics={"n": count, "flagged": selection_rate, "recall": true_positive_rate, "mistaken": false_positive_rate},
        y_true=labels, y_pred=flag, sensitive_features=name,
    ).by_group  # fmt: skip
    found = []
    for one in sorted(set(name.tolist())):
        mine = name == one
        row = rates.loc[one]
        found.append(
            OfficialGroup(
                by, one, int(row["n"]), float(means.loc[one]), float(row["flagged"]),
                float(row["recall"]) if truth is not None and labels[mine].any() else None,
                float(row["mistaken"]) if truth is not None and not labels[mine].all() else None,
                _apart(score[mine], score[~mine], level),
            )
        )  # fmt: skip
    return found


def _apart(mine: np.ndarray, others: np.ndarray, level: float) -> Metric:
    free = len(mine) + len(others) - 2
    spread = ((mine - mine.mean()) ** 2).sum() + ((others - others.mean()) ** 2).sum()
    half = float(student.isf(level / 2, free) * np.sqrt(spread / free * (1 / len(mine) + 1 / len(others))))
    apart = float(mine.mean() - others.mean())
    return Metric(apart, apart - half, apart + half)
