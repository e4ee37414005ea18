"""Lateness: will an open dossier miss the promise in force?

**Cohort.** A dossier known, not ended and not yet due, as known at `as_of` (`known_at < as_of`).
**Promise in force.** The due moment of the last known event that gives one, else of the latest known version.
**Processing end.** The first of refused, decided, withdrawn, else the first delivered; after a reopening, the
last of these that follows it.
**Label.** Over `[as_of, due)`, as known at the cutoff: 1 when the promise passes without processing end, 0 when
the dossier ended by then. Null while `due` is not before the cutoff, even where the dossier has ended already:
counting the early endings of an unfinished horizon favours short dossiers (matured cohort, methods.md 1).
**Law.** Decree 118/2025/NĐ-CP (replaces 61/2018): results on or before the appointed date.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa

from features.record.utc import aware_table, naive_column, naive_utc
from models.target import CASES, Target

MICROSECOND = timedelta(microseconds=1)

# How each dossier stood between two pieces of news about its end or its promise; half-open in knowledge:
# a row holds for `from_at < as_of <= until_at`.
_STATE = """
    news AS (
        SELECT dossier_id, known_at, happened_at, row_id, kind, due_at FROM event
        WHERE kind IN ('refused', 'decided', 'withdrawn', 'delivered', 'reopened') OR due_at IS NOT NULL
    ),
    running AS (
        SELECT dossier_id, known_at AS from_at,
               ROW_NUMBER() OVER (PARTITION BY dossier_id, known_at ORDER BY happened_at DESC, row_id DESC) AS nth,
               MIN(CASE WHEN kind IN ('refused', 'decided', 'withdrawn') THEN happened_at END) OVER known AS first_end,
               MIN(CASE WHEN kind = 'delivered' THEN happened_at END) OVER known AS first_delivered,
               MAX(CASE WHEN kind NOT IN ('reopened') AND kind IN
                   ('refused', 'decided', 'withdrawn', 'delivered') THEN happened_at END) OVER known AS last_end,
               MAX(CASE WHEN kind = 'reopened' THEN happened_at END) OVER known AS reopened,
               MAX(CASE WHEN due_at IS NOT NULL THEN
                   ROW(happened_at, known_at, row_id, due_at) END) OVER known AS promise
        FROM news
        WINDOW known AS (PARTITION BY dossier_id ORDER BY known_at
                         RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    ),
    state AS (
        SELECT dossier_id, from_at,
               LEAD(from_at) OVER (PARTITION BY dossier_id ORDER BY from_at) AS until_at,
               CASE WHEN reopened IS NULL THEN COALESCE(first_end, first_delivered)
                    WHEN last_end > reopened THEN last_end END AS end_at,
               promise[4] AS new_due_at
        FROM running WHERE nth = 1
    ),
    version AS (
        SELECT dossier_id, received_at, due_at, known_at,
               LEAD(known_at) OVER (PARTITION BY dossier_id ORDER BY known_at, row_id) AS until_at
        FROM dossier
    )
"""

_STANDING = """
    standing AS (
        SELECT c.*, v.received_at, s.end_at, COALESCE(s.new_due_at, v.due_at) AS due_at
        FROM moment c
        JOIN version v ON v.dossier_id = c.dossier_id
             AND v.known_at < c.as_of AND (v.until_at IS NULL OR v.until_at >= c.as_of)
        LEFT JOIN state s ON s.dossier_id = c.dossier_id
             AND s.from_at < c.as_of AND (s.until_at IS NULL OR s.until_at >= c.as_of)
    )
"""

_ARRIVAL = """
    SELECT dossier_id, GREATEST(MIN(received_at), MIN(known_at)) + INTERVAL 1 MICROSECOND AS as_of
    FROM dossier GROUP BY dossier_id
"""

_AT_EVENTS = """
    SELECT DISTINCT dossier_id, known_at + INTERVAL 1 MICROSECOND AS as_of FROM event
"""

_AT_SHARES = """
    SELECT dossier_id,
           received_at + to_microseconds(CAST(share * (EPOCH_US(due_at) - EPOCH_US(received_at)) AS BIGINT)) AS as_of
    FROM (SELECT dossier_id, received_at, due_at, UNNEST($shares) AS share FROM version WHERE due_at > received_at)
"""

_AT_AGES = """
    SELECT dossier_id, received_at + to_microseconds(age) AS as_of
    FROM (SELECT dossier_id, received_at, UNNEST($ages) AS age FROM version)
"""

# A dossier is looked at from its first knowledge until the last promise known of it.
_GRID = """
    SELECT s.dossier_id, CAST($start AS TIMESTAMP) + to_microseconds($step * k.k) AS as_of
    FROM (SELECT d.dossier_id, MIN(d.known_at) AS first_at, GREATEST(MAX(d.due_at), MAX(e.due_at)) AS last_at
          FROM dossier d LEFT JOIN (SELECT dossier_id, MAX(due_at) AS due_at FROM event GROUP BY dossier_id) e
               ON e.dossier_id = d.dossier_id GROUP BY d.dossier_id) s
    JOIN (SELECT UNNEST(range(CAST($n AS BIGINT))) AS k) k
      ON CAST($start AS TIMESTAMP) + to_microseconds($step * k.k) > s.first_at
     AND CAST($start AS TIMESTAMP) + to_microseconds($step * k.k) < COALESCE(s.last_at, s.first_at)
"""


def landmarks(
    con: duckdb.DuckDBPyConnection,
    start: datetime,
    end: datetime,
    *,
    every: timedelta | None = None,
    at_events: bool = False,
    at_arrival: bool = False,
    at_shares: Sequence[float] = (),
    at_ages: Sequence[timedelta] = (),
) -> pa.Table:
    """The cases of the cohort at the landmarks in `[start, end]`, ordered by `as_of` then `dossier_id`.

    `every`: all dossiers of the cohort at `start`, `start + every`, …; `at_events`: each dossier 1 µs after
    each of its events became known; `at_arrival`: each dossier 1 µs after it was received (after it became
    known, where that is later); `at_shares`: each dossier when these shares of its first term have passed, so
    that short terms are seen as often as long ones; `at_ages`: each dossier so long after receipt.
    Columns as `models.target.CASES`.
    """
    parts = []
    bound: dict[str, object] = {"start": naive_utc(start), "end": naive_utc(end)}
    if every is not None:
        step = every // MICROSECOND
        bound |= {"step": step, "n": max(0, (end - start) // every + 1)}
        parts.append(_GRID)
    if at_events:
        parts.append(_AT_EVENTS)
    if at_arrival:
        parts.append(_ARRIVAL)
    if at_shares:
        bound["shares"] = [float(share) for share in at_shares]
        parts.append(_AT_SHARES)
    if at_ages:
        bound["ages"] = [age // MICROSECOND for age in at_ages]
        parts.append(_AT_AGES)
    if not parts:
        raise ValueError("wanted at least one of every, at_events, at_arrival, at_shares, at_ages; came none")
    moment = " UNION ".join(f"({part})" for part in parts)
    sql = f"""
        WITH {_STATE},
        moment AS (SELECT dossier_id, as_of FROM ({moment}) WHERE as_of BETWEEN $start AND $end),
        {_STANDING}
        SELECT dossier_id, as_of FROM standing
        WHERE end_at IS NULL AND due_at > as_of ORDER BY as_of, dossier_id
    """
    return aware_table(con.sql(sql, params=bound).to_arrow_table()).cast(CASES)


def cohort(con: duckdb.DuckDBPyConnection, as_of: datetime, *, overdue: bool = False) -> pa.Table:
    """Every open dossier that can still keep its promise at `as_of`, ordered by id.

    `overdue`: also those that have missed it already or were never given one (for lists of open work).
    Columns as `models.target.CASES`.
    """
    sql = f"""
        WITH {_STATE},
        moment AS (SELECT DISTINCT dossier_id, CAST($as_of AS TIMESTAMP) AS as_of FROM dossier),
        {_STANDING}
        SELECT dossier_id, as_of FROM standing
        WHERE end_at IS NULL AND ($overdue OR due_at > as_of) ORDER BY dossier_id
    """
    table = con.sql(sql, params={"as_of": naive_utc(as_of), "overdue": overdue}).to_arrow_table()
    return aware_table(table).cast(CASES)


def labels(con: duckdb.DuckDBPyConnection, cases: pa.Table, cutoff: datetime) -> pa.Table:
    """The cases, in their order, with `label` (double), `due_at` and `received_at` (timestamp[us, UTC]).

    `due_at` is the promise in force at `as_of`; `label` is null where it is not before the cutoff. What
    becomes known at the cutoff or later plays no part, even where `con` would show it.
    """
    con.register("asked", _naive_table(cases))
    sql = f"""
        WITH {_STATE},
        moment AS (SELECT dossier_id, as_of, nth AS row_no FROM asked),
        {_STANDING},
        final AS (SELECT dossier_id, end_at FROM state
                  WHERE from_at < $cutoff AND (until_at IS NULL OR until_at >= $cutoff))
        SELECT a.dossier_id, a.as_of, s.due_at, s.received_at,
               CAST(CASE WHEN s.due_at >= $cutoff OR s.due_at IS NULL THEN NULL
                         WHEN f.end_at <= s.due_at THEN 0 ELSE 1 END AS DOUBLE) AS label
        FROM asked a LEFT JOIN standing s ON s.row_no = a.nth
        LEFT JOIN final f ON f.dossier_id = a.dossier_id
        ORDER BY a.nth
    """
    try:
        return aware_table(con.sql(sql, params={"cutoff": naive_utc(cutoff)}).to_arrow_table())
    finally:
        con.unregister("asked")


def _naive_table(cases: pa.Table) -> pa.Table:
    as_of = naive_column(cases["as_of"])
    return pa.table(
        {"dossier_id": cases["dossier_id"], "as_of": as_of, "nth": pa.array(range(cases.num_rows), pa.int64())}
    )


LATENESS = Target(
    name="lateness",
    words_vi="Hồ sơ có nguy cơ trễ hẹn",
    words_en="The dossier may miss its appointed date",
    horizon="from as_of until the promise in force at as_of",
    law="Nghị định 118/2025/NĐ-CP",
    cohort=cohort,
    labels=labels,
)
