"""Where every dossier stands, as a relation: `features.case_state.state` for a whole record.

The rules stand in words in `features.case_state.state`; SQL brings the rows that stand, `features.case_state.courses`
tells them, and what comes out stands on the connection as a table that other statements join.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa

from features.calendar.holiday import as_delivered
from features.calendar.working_time import Calendar, Instants
from features.case_state.courses import FLAGS, NONE, CaseFold, Courses, Mask, Places, instants, kind_codes
from features.case_state.slip import first_promise
from features.case_state.state import A_DAY_W, Flag, Phase
from features.record.latest import latest, newest
from features.record.schema import EVENT_KINDS
from features.record.utc import naive_column, naive_utc

NAME = "case_state"
"""What the relation is called while it stands."""
AT_CASES = "case_state_at"
"""The same of the states of cases."""

COLUMNS = (
    "dossier_id", "read_at", "unit_code", "procedure_code", "legal_days", "received_at", "phase", "holder", "step",
    "first_due_at", "due_at", "lawful_due_at", "ended_at", "ended_how", "paused_since", "late", "late_first",
    "overdue", "is_open", "waits", "citizen_w", "suspended_w", "other_w", "own_w", "requests", "extensions", "resets",
    "reopened", "flags", "begun_at", "lawful_extension_at", "moved_by_office",
)  # fmt: skip
"""Columns of the relation: moments are timestamps in UTC without a zone, `*_w` microseconds worked, flags a list."""


@dataclass(frozen=True)
class _Rows:
    """What is read: the standing rows and the first promises of dossiers, and their events.

    What goes by the name `dossier_id` is the key of the relation: a dossier, or a case.
    """

    dossiers: str
    firsts: str
    events: str


def _of_record(only: str) -> _Rows:
    """Every dossier as known before `$as_of`."""
    visible = f"known_at < $as_of{only}"
    return _Rows(
        f"(SELECT *, $until AS until_at FROM {latest('dossier', visible)})",
        first_promise(f"(FROM dossier WHERE {visible})"),
        latest("event", visible),
    )


_CASE_ROWS = "SELECT c.case_no AS dossier_id, c.as_of AS until_at, r.* EXCLUDE (dossier_id) FROM asked_case c JOIN"
_KNOWN = "r ON r.dossier_id = c.dossier_id AND r.known_at < c.as_of"
_OF_CASES = _Rows(
    f"({_CASE_ROWS} dossier {_KNOWN} {newest('c.case_no', alias='r')})",
    first_promise(f"({_CASE_ROWS} dossier {_KNOWN})"),
    f"({_CASE_ROWS} event {_KNOWN} {newest('c.case_no', 'coalesce(r.event_id, r.row_id)', alias='r')})",
)
"""Every case of `asked_case` (case_no, dossier_id, as_of) as known before its own moment."""

_DOSSIERS = f"""
    SELECT r.dossier_id, r.unit_code, r.procedure_code, epoch_us(r.until_at) AS read_us,
           epoch_us(r.received_at) AS received_us, epoch_us(f.due_at) AS due_us, epoch_us(r.due_at) AS stated_us,
           p.legal_working_days AS legal_days, CAST(round(p.legal_working_days * {A_DAY_W}) AS BIGINT) AS legal_w
    FROM {{dossiers}} r LEFT JOIN {{firsts}} f USING (dossier_id)
    LEFT JOIN (SELECT procedure_code, legal_working_days FROM {latest("procedure")}) p USING (procedure_code)
    ORDER BY r.dossier_id"""
_EVENTS = """
    SELECT d.place, e.kind, e.official_id, coalesce(e.step, e.kind) AS step, coalesce(e.reason, '') <> '' AS reasoned,
           epoch_us(e.happened_at) AS happened_us, epoch_us(e.due_at) AS given_us
    FROM (SELECT dossier_id, read_us, row_number() OVER (ORDER BY dossier_id) - 1 AS place FROM state_rows) d
    JOIN {events} e USING (dossier_id)
    WHERE epoch_us(e.happened_at) < d.read_us
    ORDER BY d.place, e.happened_at, e.known_at, e.row_id"""


def _states(con: duckdb.DuckDBPyConnection, rows: _Rows, bound: dict[str, datetime], calendar: Calendar) -> pa.Table:
    """The relation's rows, by key."""
    asked = {name: at for name, at in bound.items() if f"${name}" in rows.dossiers}
    dossiers = con.sql(_DOSSIERS.format(dossiers=rows.dossiers, firsts=rows.firsts), params=asked).to_arrow_table()
    con.register("state_rows", dossiers.select(["dossier_id", "read_us"]))
    try:
        asked = {name: at for name, at in bound.items() if f"${name}" in rows.events}
        events = con.sql(_EVENTS.format(events=rows.events), params=asked).to_arrow_table()
    finally:
        con.unregister("state_rows")
    number = dossiers.num_rows
    place = events["place"].to_numpy()
    courses = Courses(
        received_us=instants(dossiers["received_us"]), due_us=instants(dossiers["due_us"]),
        stated_us=instants(dossiers["stated_us"]), legal_w=instants(dossiers["legal_w"]),
        calendar=np.zeros(number, np.int64), first=np.searchsorted(place, np.arange(number + 1)),
        kind=kind_codes(events["kind"]), happened_us=instants(events["happened_us"]),
        given_us=instants(events["given_us"]), reasoned=events["reasoned"].to_numpy(),
    )  # fmt: skip
    fold = CaseFold(courses, [calendar])
    fold.run()
    return _table(fold, dossiers, events, place)


def _table(fold: CaseFold, dossiers: pa.Table, events: pa.Table, place: Places) -> pa.Table:
    number, order = dossiers.num_rows, fold.order
    read_us, received_us = (dossiers[name].to_numpy()[order] for name in ("read_us", "received_us"))
    until_us = np.maximum(read_us, received_us)
    fold.pass_to(until_us)
    early = np.zeros(number, bool)
    early[place[fold.early]] = True
    early = early[order]
    ended = fold.ended_us != NONE
    phase = np.select(
        [ended, early, fold.stopped == 1, fold.stopped == 2, fold.asked > 0],
        [Phase.ENDED.value, Phase.SET_ASIDE.value, Phase.CITIZEN.value, Phase.SUSPENDED.value,
         Phase.OTHER_OFFICE.value], Phase.RUNNING.value,
    )  # fmt: skip
    aside = phase == Phase.SET_ASIDE.value
    waits = ~ended & ~aside & (fold.stopped > 0)
    due_us, due_w, _ = fold.lawful(number)
    lawful = np.where(fold.has_base, fold.moments(due_us, due_w, fold.courses.calendar), NONE)
    late = fold.missed & ~aside
    moments = {
        "read_at": read_us, "received_at": received_us, "first_due_at": fold.first_us, "due_at": fold.in_force_us,
        "lawful_due_at": lawful, "ended_at": fold.ended_us,
        "paused_since": np.where(waits, fold.paused_us, NONE), "begun_at": fold.begun_us,
        "lawful_extension_at": fold.extended_us,
    }  # fmt: skip
    found = {
        **{name: _moments(values) for name, values in moments.items()},
        "phase": pa.array(phase, pa.string()),
        "ended_how": pa.array(np.array(EVENT_KINDS, object)[fold.ended_kind], pa.string(), mask=~ended),
        "late": late, "overdue": late & ~ended & ~waits, "is_open": ~ended & ~aside, "waits": waits,
        "late_first": (fold.first_us != NONE) & (fold.first_us < np.where(ended, fold.ended_us, until_us)) & ~aside,
        "flags": _flags(fold, early), "moved_by_office": fold.moved_by_office,
        **{name: getattr(fold, name) for name in ("citizen_w", "suspended_w", "other_w", "own_w", "requests",
                                                  "extensions", "resets", "reopened")},
    }  # fmt: skip
    back = pa.array(np.argsort(order))
    table = pa.table(found).take(back)
    for name in ("dossier_id", "unit_code", "procedure_code", "legal_days"):
        table = table.append_column(name, dossiers[name])
    for name, column in (("holder", events["official_id"]), ("step", events["step"])):
        table = table.append_column(name, _last(column, fold.in_round, place, number))
    return table.select(COLUMNS)


def _moments(us: Instants) -> pa.Array:
    return pa.array(us, pa.timestamp("us"), mask=us == NONE)


def _last(column: pa.ChunkedArray, counts: Mask, place: Places, number: int) -> pa.Array:
    """Of each dossier the last value that an event which counts gives."""
    gives = np.flatnonzero(counts & column.is_valid().to_numpy())
    last = np.full(number, -1)
    last[place[gives]] = gives  # of several places that are the same the last stands
    return column.take(pa.array(last, pa.int64(), mask=last < 0)).combine_chunks()


def _flags(fold: CaseFold, early: Mask) -> pa.Array:
    """The flags of each dossier as a list."""
    raised = np.vstack([fold.flags, early]).T
    names = np.array([flag.value for flag in (*FLAGS, Flag.END_BEFORE_RECEIPT)], object)
    offsets = np.concatenate([[0], np.cumsum(raised.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(names[np.nonzero(raised)[1]], pa.string()))


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
    restricted. Holidays in the record take the place of the calendar's own.
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
        with _made(con, calendar, AT_CASES, _OF_CASES, {}) as relation:
            yield relation
    finally:
        con.unregister("asked_case")


@contextmanager
def _made(
    con: duckdb.DuckDBPyConnection, calendar: Calendar, name: str, rows: _Rows, bound: dict[str, datetime]
) -> Iterator[duckdb.DuckDBPyRelation]:
    con.register(name, _states(con, rows, bound, as_delivered(con, calendar)))
    try:
        yield con.table(name)
    finally:
        con.unregister(name)
