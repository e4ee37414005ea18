"""What is known of each dossier at the start of each month in which it can be pulled, from the tables alone.

The facts are the same for every policy; what visits found is not among them (`tests.bench.replay.province`).
"""

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.record.schema import TABLES

COLUMNS = (
    "age_days", "events", "paper_rounds", "outside_papers", "consultations", "handovers", "moved_promises",
    "silent_days", "closed", "overdue", "late_days", "online", "with_agent", "legal_days", "high_risk",
    "complaints_dossier", "complaints_official", "complaints_unit", "low_rating",
)  # fmt: skip

LOOK_BACK_DAYS = 60
"""Days before the month whose dossiers can be pulled."""

_FACTS = """
WITH start AS (
    SELECT month, month::TIMESTAMP - INTERVAL 7 HOUR AS moment FROM month  -- local midnight in Vietnam, in UTC
), case_ AS (
    SELECT start.month, start.moment, d.*, p.legal_working_days, p.papers AS published, s.prior_weight
    FROM start JOIN d ON d.received_at < start.moment
        AND d.received_at >= start.moment - INTERVAL (CAST($days AS INTEGER)) DAY
    LEFT JOIN procedure p USING (procedure_code) LEFT JOIN sector s USING (sector_code)
), told AS (
    SELECT c.month, c.dossier_id,
        count(*) AS events,
        count(*) FILTER (kind = 'papers_requested') AS paper_rounds,
        count(*) FILTER (kind = 'papers_requested' AND e.papers IS NOT NULL
            AND NOT list_has_all(string_split(coalesce(c.published, ''), ';'), string_split(e.papers, ';')))
            AS outside_papers,
        count(*) FILTER (kind = 'consulted') AS consultations,
        count(DISTINCT e.official_id) AS handovers,
        count(*) FILTER (kind IN ('extended', 'reset')) AS moved_promises,
        max(e.happened_at) AS last_at,
        min(e.happened_at) FILTER (kind IN ('refused', 'decided', 'withdrawn')) AS ended_at,
        arg_max(e.due_at, e.happened_at) FILTER (e.due_at IS NOT NULL) AS new_due
    FROM case_ c JOIN e ON e.dossier_id = c.dossier_id AND e.known_at < c.moment
    GROUP BY ALL
), voiced AS (
    SELECT c.month, c.dossier_id,
        count(DISTINCT complainant_id) FILTER (k.dossier_id = c.dossier_id) AS complaints_dossier,
        count(DISTINCT complainant_id) FILTER (k.official_id = x.official_id) AS complaints_official,
        count(DISTINCT complainant_id) AS complaints_unit
    FROM case_ c JOIN pool x USING (month, dossier_id)
    JOIN k ON k.unit_code = x.unit_code AND k.known_at < c.moment AND k.filed_at >= c.moment - INTERVAL 180 DAY
    GROUP BY ALL
), rated AS (
    SELECT c.month, c.dossier_id, bool_or(r.score <= 2) AS low_rating
    FROM case_ c JOIN r ON r.dossier_id = c.dossier_id AND r.known_at < c.moment GROUP BY ALL
)
SELECT x.month, x.dossier_id, x.unit_code, x.official_id, c.procedure_code,
    date_diff('hour', c.received_at, c.moment) / 24 AS age_days,
    coalesce(events, 0) AS events, coalesce(paper_rounds, 0) AS paper_rounds,
    coalesce(outside_papers, 0) AS outside_papers, coalesce(consultations, 0) AS consultations,
    coalesce(handovers, 0) AS handovers, coalesce(moved_promises, 0) AS moved_promises,
    date_diff('hour', coalesce(last_at, c.received_at), c.moment) / 24 AS silent_days,
    (ended_at IS NOT NULL)::INT AS closed,
    (coalesce(ended_at, c.moment) > coalesce(new_due, c.due_at))::INT AS overdue,
    date_diff('hour', coalesce(new_due, c.due_at), coalesce(ended_at, c.moment)) / 24 AS late_days,
    (c.channel = 'online')::INT AS online, (c.agent_id IS NOT NULL)::INT AS with_agent,
    c.legal_working_days AS legal_days, (coalesce(c.prior_weight, 0) >= 0.5)::INT AS high_risk,
    coalesce(complaints_dossier, 0) AS complaints_dossier,
    coalesce(complaints_official, 0) AS complaints_official,
    coalesce(complaints_unit, 0) AS complaints_unit, coalesce(low_rating, false)::INT AS low_rating
FROM pool x JOIN case_ c USING (month, dossier_id)
LEFT JOIN told USING (month, dossier_id) LEFT JOIN voiced USING (month, dossier_id)
LEFT JOIN rated USING (month, dossier_id)
ORDER BY x.month, x.dossier_id
"""


def facts(tables: Mapping[str, pa.Table], pool: pa.Table, months: Sequence[date]) -> pa.Table:
    """One row a (month, dossier that can be pulled then): keys, COLUMNS, all from rows known before the month.

    tables: canonical tables of a history. pool: month, dossier_id, unit_code, official_id.
    """
    con = duckdb.connect(config={"threads": 1})
    for name, table in {"d": "dossier", "e": "event", "k": "complaint", "r": "rating"}.items():
        con.register(name, _known(tables[table], TABLES[table].clock))
    for name in ("procedure", "sector"):
        con.register(name, tables[name])
    con.register("pool", pool)
    con.register("month", pa.table({"month": pa.array(list(months), pa.date32())}))
    return con.sql(_FACTS, params={"days": LOOK_BACK_DAYS}).to_arrow_table()


def encoded(rows: pa.Table) -> npt.NDArray[np.float64]:
    """The COLUMNS as doubles [n × len(COLUMNS)], skewed ones as signed log(1 + |x|)."""
    x = np.column_stack([rows[name].to_numpy().astype(np.float64) for name in COLUMNS])
    skewed: npt.NDArray[np.float64] = np.sign(x) * np.log1p(np.abs(x))
    return skewed


def _known(rows: pa.Table, clock: Sequence[str]) -> pa.Table:
    """The rows with naive moments in UTC; a missing `known_at` is that of a back-fill, the latest clock."""
    fields = [pa.field(f.name, pa.timestamp("us") if pa.types.is_timestamp(f.type) else f.type) for f in rows.schema]
    rows = rows.cast(pa.schema(fields))
    told = [rows[name] for name in clock if name in rows.column_names]
    latest = pc.max_element_wise(*told)
    if "known_at" not in rows.column_names:
        return rows.append_column("known_at", latest)
    at = rows.column_names.index("known_at")
    return rows.set_column(at, "known_at", pc.coalesce(rows["known_at"], latest))
