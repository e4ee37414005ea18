"""What earlier visits found, beyond what teams as strict as those would have found anywhere.

A finding tells of the place and of who came. Each pulled dossier counts `found − rate of its team`, so that an
office visited by a strict team looks no worse than one visited by a lax one (methods.md 3: history corrected for
how strict the earlier teams were).
"""

from __future__ import annotations

from datetime import UTC

import duckdb
import pyarrow as pa

from features.case_state import custody
from features.record.latest import newest
from features.record.utc import naive_column
from features.shrinkage import shrunk_sql

COUNTED = "('harassment', 'extra_papers', 'wrongful_return', 'tampering')"
"""Kinds of finding of the harassment type, as SQL."""

COUNTS = f"(f.kind IN {COUNTED} AND coalesce(f.confirmed, true))"
"""SQL of "this finding counts": of the harassment type, and not adjudicated otherwise so far."""

TEAM_PRIOR = 20
"""Pulled dossiers at the usual rate that every team's rate starts with."""

PLACE_PRIOR = 10
"""Pulled dossiers without excess that every official's and unit's past starts with."""

COLUMNS = ("unit_found_beyond", "unit_pulled", "hands_found_beyond", "hands_pulled")

_SELECT = f"""
WITH moment AS (SELECT DISTINCT as_of FROM case_told),
visit AS (
    SELECT inspection_id, arg_max(unit_code, (known_at, row_id)) AS unit_code,
           arg_max(team_id, (known_at, row_id)) AS team_id
    FROM inspection GROUP BY inspection_id
),
known AS (
    SELECT m.as_of, f.finding_id, f.official_id, i.unit_code, coalesce(i.team_id, '') AS team_id,
           CAST({COUNTS} AS INTEGER) AS found
    FROM moment m JOIN finding f ON f.known_at < m.as_of JOIN visit i USING (inspection_id)
    {newest("m.as_of", "f.finding_id", alias="f")}
),
overall AS (SELECT as_of, sum(found) / count(*) AS rate FROM known GROUP BY as_of),
team AS (
    SELECT k.as_of, k.team_id,
           {shrunk_sql("sum(k.found)", "count(*)", "any_value(o.rate)", TEAM_PRIOR)} AS rate
    FROM known k JOIN overall o USING (as_of) GROUP BY ALL
),
beyond AS (
    SELECT k.as_of, k.official_id, k.unit_code, k.finding_id, k.found - t.rate AS more
    FROM known k JOIN team t USING (as_of, team_id)
),
unit AS (
    SELECT as_of, unit_code, sum(more ORDER BY finding_id) / (count(*) + {PLACE_PRIOR}) AS more, count(*) AS n
    FROM beyond GROUP BY ALL
),
official AS (
    SELECT b.as_of, coalesce(b.official_id, h.official_id) AS official_id,
           sum(coalesce(h.weight, 1.0) * b.more ORDER BY b.finding_id)
           / (sum(coalesce(h.weight, 1.0) ORDER BY b.finding_id) + {PLACE_PRIOR}) AS more,
           sum(coalesce(h.weight, 1.0) ORDER BY b.finding_id) AS n
    FROM beyond b LEFT JOIN custody h ON b.official_id IS NULL AND h.as_of = b.as_of AND h.about = 'finding'
         AND h.about_id = b.finding_id
    WHERE coalesce(b.official_id, h.official_id) IS NOT NULL GROUP BY b.as_of, coalesce(b.official_id, h.official_id)
),
hand AS (
    SELECT DISTINCT c.nth, c.as_of, e.official_id FROM case_told c
    JOIN event e ON e.dossier_id = c.dossier_id AND e.known_at < c.as_of WHERE e.official_id IS NOT NULL
),
hands AS (
    SELECT h.nth, max(coalesce(o.more, 0)) AS more, max(coalesce(o.n, 0)) AS n
    FROM hand h LEFT JOIN official o ON o.as_of = h.as_of AND o.official_id = h.official_id GROUP BY h.nth
),
place AS (
    SELECT c.nth, arg_max(d.unit_code, (d.known_at, d.row_id)) AS unit_code FROM case_told c
    JOIN dossier d ON d.dossier_id = c.dossier_id AND d.known_at < c.as_of GROUP BY c.nth
)
SELECT coalesce(u.more, 0) AS unit_found_beyond, CAST(coalesce(u.n, 0) AS DOUBLE) AS unit_pulled,
       coalesce(h.more, 0) AS hands_found_beyond, CAST(coalesce(h.n, 0) AS DOUBLE) AS hands_pulled
FROM case_told c LEFT JOIN place p USING (nth) LEFT JOIN hands h USING (nth)
LEFT JOIN unit u ON u.as_of = c.as_of AND u.unit_code = p.unit_code
ORDER BY c.nth
"""


def build(con: duckdb.DuckDBPyConnection, cases: pa.Table) -> pa.Table:
    """One row a case (dossier_id, as_of: timestamp[us, UTC]), in order, with the `COLUMNS` as doubles.

    `unit_…`: of the dossier's unit. `hands_…`: of whoever acted on the dossier so far, the one with the most.
    Only findings known before `as_of` count, each as it was known then.
    """
    rows = pa.table({
        "dossier_id": cases["dossier_id"].cast(pa.string()),
        "as_of": naive_column(cases["as_of"]),
        "nth": pa.array(range(cases.num_rows), pa.int64()),
    })  # fmt: skip
    custody.attach(con, [at.replace(tzinfo=UTC) for at in set(rows["as_of"].to_pylist())])
    con.register("case_told", rows)
    try:
        return con.sql(_SELECT).to_arrow_table()
    finally:
        con.unregister("case_told")
