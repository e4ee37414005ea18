"""What a report is made from: the record as known at a moment, marks made by then, names, one period."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import duckdb
from sqlalchemy.orm import Session

from features.calendar.working_time import Calendar
from features.record.reading_moment import ReadingMoment
from features.record.utc import aware_utc, naive_utc
from serving.read.caseload import Caseload
from serving.read.official_directory import called, names_in
from serving.read.register import Register
from serving.reports.period import Period

_LATE_START = timedelta(days=10)
"""How long after a period's beginning a record may begin that holds it: holidays without a dossier are no gap."""


@dataclass(frozen=True)
class ReportContext:
    """One period as known before `as_of`.

    con: `Record.connect(version=record_version, cutoff=as_of)`. session: of the working state, of which only what was
    entered before `as_of` counts. unit_code: whose report it is, empty for the province. say: takes lines of progress.
    """

    con: duckdb.DuckDBPyConnection
    session: Session
    calendar: Calendar
    period: Period
    as_of: datetime
    record_version: int
    unit_code: str = ""
    say: Callable[[str], None] = lambda _: None

    @cached_property
    def reading(self) -> ReadingMoment:
        """Until when the record of `as_of` goes."""
        return ReadingMoment.read(self.con, self.as_of, self.calendar)

    @property
    def until(self) -> datetime:
        """The end of the period, or the moment at which the record is read where that lies before (`ReadingMoment`)."""
        return self._end(self.period)

    def _end(self, period: Period) -> datetime:
        return max(period.start, min(period.until, self.reading.as_of))

    @property
    def running(self) -> bool:
        """Whether the period had not ended at `as_of`."""
        return self.as_of < self.period.until

    @cached_property
    def register(self) -> Register:
        """Names and tree of units, as known then."""
        return Register.read(self.con)

    @cached_property
    def units(self) -> frozenset[str] | None:
        """The units of the report: the subtree of its unit; None for all."""
        return self.register.tree.subtree(self.unit_code) if self.unit_code else None

    @property
    def caseload(self) -> Caseload:
        """The dossiers of the report's units in the period."""
        return self._of_period(self.period)

    @property
    def province(self) -> Caseload:
        """The dossiers of all units in the period."""
        return self._of_all(self.period)

    def before(self, months: int) -> Caseload:
        """The dossiers of the report's units in the period that ended so many months before."""
        return self._of_period(self.period.earlier(months, ZoneInfo(self.calendar.zone)))

    def earlier(self, months: int) -> "ReportContext | None":
        """The same of the period that ended so many months before; None where the record does not hold it whole.

        Nothing may be compared with a period of which the record knows a part: all would seem to have risen.
        """
        period = self.period.earlier(months, ZoneInfo(self.calendar.zone))
        if self._begins is None or self._begins > period.start + _LATE_START or not self.before(months).received:
            return None
        other = replace(self, period=period)
        other.__dict__.update(
            _read=self._read, reading=self.reading, register=self.register, units=self.units, _names=self._names,
            _begins=self._begins,
        )  # fmt: skip
        return other

    @cached_property
    def _begins(self) -> datetime | None:
        """When the record's first dossier was received."""
        first: datetime | None = self.con.execute("SELECT min(received_at) FROM dossier_latest").fetchall()[0][0]
        return aware_utc(first)

    def each_month(self) -> Iterator[tuple[Period, Caseload]]:
        """The months of the period that had begun by then, each with the dossiers of the report's units in it."""
        for period in self.period.each(ZoneInfo(self.calendar.zone)):
            if period.start < self.as_of:
                self.say(period.words)
                yield period, self.caseload.part(self.con, period.start, self._end(period), self.as_of, self.calendar)

    def _of_period(self, period: Period) -> Caseload:
        return self._once(("units", period.month), lambda: self._of_all(period).of_units(self.units))

    def _of_all(self, period: Period) -> Caseload:
        return self._once(
            ("all", period.month),
            lambda: Caseload.read(self.con, period.start, self._end(period), self.as_of, self.calendar),
            f"đọc hồ sơ của {period.words}",
        )

    def _once(self, key: tuple[str, str], read: Callable[[], Caseload], words: str = "") -> Caseload:
        if key not in self._read:
            if words:
                self.say(words)
            self._read[key] = read()
        return self._read[key]

    @cached_property
    def _read(self) -> dict[tuple[str, str], Caseload]:
        """What was read of the record, by units and the last month: most reports ask for a period several times."""
        return {}

    @property
    def moments(self) -> dict[str, datetime]:
        """`start` and `until` as the views of the record hold moments."""
        return {"start": naive_utc(self.period.start), "until": naive_utc(self.until)}

    @cached_property
    def _names(self) -> dict[str, str]:
        return names_in(self.session)

    def official(self, official_id: str | None) -> str | None:
        """What an official is called: by the directory, else by number within their unit; never by an opaque key."""
        return None if official_id is None else called(official_id, self._names, self.register)

    def covers(self, unit_code: str | None) -> bool:
        """Whether a unit is one of the report's."""
        return self.units is None or unit_code in self.units
