"""Delivered `holiday` rows take the place of what a calendar knows by itself, in the matrix and on every clock."""

from __future__ import annotations

from datetime import UTC, date, datetime

from features.calendar.holiday import as_delivered
from features.calendar.working_time import PLAIN_WEEK
from features.case_state.cases import recorded_cases
from features.matrix import batch as matrix
from tests.drawn_views import cases, views

DOSSIER = """
dossier_id | procedure_code | unit_code | received_at      | due_at
a          | p              | u         | 2026-09-07T08:00 | 2026-09-14T17:30
"""
HOLIDAYS = """
date       | kind    | name  | known_at
2026-09-09 | off     | storm | 2026-09-01T08:00
2026-09-12 | off     | typo  | 2026-09-01T08:00
2026-09-12 | make_up | storm | 2026-09-02T08:00
"""
FRIDAY = "2026-09-11T08:00"


def test_a_day_off_and_the_saturday_made_up_for_it() -> None:
    plain = matrix.build(views(dossier=DOSSIER), cases(("a", FRIDAY))).to_pylist()[0]
    told = matrix.build(views(dossier=DOSSIER, holiday=HOLIDAYS), cases(("a", FRIDAY))).to_pylist()[0]
    assert (plain["hours_elapsed"], plain["hours_left"]) == (32.0, 16.0)
    assert (told["hours_elapsed"], told["hours_left"]) == (24.0, 24.0)


def test_the_latest_row_of_a_day_counts_and_the_rest_stays() -> None:
    calendar = as_delivered(views(dossier=DOSSIER, holiday=HOLIDAYS), PLAIN_WEEK)
    assert calendar.hours(date(2026, 9, 9)) == ()
    assert calendar.hours(date(2026, 9, 12)) == calendar.hours(date(2026, 9, 11)) == PLAIN_WEEK.week[0]


def test_without_rows_it_is_the_same_calendar() -> None:
    assert as_delivered(views(dossier=DOSSIER), PLAIN_WEEK) is PLAIN_WEEK


def test_the_legal_clock_counts_with_them_too() -> None:
    (case,) = recorded_cases(views(dossier=DOSSIER, holiday=HOLIDAYS), datetime(2026, 9, 11, 1, tzinfo=UTC), PLAIN_WEEK)
    assert case.state.elapsed_hours == 24.0
