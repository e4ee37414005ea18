"""Delay by step, drawn as small histories: the parts add up, and each sits where past dossiers spent it."""

from datetime import UTC, datetime, timedelta

import pytest

from features.calendar.working_time import HOUR, PLAIN_WEEK, microseconds
from serving.read.case_file import CaseEvent, CaseFile
from serving.read.delay import LEAST, Delays, Holder

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 8:00 in Vietnam: the office opens


def at(hours: float) -> datetime:
    """So many working hours after Monday morning."""
    return PLAIN_WEEK.add(MONDAY, hours) if hours else MONDAY


def past(number: int, *events: tuple[str, str, float, str | None]) -> list[dict[str, object]]:
    """An ended dossier of procedure p and unit u: (kind, step, working hour, to_unit_code) in order."""
    return [
        {
            "procedure_code": "p", "competent": "u", "dossier_id": f"d{number}", "kind": kind, "step": step,
            "unit_code": "u", "to_unit_code": to, "happened_us": microseconds(at(hour)),
        }
        for kind, step, hour, to in events
    ]  # fmt: skip


def waiting(*events: tuple[str, str, float]) -> CaseFile:
    told = tuple(CaseEvent(at(hour), kind, "o", "u", None, step, None, None) for kind, step, hour in events)
    return CaseFile("x", "p", "u", None, None, None, None, MONDAY, None, None, events=told)


def drawn() -> Delays:
    rows = []
    for number in range(6):  # check 4 h, papers wait 8 h with the citizen, asked elsewhere 2 h, sign 1 h
        rows += past(
            number,
            ("assigned", "check", 0, None),
            ("papers_requested", "papers", 4, None),
            ("consulted", "ask", 12, "other"),
            ("consultation_answered", "sign", 14, None),
            ("decided", "decided", 15, None),
        )
    return Delays(rows, PLAIN_WEEK)


def test_parts_are_where_past_dossiers_spent_their_time_and_add_up() -> None:
    delay = drawn().of(waiting(("assigned", "check", 0)), at(1))
    assert delay is not None
    assert {(part.step, part.holder): part.hours for part in delay.parts} == pytest.approx({
        ("check", Holder.OFFICE): 3.0,  # four hours, one of them gone
        ("papers", Holder.CITIZEN): 8.0,
        ("ask", Holder.OTHER_OFFICE): 2.0,
        ("sign", Holder.OFFICE): 1.0,
    })  # fmt: skip
    assert delay.hours == pytest.approx(14.0)
    assert delay.hours == pytest.approx(sum(part.hours for part in delay.parts), abs=1e-12)
    assert (delay.step, delay.holder, delay.n) == ("check", Holder.OFFICE, 6)


def test_a_stay_longer_than_any_before_leaves_only_what_follows() -> None:
    delay = drawn().of(waiting(("assigned", "check", 0)), at(30))
    assert delay is not None
    assert delay.hours == pytest.approx(11.0)


def test_the_citizen_holds_what_waits_for_papers() -> None:
    delay = drawn().of(waiting(("assigned", "check", 0), ("papers_requested", "papers", 4)), at(6))
    assert delay is not None
    assert delay.holder is Holder.CITIZEN
    assert delay.parts[0].hours == pytest.approx(6.0)


def test_too_few_past_dossiers_say_nothing() -> None:
    few = [
        row
        for number in range(LEAST - 1)
        for row in past(number, ("assigned", "a", 0, None), ("decided", "e", 4, None))
    ]
    assert Delays(few, PLAIN_WEEK).of(waiting(("assigned", "a", 0)), at(1)) is None
    assert drawn().of(waiting(("assigned", "unheard of", 0)), at(1)) is None
    assert drawn().of(waiting(), at(1)) is None


def test_night_and_weekend_are_no_working_hours() -> None:
    friday = MONDAY + timedelta(days=4)
    rows = []
    for number in range(6):
        rows += past(number, ("assigned", "a", 32, None), ("decided", "e", 41, None))
    delay = Delays(rows, PLAIN_WEEK).of(waiting(("assigned", "a", 32)), friday + timedelta(days=2))
    assert delay is not None
    assert delay.hours == pytest.approx(1.0)
    assert PLAIN_WEEK.worked(microseconds(friday)) % HOUR == 0
