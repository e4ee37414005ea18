"""Quiet hours: heads get messages in working hours alone, so never at night, on Sundays or during Tết."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from features.calendar.working_time import HOUR, Calendar

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Quiet:
    """The working hours of a calendar as the time in which messages may go out."""

    calendar: Calendar

    def opens(self, moment: datetime) -> datetime:
        """`moment` itself in working hours, else when they next begin; in the zone of `moment`."""
        return self.calendar.add(moment, 1 / HOUR) - _INSTANT  # the first microsecond that is worked

    def open(self, moment: datetime) -> bool:
        """Whether messages may go out now."""
        return self.opens(moment) == moment

    def week(self, moment: datetime) -> str:
        """The ISO week in which people live through a moment, such as 2026-W09."""
        year, week, _ = self._local(moment).isocalendar()
        return f"{year}-W{week:02d}"

    def weekday(self, moment: datetime) -> int:
        """0 for Monday to 6 for Sunday, where the office is."""
        return self._local(moment).weekday()

    def day(self, moment: datetime) -> str:
        """The office's date, ISO 8601."""
        return self._local(moment).date().isoformat()

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.calendar.zone))
