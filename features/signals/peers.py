"""How often something happens to somebody, and how often it would happen to their peers.

Peers are whoever had chances of the same kind: in the same procedure, quarter and office, as far as there are any.
From the wide to the narrow, the rate of all others is the first guess for the procedure, that of the procedure for
the quarter in it, that of the quarter for the office in it; each guess weighs as much as 20 chances. Nobody is
their own peer. An office is a family of units that took over one from another (`features.record.succession`), so a new
unit's people find their peers in the one before and take no blame from it; for units and heads it is the level.

The interval of observed ÷ expected is Byar's (`features.intervals`).
"""

from datetime import datetime

import duckdb
import pyarrow as pa

from features.intervals import byar_sql
from features.record.succession import families, levels
from features.shrinkage import shrunk_sql
from features.signals.signal import Grain

_CIRCLES = {
    "all": "signal_no", "procedure": "signal_no, procedure_code", "quarter": "signal_no, procedure_code, quarter",
    "office": "signal_no, procedure_code, quarter, office",
}  # fmt: skip


def offices(con: duckdb.DuckDBPyConnection, as_of: datetime, grain: Grain) -> pa.Table:
    """unit_code, office: whom a unit's people (official, agent), or the unit itself, are held against first."""
    office = families(con, as_of) if grain in ("official", "agent") else levels(con, as_of)
    return pa.table({
        "unit_code": pa.array(list(office), pa.string()), "office": pa.array(list(office.values()), pa.string())
    })  # fmt: skip


def against_peers(chances: str) -> str:
    """Relations, the last of them `beside_peers`: signal_no, key, unit_code, n, k, expected, low, high.

    `chances`: a relation of signal_no (what is counted), key, unit_code, procedure_code, chance_at and hit, one row a
    chance. `office_of_unit` (`offices`) must be there. n chances and k hits of each key, the hits `expected` of peers
    (null where there are none), the 95 % interval of k ÷ expected; unit_code: where the last chance was.
    """
    # sums of fractions are ordered, so that the same record gives the same bits on any number of threads
    others = ", ".join(
        f"sum({what}) OVER (PARTITION BY {by}) - sum({what}) OVER (PARTITION BY {by}, key) AS {what}_{name}"
        for name, by in _CIRCLES.items()
        for what in ("n", "k")
    )
    low, high = byar_sql("k")
    return f"""
        cell AS (
            SELECT c.signal_no, c.key, c.procedure_code, coalesce(o.office, c.unit_code) AS office,
                   date_trunc('quarter', c.chance_at + INTERVAL 7 HOUR) AS quarter, count(*) AS n,
                   count(*) FILTER (c.hit) AS k, max((c.chance_at, c.unit_code)) AS last
            FROM {chances} c LEFT JOIN office_of_unit o ON o.unit_code = c.unit_code GROUP BY ALL
        ), others AS (SELECT *, {others} FROM cell),
        guess AS (
            SELECT *, {shrunk_sql("k_quarter", "n_quarter", "by_procedure")} AS by_quarter FROM (
                SELECT *, {shrunk_sql("k_procedure", "n_procedure", "by_all")} AS by_procedure FROM (
                    SELECT *, CASE WHEN n_all > 0 THEN k_all / n_all END AS by_all FROM others))
        ), summed AS (
            SELECT signal_no, key, max(last)[2] AS unit_code, CAST(sum(n) AS BIGINT) AS n, CAST(sum(k) AS BIGINT) AS k,
                   sum(n * {shrunk_sql("k_office", "n_office", "by_quarter")}
                       ORDER BY procedure_code, quarter, office) AS expected
            FROM guess GROUP BY signal_no, key
        ), beside_peers AS (
            SELECT *, {low} / nullif(expected, 0) AS low, {high} / nullif(expected, 0) AS high
            FROM summed
        )"""
