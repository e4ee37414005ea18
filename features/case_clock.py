"""The clocks of many dossiers out of the record, as known at a moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import duckdb

from features.calendar.holiday import as_delivered
from features.calendar.working_time import EPOCH, Calendar
from features.clock import Clock, Happening, replay
from features.record.latest import latest
from features.record.utc import aware_utc, naive_utc

_CLAIM = r"regexp_matches(coalesce(e.event_id, ''), '^(state:)?(decided|refused|withdrawn)@')"
_OVER = """
    SELECT dossier_id FROM event WHERE known_at < $as_of GROUP BY dossier_id
    HAVING max(happened_at) < $since AND bool_or(kind IN ('refused', 'decided', 'withdrawn', 'delivered'))"""
"""Dossiers that had ended, and to which nothing has happened since a moment."""
_EVENTS = f"""
    SELECT e.dossier_id, e.kind, e.happened_at, e.due_at, {_CLAIM} AS claims_end
    FROM event e ANTI JOIN ({_OVER}) o USING (dossier_id)
    WHERE e.known_at < $as_of ORDER BY e.dossier_id, e.happened_at, e.known_at, e.row_id"""
_DOSSIERS = f"""
    SELECT d.dossier_id, d.received_at, d.due_at, d.unit_code, d.procedure_code, p.legal_days
    FROM {latest("dossier", "known_at < $as_of")} d
    LEFT JOIN (SELECT procedure_code, max(legal_working_days) AS legal_days FROM procedure GROUP BY 1) p
         ON p.procedure_code = d.procedure_code
    ANTI JOIN ({_OVER}) o ON o.dossier_id = d.dossier_id
    ORDER BY d.dossier_id"""


@dataclass(frozen=True)
class CaseClock:
    """One dossier's clock, with what it is counted by."""

    dossier_id: str
    unit_code: str
    procedure_code: str
    legal_days: float | None
    clock: Clock


def case_clocks(
    con: duckdb.DuckDBPyConnection,
    as_of: datetime,
    calendar: Calendar,
    *,
    until: datetime | None = None,
    since: datetime | None = None,
) -> Iterator[CaseClock]:
    """The clock of every dossier known before `as_of`, by dossier id. `con`: of `Record.connect`.

    until: the moment at which the clocks are read; `as_of` where left out. since: without the dossiers that had
    ended and to which nothing has happened since.
    """
    until = as_of if until is None else until
    calendar = as_delivered(con, calendar)
    at = {"as_of": naive_utc(as_of), "since": naive_utc(since or EPOCH)}
    rows = con.execute(_EVENTS, at).fetchall()
    events = {key: list(group) for key, group in groupby(rows, key=itemgetter(0))}
    for dossier_id, received, due, unit, procedure, legal in con.execute(_DOSSIERS, at).fetchall():
        told = (
            Happening(kind, aware_utc(moment), aware_utc(promised), bool(claims))
            for _, kind, moment, promised, claims in events.get(dossier_id, ())
        )
        clock = replay(aware_utc(received), aware_utc(due), told, until, calendar)
        yield CaseClock(dossier_id, unit, procedure, legal, clock)
