"""Features go by the lawful promise: an office that moves a due date of its own accord lowers no cell of it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from features.calendar.vietnam import VIETNAM
from features.case_state.relation import states_of_cases
from features.case_state.slip import first_of
from features.matrix import batch as matrix
from features.record.delivery import Chunk
from features.record.record import Record
from serving.scoring.online import OnlineScorer
from tests.bench.unlawful_moves import AT, MOVES, measured
from tests.drawn_office import settings_of
from tests.drawn_record import ARRIVED, local
from tests.drawn_views import cases, moment, views

LAWFUL = ("hours_left", "time_used", "promise_used", "days_left", "first_term_hours", "paused_hours", "stopped")
WAY = ("step", "step_hours", "steps", "steps_again", "events", "silent_hours", "longest_gap_hours", "step_late_rate",
       "step_left_hours", "procedure_step_late_rate", "procedure_step_left_hours")  # fmt: skip
MOVED = ("term_moved_hours", "moved_beyond_hours", "extensions", "resets", "apologies")
START = local("2026-09-07 08:00")
Row = dict[str, Any]

hours = st.integers(1, 24 * 12)
_steps = st.sampled_from(["assigned", "note", "papers_requested", "papers_supplied", "suspended", "resumed"])


@st.composite
def twins(draw: st.DrawFn) -> tuple[list[Row], list[Row], list[Row]]:
    """A dossier and others of its office, their events, and moves of its due date that no law lets the office make,
    told with a step of their own or with that of other work."""
    due = START + timedelta(hours=draw(hours))
    dossiers = [_dossier(f"d{n}", START + timedelta(hours=draw(hours))) for n in range(2)]
    dossiers.append(_dossier("moved", due))
    events = [
        {"dossier_id": draw(st.sampled_from(["d0", "d1", "moved"])), "kind": draw(_steps), "official_id": "o",
         "happened_at": START + timedelta(hours=draw(hours))}
        for _ in range(draw(st.integers(0, 9)))
    ]  # fmt: skip
    moves = []
    for kind in draw(st.lists(st.sampled_from(["reset", "extended", "apologised"]), min_size=1, max_size=3)):
        at = START + timedelta(hours=draw(hours))
        to = at + timedelta(hours=draw(st.integers(24, 24 * 30)))
        moves.append(
            {"dossier_id": "moved", "kind": kind, "happened_at": at, "due_at": to, "official_id": "o",
             "step": draw(st.sampled_from(["Đặt lại hạn", "assigned"]))}
        )  # fmt: skip
    return dossiers, events, moves


def _dossier(name: str, due: Any) -> Row:
    return {"dossier_id": name, "procedure_code": "p", "unit_code": "u", "received_at": START, "due_at": due}


def cells(dossiers: list[Row], events: list[Row], asked: pa.Table) -> list[Row]:
    found: list[Row] = matrix.build(views(dossier=dossiers, event=events), asked, calendar=VIETNAM).to_pylist()
    return found


@given(twins(), st.lists(hours, min_size=2, max_size=4))
@settings(max_examples=12, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
def test_a_due_date_that_the_office_moves_changes_no_lawful_cell(
    twin: tuple[list[Row], list[Row], list[Row]], at: list[int]
) -> None:
    """At no later moment, of the dossier itself and of the totals of its office, procedure, official and step."""
    dossiers, events, moves = twin
    moments = [START + timedelta(hours=hour, microseconds=1) for hour in [*at, 24 * 13, 24 * 40]]
    asked = cases(*((name, one) for one in moments for name in ("moved", "d0")))
    plain, turned = (cells(dossiers, told, asked) for told in (events, events + moves))
    totals = [
        feature.name for feature in matrix.FEATURES
        if feature.name.endswith(("_overdue", "_late_rate", "_late_rate_90", "_known", "_open")) and
        feature.grain.value in ("unit", "procedure", "record")
    ]  # fmt: skip
    assert len(totals) > 8
    for one, other in zip(plain, turned, strict=True):
        same = (*LAWFUL, *WAY, *totals)
        assert {name: other[name] for name in same} == {name: one[name] for name in same}
        assert all(other[name] >= one[name] for name in MOVED if name != "term_moved_hours")


def test_every_feature_of_a_moved_promise_may_only_raise_the_score() -> None:
    bound = {feature.name: feature.monotone for feature in matrix.FEATURES}
    assert {bound[name] for name in MOVED} == {1}
    assert {bound["hours_left"], bound["days_left"]} == {-1}


TOTALS = """
dossier_id | procedure_code | unit_code | received_at      | due_at
asked      | p              | u         | 2026-09-07T08:00 | 2026-09-30T17:30
waits      | p              | u         | 2026-09-07T08:00 | 2026-09-09T17:30
reset      | p              | u         | 2026-09-07T08:00 | 2026-09-09T17:30
aside      | p              | u         | 2026-09-07T08:00 | 2026-09-09T17:30
back       | p              | u         | 2026-09-07T08:00 | 2026-09-09T17:30
"""
COURSE = """
dossier_id | kind             | happened_at      | due_at
waits      | papers_requested | 2026-09-08T08:00 |
reset      | reset            | 2026-09-09T09:00 | 2026-09-25T17:30
aside      | decided          | 2026-09-04T08:00 |
back       | papers_requested | 2026-09-08T08:00 |
back       | papers_supplied  | 2026-09-10T08:00 |
"""


@pytest.mark.parametrize(
    ("day", "unit_open", "overdue", "known"),
    [
        ("2026-09-10", 4, 1, 1),  # of four open ones the reset one is overdue; who waits is not; one is set aside
        ("2026-09-12", 4, 1, 1),  # two working days were the citizen's: until Friday the 11th, 17:30
        ("2026-09-14", 4, 1, 1),  # Friday evening and the weekend are still in time, for no time is worked
        ("2026-09-15", 4, 2, 2),
    ],
)
def test_totals_count_by_the_lawful_clock(day: str, unit_open: int, overdue: int, known: int) -> None:
    con = views(dossier=TOTALS, event=COURSE)
    (row,) = matrix.build(con, cases(("asked", f"{day}T09:00")), calendar=VIETNAM).to_pylist()
    assert (row["unit_open"], row["unit_overdue"] * unit_open, row["unit_known"]) == (unit_open, overdue, known)


def test_a_row_told_anew_moves_the_promise_in_force_alone() -> None:
    """T8: the portal sends the row again with another date in it."""
    rows = [
        _dossier("d", moment("2026-09-09T17:30")) | {"known_at": START},
        _dossier("d", moment("2026-09-25T17:30")) | {"known_at": START + timedelta(days=2)},
    ]
    (row,) = cells(rows, [], cases(("d", "2026-09-10T08:00")))
    assert (row["hours_left"], row["term_moved_hours"], row["moved_beyond_hours"]) == (0, 96, 96)
    assert first_of((one["known_at"], one["due_at"]) for one in rows) == rows[0]["due_at"]
    assert first_of([(START, None), (START, rows[1]["due_at"]), (START, rows[0]["due_at"])]) == rows[0]["due_at"]


def test_the_matrix_says_what_the_state_says() -> None:
    """Working hours left to the lawful promise of `case_state`, at every hour of a course."""
    con = views(dossier=TOTALS, event=COURSE)
    names = ("waits", "reset", "back")
    asked = cases(*((name, START + timedelta(hours=h, microseconds=1)) for h in range(1, 240, 5) for name in names))
    table = matrix.build(con, asked, calendar=VIETNAM)
    with states_of_cases(con, asked, VIETNAM) as states:
        lawful = states.order("dossier_id").to_arrow_table()["lawful_due_at"].cast(pa.timestamp("us", "UTC"))
    for row, due_at in zip(table.to_pylist(), lawful.to_pylist(), strict=True):
        assert row["hours_left"] == pytest.approx(VIETNAM.working_hours(row["as_of"], due_at)), row["dossier_id"]


def test_a_posted_row_is_held_to_the_promise_that_the_record_knows(tmp_path: Path) -> None:
    """One who posts a dossier with the date that now stands in it is told of the first promise, where it is at hand."""
    record = Record(tmp_path / "record")
    first, now = local("2026-09-09 17:30"), local("2026-09-10 09:00")
    rows = [_dossier("d", first) | {"known_at": START}]
    record.append(iter([Chunk("dossier", rows)]), source="drawn", arrived_at=ARRIVED)
    desk = OnlineScorer(settings_of(tmp_path), VIETNAM, record=record)
    desk.refresh(now)
    posted = _dossier("d", local("2026-09-25 17:30"))
    assert desk._ground is not None
    assert desk._first_promise(desk._ground, posted, now) == first
    assert desk._first_promise(desk._ground, posted | {"dossier_id": "new"}, now) == posted["due_at"]


def test_no_score_falls_by_a_move_that_no_law_allows(tmp_path: Path) -> None:
    """Whoever has the dossier in hand sets its promise anew, or extends it twice: no open dossier gains by it."""
    chosen = (MOVES[0], MOVES[2], MOVES[4])
    found = measured(tmp_path, 7, 700, lambda _: None, AT[1:3], chosen)
    assert [one.move for one in found] == list(chosen)
    for one in found:
        assert len(one.plain) > 20
        assert one.fall.max() <= 1e-9, one.move.words
        assert one.fall.min() < -1e-3  # it is told, and raises some
