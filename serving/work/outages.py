"""Times in which a system was down: an excuse that is counted, not claimed (S4 2b)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import duckdb

from features.calendar.working_time import Calendar
from features.record.utc import aware_utc

_OUTAGES = """
SELECT unit_code, starts_at, ends_at FROM outage_latest ORDER BY starts_at
"""


@dataclass(frozen=True)
class Outage:
    """A system was down for one unit, or for all (None), from `starts_at` until `ends_at` (None: still down)."""

    unit_code: str | None
    starts_at: datetime
    ends_at: datetime | None


def outages(con: duckdb.DuckDBPyConnection) -> list[Outage]:
    """The outages that a connection of the record knows, in order of their beginning."""
    return [Outage(unit, aware_utc(start), aware_utc(end)) for unit, start, end in con.execute(_OUTAGES).fetchall()]


def down_hours(
    outages: Iterable[Outage], unit_code: str, start: datetime, until: datetime, calendar: Calendar
) -> float:
    """Working hours of [start, until) in which a system of the unit was down; overlapping outages count once."""
    hours, reached = 0.0, start
    for one in outages:  # in order of their beginning
        if one.unit_code in (None, unit_code):
            begun, over = max(one.starts_at, reached), min(one.ends_at or until, until)
            if begun < over:
                hours += calendar.working_hours(begun, over)
                reached = over
    return hours
