"""The relations over all dossiers of a year at one moment, which every answer about people and offices rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import duckdb
import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import Calendar
from features.case_state import custody
from features.record.utc import naive_utc
from features.signals.accounts import of_accounts
from features.signals.evaluate import DOSSIER_SIGNALS, of_signals
from features.signals.hands import YEAR, lately, of_stays
from features.signals.head import of_heads
from features.signals.held_again import of_agents
from features.signals.held_voice import of_voices
from features.signals.over_cases import CaseRelations
from features.signals.signal import Signal

ALERT = pa.schema([
    ("unit_code", pa.string()), ("sent_at", pa.timestamp("us", "UTC")), ("acknowledged_at", pa.timestamp("us", "UTC")),
])  # fmt: skip
"""Alerts sent to heads, which the service keeps, not the record."""


@contextmanager
def within_year(
    con: duckdb.DuckDBPyConnection,
    as_of: datetime,
    since: datetime | None = None,
    calendar: Calendar = VIETNAM,
    *,
    signals: Sequence[Signal] = DOSSIER_SIGNALS,
    alerts: pa.Table | None = None,
    year: CaseRelations | None = None,
) -> Iterator[CaseRelations]:
    """The relations over every dossier with an event in [since, as_of), by default a year, or without an end.

    `signals` of dossiers are in `signal_shown`, `alerts` (of `ALERT`) in `alerted`. `year`: these relations where they
    stand already; they are given back. `con`: a connection of `Record.connect`.
    """
    if year is not None:
        yield year
        return
    sent = (alerts if alerts is not None else ALERT.empty_table()).select(ALERT.names).cast(ALERT)
    custody.attach(con, [as_of])
    cases = lately(con, as_of, naive_utc(since or as_of - YEAR))
    con.register("sent_alert", sent)
    more = of_stays(as_of), of_agents, of_accounts, of_heads, _of_alerts, of_voices, of_signals(signals)
    try:
        with CaseRelations(con, cases, calendar, *more) as relations:
            yield relations
    finally:
        con.unregister("sent_alert")


def _of_alerts(spans: int) -> Mapping[str, str]:
    return {
        "alerted": """
            SELECT m.as_of, a.unit_code, timezone('UTC', a.sent_at) AS sent_at,
                   CASE WHEN timezone('UTC', a.acknowledged_at) < m.as_of
                        THEN timezone('UTC', a.acknowledged_at) END AS acknowledged_at
            FROM sent_alert a JOIN as_of_clock m ON timezone('UTC', a.sent_at) < m.as_of"""
    }
