"""The one "now": the moment asked for, or the end of what a record knows that has fallen behind by a working day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.calendar.vietnam import VIETNAM
from features.record.delivery import Chunk
from features.record.reading_moment import ReadingMoment
from features.record.record import Record
from serving.state import open_state
from serving.work.trackers import read_tracked
from tests.drawn_record import ARRIVED, local

FRIDAY = local("2026-09-11 16:00")


@pytest.mark.parametrize(
    ("asked", "behind"),
    [
        ("2026-09-11 16:30", False),
        ("2026-09-14 07:00", False),  # Monday morning: an hour of work on Friday was missed
        ("2026-09-14 16:00", False),  # eight hours of work
        ("2026-09-14 16:01", True),
        ("2026-11-29 08:00", True),
    ],
)
def test_a_record_is_behind_after_one_working_day(asked: str, behind: bool) -> None:
    moment = ReadingMoment.of(local(asked), FRIDAY, VIETNAM)
    assert moment.behind is behind
    assert moment.as_of == (FRIDAY + timedelta(microseconds=1) if behind else local(asked))


@given(st.integers(0, 60 * 24 * 365), st.integers(-60, 60 * 24 * 60))
def test_a_record_is_never_read_at_a_moment_that_was_not_asked_for_nor_known(asked: int, minutes: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=asked)
    known = now - timedelta(minutes=minutes)
    moment = ReadingMoment.of(now, known, VIETNAM)
    assert moment.as_of <= max(now, known)
    assert moment.as_of >= min(now, known)
    assert moment.behind == (VIETNAM.working_hours(known, now) > 8)


def test_a_record_without_dossiers_is_read_at_the_moment_asked_for(tmp_path: Path) -> None:
    with Record(tmp_path / "record").connect() as con:
        assert ReadingMoment.read(con, FRIDAY, VIETNAM).as_of == FRIDAY


def test_what_a_record_cannot_know_opens_no_slip(tmp_path: Path) -> None:
    record, state = Record(tmp_path / "record"), open_state(f"sqlite:///{tmp_path / 'state.db'}")
    told = {
        "dossier_id": "D", "procedure_code": "P", "unit_code": "U", "received_at": "2026-09-01T08:00:00",
        "due_at": "2026-09-14T10:00:00",
    }  # fmt: skip
    news = {"dossier_id": "D", "kind": "note", "happened_at": "2026-09-11T16:00:00"}
    record.append([Chunk("dossier", [told]), Chunk("event", [news])], source="drawn", arrived_at=ARRIVED)
    try:
        later = read_tracked(record, state, VIETNAM, local("2026-11-29 08:00"))
        assert later.moment.behind
        assert later.moment.known_until == FRIDAY
        assert not later.late, "on Friday afternoon its promise lay ahead"
        fresh = read_tracked(record, state, VIETNAM, local("2026-09-14 15:00"))
        assert list(fresh.late) == ["D"]
    finally:
        state.close()
