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

from datetime import datetime

import duckdb
import pyarrow as pa

from features.record.latest import latest
from features.record.utc import aware_table, naive_utc
from features.signals.finding_history import COUNTS

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
