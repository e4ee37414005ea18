"""Who held a dossier until a moment, and in what share: to whom a complaint or finding that names nobody belongs.

Most complaints and findings name a dossier and no official. They are shared out among those who had the dossier in
hand before the complaint was filed (before the visit), as known at the cutoff. Where the topic or kind points at an
act (papers asked for, a promise moved) those who did that act share it, by how often; else all who held it, by how
long, without the time that the citizen had to act. Desks and roles are no persons, so their share goes to nobody and
weights of one complaint add up to at most one. A weight is a share of a reason to look, never of guilt.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from features.case_state.kinds import STOPS
from features.record.utc import naive_utc
from features.spelling.names import is_desk

LEAST = 0.05
"""Shares under this are left out: a clerk who stamped the receipt is no holder."""

FILING_KNOWN = "CASE WHEN {c}.known_by = 'clock' THEN {c}.filed_at ELSE {c}.known_at END"
"""When a complaint was known to exist: a back-fill's row, verdict and all, existed from its filing on."""

_SHARES = f"""
WITH asked AS (
    SELECT m.as_of, 'complaint' AS about, c.complaint_id AS about_id,
           arg_max(c.dossier_id, (c.known_at, c.row_id)) AS dossier_id, min(c.filed_at) AS until_at,
           CASE WHEN bool_or(c.topic = 'extra_papers') THEN 'papers' END AS act
    FROM custody_moment m JOIN complaint c ON {FILING_KNOWN.format(c="c")} < m.as_of
    GROUP BY m.as_of, c.complaint_id HAVING bool_and(c.official_id IS NULL) AND count(c.dossier_id) > 0
    UNION ALL
    SELECT m.as_of, 'finding', f.finding_id, arg_max(f.dossier_id, (f.known_at, f.row_id)),
           min(coalesce(v.visited_at, f.known_at)),
           CASE WHEN bool_or(f.kind = 'extra_papers') THEN 'papers'
                WHEN bool_or(f.kind = 'tampering') THEN 'clock' WHEN bool_or(f.kind = 'wrongful_return') THEN 'return'
           END
    FROM custody_moment m JOIN finding f ON f.known_at < m.as_of
    LEFT JOIN (SELECT inspection_id, min(visited_at) AS visited_at FROM inspection GROUP BY inspection_id) v
         USING (inspection_id)
    GROUP BY m.as_of, f.finding_id HAVING bool_and(f.official_id IS NULL) AND count(f.dossier_id) > 0
), hand AS (
    SELECT a.as_of, a.about, a.about_id, a.act, e.official_id, e.kind,
           CASE WHEN e.kind IN {STOPS} THEN 0
                ELSE greatest(epoch(coalesce(lead(e.happened_at) OVER one, a.until_at)) - epoch(e.happened_at), 0) + 60
           END AS held,
           CASE a.act WHEN 'papers' THEN e.kind = 'papers_requested'
                      WHEN 'clock' THEN e.kind IN ('reset', 'extended', 'suspended')
                      WHEN 'return' THEN e.kind IN ('returned', 'refused') ELSE false END AS did
    FROM asked a JOIN event e ON e.dossier_id = a.dossier_id AND e.official_id IS NOT NULL
         AND e.happened_at < a.until_at AND e.known_at < a.as_of
         AND e.kind NOT IN ('consultation_answered', 'note', 'apologised')
    WINDOW one AS (PARTITION BY a.as_of, a.about, a.about_id ORDER BY e.happened_at, e.known_at, e.row_id)
), person AS (
    SELECT as_of, about, about_id, official_id, sum(held ORDER BY held) AS held, count(*) FILTER (did) AS did
    FROM hand GROUP BY ALL
)
SELECT as_of, about, about_id, official_id,
       CASE WHEN sum(did) OVER one > 0 THEN did / sum(did) OVER one
            ELSE held / nullif(sum(held) OVER (PARTITION BY as_of, about, about_id ORDER BY official_id
                 ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), 0) END AS weight
FROM person
WINDOW one AS (PARTITION BY as_of, about, about_id)
ORDER BY as_of, about, about_id, official_id
"""


def attach(con: duckdb.DuckDBPyConnection, moments: Sequence[datetime]) -> None:
    """Makes the relation `custody` of a connection: as_of (naive UTC), about (complaint, finding), about_id,
    official_id, weight in (0, 1], as known before each of `moments`. `con`: of `Record.connect`.
    """
    naive = sorted({naive_utc(moment) for moment in moments})
    con.register("custody_moment", pa.table({"as_of": pa.array(naive, pa.timestamp("us"))}))
    try:
        found = con.sql(_SHARES).to_arrow_table()
    finally:
        con.unregister("custody_moment")
    desk = {who: is_desk(who) for who in set(found["official_id"].to_pylist())}
    attributable = [
        not desk[who] and weight is not None and weight >= LEAST
        for who, weight in zip(found["official_id"].to_pylist(), found["weight"].to_pylist(), strict=True)
    ]
    con.register("custody", found.filter(pa.array(attributable, pa.bool_())))


def shared_out(con: duckdb.DuckDBPyConnection, as_of: datetime) -> dict[str, tuple[int, int]]:
    """How many complaints and findings known at `as_of` name nobody and how many of those went to holders.

    By `complaint` and `finding`: (went to holders, name nobody).
    """
    attach(con, [as_of])
    totals = {}
    for about, key in (("complaint", "complaint_id"), ("finding", "finding_id")):
        counts = "kind <> 'none'" if about == "finding" else "true"
        row = con.execute(
            f"SELECT count(*) FILTER ({key} IN (SELECT about_id FROM custody WHERE about = '{about}')), count(*)"
            f" FROM (SELECT {key} FROM {about} WHERE known_at < $as_of AND {counts}"
            f" GROUP BY {key} HAVING bool_and(official_id IS NULL))",
            {"as_of": naive_utc(as_of)},
        ).fetchall()[0]
        totals[about] = (int(row[0]), int(row[1]))
    return totals
