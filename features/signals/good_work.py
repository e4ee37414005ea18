"""Early, clean, well-rated work of officials and units: who does it more often than their peers.

A dossier is good work where it ended with a fifth of its promised term to spare, showed none of the signals of
conduct or tampering, brought no complaint that was upheld, was not rated low by the citizen, and lay in nobody's
hands for long. Tampering cannot lead into this list: an end set back to the promise, or work after the end, is such
a signal. Who shows a signal of the same grain does not stand out, so that nobody is praised for what others are
asked about. A complaint alone takes nothing away: many can be filed against one person (domain.md 4.4).
"""

from datetime import datetime
from typing import Literal

import duckdb
import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import Calendar
from features.case_state.kinds import SETTLED
from features.intervals import wilson_sql
from features.record.utc import naive_utc
from features.signals.evaluate import DOSSIER_SIGNALS, SIGNAL_SHOWN, of_signals
from features.signals.hands import YEAR, lately, of_stays
from features.signals.held import evaluate_held
from features.signals.over_cases import over_cases
from features.signals.peers import against_peers, offices
from features.signals.voice import VOICE
from features.spelling.names import is_desk

TO_SPARE = 0.2
"""Share of the promised term left at the end of early work."""
LEAST = 20
"""Fewer dossiers than this give no figure."""
WELL = 4.0
"""Mean rating (1–5) under which nobody stands out, where `RATED` citizens or more gave theirs."""
RATED = 5
NO_STAIN = frozenset({
    "ON_TIME_BY_DATE_ONLY", "PLACEHOLDER_ID", "SUBMITTED_COPIED", "OTHER_CODE", "NO_DUE_DATE", "NO_APOLOGY",
    "LATE_APOLOGY", "APOLOGY_PROMISE_BROKEN", "RATING_BEFORE_RESOLUTION", "RECEIPT_SLOW", "QUEUE_JUMPED",
    *(signal.name for signal in VOICE), "PAKN_STAFF",
})  # fmt: skip
"""Signals of the data, of being late, of the queue, or of what somebody says: no stain on how a dossier was handled."""


def good_work(
    con: duckdb.DuckDBPyConnection,
    as_of: datetime,
    grain: Literal["official", "unit"] = "official",
    since: datetime | None = None,
    calendar: Calendar = VIETNAM,
) -> pa.Table:
    """One row an official or unit with a dossier decided in [since, as_of), by default a year; best first.

    Columns key, unit_code (where they worked last), n dossiers, good ones, share with its 95 % interval low and high
    (Wilson), usual: the share that peers would have, rated: citizens who rated after the end, rating: their
    mean, stands_out: low lies above usual, no signal is shown, ratings do not contradict. Under `LEAST` dossiers
    share, interval and usual are null. Only what was known before `as_of` counts. `con`: of `Record.connect`.
    """
    begin = naive_utc(since or as_of - YEAR)
    stains = [signal for signal in DOSSIER_SIGNALS if signal.name not in NO_STAIN]
    asked_about = evaluate_held(con, as_of, grain, calendar=calendar)["key"].unique()
    con.register("asked_about", pa.table({"key": asked_about}))
    con.register("office_of_unit", offices(con, as_of, grain))
    try:
        found = over_cases(
            con, lately(con, as_of, begin), calendar, _select(grain, begin), of_stays(as_of), of_signals(stains)
        )
    finally:
        con.unregister("office_of_unit")
        con.unregister("asked_about")
    persons = pa.array([grain == "unit" or not is_desk(key) for key in found["key"].to_pylist()], pa.bool_())
    return found.filter(persons)


def _select(grain: str, begin: datetime) -> str:
    whose = {
        "official": """SELECT case_no, official_id AS key, arg_max(unit_code, taken_at) AS unit_code
                       FROM stay GROUP BY case_no, official_id""",
        "unit": "SELECT case_no, unit_code AS key, unit_code FROM dossier_now",
    }[grain]
    low, high = wilson_sql("k", "n")
    return f"""
        WITH done AS (
            SELECT d.case_no, d.procedure_code, s.end_at, r.rated, r.rating,
                   s.lawful_w - s.end_w >= {TO_SPARE} * (s.lawful_w - d.received_w) AND t.case_no IS NULL
                   AND y.case_no IS NULL AND u.case_no IS NULL AND coalesce(r.lowest, 5) > 2 AS good
            FROM dossier_now d JOIN standing s ON s.case_no = d.case_no
            JOIN (SELECT DISTINCT case_no FROM known WHERE kind IN {SETTLED}) e ON e.case_no = d.case_no
            LEFT JOIN (SELECT DISTINCT case_no FROM {SIGNAL_SHOWN}) t ON t.case_no = d.case_no
            LEFT JOIN (SELECT DISTINCT case_no FROM stay WHERE long) y ON y.case_no = d.case_no
            LEFT JOIN (SELECT DISTINCT c.case_no FROM cases_in c
                       JOIN complaint q ON q.dossier_id = c.dossier_id AND q.known_at < c.as_of
                            AND q.verdict = 'upheld') u ON u.case_no = d.case_no
            LEFT JOIN (SELECT s.case_no, count(*) AS rated, sum(r.score) AS rating, min(r.score) AS lowest
                       FROM standing s JOIN cases_in c ON c.case_no = s.case_no
                       JOIN rating r ON r.dossier_id = c.dossier_id AND r.known_at < c.as_of
                            AND r.rated_at >= s.end_at AND NOT coalesce(r.by_staff, false)
                       GROUP BY s.case_no) r ON r.case_no = d.case_no
            WHERE s.end_at >= TIMESTAMP '{begin.isoformat(" ")}' AND s.lawful_w > d.received_w
        ), chance AS (
            SELECT 0 AS signal_no, w.key, w.unit_code, d.procedure_code, d.end_at AS chance_at, d.good AS hit
            FROM done d JOIN ({whose}) w ON w.case_no = d.case_no WHERE w.key IS NOT NULL
        ), {against_peers("chance")},
        told AS (
            SELECT w.key, CAST(sum(d.rated) AS BIGINT) AS rated, sum(d.rating) / sum(d.rated) AS rating
            FROM done d JOIN ({whose}) w ON w.case_no = d.case_no GROUP BY w.key
        ), figured AS (
            SELECT p.key, p.unit_code, p.n, p.k AS good, CASE WHEN n >= {LEAST} THEN k / n END AS share,
                   CASE WHEN n >= {LEAST} THEN {low} END AS low,
                   CASE WHEN n >= {LEAST} THEN {high} END AS high,
                   CASE WHEN n >= {LEAST} THEN expected / n END AS usual,
                   coalesce(t.rated, 0) AS rated, t.rating
            FROM beside_peers p LEFT JOIN told t ON t.key = p.key
        )
        SELECT *, coalesce(low > usual, false) AND NOT (rated >= {RATED} AND rating < {WELL})
                  AND key NOT IN (SELECT key FROM asked_about) AS stands_out
        FROM figured
        ORDER BY stands_out DESC, low - usual DESC NULLS LAST, key"""
