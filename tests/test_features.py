"""What each feature says, drawn as small records. All moments are Vietnam's; a working day has eight hours."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from features.calendar.working_time import PLAIN_WEEK
from features.matrix import batch as matrix
from features.matrix.declaration import Grain
from tests.drawn_views import cases, views

# One dossier of five working days, promised for Monday 14 September 17:30, with pauses and hands changing.
OWN = """
dossier_id | procedure_code | unit_code | channel | applicant_kind | received_at      | due_at
a          | p              | u         | online  | business       | 2026-09-07T08:00 | 2026-09-14T17:30
"""
EVENTS = """
dossier_id | kind                  | happened_at      | official_id | step  | due_at
a          | received              | 2026-09-07T08:00 | tam         | desk  |
a          | forwarded             | 2026-09-07T10:00 | binh        | check |
a          | papers_requested      | 2026-09-08T08:00 | binh        | check |
a          | papers_supplied       | 2026-09-09T08:00 |             | check |
a          | consulted             | 2026-09-09T09:00 | binh        | ask   |
a          | extended              | 2026-09-10T08:00 | binh        | ask   | 2026-09-21T17:30
a          | apologised            | 2026-09-10T08:30 | binh        | ask   |
a          | returned              | 2026-09-10T14:00 | tam         | desk  |
"""
PROCEDURE = """
procedure_code | sector_code | legal_working_days
p              | land        | 5
"""
FRIDAY = "2026-09-11T08:00"


@pytest.fixture(scope="module")
def own() -> dict[str, Any]:
    con = views(dossier=OWN, event=EVENTS, procedure=PROCEDURE)
    return matrix.build(con, cases(("a", FRIDAY))).to_pylist()[0]


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        ("sector_code", "land"), ("procedure_code", "p"), ("unit_code", "u"), ("channel", "online"),
        ("applicant_kind", "business"), ("step", "desk"),
        ("hours_elapsed", 24.0),  # Monday to Thursday, less Tuesday's pause
        ("paused_hours", 8.0), ("stopped", 0.0),
        ("hours_left", 24.0),  # Friday, Monday, and Tuesday for the pause: an extension without a word moves nothing
        ("time_used", 24 / 48), ("promise_used", 32 / 56),
        ("days_left", 4 + 9.5 / 24), ("moved_beyond_hours", 32.0),
        ("first_term_hours", 48.0), ("legal_hours", 40.0), ("term_moved_hours", 40.0),
        ("extensions", 1.0), ("resets", 0.0), ("paper_rounds", 1.0), ("returns", 1.0), ("reopenings", 0.0),
        ("apologies", 1.0), ("consultations", 1.0), ("consultation_open", 1.0),
        ("events", 6.0),  # the promise was moved twice beside: that is no work on the dossier
        ("steps", 3.0), ("steps_again", 1.0),
        ("officials", 2.0), ("handovers", 2.0), ("handed_back", 1.0),
        ("longest_gap_hours", 11.5), ("silent_hours", 3.5), ("step_hours", 3.5), ("held_hours", 3.5),
        ("received_hour", 8.0), ("received_weekday", 0.0),
    ],
)  # fmt: skip
def test_the_dossier_itself(own: dict[str, Any], feature: str, value: float | str) -> None:
    assert own[feature] == (value if isinstance(value, str) else pytest.approx(value))


def test_working_days_to_the_next_long_break() -> None:
    """Tuesday noon before three days off, a weekend between them: two and a half days, in the break none."""
    calendar = PLAIN_WEEK.with_holidays([(date(2026, 9, day), "off") for day in (11, 14, 15)])
    con = views(dossier=OWN)
    moments = ("2026-09-08T13:00", "2026-09-12T09:00", "2026-09-15T23:59", "2026-09-16T00:00")
    matrixed = matrix.build(con, cases(*(("a", moment) for moment in moments)), calendar=calendar)
    assert matrixed["days_to_long_break"].to_pylist() == [2.5, 0.0, 0.0, None]
    # a calendar does not count down over years of which it knows nothing
    assert matrix.build(
        views(dossier=OWN.replace("2026-", "2024-")), cases(("a", "2024-09-11T08:00")), calendar=calendar
    )["days_to_long_break"].to_pylist() == [None]
    # a weekend, or one holiday beside it, is no long break
    short = PLAIN_WEEK.with_holidays([(date(2026, 9, 11), "off")])
    assert matrix.build(con, cases(("a", moments[0])), calendar=short)["days_to_long_break"].to_pylist() == [None]


def test_nothing_done_yet() -> None:
    con = views(dossier=OWN)
    row = matrix.build(con, cases(("a", FRIDAY))).to_pylist()[0]
    assert (row["events"], row["handovers"], row["paused_hours"]) == (0.0, 0.0, 0.0)
    assert [row[name] for name in ("step", "official_id", "step_hours", "longest_gap_hours", "legal_hours")] == [
        None
    ] * 5
    assert row["silent_hours"] == row["hours_elapsed"] == 32.0


def test_a_clock_that_stands_still_goes_on_pausing() -> None:
    con = views(
        dossier=OWN,
        event="""
        dossier_id | kind      | happened_at
        a          | suspended | 2026-09-08T08:00
    """,
    )
    row = matrix.build(con, cases(("a", FRIDAY))).to_pylist()[0]
    assert (row["stopped"], row["paused_hours"], row["hours_elapsed"]) == (1.0, 24.0, 8.0)


def test_without_a_promise_the_published_term_counts() -> None:
    con = views(dossier=OWN.replace("2026-09-14T17:30", ""), procedure=PROCEDURE)
    row = matrix.build(con, cases(("a", FRIDAY))).to_pylist()[0]
    assert (row["hours_left"], row["time_used"]) == (8.0, 0.8)
    assert row["days_left"] is row["first_term_hours"] is None


# The past: of official binh's dossiers b was late, c in time, d is open and overdue, e open in time.
PAST = """
dossier_id | procedure_code | unit_code | received_at      | due_at           | x_form
a          | p              | u         | 2026-09-14T08:00 | 2026-09-18T17:30 | long
b          | p              | u         | 2026-08-31T08:00 | 2026-09-03T17:30 | long
c          | p              | u         | 2026-09-01T08:00 | 2026-09-08T17:30 | short
d          | q              | u         | 2026-09-01T08:00 | 2026-09-10T17:30 | long
e          | q              | v         | 2026-09-10T08:00 | 2026-09-30T17:30 | short
f          | q              | v         | 2026-06-01T08:00 | 2026-06-05T17:30 | short
"""
DONE = """
dossier_id | kind     | happened_at      | official_id | step
a          | assigned | 2026-09-14T08:00 | binh        | check
b          | assigned | 2026-08-31T08:00 | binh        | check
b          | decided  | 2026-09-04T08:00 | binh        | sign
c          | assigned | 2026-09-01T08:00 | binh        | check
c          | decided  | 2026-09-03T08:00 | binh        | sign
d          | assigned | 2026-09-01T08:00 | binh        | check
e          | assigned | 2026-09-10T08:00 | tam         | check
f          | assigned | 2026-06-01T08:00 | tam         | check
f          | refused  | 2026-06-02T08:00 | tam         | sign
"""


@pytest.fixture(scope="module")
def past() -> dict[str, Any]:
    con = views(dossier=PAST, event=DONE, procedure=PROCEDURE)
    return matrix.build(con, cases(("a", "2026-09-15T08:00"))).to_pylist()[0]


OVERALL = 2 / 4  # b and d late, c and f in time


def _rate(late: int, known: int) -> float:
    return (late + 20 * OVERALL) / (known + 20)


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        ("official_open", 2.0),  # a and d, at the dawn of the 15th
        ("official_overdue", 0.5),
        ("official_arrived_7", 1.0), ("official_arrived_30", 4.0), ("official_arrived_90", 4.0),
        ("official_closed_90", 2.0), ("official_hours", (32 + 16) / 2),
        ("official_late_rate", _rate(2, 3)), ("official_late_rate_90", _rate(2, 3)), ("official_known", 3.0),
        ("official_days_seen", 15.0),
        ("official_procedure_late_rate", _rate(1, 2)), ("official_procedure_known", 2.0),
        ("unit_open", 2.0), ("unit_overdue", 0.5), ("unit_arrived_7", 1.0), ("unit_arrived_30", 4.0),
        ("unit_arrived_90", 4.0), ("unit_closed_90", 2.0), ("unit_hours", 24.0), ("unit_late_rate", _rate(2, 3)),
        ("unit_late_rate_90", _rate(2, 3)), ("unit_known", 3.0), ("unit_days_seen", 15.0),
        ("overall_late_rate", OVERALL), ("overall_late_rate_90", 2 / 3), ("record_days_seen", 106.0),
        ("procedure_open", 1.0), ("procedure_overdue", 0.0), ("procedure_arrived_30", 3.0),
        ("procedure_hours", 24.0), ("procedure_late_rate", _rate(1, 2)), ("procedure_late_rate_90", _rate(1, 2)),
        ("procedure_known", 2.0),
        ("step_left_hours", (32 + 16 + 8) / 3), ("step_late_rate", _rate(2, 4)),
        ("procedure_step_left_hours", 24.0), ("procedure_step_late_rate", _rate(1, 2)),
        ("procedure_step_known", 2.0),
        ("x_form", "long"), ("x_form_late_rate", _rate(2, 2)), ("x_form_known", 2.0),
    ],
)  # fmt: skip
def test_the_past_of_those_concerned(past: dict[str, Any], feature: str, value: float | str) -> None:
    assert past[feature] == (value if isinstance(value, str) else pytest.approx(value))


def test_every_feature_is_drawn_here() -> None:
    drawn = {name for test in (test_the_dossier_itself, test_the_past_of_those_concerned)
             for name, _ in test.pytestmark[0].args[1]}  # type: ignore[attr-defined] # fmt: skip
    drawn |= {"days_to_long_break"}  # needs a calendar of its own
    assert {feature.name for feature in matrix.FEATURES} <= drawn


def test_what_happens_on_the_day_itself_moves_no_total() -> None:
    con = views(dossier=PAST, event=DONE)
    same = matrix.build(con, cases(("a", "2026-09-15T00:00"), ("a", "2026-09-15T23:59"))).select(
        ["unit_open", "unit_known"]
    )
    assert same.slice(0, 1).equals(same.slice(1, 1))


def test_a_promise_moved_in_time_is_not_late_but_one_that_passed_stays_so() -> None:
    con = views(dossier="""
        dossier_id | procedure_code | unit_code | received_at      | due_at
        moved      | p              | u         | 2026-09-01T08:00 | 2026-09-08T17:30
        passed     | p              | u         | 2026-09-01T08:00 | 2026-09-08T17:30
    """, event="""
        dossier_id | kind     | happened_at      | due_at           | reason
        moved      | extended | 2026-09-07T08:00 | 2026-09-30T17:30 | flood
        passed     | decided  | 2026-09-09T08:00 |                  |
    """)  # fmt: skip
    row = matrix.build(con, cases(("moved", "2026-09-11T08:00"))).to_pylist()[0]
    assert (row["unit_known"], row["overall_late_rate"], row["unit_overdue"]) == (1.0, 1.0, 0.0)


def test_words_and_reasons_of_every_feature() -> None:
    names = [feature.name for feature in matrix.FEATURES]
    assert len(set(names)) == len(names)
    for feature in matrix.FEATURES:
        assert all([feature.words_vi, feature.words_en, feature.group, feature.no_history])
        assert feature.monotone in (-1, 0, 1)
        assert 0 < feature.trust <= 1
        assert feature.grain is not Grain.ATTRIBUTE
