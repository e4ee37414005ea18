"""How long each official had a dossier in hand: time over the term charged by step, not by the whole dossier.

A stay is one unbroken time of a dossier with one official in one step. It is taken with the event that names the
official, who has the dossier from then on, and handed on with the first event that names another official or step,
or that ends the dossier. Its hours are working hours in which the official could work: what the citizen had it
(papers, pause) or a consulted office (until it answered) is taken out.

Usual is the median of the same step and procedure in other hands. A stay is long where nine in ten of the others
need less and it runs over the usual by at least `LEAST_EXCESS`; without `LEAST_OTHERS` stays in other hands, or
while it still lasts and is not long yet, nothing is said (null).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

import duckdb
import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import Calendar
from features.case_state.kinds import STOPS
from features.record.schema import ALL_ENDS
from features.record.utc import naive_utc
from features.signals.over_cases import More, over_cases
from features.signals.relations import GOES_ON, worked

YEAR = timedelta(days=365)
LONG = 0.9
"""Share of the stays in other hands that end sooner than a long one."""
LEAST_EXCESS = 4.0
"""Working hours over the usual under which no stay is long: half a day is no delay worth a word."""
LEAST_OTHERS = 20
OWN_SHARE = 0.05
"""An official with more than this share of a step's stays is left out of its usual; a smaller share moves it little,
and leaving everybody out of everything costs stays times officials."""

_TAKES = "official_id IS NOT NULL AND kind NOT IN ('consultation_answered', 'note', 'apologised')"
"""Events after which the dossier is in the hands of the official named. An answer comes from elsewhere."""


def of_stays(as_of: datetime) -> More:
    """The relations `as_of_clock` (the one row as_of, as_of_w) and `stay`, for cases as of that moment."""
    return partial(_of_stays, naive_utc(as_of))


def _of_stays(as_of: datetime, spans: int) -> Mapping[str, str]:
    hours, join = worked("m.as_of", "k_as_of", spans)
    in_order = "PARTITION BY case_no ORDER BY happened_at, known_at, row_id"
    by_lap = "PARTITION BY case_no ORDER BY lap_no"
    running = f"OVER ({in_order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    return {
        "as_of_clock": f"SELECT m.as_of, {hours} AS as_of_w FROM (SELECT TIMESTAMP '{as_of}' AS as_of) m {join}",
        "lap": f"""
            SELECT case_no, as_of, happened_at, happened_w, row_number() OVER ({in_order}) AS lap_no,
                   lead(happened_at) OVER ({in_order}) AS next_at,
                   lead(happened_w) OVER ({in_order}) - happened_w AS gap_w,
                   last_value(CASE WHEN {_TAKES} THEN official_id END IGNORE NULLS) {running} AS official_id,
                   last_value(CASE WHEN {_TAKES} THEN unit_code END IGNORE NULLS) {running} AS unit_code,
                   last_value(CASE WHEN {_TAKES} THEN coalesce(step, kind) END IGNORE NULLS) {running} AS step,
                   coalesce(last_value(CASE WHEN kind IN {STOPS} THEN true WHEN kind IN {GOES_ON} THEN false END
                                       IGNORE NULLS) {running}, false) AS stopped,
                   sum(CASE kind WHEN 'consulted' THEN 1 WHEN 'consultation_answered' THEN -1 ELSE 0 END)
                       {running} > 0 AS consulting,
                   coalesce(last_value(CASE WHEN kind IN {ALL_ENDS} THEN true
                                            WHEN kind = 'reopened' THEN false END IGNORE NULLS) {running},
                            false) AS ended
            FROM known""",
        "turn": f"""
            SELECT *, sum(CAST(changed AS INTEGER)) OVER (
                       {by_lap} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS turn_no FROM (
                SELECT *, coalesce(official_id IS DISTINCT FROM lag(official_id) OVER ({by_lap})
                                   OR step IS DISTINCT FROM lag(step) OVER ({by_lap}), true) AS changed
                FROM lap WHERE official_id IS NOT NULL AND NOT ended)""",
        "own_time": """
            SELECT t.case_no, t.official_id, t.step, t.turn_no, arg_min(t.unit_code, t.lap_no)
                       AS unit_code, d.procedure_code, d.dossier_id, t.as_of, min(t.happened_at) AS taken_at,
                   CASE WHEN bool_and(t.next_at IS NOT NULL) THEN max(t.next_at) END AS handed_at,
                   sum(CASE WHEN t.stopped OR t.consulting THEN 0 ELSE coalesce(t.gap_w, c.as_of_w - t.happened_w) END
                       ORDER BY t.lap_no) AS hours
            FROM turn t JOIN as_of_clock c ON c.as_of = t.as_of JOIN dossier_now d ON d.case_no = t.case_no
            GROUP BY ALL""",
        "pace": f"""
            SELECT as_of, procedure_code, step, count(*) AS n, median(hours) AS usual,
                   quantile_cont(hours, {LONG}) AS most
            FROM own_time WHERE handed_at IS NOT NULL GROUP BY ALL""",
        "pace_of_others": f"""
            SELECT o.as_of, o.procedure_code, o.step, o.official_id, count(s.hours) AS n, median(s.hours) AS usual,
                   quantile_cont(s.hours, {LONG}) AS most
            FROM (SELECT w.as_of, w.procedure_code, w.step, w.official_id
                  FROM own_time w JOIN pace p USING (as_of, procedure_code, step)
                  WHERE w.handed_at IS NOT NULL GROUP BY ALL HAVING count(*) > {OWN_SHARE} * any_value(p.n)) o
            LEFT JOIN own_time s ON s.as_of = o.as_of AND s.procedure_code = o.procedure_code AND s.step = o.step
                 AND s.official_id <> o.official_id AND s.handed_at IS NOT NULL
            GROUP BY ALL""",
        "stay": f"""
            SELECT * EXCLUDE (most, n), CASE WHEN n >= {LEAST_OTHERS} THEN
                       CASE WHEN hours > most AND hours > usual + {LEAST_EXCESS} THEN true
                            WHEN handed_at IS NOT NULL THEN false END END AS long
            FROM (SELECT w.*, coalesce(o.n, p.n, 0) AS n, CASE WHEN o.n IS NULL THEN p.usual ELSE o.usual END AS usual,
                         CASE WHEN o.n IS NULL THEN p.most ELSE o.most END AS most
                  FROM own_time w LEFT JOIN pace p USING (as_of, procedure_code, step)
                  LEFT JOIN pace_of_others o USING (as_of, procedure_code, step, official_id))""",
    }  # fmt: skip


def stays(
    con: duckdb.DuckDBPyConnection, as_of: datetime, since: datetime | None = None, calendar: Calendar = VIETNAM
) -> pa.Table:
    """Every stay handed on in [since, as_of), by default a year, or still lasting at `as_of`.

    Columns official_id, unit_code (where they had it), procedure_code, step, dossier_id, taken_at, handed_at (null:
    still in hand; naive UTC), hours, usual, long, late (whether the dossier misses its promise at `as_of`). Only
    what was known before `as_of` counts. `con`: a connection of `Record.connect`.
    """
    begin = naive_utc(since or as_of - YEAR)
    return over_cases(
        con, lately(con, as_of, begin), calendar,
        f"""SELECT official_id, unit_code, procedure_code, step, dossier_id, taken_at, handed_at, hours, usual, long,
                   coalesce(s.late, false) AS late
            FROM stay LEFT JOIN (SELECT case_no, late FROM standing) s USING (case_no)
            WHERE coalesce(handed_at, as_of) >= TIMESTAMP '{begin.isoformat(" ")}'
            ORDER BY official_id, dossier_id, taken_at, step""",
        of_stays(as_of),
    )  # fmt: skip


def lately(con: duckdb.DuckDBPyConnection, as_of: datetime, begin: datetime) -> pa.Table:
    """The cases at `as_of` of all dossiers with an event since `begin` (naive UTC), or without an end."""
    until = naive_utc(as_of)
    ids = con.sql(
        "SELECT d.dossier_id FROM (SELECT DISTINCT dossier_id FROM dossier WHERE known_at < $until) d"
        " LEFT JOIN (SELECT dossier_id, max(happened_at) AS last_at,"
        f"   bool_or(kind IN {ALL_ENDS}) AS ended FROM event WHERE known_at < $until"
        "   GROUP BY dossier_id) e USING (dossier_id)"
        " WHERE e.last_at >= $begin OR NOT coalesce(e.ended, false) ORDER BY d.dossier_id",
        params={"until": until, "begin": begin},
    ).to_arrow_table()["dossier_id"]
    return pa.table({"dossier_id": ids, "as_of": pa.array([as_of] * len(ids), pa.timestamp("us", "UTC"))})
