"""What was known, at a moment, of the complaints and findings about each official.

Counts are of distinct complainants, not of complaints: within 90 days one person counts once, and a
person who files more than `BURST` times against the same official in that span is set aside as a
flood (unless a complaint of theirs was upheld), so that nobody can move an official's figures by
filing again and again. The same letter signed by many, or sent without a name, counts as such a person
too (`letters`). Complaints without a complainant's key count once per day, `ANONYMOUS_CAP`
days at the most in 90 days.

What names no official counts for those who held the dossier, each by their share of it
(`features.case_state.custody`): counts are then sums of weights.

A row of a back-fill that holds answer and verdict was first known, without them, when it was filed: so
it counts from its filing on, and its verdict from the verdict on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from features.case_state import custody
from features.complaints.topics import wording
from features.complaints.triage import ANSWER, first_alike
from features.record.latest import newest
from features.record.utc import naive_utc

WINDOWS = {"30d": 30, "90d": 90, "365d": 365, "2y": 730, "5y": 1825, "ever": 36500}
"""Name of a window and its length in days, counted back from the moment."""

HALF_LIVES = (180, 365, 1095)
"""Half-lives in days of the fading counts."""

KEYS = ("official_id", "unit_code", "as_of")
"""Columns that name the case; all others of `build` are features."""

BURST = 3
ANONYMOUS_CAP = 5
BLOCK_DAYS = 90

_ROSTER = f"""
SELECT o.official_id, o.unit_code, m.as_of, o.position, o.is_head, o.valid_from
FROM moment AS m
JOIN official AS o
  ON o.known_at < m.as_of
 AND (o.valid_from IS NULL OR o.valid_from < m.as_of)
 AND (o.valid_to IS NULL OR o.valid_to > m.as_of)
{newest("m.as_of", "o.official_id", alias="o", first="o.valid_from DESC NULLS LAST")}
ORDER BY as_of, official_id
"""

_KNOWN = f"""
CREATE OR REPLACE TEMP VIEW known_complaint AS
SELECT m.as_of, coalesce(c.official_id, h.official_id) AS official_id, c.complaint_id,
       coalesce(h.weight, 1.0) AS weight,
       CAST(epoch(m.as_of) - epoch(c.filed_at) AS DOUBLE) / 86400 AS age,
       c.filed_at,
       CASE WHEN c.told_at < m.as_of THEN c.verdict = 'upheld' ELSE FALSE END AS upheld,
       CASE WHEN c.told_at < m.as_of AND c.verdict = 'upheld'
            THEN CAST(epoch(m.as_of) - epoch(c.told_at) AS DOUBLE) / 86400 END AS upheld_age,
       CASE WHEN c.told_at < m.as_of THEN c.verdict = 'rejected' ELSE FALSE END AS rejected,
       coalesce(c.complainant_id, 'day ' || CAST(CAST(c.filed_at AS DATE) AS VARCHAR)) AS complainant,
       c.complainant_id IS NULL AS anonymous
FROM moment AS m
JOIN (SELECT *, coalesce(verdict_at, CASE WHEN known_by <> 'clock' THEN known_at END) AS told_at
      FROM complaint) AS c
   ON CASE WHEN c.known_by = 'clock' THEN c.filed_at ELSE c.known_at END < m.as_of
                   AND c.filed_at < m.as_of
LEFT JOIN custody AS h ON c.official_id IS NULL AND h.as_of = m.as_of AND h.about = 'complaint'
     AND h.about_id = c.complaint_id
WHERE coalesce(c.official_id, h.official_id) IS NOT NULL
{newest("m.as_of", "c.complaint_id", "coalesce(c.official_id, h.official_id)", alias="c")}
"""

_COUNTED = f"""
CREATE OR REPLACE TEMP TABLE counted_complaint AS
WITH block AS (
    SELECT k.*, CAST(floor(age / {BLOCK_DAYS}) AS INTEGER) AS block,
           coalesce(l.letter, k.complaint_id) AS letter
    FROM known_complaint AS k LEFT JOIN letter AS l USING (complaint_id, official_id)
), told AS (
    SELECT *, count(*) OVER (PARTITION BY as_of, official_id, block, letter) AS copies FROM block
), person AS (
    SELECT as_of, official_id, complainant, block, anonymous,
           min(age) AS age, min(upheld_age) AS upheld_age, count(*) AS filed, max(weight) AS weight,
           bool_or(upheld) AS upheld, bool_and(rejected) AS rejected, min(copies) AS copies,
           arg_min(complaint_id, (age, complaint_id)) AS complaint_id
    FROM told GROUP BY as_of, official_id, complainant, block, anonymous
)
SELECT * FROM person
WHERE upheld OR (copies <= {BURST} AND (anonymous OR filed <= {BURST}))
QUALIFY upheld OR NOT anonymous OR row_number() OVER (
    PARTITION BY as_of, official_id, block, anonymous ORDER BY age, complainant) <= {ANONYMOUS_CAP}
"""

_DISCOVERED = f"""
CREATE OR REPLACE TEMP VIEW known_finding AS
SELECT m.as_of, coalesce(f.official_id, h.official_id) AS official_id, coalesce(h.weight, 1.0) AS weight,
       CAST(epoch(m.as_of) - epoch(f.known_at) AS DOUBLE) / 86400 AS age
FROM moment AS m JOIN finding AS f ON f.known_at < m.as_of
LEFT JOIN custody AS h ON f.official_id IS NULL AND h.as_of = m.as_of AND h.about = 'finding'
     AND h.about_id = f.finding_id
WHERE coalesce(f.official_id, h.official_id) IS NOT NULL
      AND f.kind IN ('harassment', 'extra_papers', 'wrongful_return', 'tampering')
{newest("m.as_of", "f.finding_id", "coalesce(f.official_id, h.official_id)", alias="f")}
"""


_WEIGHT = "sum(weight ORDER BY age, complainant)"


def _statement() -> str:
    # Sums of fractions are ordered, so that the same record gives the same bits on any number of threads.
    counts = [f"{_WEIGHT} FILTER (age < {days}) AS reported_{name}" for name, days in WINDOWS.items()]
    counts += [
        f"{_WEIGHT} FILTER (upheld_age < {days}) AS upheld_{name}" for name, days in WINDOWS.items() if days >= 365
    ]
    counts += [
        f"sum(weight * power(0.5, age / {half}) ORDER BY age, complainant) AS reported_fading_{half}d"
        for half in HALF_LIVES
    ]
    return f"""
WITH complained AS (
    SELECT as_of, official_id, {", ".join(counts)},
           sum(weight ORDER BY age, complainant) FILTER (rejected) AS rejected_ever, min(age) AS days_since_reported,
           min(upheld_age) AS days_since_upheld
    FROM counted_complaint GROUP BY as_of, official_id
), joint AS (
    SELECT as_of, complaint_id, official_id, count(*) OVER (PARTITION BY as_of, complaint_id) AS named
    FROM known_complaint
), joint_history AS (
    SELECT j.*, coalesce(c.reported_ever, 0) AS past
    FROM joint AS j LEFT JOIN complained AS c USING (as_of, official_id)
), beside AS (
    SELECT as_of, official_id, avg(named) AS named_together,
           avg(peers ORDER BY complaint_id) FILTER (named > 1) AS peers_reported
    FROM (SELECT *, (sum(past) OVER (PARTITION BY as_of, complaint_id) - past)
                    / greatest(named - 1, 1) AS peers FROM joint_history)
    GROUP BY as_of, official_id
), found AS (
    SELECT as_of, official_id, sum(weight ORDER BY age, weight) FILTER (age < 365) AS discovered_365d,
           sum(weight ORDER BY age, weight) FILTER (age < 1825) AS discovered_5y,
           sum(weight ORDER BY age, weight) AS discovered_ever
    FROM known_finding GROUP BY as_of, official_id
), began AS (
    SELECT as_of, min(filed_at) AS first_at FROM known_complaint GROUP BY as_of
), person AS (
    SELECT r.as_of, r.official_id, r.unit_code, r.nth,
           coalesce(CAST(r.is_head AS DOUBLE), 0) AS is_head,
           floor((epoch(r.as_of) - epoch(r.valid_from)) / 86400) AS tenure_days,
           greatest(least((epoch(r.as_of) - epoch(coalesce(r.valid_from, b.first_at))) / 86400.0,
                          (epoch(r.as_of) - epoch(b.first_at)) / 86400.0), 0) / 365.0 AS watched_years,
           least(watched_years, 5) AS watched_5y,
           c.* EXCLUDE (as_of, official_id), d.* EXCLUDE (as_of, official_id),
           e.* EXCLUDE (as_of, official_id)
    FROM roster AS r LEFT JOIN began AS b USING (as_of)
    LEFT JOIN complained AS c USING (as_of, official_id)
    LEFT JOIN beside AS d USING (as_of, official_id)
    LEFT JOIN found AS e USING (as_of, official_id)
)
SELECT *,
       coalesce(reported_ever, 0) / (watched_years + 1) AS reported_a_year,
       avg(coalesce(reported_365d, 0)) OVER unit AS unit_reported_365d,
       avg(coalesce(reported_5y, 0)) OVER unit AS unit_reported_5y,
       avg(coalesce(upheld_5y, 0)) OVER unit AS unit_upheld_5y,
       count(*) OVER unit AS unit_officials,
       avg(tenure_days) OVER unit AS unit_tenure_days
FROM person
WINDOW unit AS (PARTITION BY as_of, unit_code)
ORDER BY nth
"""


def roster(con: duckdb.DuckDBPyConnection, moments: Sequence[datetime]) -> pa.Table:
    """Officials in post at each moment: one row an official and moment.

    Columns official_id, unit_code, as_of, position, is_head, valid_from; ordered by (as_of, official_id).
    An official without dates of service is always in post. Where several posts overlap, the latest counts.
    """
    _moments(con, moments)
    return con.sql(_ROSTER).to_arrow_table()


def build(con: duckdb.DuckDBPyConnection, moments: Sequence[datetime]) -> pa.Table:
    """History of complaints and findings of everybody in post: one row an official and moment.

    Returns official_id, unit_code, as_of and one double column a feature. Nothing counts that
    was not known before the moment: neither a complaint filed nor a verdict given later.
    """
    people = roster(con, moments)
    people = people.append_column("nth", pa.array(range(people.num_rows), pa.int64()))
    custody.attach(con, moments)
    con.register("roster", people)
    con.register("letter", letters(con))
    con.execute(_KNOWN)
    con.execute(_COUNTED)
    con.execute(_DISCOVERED)
    table = con.sql(_statement()).to_arrow_table()
    con.unregister("roster")
    con.unregister("letter")
    features = [name for name in table.column_names if name not in ("official_id", "unit_code", "as_of", "nth")]
    columns = {
        "official_id": people["official_id"],
        "unit_code": people["unit_code"],
        "as_of": people["as_of"],
    }
    for name in features:
        values = table[name].cast(pa.float64())
        columns[name] = values.fill_null(0.0) if name in COUNTS else values
    return pa.table(columns)


def complainants(con: duckdb.DuckDBPyConnection, moment: datetime) -> dict[str, int]:
    """How many different people's complaints about each official count at `moment`, floods set aside.

    What names no official counts for who had at least half of the dossier's time. A day of complaints without a name
    counts as a person, with the cap of the counts.
    """
    _moments(con, [moment])
    custody.attach(con, [moment])
    con.register("letter", letters(con))
    con.execute(_KNOWN)
    con.execute(_COUNTED)
    rows = con.sql(
        "SELECT official_id, count(DISTINCT complainant) FROM counted_complaint WHERE weight >= 0.5 GROUP BY 1"
    ).fetchall()
    con.unregister("letter")
    return dict(rows)


def _moments(con: duckdb.DuckDBPyConnection, moments: Sequence[datetime]) -> None:
    naive = [naive_utc(moment) for moment in moments]
    con.register("moment", pa.table({"as_of": pa.array(naive, pa.timestamp("us"))}))


COUNTS = frozenset(
    [f"reported_{name}" for name in WINDOWS]
    + [f"upheld_{name}" for name, days in WINDOWS.items() if days >= 365]
    + [f"reported_fading_{half}d" for half in HALF_LIVES]
    + ["rejected_ever", "discovered_365d", "discovered_5y", "discovered_ever"]
)
"""Columns in which an official of whom nothing is known has zero, not a gap."""


WITHIN = 90.0
"""Days within which the same words are the same letter."""

_TEXTS = """
    SELECT c.complaint_id, coalesce(c.official_id, h.official_id) AS official_id, min(c.filed_at) AS filed_at,
           arg_min(c.text, (c.known_at, c.row_id)) AS text
    FROM complaint c LEFT JOIN (SELECT DISTINCT about_id, official_id FROM custody WHERE about = 'complaint') h
         ON c.official_id IS NULL AND h.about_id = c.complaint_id
    WHERE coalesce(c.official_id, h.official_id) IS NOT NULL AND c.text IS NOT NULL
    GROUP BY ALL ORDER BY filed_at, complaint_id, official_id"""


def letters(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """complaint_id, official_id, letter (id of the first complaint in the same words); only of complaints with a text.

    `con`: a connection of `Record.connect` with the relation `custody`.
    """
    rows = con.sql(_TEXTS).fetchall()
    day = [filed_at.timestamp() / 86400 for _, _, filed_at, _ in rows]
    about = [official_id for _, official_id, _, _ in rows]
    first = first_alike([wording(text.split(ANSWER)[0]) for *_, text in rows], about, day, WITHIN)
    return pa.table({
        "complaint_id": pa.array([row[0] for row in rows], pa.string()),
        "official_id": pa.array(about, pa.string()),
        "letter": pa.array([rows[place][0] for place in first], pa.string()),
    })  # fmt: skip
