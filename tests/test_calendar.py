"""Working time: hours, off days, make-up days, half days, zones; additive, monotone, with an inverse."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.calendar.working_time import DAY, EPOCH, HOUR, OFFICE_HOURS, PLAIN_WEEK, Calendar, microseconds

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
MORNING = ((time(8), time(12)),)
BUSY = PLAIN_WEEK.with_days({
    date(2026, 9, 2): (),  # Wednesday, off
    date(2026, 9, 5): OFFICE_HOURS,  # a Saturday made up
    date(2026, 9, 11): MORNING,  # half a Friday
})  # fmt: skip
NIGHT = Calendar("night", "America/New_York", (((time(0, 30), time(4)), (time(20), time(23, 30))),) * 7)

MOMENTS = st.datetimes(datetime(2026, 8, 1), datetime(2026, 11, 30), timezones=st.just(UTC))  # noqa: DTZ001
CALENDARS = st.sampled_from([PLAIN_WEEK, BUSY, NIGHT, replace(PLAIN_WEEK, zone="Europe/Amsterdam")])


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 9, day, hour, minute, tzinfo=HANOI)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (local(7, 8), local(7, 17, 30), 8),  # a Monday
        (local(7, 11), local(7, 14), 1.5),  # over noon
        (local(7, 17), local(8, 8, 30), 1),  # over night
        (local(4, 17), local(7, 8, 30), 9),  # over a week-end with its Saturday made up
        (local(11, 8), local(14, 8), 4),  # over a half day
        (local(1, 8), local(3, 8), 8),  # over an off day
        (local(7, 14), local(7, 11), -1.5),  # backwards
        (local(6, 0), local(7, 0), 0),  # a Sunday
    ],
)
def test_hours_worked(start: datetime, end: datetime, hours: float) -> None:
    assert BUSY.working_hours(start, end) == hours


def test_holiday_rows_become_days() -> None:
    calendar = PLAIN_WEEK.with_holidays([(date(2026, 9, 2), "off"), (date(2026, 9, 5), "make_up")])
    assert calendar.hours(date(2026, 9, 2)) == ()
    assert calendar.hours(date(2026, 9, 5)) == OFFICE_HOURS
    with pytest.raises(ValueError, match="off or make_up"):
        PLAIN_WEEK.with_holidays([(date(2026, 9, 2), "maybe")])


def test_eight_hours_later_is_the_same_hour_of_the_next_working_day() -> None:
    assert BUSY.add(local(4, 10), 8) == local(5, 10)
    assert BUSY.add(local(5, 10), 8) == local(7, 10)
    assert BUSY.add(local(7, 10), 0) == local(7, 10)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="seven weekdays"):
        Calendar("short", "UTC", (OFFICE_HOURS,))
    with pytest.raises(ValueError, match="in order and apart"):
        Calendar("mixed", "UTC", (((time(9), time(12)), (time(11), time(15))),) * 7)
    with pytest.raises(ValueError, match="at least 0"):
        PLAIN_WEEK.add(local(7, 8), -1)
    with pytest.raises(ValueError, match="time zone"):
        PLAIN_WEEK.working_hours(datetime(2026, 9, 7), local(7, 9))  # noqa: DTZ001
    with pytest.raises(ValueError, match="ends before"):
        PLAIN_WEEK.add(local(7, 8), 10**6)
    with pytest.raises(ValueError, match="ends before"):
        Calendar("idle", "UTC", ((),) * 7).add(local(7, 8), 1)


@settings(max_examples=60)
@given(CALENDARS, MOMENTS, MOMENTS, MOMENTS)
def test_working_hours_add_up_and_never_shrink(calendar: Calendar, a: datetime, b: datetime, c: datetime) -> None:
    whole, parts = calendar.working_hours(a, c), calendar.working_hours(a, b) + calendar.working_hours(b, c)
    assert whole == pytest.approx(parts, abs=1e-9)
    assert calendar.working_hours(min(a, b), max(a, b)) >= 0


@settings(max_examples=60)
@given(CALENDARS, MOMENTS, st.integers(0, 400 * HOUR))
def test_add_is_the_inverse_of_working_hours(calendar: Calendar, start: datetime, amount: int) -> None:
    end = calendar.add(start, amount / HOUR)
    assert calendar.worked(microseconds(end)) - calendar.worked(microseconds(start)) == round(amount / HOUR * HOUR)
    assert end >= start


@settings(max_examples=200)
@given(CALENDARS, st.datetimes(datetime(1985, 1, 1), datetime(2075, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_relation_tells_the_same_time_and_day(calendar: Calendar, moment: datetime) -> None:
    table: pa.Table = calendar.relation()
    day, offset = divmod(microseconds(moment), DAY)
    at = day - table["day"][0].as_py()
    if not 0 <= at < table.num_rows:
        return
    row = {name: table[name][at].as_py() for name in table.column_names}
    spans = sum(name.startswith("end_") for name in row)
    worked = row["worked_before"] + sum(max(0, min(offset, row[f"end_{k}"]) - row[f"start_{k}"]) for k in range(spans))
    assert worked == calendar.worked(microseconds(moment))
    local_day = moment.astimezone(ZoneInfo(calendar.zone)).date()
    assert EPOCH.date() + timedelta(days=row["local_day"] + (offset >= row["midnight"])) == local_day


def test_the_clock_set_forward_takes_an_hour_of_a_night_office() -> None:
    new_york = ZoneInfo("America/New_York")
    spring = datetime(2026, 3, 8, tzinfo=new_york)
    assert NIGHT.working_hours(spring, spring + timedelta(days=1)) == 6
    assert NIGHT.working_hours(spring + timedelta(days=1), spring + timedelta(days=2)) == 7
