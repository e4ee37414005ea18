"""The states of many dossiers out of the record, each replayed from its rows: for readers of every promise and end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb

from features.calendar.holiday import as_delivered
from features.calendar.working_time import EPOCH, Calendar
from features.case_state.kinds import claims_end
from features.case_state.replay import Happening, replay
from features.case_state.slip import first_promise
from features.case_state.state import CaseState
from features.record.latest import latest
from features.record.schema import ALL_ENDS
from features.record.utc import aware_utc, naive_utc

_OVER = f"""
    CREATE OR REPLACE TEMP TABLE case_over AS
    SELECT dossier_id FROM {{event}} GROUP BY dossier_id
    HAVING max(happened_at) < $since AND bool_or(kind IN {ALL_ENDS})
       AND coalesce(max(happened_at) FILTER (kind IN {ALL_ENDS})
                    > max(happened_at) FILTER (kind = 'reopened'), true)"""
"""Dossiers that had ended for good, and to which nothing has happened since a moment."""
_EVENTS = """
    SELECT e.dossier_id, e.kind, e.happened_at, e.due_at, e.reason, {claims_end} AS claims_end
    FROM {event} e {which} o ON o.dossier_id = e.dossier_id
    WHERE e.happened_at < $until
    ORDER BY e.dossier_id, e.happened_at, e.known_at, e.row_id"""
_DOSSIERS = """
    SELECT d.dossier_id, d.received_at, f.due_at AS first_due_at, d.due_at, d.unit_code, d.procedure_code,
           p.legal_working_days
    FROM {dossier} d LEFT JOIN {first} f USING (dossier_id) LEFT JOIN {procedure} p USING (procedure_code)
    {which} o ON o.dossier_id = d.dossier_id
    WHERE {begun}
    ORDER BY d.dossier_id"""


@dataclass(frozen=True)
class RecordedCase:
    """One dossier's state, with what it is counted by."""

    dossier_id: str
    unit_code: str
    procedure_code: str
    legal_days: float | None
    state: CaseState


def recorded_cases(
    con: duckdb.DuckDBPyConnection,
    as_of: datetime,
    calendar: Calendar,
    *,
    until: datetime | None = None,
    since: datetime | None = None,
    cut: bool = False,
    dossiers: str | None = None,
) -> Iterator[RecordedCase]:
    """The state of every dossier known before `as_of`, by dossier id. `con`: of `Record.connect`.

    until: the moment at which it is read; `as_of` where left out. since: without the dossiers that had ended and to
    which nothing has happened since, and those received at `until` or later. cut: whether the cutoff of `con` is
    `as_of`, so that its standing rows are those that are wanted. dossiers: a relation of the connection with
    `dossier_id`s to which it is restricted, in place of `since`.
    """
    until = as_of if until is None else until
    calendar = as_delivered(con, calendar)
    at = {"as_of": naive_utc(as_of), "since": naive_utc(since or EPOCH), "until": naive_utc(until)}
    visible = "known_at < $as_of"
    event, dossier = (
        ("event_latest", "dossier_latest") if cut else (latest("event", visible), latest("dossier", visible))
    )
    first = first_promise(f"(FROM dossier WHERE {visible})")

    def fetch(statement: str) -> list[tuple[Any, ...]]:
        asked = {name: moment for name, moment in at.items() if f"${name}" in statement}
        rows: list[tuple[Any, ...]] = con.execute(statement, asked).fetchall()
        return rows

    try:
        if dossiers is None:
            fetch(_OVER.format(event=event))
        which = f"SEMI JOIN {dossiers}" if dossiers else "ANTI JOIN case_over"
        rows = fetch(_EVENTS.format(event=event, claims_end=claims_end("e.event_id"), which=which))
        found = fetch(
            _DOSSIERS.format(dossier=dossier, first=first, procedure=latest("procedure"), which=which,
                             begun="true" if since is None else "d.received_at < $until")
        )  # fmt: skip
    finally:
        con.execute("DROP TABLE IF EXISTS case_over")
    events = {key: list(group) for key, group in groupby(rows, key=itemgetter(0))}
    for dossier_id, received, first_due, due, unit, procedure, legal in found:
        happenings = (
            Happening(kind, aware_utc(moment), aware_utc(promised), reason, bool(claims))
            for _, kind, moment, promised, reason, claims in events.get(dossier_id, ())
        )
        state = replay(
            aware_utc(received), aware_utc(first_due), happenings, until, calendar, legal, stated_due_at=aware_utc(due)
        )
        yield RecordedCase(dossier_id, unit, procedure, legal, state)
