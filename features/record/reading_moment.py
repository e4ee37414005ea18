"""The one "now" of every reader: the moment asked for, or the end of a record that has fallen behind it.

What a record does not know yet has not failed to happen. Where its newest news are older than one working day, a
dossier without an end may have ended long ago; so it is read as it stood when the news stopped, nothing is opened,
nobody is warned, and no outcome that came later is counted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from features.calendar.holiday import as_delivered
from features.calendar.working_time import HOURS_A_DAY, Calendar
from features.record.utc import aware_utc, naive_utc

_INSTANT = timedelta(microseconds=1)
_KNOWN_UNTIL = """
    SELECT max(known_at) FROM (
        SELECT max(known_at) AS known_at FROM dossier UNION ALL SELECT max(known_at) FROM event
        UNION ALL SELECT max(arrived_at) FROM delivery WHERE live AND coalesce(arrived_at < $asked, true)
    )"""


def known_until(con: duckdb.DuckDBPyConnection, asked: datetime | None = None) -> datetime | None:
    """Until when the record knows: its newest row of a dossier, or its last live delivery, be it empty.

    con: of `Record.connect`, with the cutoff that is read. asked: leaves out live deliveries that came later.
    None for a record without dossiers.
    """
    rows = con.execute(_KNOWN_UNTIL, {"asked": naive_utc(asked) if asked else None}).fetchall()
    newest: datetime | None = rows[0][0]
    return aware_utc(newest)


@dataclass(frozen=True)
class ReadingMoment:
    """asked: the moment asked for. known_until: until when the record knows. behind: by more than a working day."""

    asked: datetime
    known_until: datetime | None
    behind: bool

    @classmethod
    def of(cls, asked: datetime, known_until: datetime | None, calendar: Calendar) -> "ReadingMoment":
        """Whether more than 8 working hours of `calendar` lie between what is known and what is asked."""
        behind = known_until is not None and calendar.working_hours(known_until, asked) > HOURS_A_DAY
        return cls(asked, known_until, behind)

    @classmethod
    def read(cls, con: duckdb.DuckDBPyConnection, asked: datetime, calendar: Calendar) -> "ReadingMoment":
        """From a connection of `Record.connect(cutoff=asked)`; holidays are the delivered ones where there are any."""
        return cls.of(asked, known_until(con, asked), as_delivered(con, calendar))

    @property
    def as_of(self) -> datetime:
        """The moment at which the record is read: just after its newest news where it is behind."""
        if self.known_until is None or not self.behind:
            return self.asked
        return self.known_until + _INSTANT
