"""The clocks of many dossiers out of the record, as known at a moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter

import duckdb

from features.calendar import Calendar
from features.clock import Clock, Happening, replay

_CLAIM = r"regexp_matches(coalesce(e.event_id, ''), '^(state:)?(decided|refused|withdrawn)@')"
_EVENTS = f"""
    SELECT e.dossier_id, e.kind, e.happened_at, e.due_at, {_CLAIM} AS claims_end
    FROM event e WHERE e.known_at < $as_of ORDER BY e.dossier_id, e.happened_at, e.known_at, e.row_id"""
_DOSSIERS = """
    SELECT d.dossier_id, d.received_at, d.due_at, d.unit_code, d.procedure_code, p.legal_days FROM (
        SELECT *, row_number() OVER (PARTITION BY dossier_id ORDER BY known_at DESC, row_id DESC) AS newest
        FROM dossier WHERE known_at < $as_of) d
    LEFT JOIN (SELECT procedure_code, max(legal_working_days) AS legal_days FROM procedure GROUP BY 1) p
         ON p.procedure_code = d.procedure_code
    WHERE d.newest = 1 ORDER BY d.dossier_id"""


@dataclass(frozen=True)
class CaseClock:
    """One dossier's clock, with what it is counted by."""

    dossier_id: str
    unit_code: str
    procedure_code: str
    legal_days: float | None
    clock: Clock


def case_clocks(con: duckdb.DuckDBPyConnection, as_of: datetime, calendar: Calendar) -> Iterator[CaseClock]:
    """The clock at `as_of` of every dossier known before it, by dossier id. `con`: of `Record.connect`."""
    at = {"as_of": as_of.astimezone(UTC).replace(tzinfo=None)}
    rows = con.execute(_EVENTS, at).fetchall()
    events = {key: list(group) for key, group in groupby(rows, key=itemgetter(0))}
    for dossier_id, received, due, unit, procedure, legal in con.execute(_DOSSIERS, at).fetchall():
        told = (
            Happening(kind, _utc(moment), _utc(promised) if promised else None, bool(claims))
            for _, kind, moment, promised, claims in events.get(dossier_id, ())
        )
        clock = replay(_utc(received), _utc(due) if due else None, told, as_of, calendar)
        yield CaseClock(dossier_id, unit, procedure, legal, clock)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
