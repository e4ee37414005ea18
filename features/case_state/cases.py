"""The states of many dossiers out of the record, each replayed from its rows: for readers of every promise and end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb

from features.calendar.holiday import as_delivered
from features.calendar.working_time import Calendar
from features.case_state.kinds import claims_end
from features.case_state.replay import Happening, replay
from features.case_state.slip import first_promise
from features.case_state.state import CaseState
from features.record.latest import latest
from features.record.utc import aware_utc, naive_utc

_EVENTS = """
    SELECT e.dossier_id, e.kind, e.happened_at, e.due_at, e.reason, {claims_end} AS claims_end
    FROM {event} e
    WHERE e.happened_at < $as_of
    ORDER BY e.dossier_id, e.happened_at, e.known_at, e.row_id"""
_DOSSIERS = """
    SELECT d.dossier_id, d.received_at, f.due_at AS first_due_at, d.due_at, d.unit_code, d.procedure_code,
           p.legal_working_days
    FROM {dossier} d LEFT JOIN {first} f USING (dossier_id) LEFT JOIN {procedure} p USING (procedure_code)
    ORDER BY d.dossier_id"""


@dataclass(frozen=True)
class RecordedCase:
    """One dossier's state, with what it is counted by."""

    dossier_id: str
    unit_code: str
    procedure_code: str
    legal_days: float | None
    state: CaseState


def recorded_cases(con: duckdb.DuckDBPyConnection, as_of: datetime, calendar: Calendar) -> Iterator[RecordedCase]:
    """The state of every dossier at `as_of`, as known before it, by dossier id. `con`: of `Record.connect`."""
    calendar = as_delivered(con, calendar)
    at = {"as_of": naive_utc(as_of)}
    visible = "known_at < $as_of"
    event, dossier = latest("event", visible), latest("dossier", visible)
    first = first_promise(f"(FROM dossier WHERE {visible})")

    def fetch(statement: str) -> list[tuple[Any, ...]]:
        asked = {name: moment for name, moment in at.items() if f"${name}" in statement}
        rows: list[tuple[Any, ...]] = con.execute(statement, asked).fetchall()
        return rows

    rows = fetch(_EVENTS.format(event=event, claims_end=claims_end("e.event_id")))
    found = fetch(_DOSSIERS.format(dossier=dossier, first=first, procedure=latest("procedure")))
    events = {key: list(group) for key, group in groupby(rows, key=itemgetter(0))}
    for dossier_id, received, first_due, due, unit, procedure, legal in found:
        happenings = (
            Happening(kind, aware_utc(moment), aware_utc(promised), reason, bool(claims))
            for _, kind, moment, promised, reason, claims in events.get(dossier_id, ())
        )
        state = replay(
            aware_utc(received), aware_utc(first_due), happenings, as_of, calendar, legal, stated_due_at=aware_utc(due)
        )
        yield RecordedCase(dossier_id, unit, procedure, legal, state)
