"""Days off and made up that were delivered, over those of the calendar itself."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import duckdb

from features.calendar.working_time import Calendar

_LATEST_DAYS = """
    SELECT date, arg_max(kind, (known_at, row_id)) FROM holiday WHERE kind IS NOT NULL GROUP BY date ORDER BY date"""


def as_delivered(con: duckdb.DuckDBPyConnection, calendar: Calendar) -> Calendar:
    """`calendar` where the record's `holiday` rows take the place of its own days; of a day the latest row counts.

    `con`: of `Record.connect`, whose cutoff decides what counts. Every duration seen through it counts
    with the same days: a notice that moves a day moves it for all moments, as it does in the office.
    """
    if not con.execute("SELECT 1 FROM (SHOW TABLES) WHERE name = 'holiday'").fetchall():
        return calendar
    return _with(calendar, tuple(con.execute(_LATEST_DAYS).fetchall()))


@lru_cache(maxsize=16)  # making the relation of a calendar takes as long as a small matrix
def _with(calendar: Calendar, rows: tuple[tuple[date, str], ...]) -> Calendar:
    extended = calendar.with_holidays(rows)
    return calendar if extended == calendar else extended
