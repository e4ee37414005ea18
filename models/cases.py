"""The cases of a target: who is in its cohort at a moment, landmarks to learn from, labels as known at a cutoff.

A case is one dossier as of one moment. Tables of cases have the columns `dossier_id` (string) and `as_of`
(timestamp[us, UTC]). What open, late and the lawful promise are stands in `features.case_state.state` and nowhere else.
Nothing here reads the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import Calendar
from features.case_state.relation import NAME, case_states, states_of_cases
from features.record.latest import latest
from features.record.schema import ALL_ENDS
from features.record.utc import aware_table, naive_column, naive_utc
from models.target import Target
from models.targets import MAIN

CASES = pa.schema([("dossier_id", pa.string()), ("as_of", pa.timestamp("us", "UTC"))])

MICROSECOND = timedelta(microseconds=1)
CHUNK = 400_000
"""Cases whose states are worked out at once."""

_ARRIVAL = """
    SELECT dossier_id, GREATEST(MIN(received_at), MIN(known_at)) + INTERVAL 1 MICROSECOND AS as_of
    FROM dossier GROUP BY dossier_id
"""

_AT_SHARES = """
    SELECT dossier_id,
           received_at + to_microseconds(CAST(share * (EPOCH_US(due_at) - EPOCH_US(received_at)) AS BIGINT)) AS as_of
    FROM (SELECT dossier_id, received_at, due_at, UNNEST($shares) AS share FROM dossier WHERE due_at > received_at)
"""

_AT_AGES = """
    SELECT dossier_id, received_at + to_microseconds(age) AS as_of
    FROM (SELECT dossier_id, received_at, UNNEST($ages) AS age FROM dossier)
"""

# A dossier is looked at from its first knowledge until its last promise, for as long as any pause could push that on,
# until it ends: the state of each moment says whether it was in the cohort then.
_GRID = """
    SELECT s.dossier_id, CAST($start AS TIMESTAMP) + to_microseconds($step * k.k) AS as_of
    FROM (SELECT d.dossier_id, MIN(d.known_at) AS first_at, GREATEST(MAX(d.due_at), MAX(e.due_at)) AS last_at
          FROM dossier d LEFT JOIN (SELECT dossier_id, MAX(due_at) AS due_at FROM event GROUP BY dossier_id) e
               ON e.dossier_id = d.dossier_id GROUP BY d.dossier_id) s
    JOIN (SELECT UNNEST(range(CAST($n AS BIGINT))) AS k) k
      ON CAST($start AS TIMESTAMP) + to_microseconds($step * k.k) > s.first_at
     AND CAST($start AS TIMESTAMP) + to_microseconds($step * k.k) < COALESCE(s.last_at, s.first_at)
"""


# Dossiers that ended for good before the moment need no replay; one that was reopened or corrected does.
_MAYBE = f"""NOT EXISTS (
    FROM (SELECT dossier_id, min(known_at) AS known_at FROM event
          WHERE kind IN {ALL_ENDS} AND dossier_id NOT IN (
              SELECT dossier_id FROM event WHERE kind = 'reopened'
              UNION SELECT dossier_id FROM event WHERE event_id IS NOT NULL
              GROUP BY dossier_id, event_id HAVING count(*) > 1)
          GROUP BY dossier_id) o
    WHERE o.dossier_id = m.dossier_id AND o.known_at < m.as_of)"""


_HORIZON = f"""
    WITH known_event AS (FROM {latest("event", "known_at < $cutoff AND dossier_id IN (SELECT dossier_id FROM asked)")}),
    act AS (
        SELECT e.*, a.nth FROM known_event e
        JOIN asked a ON a.dossier_id = e.dossier_id AND e.happened_at >= a.as_of
        JOIN known_then s ON s.nth = a.nth AND e.happened_at <= s.due_at
        LEFT JOIN {NAME} f ON f.dossier_id = a.dossier_id
        WHERE f.ended_at IS NULL OR e.happened_at <= f.ended_at
    )"""
"""What the cutoff knows: events of the asked dossiers, and those of them within a case's horizon and before the end."""


def cohort(
    con: duckdb.DuckDBPyConnection,
    as_of: datetime,
    target: Target = MAIN,
    *,
    overdue: bool = False,
    calendar: Calendar = VIETNAM,
) -> pa.Table:
    """Every dossier of the target's cohort at `as_of`, ordered by id.

    `con`: a connection of the record (`features.record.record.Record.connect`) that may show later knowledge.
    `overdue`: every open dossier, those too that have missed the promise already or were never given one (for lists
    of open work). Columns as `CASES`.
    """
    with case_states(con, as_of, calendar) as states:
        chosen = states.filter("is_open" if overdue else target.cohort).project("dossier_id, read_at AS as_of")
        found = chosen.order("dossier_id").to_arrow_table()
    return aware_table(found).cast(CASES)


def landmarks(
    con: duckdb.DuckDBPyConnection,
    start: datetime,
    end: datetime,
    target: Target = MAIN,
    *,
    every: timedelta | None = None,
    at_arrival: bool = False,
    at_shares: Sequence[float] = (),
    at_ages: Sequence[timedelta] = (),
    calendar: Calendar = VIETNAM,
) -> pa.Table:
    """The cases of the target's cohort at the landmarks in `[start, end]`, ordered by `as_of` then `dossier_id`.

    `every`: all dossiers of the cohort at `start`, `start + every`, …; `at_arrival`: each dossier 1 µs after it was
    received (after it became known, where that is later); `at_shares`: each dossier when these shares of its first
    term have passed, so that short terms are seen as often as long ones; `at_ages`: each dossier so long after receipt.
    Columns as `CASES`.
    """
    parts = []
    bound: dict[str, object] = {"start": naive_utc(start), "end": naive_utc(end)}
    if every is not None:
        step = every // MICROSECOND
        bound |= {"step": step, "n": max(0, (end - start) // every + 1)}
        parts.append(_GRID)
    if at_arrival:
        parts.append(_ARRIVAL)
    if at_shares:
        bound["shares"] = [float(share) for share in at_shares]
        parts.append(_AT_SHARES)
    if at_ages:
        bound["ages"] = [age // MICROSECOND for age in at_ages]
        parts.append(_AT_AGES)
    if not parts:
        raise ValueError("wanted at least one of every, at_arrival, at_shares, at_ages; came none")
    moment = " UNION ".join(f"({part})" for part in parts)
    sql = f"""SELECT dossier_id, as_of FROM ({moment}) m WHERE as_of BETWEEN $start AND $end AND {_MAYBE}
              ORDER BY as_of, dossier_id"""
    asked = aware_table(con.sql(sql, params=bound).to_arrow_table()).cast(CASES)
    found = [CASES.empty_table()]
    for start_at in range(0, asked.num_rows, CHUNK):
        part = asked.slice(start_at, CHUNK)
        with states_of_cases(con, part, calendar) as states:
            chosen = states.filter(
                target.cohort
            ).project("dossier_id").order("dossier_id").to_arrow_table()  # fmt: skip
        found.append(part.take(chosen["dossier_id"].combine_chunks()))
    return pa.concat_tables(found).combine_chunks()


def labels(
    con: duckdb.DuckDBPyConnection,
    cases: pa.Table,
    cutoff: datetime,
    target: Target = MAIN,
    *,
    calendar: Calendar = VIETNAM,
) -> pa.Table:
    """The cases, in their order, with `label` (double), `due_at`, `received_at` (timestamp[us, UTC]).

    `due_at` is the lawful promise as known at `as_of`; `label` is null where it is not before the cutoff. What
    becomes known at the cutoff or later plays no part, even where `con` would show it.
    """
    starts = range(0, max(cases.num_rows, 1), CHUNK)
    con.register("asked", _naive_table(cases))
    con.register(
        "known_then", pa.concat_tables(_known_then(con, cases.slice(at, CHUNK), at, calendar) for at in starts)
    )
    try:
        with case_states(con, cutoff, calendar, dossiers="asked"):
            sql = f"""{_HORIZON}{target.given and ", " + target.given}
                SELECT a.dossier_id, a.as_of, s.due_at, s.received_at,
                       CAST(CASE WHEN s.due_at < $cutoff THEN {target.label} END AS DOUBLE) AS label
                FROM asked a LEFT JOIN known_then s ON s.nth = a.nth
                LEFT JOIN {NAME} f ON f.dossier_id = a.dossier_id
                ORDER BY a.nth"""
            return aware_table(con.sql(sql, params={"cutoff": naive_utc(cutoff)}).to_arrow_table())
    finally:
        con.unregister("asked")
        con.unregister("known_then")


def _known_then(con: duckdb.DuckDBPyConnection, cases: pa.Table, first: int, calendar: Calendar) -> pa.Table:
    """By place of the case, from `first`: receipt, lawful promise and promise in force as known at its moment."""
    with states_of_cases(con, cases, calendar) as states:
        return states.project(
            f"dossier_id + {first} AS nth, lawful_due_at AS due_at, received_at, due_at AS promised_at, procedure_code"
        ).to_arrow_table()


def _naive_table(cases: pa.Table) -> pa.Table:
    as_of = naive_column(cases["as_of"])
    return pa.table(
        {"dossier_id": cases["dossier_id"], "as_of": as_of, "nth": pa.array(range(cases.num_rows), pa.int64())}
    )
