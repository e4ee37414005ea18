"""Where every dossier stands, in one statement: `features.case_state.state` for a whole record.

The rules stand in words in `features.case_state.state`; here they are windows over each dossier's events. A dossier's
events lie in **rounds** between reopenings, rounds in **clocks** (one begins anew at a reopening long after the end);
what follows a round's end counts for nothing. Between two events, and after the last, lies a **stretch** in which
nothing changes; the lawful promise is an **anchor** (first promise, extension, or what the source gave with the
papers) and the working time in which the clock stood since.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

from features.calendar.holiday import as_delivered
from features.calendar.working_time import Calendar
from features.case_state.kinds import ALL_ENDS, ENDS, RUNS, STOPS, SUPPLIES
from features.case_state.slip import first_promise
from features.case_state.state import A_DAY_W, SAME_CASE, SKEW
from features.matrix.source_relations import clock
from features.record.latest import latest, newest
from features.record.utc import naive_column, naive_utc

NAME = "case_state"
"""What the relation is called while it stands."""
MICROSECONDS = 1_000_000
_SKEW = round(SKEW.total_seconds()) * MICROSECONDS
_SAME_CASE = round(SAME_CASE.total_seconds()) * MICROSECONDS

COLUMNS = (
    "dossier_id", "read_at", "unit_code", "procedure_code", "legal_days", "received_at", "phase", "holder", "step",
    "first_due_at", "due_at", "lawful_due_at", "ended_at", "ended_how", "paused_since", "late", "late_first",
    "overdue", "is_open", "waits", "citizen_w", "suspended_w", "other_w", "own_w", "requests", "extensions", "resets",
    "reopened", "flags",
)  # fmt: skip
"""Columns of the relation: moments are timestamps in UTC without a zone, `*_w` microseconds worked, flags a list."""


@dataclass(frozen=True)
class _Rows:
    """What is read: the standing rows and the first promises of dossiers, their events, and SQL of `until_at`.

    What goes by the name `dossier_id` is the key of the relation: a dossier, or a case.
    """

    dossiers: str
    firsts: str
    events: str


def _of_record(only: str) -> _Rows:
    """Every dossier as known before `$as_of`."""
    known = f"known_at < $as_of{only}"
    return _Rows(
        f"(SELECT *, $until AS until_at FROM {latest('dossier', known)})",
        first_promise(f"(FROM dossier WHERE {known})"),
        latest("event", known),
    )


_CASE_ROWS = "SELECT c.case_no AS dossier_id, c.as_of AS until_at, r.* EXCLUDE (dossier_id) FROM asked_case c JOIN"
_KNOWN = "r ON r.dossier_id = c.dossier_id AND r.known_at < c.as_of"
_OF_CASES = _Rows(
    f"({_CASE_ROWS} dossier {_KNOWN} {newest('c.case_no', alias='r')})",
    first_promise(f"({_CASE_ROWS} dossier {_KNOWN})"),
    f"({_CASE_ROWS} event {_KNOWN} {newest('c.case_no', 'coalesce(r.event_id, r.row_id)', alias='r')})",
)
"""Every case of `asked_case` (case_no, dossier_id, as_of) as known before its own moment."""


def _worked(sql: str, moments: dict[str, str], spans: int) -> str:
    """`sql`, a SELECT with `$name_w` and `$clocks`, with working times of `moments` put in."""
    joins = []
    for name, column in moments.items():
        made = clock(column, f"k_{name}", "0", spans)
        sql = sql.replace(f"${name}_w", f"CASE WHEN {column} IS NOT NULL THEN {made['w']} END")
        joins.append(made["join"])
    return sql.replace("$clocks", " ".join(joins))


def _statement(spans: int, rows: _Rows) -> str:
    standing = _worked(
        f"""SELECT d.*, p.legal_working_days AS legal_days, $received_w AS received_w, $due_w AS first_w
        FROM (SELECT dossier_id, unit_code, procedure_code, epoch_us(received_at) AS received_us,
                     epoch_us(until_at) AS read_us, epoch_us(f.due_at) AS due_us, epoch_us(r.due_at) AS stated_us
              FROM {rows.dossiers} r
              LEFT JOIN {rows.firsts} f USING (dossier_id)) d
        LEFT JOIN (SELECT procedure_code, legal_working_days FROM {latest("procedure")}) p USING (procedure_code)
        $clocks""",
        {"received": "d.received_us", "due": "d.due_us"}, spans,
    )  # fmt: skip
    told = _worked(
        f"""SELECT e.*, $at_w AS at_w, $due_w AS due_w,
                   row_number() OVER (PARTITION BY dossier_id ORDER BY happened_us, known_at, row_id) AS seq
        FROM (SELECT e.dossier_id, e.kind, e.official_id, coalesce(e.step, e.kind) AS step, e.reason,
                     e.known_at, e.row_id, epoch_us(e.happened_at) AS happened_us,
                     greatest(epoch_us(e.happened_at), d.received_us) AS at_us, epoch_us(e.due_at) AS due_us
              FROM known_event e JOIN dossiers d USING (dossier_id)
              WHERE epoch_us(e.happened_at) <= d.read_us
                AND epoch_us(e.happened_at) >= d.received_us - CASE WHEN e.kind IN {ALL_ENDS} THEN {_SKEW} ELSE 0 END
             ) e $clocks""",
        {"at": "e.at_us", "due": "e.due_us"}, spans,
    )  # fmt: skip
    stretch = _worked(
        """SELECT s.*, $stop_w AS stop_w FROM (
            SELECT e.*, coalesce(lead(at_us) OVER w, u.until_us) AS stop_us, lead(seq) OVER w IS NULL AS last
            FROM acting e JOIN moment u USING (dossier_id) WINDOW w AS (PARTITION BY dossier_id ORDER BY seq)) s $clocks
        """,
        {"stop": "s.stop_us"}, spans,
    )  # fmt: skip
    per = "PARTITION BY dossier_id ORDER BY seq"
    so_far = f"OVER ({per} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    before = f"OVER ({per} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    return f"""
    WITH dossiers AS MATERIALIZED ({standing}),
    known_event AS MATERIALIZED (
        SELECT dossier_id, kind, official_id, step, reason, known_at, row_id, happened_at, due_at FROM {rows.events}
    ),
    early AS (
        SELECT DISTINCT dossier_id
        FROM known_event e JOIN dossiers d USING (dossier_id)
        WHERE e.kind IN {ALL_ENDS} AND epoch_us(e.happened_at) < d.received_us - {_SKEW}
          AND epoch_us(e.happened_at) <= d.read_us
    ),
    told AS MATERIALIZED ({told}),
    counted AS (
        SELECT *, count(*) FILTER (kind = 'reopened') {so_far} AS round FROM told
    ),
    round_end AS (
        SELECT dossier_id, round, min(at_us) FILTER (kind = 'reopened') AS begins_us,
               coalesce(min(seq) FILTER (kind IN {ENDS}), min(seq) FILTER (kind = 'delivered')) AS end_seq
        FROM counted GROUP BY dossier_id, round
    ),
    ended_round AS (
        SELECT r.*, c.at_us AS end_us, c.kind AS end_kind,
               lag(c.at_us) OVER (PARTITION BY r.dossier_id ORDER BY r.round) AS former_us
        FROM round_end r LEFT JOIN counted c ON c.dossier_id = r.dossier_id AND c.seq = r.end_seq
    ),
    clocked AS (
        SELECT *, count(*) FILTER (begins_us - former_us > {_SAME_CASE})
                      OVER (PARTITION BY dossier_id ORDER BY round) AS clock_no,
               begins_us - former_us > {_SAME_CASE} AS anew, former_us IS NOT NULL AS came_back
        FROM ended_round
    ),
    kept AS (
        SELECT c.*, r.clock_no, r.end_seq IS NOT NULL AND c.seq = r.end_seq AS ends,
               c.kind = 'reopened' AND r.came_back AND NOT coalesce(r.anew, false) AS taken_back,
               c.kind = 'reopened' AND coalesce(r.anew, false) AS anew
        FROM counted c JOIN clocked r ON r.dossier_id = c.dossier_id AND r.round = c.round
        WHERE r.end_seq IS NULL OR c.seq <= r.end_seq
    ),
    whole AS (
        SELECT dossier_id, CAST(0 AS BIGINT) AS seq, 'received' AS kind, NULL AS official_id, NULL AS step,
               NULL AS reason, received_us AS at_us, received_w AS at_w, due_us, first_w AS due_w,
               CAST(0 AS BIGINT) AS clock_no, false AS ends, false AS taken_back, false AS anew,
               coalesce(stated_us, due_us) AS stated_us
        FROM dossiers
        UNION ALL
        SELECT dossier_id, seq, kind, official_id, step, reason, at_us, at_w, due_us, due_w, clock_no, ends,
               taken_back, anew, due_us
        FROM kept
    ),
    acting AS (
        SELECT *,
               max(clock_no) OVER (PARTITION BY dossier_id) AS last_clock,
               CASE WHEN ends THEN 0 WHEN kind IN {STOPS} THEN 1
                    WHEN kind IN {RUNS} OR kind = 'reopened' THEN 0 END AS turns,
               count(*) FILTER (ends OR kind IN {RUNS} OR kind = 'reopened') {so_far} AS run_no,
               count(*) FILTER (anew) {so_far} AS asked_no,
               (kind = 'consulted')::INTEGER - (kind = 'consultation_answered')::INTEGER AS asks
        FROM whole
    ),
    moment AS (SELECT dossier_id, greatest(read_us, received_us) AS until_us FROM dossiers),
    stretch AS ({stretch}),
    paced AS (
        SELECT *,
               coalesce(last_value(turns IGNORE NULLS) {so_far}, 0) = 1 AS stopped,
               first_value(CASE WHEN kind IN {STOPS} THEN kind END IGNORE NULLS)
                   OVER (PARTITION BY dossier_id, run_no ORDER BY seq) AS stopped_by,
               min(CASE WHEN kind IN {STOPS} THEN at_us END)
                   OVER (PARTITION BY dossier_id, run_no ORDER BY seq) AS stopped_us,
               sum(asks) OVER (PARTITION BY dossier_id, asked_no ORDER BY seq) AS asked_sum,
               stop_w - at_w AS spent_w
        FROM stretch
    ),
    held AS (
        SELECT *, asked_sum - least(0, min(asked_sum) OVER (PARTITION BY dossier_id, asked_no ORDER BY seq)) AS asked,
               CASE WHEN stopped AND clock_no = last_clock AND NOT ends THEN spent_w ELSE 0 END AS stood_w
        FROM paced
    ),
    added AS (
        SELECT *, coalesce(sum(stood_w) {before}, 0) AS added_w,
               CASE WHEN due_us IS NOT NULL AND clock_no = last_clock
                    THEN row_number() OVER (PARTITION BY dossier_id, due_us IS NOT NULL AND clock_no = last_clock
                                            ORDER BY seq) END AS promise_no
        FROM held
    ),
    first_promise AS (
        SELECT dossier_id, seq AS first_seq, due_us AS first_us, due_w AS first_w, added_w AS first_added
        FROM added WHERE promise_no = 1
    ),
    based AS (
        SELECT a.*, f.first_seq, f.first_us,
               CASE WHEN f.first_seq IS NOT NULL AND a.seq >= f.first_seq THEN f.first_us END AS base_us,
               CASE WHEN f.first_seq IS NOT NULL AND a.seq >= f.first_seq THEN f.first_w
                    WHEN a.last_clock = 0 THEN d.received_w + CAST(round(d.legal_days * {A_DAY_W}) AS BIGINT)
                    END AS base_w,
               CASE WHEN f.first_seq IS NOT NULL AND a.seq >= f.first_seq THEN f.first_added ELSE 0 END AS base_added,
               row_number() OVER (PARTITION BY a.dossier_id, a.kind = 'extended' AND a.promise_no > 1 ORDER BY a.seq)
                   AS extended_no
        FROM added a JOIN dossiers d USING (dossier_id) LEFT JOIN first_promise f USING (dossier_id)
    ),
    sourced AS (
        SELECT * EXCLUDE (given), given.due_us AS source_us, given.due_w AS source_w, given.added_w AS source_added,
               given.seq AS source_seq
        FROM (SELECT *, last_value(CASE WHEN kind IN {SUPPLIES} AND promise_no > 1
                                        THEN {{'due_us': due_us, 'due_w': due_w, 'added_w': added_w, 'seq': seq}} END
                                   IGNORE NULLS) {so_far} AS given
              FROM based)
    ),
    first_pass AS ({_missed("sourced")}),
    extension AS (
        SELECT e.dossier_id, e.seq AS ext_seq, e.due_us AS ext_us, e.due_w AS ext_w, e.added_w AS ext_added
        FROM first_pass e
        WHERE e.kind = 'extended' AND e.promise_no > 1 AND e.extended_no = 1 AND coalesce(e.reason, '') <> ''
          AND e.missed_before IS NULL AND e.before_start_w + e.added_w - e.at_w >= {A_DAY_W}
    ),
    extended AS (
        SELECT s.* REPLACE (
                   CASE WHEN s.seq >= x.ext_seq THEN x.ext_us ELSE s.base_us END AS base_us,
                   CASE WHEN s.seq >= x.ext_seq THEN x.ext_w ELSE s.base_w END AS base_w,
                   CASE WHEN s.seq >= x.ext_seq THEN x.ext_added ELSE s.base_added END AS base_added,
                   CASE WHEN s.seq >= x.ext_seq AND s.source_seq < x.ext_seq THEN NULL ELSE s.source_w END AS source_w)
        FROM sourced s LEFT JOIN extension x USING (dossier_id)
    ),
    judged AS ({_missed("extended")}),
    flagged AS (
        SELECT *, promise_no > 1 AND due_us > last_due_us AND kind NOT IN {SUPPLIES} AS moved,
               before_start_w + added_w - at_w AS ahead_w
        FROM (SELECT *, last_value(CASE WHEN promise_no IS NOT NULL THEN stated_us END IGNORE NULLS) {before}
                            AS last_due_us
              FROM judged)
    ),
    summed AS (
        SELECT dossier_id,
               arg_max(official_id, seq) FILTER (official_id IS NOT NULL) AS holder,
               arg_max(step, seq) FILTER (step IS NOT NULL) AS step,
               arg_max(stated_us, seq) FILTER (promise_no IS NOT NULL) AS due_us,
               any_value(first_us) AS first_us,
               first(lawful_us ORDER BY seq) FILTER (exceeds) AS lost_us,
               first(lawful_w ORDER BY seq) FILTER (exceeds) AS lost_w,
               last(lawful_us ORDER BY seq) AS lawful_us, last(lawful_w + stood_w ORDER BY seq) AS lawful_w,
               last(stood_w ORDER BY seq) AS standing_w,
               coalesce(bool_or(exceeds), false) AS late,
               bool_or(ends AND last) AS ended,
               max(at_us) FILTER (ends AND last) AS ended_us, max(kind) FILTER (ends AND last) AS ended_how,
               arg_max(CASE WHEN stopped THEN stopped_by END, seq) FILTER (last) AS stopped_by,
               arg_max(CASE WHEN stopped THEN stopped_us END, seq) FILTER (last) AS stopped_us,
               bool_or(last AND asked > 0) AS asked,
               coalesce(sum(spent_w) FILTER (NOT ends AND stopped AND stopped_by = 'papers_requested'), 0) AS citizen_w,
               coalesce(sum(spent_w) FILTER (NOT ends AND stopped AND stopped_by <> 'papers_requested'), 0)
                   AS suspended_w,
               coalesce(sum(spent_w) FILTER (NOT ends AND NOT stopped AND asked > 0), 0) AS other_w,
               coalesce(sum(spent_w) FILTER (NOT ends AND NOT stopped AND asked <= 0), 0) AS own_w,
               count(DISTINCT at_us) FILTER (kind = 'papers_requested') AS requests,
               count(*) FILTER (kind = 'extended' AND promise_no > 1) AS extensions,
               count(*) FILTER (kind = 'reset' AND promise_no > 1) AS resets,
               count(*) FILTER (taken_back) AS reopened,
               bool_or(moved AND missed_before IS NOT NULL) AS moved_after,
               bool_or(moved AND missed_before IS NULL AND ahead_w < {A_DAY_W}) AS moved_last,
               bool_or(kind IN {SUPPLIES} AND promise_no > 1 AND missed_before IS NULL
                       AND due_w - added_w - (base_w - base_added) > {A_DAY_W}) AS moved_beyond,
               count(*) FILTER (kind = 'extended' AND promise_no > 1) > 1 AS extended_twice
        FROM flagged GROUP BY dossier_id
    ),
    dated AS (
        SELECT s.*, CASE WHEN late THEN lost_us WHEN standing_w = 0 THEN lawful_us END AS exact_us,
               CASE WHEN late THEN lost_w ELSE lawful_w END AS wanted_w
        FROM summed s
    ),
    promised AS (
        SELECT d.*, coalesce(d.exact_us, CASE WHEN d.wanted_w - t.before_w <= t.end_us - t.start_us
                                              THEN t.start_us + d.wanted_w - t.before_w END) AS promised_us
        FROM dated d ASOF LEFT JOIN work_stretch t ON t.before_w < d.wanted_w
    )
    SELECT d.dossier_id, make_timestamp(d.read_us) AS read_at, d.unit_code, d.procedure_code, d.legal_days,
           make_timestamp(d.received_us) AS received_at,
           CASE WHEN p.ended THEN 'ended' WHEN y.dossier_id IS NOT NULL THEN 'set_aside'
                WHEN p.stopped_by = 'papers_requested' THEN 'citizen' WHEN p.stopped_by IS NOT NULL THEN 'suspended'
                WHEN p.asked THEN 'other_office' ELSE 'running' END AS phase,
           p.holder, p.step,
           make_timestamp(p.first_us) AS first_due_at, make_timestamp(p.due_us) AS due_at,
           make_timestamp(CAST(p.promised_us AS BIGINT)) AS lawful_due_at,
           make_timestamp(p.ended_us) AS ended_at, p.ended_how,
           CASE WHEN phase IN ('citizen', 'suspended') THEN make_timestamp(p.stopped_us) END AS paused_since,
           p.late AND phase <> 'set_aside' AS late,
           coalesce(p.first_us < coalesce(p.ended_us, m.until_us), false) AND phase <> 'set_aside' AS late_first,
           p.late AND phase IN ('running', 'other_office') AS overdue,
           phase NOT IN ('ended', 'set_aside') AS is_open,
           phase IN ('citizen', 'suspended') AS waits,
           CAST(p.citizen_w AS BIGINT) AS citizen_w, CAST(p.suspended_w AS BIGINT) AS suspended_w,
           CAST(p.other_w AS BIGINT) AS other_w, CAST(p.own_w AS BIGINT) AS own_w,
           p.requests, p.extensions, p.resets, p.reopened,
           list_filter([CASE WHEN p.moved_after THEN 'moved_after_missed' END,
                        CASE WHEN p.moved_last THEN 'moved_last_minute' END,
                        CASE WHEN p.extended_twice THEN 'extended_twice' END,
                        CASE WHEN p.moved_beyond THEN 'moved_beyond_pause' END,
                        CASE WHEN y.dossier_id IS NOT NULL THEN 'end_before_receipt' END],
                       lambda flag: flag IS NOT NULL) AS flags
    FROM dossiers d JOIN promised p USING (dossier_id) JOIN moment m USING (dossier_id)
    LEFT JOIN early y USING (dossier_id)
    """


def _missed(relation: str) -> str:
    """`relation` with the lawful promise of each stretch, whether it ran out in it, and before which event it had."""
    per = "PARTITION BY dossier_id ORDER BY seq"
    ahead = "source_w - source_added - (base_w - base_added)"
    return f"""
        SELECT *, min(CASE WHEN exceeds THEN seq END)
                      OVER ({per} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS missed_before,
               lag(start_w) OVER ({per}) AS before_start_w
        FROM (SELECT *, anchor.w - anchor.added_w AS start_w, start_w + added_w AS lawful_w,
                     CASE WHEN added_w = anchor.added_w THEN anchor.us END AS lawful_us,
                     coalesce(clock_no = last_clock AND NOT stopped AND NOT (ends AND last)
                              AND CASE WHEN lawful_us IS NOT NULL THEN stop_us > lawful_us ELSE stop_w > lawful_w END,
                              false) AS exceeds
              FROM (SELECT *, CASE WHEN {ahead} BETWEEN 0 AND {A_DAY_W}
                                   THEN {{'us': source_us, 'w': source_w, 'added_w': source_added}}
                                   ELSE {{'us': base_us, 'w': base_w, 'added_w': base_added}} END AS anchor
                    FROM {relation}))"""


@contextmanager
def case_states(
    con: duckdb.DuckDBPyConnection,
    as_of: datetime,
    calendar: Calendar,
    *,
    until: datetime | None = None,
    dossiers: str | None = None,
) -> Iterator[duckdb.DuckDBPyRelation]:
    """The state of every dossier known before `as_of`, read at `until` (`as_of` where left out), as a relation.

    con: of `Record.connect`. The table `case_state` (columns `COLUMNS`) stands on `con` while the context lasts, so
    that other statements can join it. dossiers: a relation of the connection with `dossier_id`s to which it is
    restricted. Holidays that the record was told take the place of the calendar's own.
    """
    only = f" AND dossier_id IN (SELECT dossier_id FROM {dossiers})" if dossiers else ""
    at = {"as_of": naive_utc(as_of), "until": naive_utc(as_of if until is None else until)}
    with _made(con, calendar, NAME, _of_record(only), at) as relation:
        yield relation


@contextmanager
def states_of_cases(
    con: duckdb.DuckDBPyConnection, cases: pa.Table, calendar: Calendar
) -> Iterator[duckdb.DuckDBPyRelation]:
    """The state of each case (`dossier_id`, `as_of` aware) as known before its own moment and read at it.

    The table `case_state_at` stands on `con` while the context lasts; its `dossier_id` is the place of the case in
    `cases`, from 0. A case whose dossier was not known then has no row.
    """
    asked = {"case_no": pa.array(range(cases.num_rows), pa.int64()), "dossier_id": cases["dossier_id"],
             "as_of": naive_column(cases["as_of"])}  # fmt: skip
    con.register("asked_case", pa.table(asked))
    try:
        with _made(con, calendar, f"{NAME}_at", _OF_CASES, {}) as relation:
            yield relation
    finally:
        con.unregister("asked_case")


@contextmanager
def _made(
    con: duckdb.DuckDBPyConnection, calendar: Calendar, name: str, rows: _Rows, bound: dict[str, datetime]
) -> Iterator[duckdb.DuckDBPyRelation]:
    calendar = as_delivered(con, calendar)
    days, stretches = calendar.relation(), calendar.stretches()
    days = days.append_column("calendar_no", [[0] * days.num_rows])
    spans = sum(column.startswith("start_") for column in days.column_names)
    con.register("working_day", days)
    con.register("work_stretch", stretches)
    try:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {_statement(spans, rows)}", bound)
        yield con.table(name)
    finally:
        con.execute(f"DROP TABLE IF EXISTS {name}")
        con.unregister("working_day")
        con.unregister("work_stretch")
