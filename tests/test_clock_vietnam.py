"""The clock by hand: working time over lunch, closing, weekends, Tết, exchanges and pauses; and its properties."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.calendar.vietnam import VIETNAM
from features.case_state.official_class import OfficialClass, class_766, class_recomputed
from features.case_state.replay import Happening, replay
from features.case_state.state import CaseState, Flag
from tests.drawn_record import local

HOURS = [
    # from, to, working hours (8:00–12:00, 13:30–17:30), counted by hand
    ("2026-09-07 08:00", "2026-09-07 17:30", 8.0),  # a whole Monday
    ("2026-09-07 08:00", "2026-09-07 12:00", 4.0),
    ("2026-09-07 12:00", "2026-09-07 13:30", 0.0),  # lunch
    ("2026-09-07 11:45", "2026-09-07 13:45", 0.5),
    ("2026-09-07 06:00", "2026-09-07 08:15", 0.25),  # before opening
    ("2026-09-07 17:30", "2026-09-08 08:00", 0.0),  # a night
    ("2026-09-07 17:15", "2026-09-08 08:15", 0.5),
    ("2026-09-07 00:00", "2026-09-08 00:00", 8.0),
    ("2026-09-07 08:30", "2026-09-08 08:30", 8.0),  # one day is eight hours
    ("2026-09-11 17:00", "2026-09-14 08:30", 1.0),  # over a weekend
    ("2026-09-12 08:00", "2026-09-13 17:30", 0.0),  # a weekend
    ("2026-09-07 08:00", "2026-09-14 08:00", 40.0),  # a week
    ("2026-09-11 09:58", "2026-09-14 08:12", 6 + 14 / 60),  # samples/20: 6 h 14
    ("2026-09-15 10:15", "2026-09-17 14:00", 18.25),  # samples/20, first supplement
    ("2026-09-22 16:30", "2026-09-25 08:30", 17.5),  # samples/20, second supplement
    ("2026-09-22 16:30", "2026-09-23 08:30", 1.5),  # samples/20, before the promise
    ("2026-09-21 08:30", "2026-09-23 08:30", 16.0),  # samples/20: two days
    ("2026-09-23 08:30", "2026-09-30 08:30", 40.0),  # samples/20: five days
    ("2026-09-07 08:00", "2026-09-30 17:30", 144.0),  # eighteen working days
    ("2026-02-13 17:00", "2026-02-23 08:30", 1.0),  # Tết 2026: 14 to 22 February
    ("2026-02-12 08:00", "2026-02-24 17:30", 32.0),  # Thursday, Friday | Monday, Tuesday
    ("2026-02-16 00:00", "2026-02-21 00:00", 0.0),
    ("2025-01-24 16:00", "2025-02-03 09:00", 2.5),  # Tết 2025: 25 January to 2 February
    ("2024-02-07 13:30", "2024-02-15 12:00", 8.0),  # Tết 2024: 8 to 14 February
    ("2023-01-19 08:00", "2023-01-27 17:30", 16.0),  # Tết 2023: 20 to 26 January
    ("2022-01-28 15:30", "2022-02-07 10:00", 4.0),  # Tết 2022: 31 January to 4 February
    ("2021-02-09 08:00", "2021-02-17 08:00", 8.0),  # Tết 2021: 10 to 16 February
    ("2020-01-22 17:00", "2020-01-30 08:15", 0.75),  # Tết 2020: 23 to 29 January
    ("2019-02-01 08:00", "2019-02-11 12:00", 12.0),  # Tết 2019: 4 to 8 February
    ("2018-02-13 16:30", "2018-02-21 09:30", 2.5),  # Tết 2018: 14 to 20 February
    ("2025-12-31 17:00", "2026-01-05 09:00", 1.5),  # 1 January, and 2 January by exchange
    ("2026-01-09 17:00", "2026-01-12 08:00", 8.5),  # Saturday 10 January made up
    ("2026-01-10 08:00", "2026-01-10 17:30", 8.0),
    ("2026-08-21 17:00", "2026-08-24 08:30", 9.0),  # Saturday 22 August made up
    ("2026-08-28 17:00", "2026-09-03 08:30", 1.0),  # 31 August by exchange, 1 and 2 September
    ("2025-04-25 17:00", "2025-04-28 08:00", 8.5),  # Saturday 26 April made up
    ("2025-04-29 16:30", "2025-05-05 09:00", 2.0),  # 30 April to 2 May
    ("2024-04-26 17:00", "2024-05-02 08:30", 1.0),  # 29 April by exchange to 1 May
    ("2024-05-03 17:30", "2024-05-06 08:00", 8.0),  # Saturday 4 May made up
    ("2019-04-26 17:30", "2019-05-02 08:30", 0.5),  # 29 April by exchange to 1 May
    ("2019-05-04 08:00", "2019-05-04 12:00", 4.0),  # Saturday made up
    ("2018-12-28 17:00", "2019-01-02 09:00", 1.5),  # 31 December by exchange, 1 January
    ("2019-01-04 17:30", "2019-01-07 08:00", 8.0),  # Saturday 5 January made up
    ("2026-04-24 17:00", "2026-04-28 08:30", 1.0),  # Giỗ Tổ on a Sunday: Monday off
    ("2026-04-29 16:00", "2026-05-04 10:00", 3.5),  # 30 April, 1 May, a weekend
    ("2026-11-23 17:00", "2026-11-25 08:15", 0.75),  # 24 November, new from 2026
    ("2025-11-24 08:00", "2025-11-24 17:30", 8.0),  # no day off yet
    ("2022-04-08 16:30", "2022-04-12 08:30", 1.5),  # Giỗ Tổ on a Sunday: Monday off
    ("2022-04-29 17:00", "2022-05-04 08:30", 1.0),  # both days on a weekend: Monday and Tuesday off
    ("2023-04-28 17:00", "2023-05-04 09:00", 1.5),  # 29 April to 3 May
    ("2021-04-29 17:00", "2021-05-04 08:00", 0.5),  # 1 May on a Saturday: Monday off
    ("2023-08-31 13:30", "2023-09-05 08:00", 4.0),  # 1 to 4 September
    ("2024-08-30 17:00", "2024-09-04 08:30", 1.0),  # 2 and 3 September
    ("2018-08-31 17:00", "2018-09-04 08:30", 1.0),  # 2 September on a Sunday: Monday off
    ("2020-09-01 17:00", "2020-09-03 08:30", 1.0),  # 2 September alone
]
PROMISES = [
    # received, working hours, due
    ("2026-09-14 08:12", 24.0, "2026-09-17 08:12"),  # three days
    ("2026-09-07 08:30", 80.0, "2026-09-21 08:30"),  # ten days
    ("2026-09-07 16:30", 2.0, "2026-09-08 09:00"),  # steps in hours (QĐ 663: 02/03/02/01)
    ("2026-09-07 11:00", 3.0, "2026-09-07 15:30"),  # over lunch
    ("2026-09-07 11:00", 1.0, "2026-09-07 12:00"),  # to the end of the morning, not the start of the afternoon
    ("2026-09-11 16:00", 8.0, "2026-09-14 16:00"),
    ("2026-09-11 18:00", 8.0, "2026-09-14 17:30"),  # received after closing: the whole next day
    ("2026-09-12 10:00", 4.0, "2026-09-14 12:00"),  # received on a Saturday
    ("2026-02-13 08:00", 16.0, "2026-02-23 17:30"),  # over Tết
    ("2026-01-09 08:00", 16.0, "2026-01-10 17:30"),  # the second day is the Saturday made up
    ("2026-08-28 13:30", 8.0, "2026-09-03 12:00"),
    ("2026-09-07 08:00", 0.5, "2026-09-07 08:30"),
]


@pytest.mark.parametrize(("start", "end", "hours"), HOURS)
def test_working_hours_by_hand(start: str, end: str, hours: float) -> None:
    assert VIETNAM.working_hours(local(start), local(end)) == pytest.approx(hours, abs=1e-9)


@pytest.mark.parametrize(("received", "hours", "due"), PROMISES)
def test_promises_by_hand(received: str, hours: float, due: str) -> None:
    assert VIETNAM.add(local(received), hours) == local(due)


def run(due: str | None, as_of: str, *events: tuple[str, ...]) -> CaseState:
    """A dossier received on Monday 7 September 2026 at 8:30; events as (moment, kind[, new promise])."""
    told = [
        Happening(kind, local(f"2026-{at}"), local(f"2026-{more[0]}") if more else None) for at, kind, *more in events
    ]
    return replay(
        local("2026-09-07 08:30"), local(f"2026-{due}") if due else None, told, local(f"2026-{as_of}"), VIETNAM
    )


def test_running_paused_and_resumed() -> None:
    running = run("09-21 08:30", "09-08 08:30")
    assert (running.elapsed_hours, running.own_hours, running.lawful_due_at) == (8, 8, local("2026-09-21 08:30"))
    paused = run("09-21 08:30", "09-18 08:30", ("09-15 10:15", "papers_requested"))
    assert paused.paused_since == local("2026-09-15 10:15")
    left = VIETNAM.working_hours(local("2026-09-15 10:15"), local("2026-09-21 08:30"))
    assert paused.lawful_due_at is not None
    assert VIETNAM.working_hours(paused.until, paused.lawful_due_at) == left, "the time left stands still"
    assert (paused.own_hours, paused.citizen_hours) == (49.75, 22.25)
    again = run("09-21 08:30", "09-18 08:30", ("09-15 10:15", "papers_requested"), ("09-17 14:00", "papers_supplied"))
    assert (again.citizen_hours, again.paused_since) == (18.25, None)
    assert again.own_hours + again.citizen_hours == again.elapsed_hours == 72


def test_a_pause_over_a_holiday_costs_only_working_time() -> None:
    clock = replay(
        local("2026-02-10 08:00"), local("2026-03-10 08:00"),
        [Happening("papers_requested", local("2026-02-13 16:30")),
         Happening("papers_supplied", local("2026-02-23 09:00"))],
        local("2026-02-24 08:00"), VIETNAM,
    )  # fmt: skip
    assert clock.citizen_hours == 2
    assert clock.supplement_hours == 2


def test_financial_duty_stops_the_clock_and_is_no_supplement() -> None:
    clock = run("09-21 08:30", "09-12 00:00", ("09-08 08:30", "suspended"), ("09-10 08:30", "resumed"))
    assert (clock.citizen_hours, clock.supplement_hours, clock.requests) == (16, 0, 0)


def test_a_consulted_office_has_its_own_share() -> None:
    clock = run("09-21 08:30", "09-14 08:30", ("09-08 08:30", "consulted"), ("09-10 08:30", "consultation_answered"))
    assert (clock.own_hours, clock.other_hours, clock.citizen_hours) == (24, 16, 0)


def test_promises_moved_reset_and_missed() -> None:
    moved = run(
        "09-21 08:30",
        "10-15 00:00",
        ("09-20 09:00", "extended", "10-01 08:30"),
        ("09-25 09:00", "reset", "10-20 08:30"),
    )
    assert [promise.how for promise in moved.promises] == ["received", "extended", "reset"]
    assert (moved.resets, moved.due_at) == (1, local("2026-10-20 08:30"))
    assert moved.late, "an extension on the day before the promise and a reset move no lawful promise"
    assert Flag.MOVED_LAST_MINUTE in moved.flags
    assert run("09-21 08:30", "09-21 08:31").late
    assert not run("09-21 08:30", "09-21 08:30", ("09-21 08:30", "decided")).late
    assert run("09-21 08:30", "10-15 00:00", ("09-21 08:31", "decided")).late
    assert not run("09-21 08:30", "10-15 00:00", ("09-18 08:30", "papers_requested")).late, "the citizen's turn"


def test_a_dossier_reopened_within_thirty_days_is_the_same_case() -> None:
    soon = run("09-21 08:30", "10-15 00:00", ("09-10 08:30", "decided"), ("09-15 08:30", "reopened"))
    assert (soon.ended_at, soon.reopened, soon.late) == (None, 1, True)
    later = run(
        "09-21 08:30",
        "12-15 00:00",
        ("09-10 08:30", "decided"),
        ("11-15 08:30", "reopened"),
        ("12-01 08:30", "decided"),
    )
    assert (later.reopened, later.ended_at) == (0, local("2026-12-01 08:30"))


def test_processing_ends_before_the_result_is_handed_out() -> None:
    clock = run("09-21 08:30", "10-15 00:00", ("09-18 08:30", "decided"), ("09-28 08:30", "delivered"))
    assert clock.ended_at == local("2026-09-18 08:30")
    assert run("09-21 08:30", "10-15 00:00", ("09-18 08:30", "delivered")).ended_at == local("2026-09-18 08:30")


@pytest.mark.parametrize(
    ("due", "events", "official", "recomputed"),
    [
        ("09-21 08:30", [("09-18 16:00", "decided")], "before", "before"),
        ("09-21 08:30", [("09-21 08:00", "decided")], "on_time", "on_time"),
        ("09-21 08:30", [("09-21 08:31", "decided")], "overdue", "overdue"),  # rule 1
        ("09-21 08:30", [("09-18 16:00", "decided"), ("09-30 16:00", "delivered")], "before", "before"),  # rule 2
        ("09-21 08:30", [("09-18 16:00", "refused")], "before", "before"),
        ("09-21 08:30", [("09-18 16:00", "papers_requested")], "within", "within"),  # rule 3
        ("10-21 08:30", [("09-10 09:00", "papers_requested"), ("09-11 09:00", "papers_supplied"),
                         ("09-14 09:00", "papers_requested"), ("09-15 09:00", "papers_supplied"),
                         ("09-18 09:00", "decided")], "overdue", "before"),  # rule 4
        ("09-21 08:30", [("09-10 08:30", "papers_requested"), ("09-15 08:30", "papers_supplied"),
                         ("09-23 08:30", "decided")], "on_time", "before"),  # rule 5: three days off
        ("09-21 08:30", [], "overdue_open", "overdue_open"),  # rule 6
        ("09-21 08:30", [("09-25 16:00", "papers_requested")], "overdue_open", "overdue_open"),  # asked too late
        (None, [("09-18 16:00", "decided")], "on_time", "unknown"),  # rule 7: within ten days
        (None, [("09-30 16:00", "decided")], "overdue", "unknown"),
    ],
)  # fmt: skip
def test_classes_by_the_rules_of_766(
    due: str | None, events: list[tuple[str, ...]], official: str, recomputed: str
) -> None:
    clock = run(due, "10-15 00:00", *events)
    assert class_766(clock, VIETNAM, legal_days=10) == OfficialClass(official)
    assert class_recomputed(clock, VIETNAM) == OfficialClass(recomputed)


kinds = st.sampled_from(["papers_requested", "papers_supplied", "suspended", "resumed", "consulted",
                         "consultation_answered",
                         "assigned", "note", "decided", "reopened", "delivered"])  # fmt: skip
histories = st.lists(st.tuples(st.integers(0, 40 * 24 * 60), kinds), max_size=12)


@given(histories, st.integers(1, 45 * 24 * 60))
@settings(max_examples=200)
def test_shares_add_up_and_time_only_grows(history: list[tuple[int, str]], minutes: int) -> None:
    received = local("2026-08-17 08:00")
    events = [Happening(kind, received + timedelta(minutes=after)) for after, kind in history]
    due = VIETNAM.add(received, 80)

    def at(moment: datetime) -> CaseState:
        return replay(received, due, events, moment, VIETNAM)

    clock = at(received + timedelta(minutes=minutes))
    assert min(clock.own_hours, clock.citizen_hours, clock.other_hours) >= 0
    if clock.reopened == 0 and not any(kind == "reopened" for _, kind in history):
        until = clock.ended_at or clock.until
        assert clock.elapsed_hours == pytest.approx(VIETNAM.working_hours(received, until), abs=1e-6)
    later = at(clock.until + timedelta(hours=5))
    assert later.citizen_hours >= clock.citizen_hours - 1e-9
    assert later.requests >= clock.requests
    if clock.lawful_due_at is not None and later.lawful_due_at is not None:
        assert later.lawful_due_at >= clock.lawful_due_at


def test_there_are_sixty_cases_by_hand() -> None:
    assert len(HOURS) + len(PROMISES) >= 60
