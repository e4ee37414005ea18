"""Vietnam's days off and made up 2018–2027, offices' own hours, and working time counted in them."""

from datetime import date, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.calendar.vietnam import EXCHANGES, UNCERTAIN_YEARS, VIETNAM, hours_of, office, special_days
from tests.drawn_record import local

OFF_WEEKDAYS = {
    2018: "01-01 02-14 02-15 02-16 02-19 02-20 04-25 04-30 05-01 09-03 12-31",
    2019: "01-01 02-04 02-05 02-06 02-07 02-08 04-15 04-29 04-30 05-01 09-02",
    2020: "01-01 01-23 01-24 01-27 01-28 01-29 04-02 04-30 05-01 09-02",
    2021: "01-01 02-10 02-11 02-12 02-15 02-16 04-21 04-30 05-03 09-02 09-03",
    2022: "01-03 01-31 02-01 02-02 02-03 02-04 04-11 05-02 05-03 09-01 09-02",
    2023: "01-02 01-20 01-23 01-24 01-25 01-26 05-01 05-02 05-03 09-01 09-04",
    2024: "01-01 02-08 02-09 02-12 02-13 02-14 04-18 04-29 04-30 05-01 09-02 09-03",
    2025: "01-01 01-27 01-28 01-29 01-30 01-31 04-07 04-30 05-01 05-02 09-01 09-02",
    2026: "01-01 01-02 02-16 02-17 02-18 02-19 02-20 04-27 04-30 05-01 08-31 09-01 09-02 11-24",
    2027: "01-01 02-04 02-05 02-08 02-09 02-10 04-16 04-30 05-03 09-02 09-03 11-24",
}
"""Days of the week off, year by year, as announced; 2027 as the law lays them, before any notice."""


@pytest.mark.parametrize("year", OFF_WEEKDAYS)
def test_the_year_has_these_days_off_and_no_other(year: int) -> None:
    day, found = date(year, 1, 1), []
    while day.year == year:
        if day.weekday() < 5 and not VIETNAM.hours(day):
            found.append(f"{day:%m-%d}")
        day += timedelta(days=1)
    assert " ".join(found) == OFF_WEEKDAYS[year]


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.off.isoformat())
def test_an_exchange_gives_a_day_and_takes_a_saturday(exchange: object) -> None:
    off, worked = exchange.off, exchange.worked  # type: ignore[attr-defined]
    assert off.weekday() < 5
    assert worked.weekday() == 5
    assert not VIETNAM.hours(off)
    assert VIETNAM.hours(worked) == VIETNAM.hours(date(2026, 9, 7))


def test_what_rests_on_no_document_says_so() -> None:
    for day in special_days():
        assert day.document or not day.certain
        if day.date.year in UNCERTAIN_YEARS:
            assert not day.certain
    assert {exchange.document for exchange in EXCHANGES if exchange.certain}.isdisjoint({""})


def test_the_sample_calendar_of_2026_is_ours(shared: Path) -> None:
    """OpenCPS counts days of the week from 2 (Monday) to 8; holidayType 0 is off, 1 made up (domain.md 2.1)."""
    document = orjson.loads((shared / "samples" / "17_calendar.json").read_bytes())
    week = {int(row["day"]) - 2: hours_of(row["hours"]) for row in document["worktime"]}
    named = {row["holidayDate"][:10]: int(row["holidayType"]) for row in document["holidays"]}
    for day in (date(2026, 1, 1) + timedelta(days=n) for n in range(365)):
        made_up = named.get(day.isoformat())
        theirs = week.get(day.weekday(), ()) if made_up is None else week[0] if made_up else ()
        assert theirs == VIETNAM.hours(day), day


def test_an_office_keeps_its_own_hours_and_half_days() -> None:
    early = office(
        "early", hours_of("07:00-11:30,13:30-17:00"), saturday=hours_of("07:30-11:30"), half_days=[date(2026, 12, 31)]
    )
    assert early.working_hours(local("2026-09-07 00:00"), local("2026-09-08 00:00")) == 8
    assert early.working_hours(local("2026-09-12 00:00"), local("2026-09-13 00:00")) == 4  # a Saturday
    assert early.working_hours(local("2026-12-31 00:00"), local("2027-01-01 00:00")) == 4.5
    assert early.hours(date(2026, 1, 10)) == hours_of("07:00-11:30,13:30-17:00")  # made up
    assert early.hours(date(2026, 2, 17)) == ()
    with pytest.raises(ValueError, match="07:30-11:30"):
        hours_of("7h30 đến 11h30")


wall_clock = st.datetimes(datetime(2018, 1, 1), datetime(2027, 10, 1))  # noqa: DTZ001 — local, without a zone
moments = wall_clock.map(lambda at: local(at.isoformat(" ")))


@given(moments, moments, moments)
@settings(max_examples=150)
def test_working_time_adds_up_and_never_runs_back(one: datetime, two: datetime, three: datetime) -> None:
    a, b, c = sorted((one, two, three))
    whole = VIETNAM.working_hours(a, c)
    assert whole == pytest.approx(VIETNAM.working_hours(a, b) + VIETNAM.working_hours(b, c), abs=1e-9)
    assert 0 <= VIETNAM.working_hours(a, b) <= whole
    assert VIETNAM.working_hours(c, a) == -whole


@given(moments, st.floats(0.01, 400))
@settings(max_examples=150)
def test_adding_working_hours_is_undone_by_counting_them(start: datetime, hours: float) -> None:
    due = VIETNAM.add(start, hours)
    assert VIETNAM.working_hours(start, due) == pytest.approx(hours, abs=1e-6)
    assert VIETNAM.add(start, hours + 1) > due
    clock = due.astimezone(local("2026-01-01 00:00").tzinfo)
    assert VIETNAM.working_hours(due - timedelta(microseconds=2), due) > 0, f"{clock} lies outside working hours"
