"""The moment an office must promise: legal term to due moment under a calendar.

Rules of domain.md 2.3, 2.7, 3.1: 1 day = 8 working hours; what comes in before opening counts from opening, at
lunch from the afternoon, after closing from the next working morning; terms may be hours; a term in calendar
days never ends on a day off; a procedure answered the same day, received from 15:00 on, is answered on the
next working day.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from features.calendar.working_time import HOURS_A_DAY, Calendar

SAME_DAY_UNTIL = time(15)
"""QĐ 1811 and QĐ 663-TTPVHCC of Hà Nội (domain.md 3.1)."""


def counted_from(received: datetime, calendar: Calendar) -> datetime:
    """When the clock of a dossier received at `received` begins: at once in working hours, else at opening."""
    tick = timedelta(microseconds=1)
    return calendar.add(received, tick / timedelta(hours=1)) - tick


def due_after_hours(received: datetime, hours: float, calendar: Calendar) -> datetime:
    """Due moment of a term in working hours (steps of QĐ 663 are in hours)."""
    return calendar.add(received, hours)


def due_after_days(received: datetime, days: float, calendar: Calendar) -> datetime:
    """Due moment of a term in working days of 8 hours; fractions of a day are hours."""
    return calendar.add(received, days * HOURS_A_DAY)


def due_after_calendar_days(received: datetime, days: int, calendar: Calendar) -> datetime:
    """Due moment of a term in calendar days (`ngày`): the same time of day, moved on past days off."""
    zone = ZoneInfo(calendar.zone)
    local = counted_from(received, calendar).astimezone(zone)
    due = local + timedelta(days=days)
    while not calendar.hours(due.date()):
        due += timedelta(days=1)
    return due.astimezone(received.tzinfo)


def due_same_day(received: datetime, calendar: Calendar, until: time = SAME_DAY_UNTIL) -> datetime:
    """Due moment of a same-day procedure: closing time of the day, from `until` on that of the next working day."""
    zone = ZoneInfo(calendar.zone)
    begins = counted_from(received, calendar).astimezone(zone)
    day = begins.date()
    if begins.time() >= until:
        day += timedelta(days=1)
        while not calendar.hours(day):
            day += timedelta(days=1)
    closing = calendar.hours(day)[-1][1]
    return datetime.combine(day, closing, zone).astimezone(received.tzinfo)
