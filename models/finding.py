"""Harassment of a dossier: would an inspection find it, if this dossier were pulled?

**Cohort.** Dossiers that a visit may pull; for lists, the open ones.
**Label.** Of pulled dossiers alone: 1 where the finding is of the harassment type and was not adjudicated
otherwise, as known at the cutoff; 0 where the visit says `none`, late or another kind. A visit without finding
rows says nothing.
**Moment.** The Monday (local midnight) of the week of the visit: what a list made for that week could know.
**Random share.** Pulled by the draw at visits that no complaint caused: the only dossiers by which a model is
judged and calibrated, each with the inverse of its probability as weight.
**Selected positives.** Dossiers that a complaint on staff names: tier `reported`, a positive that was chosen to be
seen by whoever complains (positive-unlabelled learning with a selected label; Bekker, Robberechts & Davis 2019).
**Law.** Decree 118/2025/NĐ-CP, prohibited acts; directives of S0 to S4 in domain.md 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa

from features.record.latest import latest
from features.record.utc import aware_table, naive_utc
from features.shrinkage import shrunk
from features.signals.finding_history import COUNTS
from features.signals.sentences import CAUSES
from features.sources.vietnamese_number import decimal
from models import finding_matrix
from models.conduct import NOT_A_FINDING, ConductLine
from models.reasons import DECLARED, reasons
from models.risk_model import RiskModel, Scores

_WEEK = "date_trunc('week', {moment} + INTERVAL 7 HOUR) - INTERVAL 7 HOUR"
"""Monday, midnight in Vietnam, in UTC."""

_INSPECTED = f"""
WITH visit AS {latest("inspection", "known_at < $cutoff")},
told AS (SELECT * FROM {latest("finding", "known_at < $cutoff")} WHERE dossier_id IS NOT NULL),
known AS (SELECT dossier_id, min(known_at) AS since FROM dossier GROUP BY dossier_id),
pulled AS (
    SELECT f.dossier_id, f.inspection_id, {_WEEK.format(moment="any_value(v.visited_at)")} AS as_of,
           CAST(max(CAST({COUNTS} AS INTEGER)) AS DOUBLE) AS label,
           coalesce(any_value(v.team_id), '') AS team_id, any_value(v.unit_code) AS unit_code,
           bool_or(f.chosen_by = 'draw') AND NOT coalesce(any_value(v.chosen_by) = 'complaint', false) AS by_draw,
           coalesce(max(f.probability), 1) * coalesce(any_value(v.probability), 1) AS probability
    FROM told f JOIN visit v USING (inspection_id) WHERE v.visited_at IS NOT NULL GROUP BY ALL
)
SELECT p.* EXCLUDE (inspection_id) FROM pulled p JOIN known k USING (dossier_id) WHERE k.since < p.as_of
ORDER BY p.as_of, p.dossier_id, p.inspection_id
"""

_REPORTED = f"""
WITH told AS {latest("complaint", "known_at < $cutoff")},
counted AS (
    SELECT dossier_id, complainant_id, min(filed_at) AS filed_at FROM told
    WHERE dossier_id IS NOT NULL AND complainant_id IS NOT NULL AND topic IN ('conduct', 'extra_papers', 'bribe')
      AND coalesce(verdict, 'pending') NOT IN ('rejected', 'withdrawn')
    GROUP BY dossier_id, complainant_id
),
person AS (SELECT complainant_id FROM counted GROUP BY complainant_id HAVING count(*) <= $most),
known AS (SELECT dossier_id, min(known_at) AS since, any_value(unit_code) AS unit_code FROM dossier GROUP BY dossier_id)
SELECT dossier_id, as_of, unit_code FROM (
    SELECT dossier_id, {_WEEK.format(moment="min(filed_at)")} AS as_of
    FROM counted JOIN person USING (complainant_id) GROUP BY dossier_id
) JOIN known USING (dossier_id) WHERE since < as_of ORDER BY as_of, dossier_id
"""

MOST_OF_ONE = 3
"""Dossiers that one complainant may name; who names more is a flood, and none of theirs is a positive."""


def inspected(con: duckdb.DuckDBPyConnection, cutoff: datetime) -> pa.Table:
    """Every pulled dossier whose finding was known at the cutoff, in order of the visit's week.

    Columns dossier_id, as_of (timestamp[us, UTC]), label (0.0 or 1.0), team_id ("" unknown), unit_code, by_draw
    (of the random share), probability (of having been pulled, 1 where none was logged).
    """
    return aware_table(con.sql(_INSPECTED, params={"cutoff": naive_utc(cutoff)}).to_arrow_table())


def reported(con: duckdb.DuckDBPyConnection, cutoff: datetime) -> pa.Table:
    """Selected positives: dossiers that a complaint on staff names, not rejected and no flood, as known then.

    Columns dossier_id, as_of (the Monday before the first such complaint), unit_code.
    """
    params = {"cutoff": naive_utc(cutoff), "most": MOST_OF_ONE}
    return aware_table(con.sql(_REPORTED, params=params).to_arrow_table())


NO_PROBABILITY = (
    "Chưa đủ phát hiện từ mẫu ngẫu nhiên: xếp theo dấu hiệu, điểm không phải là xác suất",
    "Too few findings in the random share: signals rank, the score is no probability",
)
NOT_BETTER = (
    "Mô hình chưa tốt hơn dấu hiệu trên mẫu ngẫu nhiên: xếp theo dấu hiệu, điểm không phải là xác suất",
    "The model does not beat the signals on the random share: signals rank, the score is no probability",
)


def without_probability(lines: Sequence[ConductLine], ships: str) -> list[ConductLine]:
    """The lines of the signals, each with why it has no probability. `ships`: rule, or signals (too few)."""
    vi, en = NOT_BETTER if ships == "rule" else NO_PROBABILITY
    return [replace(line, reasons_vi=f"{line.reasons_vi} {vi}.", reasons_en=f"{line.reasons_en} {en}.")
            for line in lines]  # fmt: skip


def by_model(
    con: duckdb.DuckDBPyConnection, ids: Sequence[str], lines: Sequence[ConductLine], model: RiskModel, as_of: datetime
) -> list[ConductLine]:
    """Every dossier of `ids` by its probability of a finding if pulled by a middling team, highest first.

    `lines`: what the signals say of those that show any; their sentences follow the model's.
    """
    if not len(ids):
        return []
    cases = pa.table({
        "dossier_id": pa.array(list(ids), pa.string()),
        "as_of": pa.array([as_of] * len(ids), pa.timestamp("us", "UTC")),
    })  # fmt: skip
    matrix, _ = finding_matrix.build(con, cases)
    scores = model.score(matrix)
    course = _of_course(scores, matrix)
    signals = {line.dossier_id: line for line in lines}
    units, beyond = matrix["unit_code"].to_pylist(), matrix["hands_found_beyond"].to_pylist()
    n, usual = int(model.about["judged"]), float(model.about["rate"])
    order = sorted(range(len(ids)), key=lambda i: (-scores.probability[i], ids[i]))
    ranked = []
    for rank, i in enumerate(order, start=1):
        p = float(scores.probability[i])
        chance_vi = (
            f"{CAUSES['dossier'][0]}: nếu kiểm tra, khả năng có phát hiện {decimal(100 * p)} %"
            f" (hồ sơ rút ngẫu nhiên: {decimal(100 * usual)} %, n = {n})"
        )
        chance_en = (
            f"{CAUSES['dossier'][1]}: if pulled, a finding has a chance of {100 * p:.1f} %"
            f" (dossiers drawn at random: {100 * usual:.1f} %, n = {n})"
        )
        vi, en = [chance_vi], [chance_en]
        if beyond[i] > 0:
            vi.append("Các lần kiểm tra trước, đã trừ mức nghiêm của đoàn, phát hiện nhiều hơn thường lệ ở nơi xử lý")
            en.append("Earlier visits, less the strictness of their teams, found more than usual where it was handled")
        if ids[i] in signals:
            line = signals[ids[i]]
            vi.append(line.reasons_vi.removesuffix(f" {NOT_A_FINDING[0]}.").rstrip("."))
            en.append(line.reasons_en.removesuffix(f" {NOT_A_FINDING[1]}.").rstrip("."))
        elif course[i][0]:
            vi.append(course[i][0])
            en.append(course[i][1])
        ranked.append(ConductLine(None, units[i], ids[i], p, False, n, None, None, rank,
                                f"{'. '.join(vi)}. {NOT_A_FINDING[0]}.", f"{'. '.join(en)}. {NOT_A_FINDING[1]}.",
                                "discovered"))  # fmt: skip
    return ranked


def _of_course(scores: Scores, matrix: pa.Table) -> list[tuple[str, str]]:
    """The strongest sentence about each dossier's course; the signals have sentences of their own."""
    of_course = [nth for nth, name in enumerate(scores.features) if name in DECLARED]
    part = replace(
        scores,
        contributions=scores.contributions[:, of_course],
        features=tuple(scores.features[nth] for nth in of_course),
    )
    return [(found[0].vi, found[0].en) if found else ("", "") for found in reasons(part, matrix, top=1)]


EDGES = (0.0, 0.8, 0.95, 0.99)
"""Bands of `models.rarity.Usual.score`: no signal, then (0, .8], (.8, .95], (.95, .99] and above."""

ASSUMED = (0.01, 0.02, 0.04, 0.08, 0.15)
"""Rates of the bands before any visit: of the order that inspections of public offices report, 1 % without a sign."""

WEIGHT = 40.0
"""Pulled dossiers of its assumed rate that every band starts with."""


@dataclass(frozen=True)
class FindingChance:
    """Chance of a finding by band, rising. `visited`: pulled dossiers that it rests on; 0: assumed alone."""

    rates: tuple[float, ...] = ASSUMED
    visited: int = 0

    @classmethod
    def of_visits(cls, unusual: np.ndarray, found: np.ndarray, weight: np.ndarray) -> FindingChance:
        """From the random share: how unusual each pulled dossier was [n], whether a visit found something [n], and the
        inverse of its probability [n], of which only the proportions count.
        """
        if not len(found):
            return cls()
        share = weight / weight.mean()
        band = np.searchsorted(EDGES, unusual, side="left")
        n = np.bincount(band, share, minlength=len(ASSUMED))
        k = np.bincount(band, share * found, minlength=len(ASSUMED))
        rate = shrunk(k, n, np.array(ASSUMED), WEIGHT)
        return cls(tuple(float(one) for one in _rising(rate, n + WEIGHT)), len(found))

    @property
    def usual(self) -> float:
        """Chance of a dossier without any signal."""
        return self.rates[0]

    def of(self, unusual: float) -> float:
        """Chance of a dossier whose signals are so unusual, in [0, 1)."""
        return self.rates[int(np.searchsorted(EDGES, unusual, side="left"))]


def _rising(rate: Sequence[float] | np.ndarray, weight: np.ndarray) -> list[float]:
    """Weighted isotonic regression by pooling neighbours (Ayer et al. 1955)."""
    pools: list[list[float]] = []
    for one, mass in zip(rate, weight, strict=True):
        pools.append([float(one), float(mass), 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            last, before = pools.pop(), pools.pop()
            total = before[1] + last[1]
            pools.append([(before[0] * before[1] + last[0] * last[1]) / total, total, before[2] + last[2]])
    return [value for value, _, size in pools for _ in range(int(size))]
