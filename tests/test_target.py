"""Lateness: who is in the cohort, what counts as late, and that nothing later than a moment plays a part."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.calendar.vietnam import VIETNAM
from features.case_state.replay import Happening, replay
from features.record.delivery import Chunk
from features.record.record import Record
from features.record.utc import aware_utc
from features.simulate import simulate
from models.cases import cohort, labels, landmarks
from models.targets import PROMISE_MOVED, RETURNED_WRONGLY
from tests.drawn_views import moment, views

DOSSIERS = """
    dossier_id | procedure_code | unit_code | received_at      | due_at           | known_at
    in-time    | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    late       | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    open       | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    extended   | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    reset      | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    papers     | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    delivered  | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    reopened   | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    no-promise | P              | U         | 2026-03-02T08:00 |                  |
    heard-late | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    unripe     | P              | U         | 2026-03-02T08:00 | 2026-05-10T17:00 |
"""
EVENTS = """
    dossier_id | kind      | happened_at      | known_at         | due_at           | reason
    in-time    | decided   | 2026-03-10T17:00 |                  |                  |
    late       | decided   | 2026-03-10T17:01 |                  |                  |
    extended   | extended  | 2026-03-09T08:00 |                  | 2026-03-20T17:00 | ốm
    extended   | decided   | 2026-03-19T08:00 |                  |                  |
    reset      | reset     | 2026-03-09T08:00 |                  | 2026-03-20T17:00 | ốm
    reset      | decided   | 2026-03-19T08:00 |                  |                  |
    papers     | papers_requested | 2026-03-06T08:00 |           |                  |
    papers     | papers_supplied  | 2026-03-11T08:00 |           | 2026-03-13T17:00 |
    papers     | decided   | 2026-03-13T10:00 |                  |                  |
    delivered  | decided   | 2026-03-09T08:00 |                  |                  |
    delivered  | delivered | 2026-03-15T08:00 |                  |                  |
    reopened   | decided   | 2026-03-06T08:00 |                  |                  |
    reopened   | reopened  | 2026-03-07T08:00 |                  |                  |
    reopened   | refused   | 2026-03-12T08:00 |                  |                  |
    heard-late | decided   | 2026-03-09T08:00 | 2026-06-01T08:00 |                  |
    unripe     | decided   | 2026-03-09T08:00 |                  |                  |
"""
CUTOFF = moment("2026-04-01T00:00")


def _cases(as_of: datetime, *ids: str) -> pa.Table:
    return pa.table({"dossier_id": list(ids), "as_of": pa.array([as_of] * len(ids), pa.timestamp("us", "UTC"))})


@pytest.mark.parametrize(
    ("dossier", "as_of", "label"),
    [
        ("in-time", "2026-03-05T08:00", 0.0),
        ("late", "2026-03-05T08:00", 1.0),
        ("open", "2026-03-05T08:00", 1.0),
        ("extended", "2026-03-05T08:00", 0.0),  # one extension with a reason, in time, is lawful
        ("extended", "2026-03-10T08:00", 0.0),
        ("reset", "2026-03-05T08:00", 1.0),  # a reset moves nothing by law
        ("reset", "2026-03-10T08:00", 1.0),
        ("papers", "2026-03-05T08:00", 0.0),  # the citizen's time is not the office's
        ("papers", "2026-03-10T08:00", 0.0),
        ("delivered", "2026-03-05T08:00", 0.0),  # processing ended with the decision
        ("reopened", "2026-03-05T08:00", 1.0),  # the end after the reopening counts
        ("no-promise", "2026-03-05T08:00", None),
        ("heard-late", "2026-03-05T08:00", 1.0),  # at the cutoff nobody knew that it had ended
        ("unripe", "2026-03-05T08:00", None),  # ended early, but others like it may still become late
    ],
)
def test_the_label_is_read_from_what_the_cutoff_knows(dossier: str, as_of: str, label: float | None) -> None:
    con = views(dossier=DOSSIERS, event=EVENTS)
    found = labels(con, _cases(moment(as_of), dossier), CUTOFF)
    assert found["label"].to_pylist() == [label]


@pytest.mark.parametrize(
    ("dossier", "as_of", "label"),
    [
        ("extended", "2026-03-05T08:00", 1.0),  # a lawful move is a move
        ("extended", "2026-03-10T08:00", 0.0),  # moved already, and kept
        ("reset", "2026-03-05T08:00", 1.0),
        ("papers", "2026-03-05T08:00", 0.0),  # the citizen's time, booked by the source
        ("in-time", "2026-03-05T08:00", 0.0),
        ("unripe", "2026-03-05T08:00", None),
        ("no-promise", "2026-03-05T08:00", None),
    ],
)
def test_whether_the_office_moves_its_promise(dossier: str, as_of: str, label: float | None) -> None:
    con = views(dossier=DOSSIERS, event=EVENTS)
    assert labels(con, _cases(moment(as_of), dossier), CUTOFF, PROMISE_MOVED)["label"].to_pylist() == [label]


PROCEDURES = """
    procedure_code | papers                     | max_supplements | valid_from       | valid_to         | known_at
    P              | Đơn; Ảnh thẻ               |                 | 2020-01-01T00:00 | 2026-01-01T00:00 | 2020-01-01
    P              | Đơn; Bản sao CCCD (nếu có) |                 | 2026-01-01T00:00 |                  | 2026-01-01
    R              | Đơn                        | 2               |                  |                  | 2026-01-01
"""


@pytest.mark.parametrize(
    ("procedure", "asked", "label"),
    [
        ("P", {}, 0.0),
        ("P", {"03-06T08:00": "Bản sao CCCD"}, 0.0),  # on the list, and the first time
        ("P", {"03-06T08:00": "Bản sao CCCD; Ảnh thẻ"}, 1.0),  # a photograph is on the list of years ago
        ("P", {"03-06T08:00": ""}, 0.0),  # nothing told, nothing held against anybody
        ("P", {"03-03T08:00": "Đơn", "03-06T08:00": "Đơn"}, 1.0),  # twice
        ("P", {"03-03T08:00": "Ảnh thẻ"}, 0.0),  # before the case's moment
        ("P", {"03-12T08:00": "Ảnh thẻ"}, 0.0),  # after the horizon
        ("Q", {"03-06T08:00": "Ảnh thẻ"}, 0.0),  # no list is published for it
        ("Q", {"03-03T08:00": "Đơn", "03-06T08:00": "Đơn"}, 1.0),  # once where no other number is told
        ("R", {"03-03T08:00": "Đơn", "03-06T08:00": "Đơn"}, 0.0),  # this procedure may ask twice
        ("R", {"03-03T08:00": "Đơn", "03-04T08:00": "Đơn", "03-06T08:00": "Đơn"}, 1.0),
    ],
)
def test_whether_papers_are_asked_for_beyond_the_published_list_or_too_often(
    procedure: str, asked: dict[str, str], label: float
) -> None:
    dossier = {"dossier_id": "x", "procedure_code": procedure, "unit_code": "U", "received_at": "2026-03-02T08:00",
               "due_at": "2026-03-10T17:00"}  # fmt: skip
    events = [{"dossier_id": "x", "kind": "papers_requested", "happened_at": f"2026-{at}", "papers": papers or None}
              for at, papers in asked.items()]  # fmt: skip
    con = views(dossier=[dossier], procedure=PROCEDURES, event=events)
    cases = _cases(moment("2026-03-05T08:00"), "x")
    assert labels(con, cases, CUTOFF, RETURNED_WRONGLY)["label"].to_pylist() == [label]
    assert labels(con, cases, moment("2026-03-06T07:00"), RETURNED_WRONGLY)["label"].to_pylist() == [None]


def test_no_landmark_of_label_one_ends_on_time_by_the_lawful_clock(tmp_path: Path) -> None:
    """In a province with pauses, extensions, resets, reopenings: recounted dossier by dossier by the twin."""
    province = simulate(seed=5, dossiers=800, start=date(2026, 3, 2), end=date(2026, 6, 30))
    record = Record(tmp_path)
    chunks = [Chunk(name, table.to_pylist()) for name, table in province.tables.items()]
    record.append(iter(chunks), source="canonical", arrived_at=moment("2027-01-01T00:00"))
    cutoff = moment("2026-06-30T00:00")
    con = record.connect(cutoff=cutoff)
    cases_ = landmarks(con, moment("2026-03-02T00:00"), cutoff, every=timedelta(days=7), at_arrival=True)
    told = labels(con, cases_, cutoff).to_pylist()
    facts = con.sql("SELECT dossier_id, received_at, due_at FROM dossier_latest").to_arrow_table().to_pylist()
    events: dict[str, list[Happening]] = {}
    rows = con.execute("SELECT dossier_id, kind, happened_at, due_at, reason FROM event_latest"
                       " ORDER BY happened_at, known_at, row_id").fetchall()  # fmt: skip
    for name, kind, at, due, reason in rows:
        events.setdefault(name, []).append(Happening(kind, aware_utc(at), aware_utc(due), reason))
    late = {}
    for row in facts:
        name = row["dossier_id"]
        state = replay(aware_utc(row["received_at"]), aware_utc(row["due_at"]), events.get(name, []), cutoff, VIETNAM)
        late[name] = state.late
    ones = [row for row in told if row["label"] == 1]
    assert len(ones) > 100
    assert not [row for row in ones if not late[row["dossier_id"]]]
    assert not [row for row in told if row["label"] == 0 and late[row["dossier_id"]]]


def test_labels_keep_the_order_of_cases_and_repeat_for_repeated_ones() -> None:
    con = views(dossier=DOSSIERS, event=EVENTS)
    at = moment("2026-03-05T08:00")
    found = labels(con, _cases(at, "late", "in-time", "late", "never heard of"), CUTOFF)
    assert found["dossier_id"].to_pylist() == ["late", "in-time", "late", "never heard of"]
    assert found["label"].to_pylist() == [1.0, 0.0, 1.0, None]


def test_the_cohort_is_open_known_and_not_yet_due() -> None:
    con = views(dossier=DOSSIERS, event=EVENTS)
    assert cohort(con, moment("2026-03-06T08:00"))["dossier_id"].to_pylist() == [
        "delivered", "extended", "heard-late", "in-time", "late", "open", "papers", "reopened", "reset", "unripe",
    ]  # fmt: skip
    assert cohort(con, moment("2026-03-11T08:00"))["dossier_id"].to_pylist() == ["extended", "papers"]
    overdue = cohort(con, moment("2026-03-11T08:00"), overdue=True)["dossier_id"].to_pylist()
    assert overdue == ["extended", "heard-late", "no-promise", "open", "papers", "reopened", "reset"]
    assert cohort(con, moment("2026-03-02T08:00")).num_rows == 0, "known before as_of, not at it"


def test_landmarks_at_arrival_stand_one_microsecond_after_receipt() -> None:
    con = views(dossier=DOSSIERS, event=EVENTS)
    found = landmarks(con, moment("2026-03-01T00:00"), CUTOFF, at_arrival=True)
    assert found.num_rows == 10, "all but the one without a promise"
    assert set(found["as_of"].to_pylist()) == {moment("2026-03-02T08:00") + timedelta(microseconds=1)}


def test_weekly_landmarks_start_at_the_start_and_include_the_end() -> None:
    con = views(dossier=DOSSIERS, event=EVENTS)
    start = moment("2026-03-03T00:00")
    found = landmarks(con, start, start + timedelta(days=14), every=timedelta(days=7))
    ids: dict[datetime, list[str]] = {}
    for row in found.to_pylist():
        ids.setdefault(row["as_of"], []).append(row["dossier_id"])
    assert list(ids) == [start, start + timedelta(days=7), start + timedelta(days=14)]
    assert ids[start + timedelta(days=7)] == [
        "extended", "heard-late", "in-time", "late", "open", "papers", "reopened", "reset"]  # fmt: skip
    assert ids[start + timedelta(days=14)] == ["extended"]


def test_landmarks_at_shares_of_the_term() -> None:
    con = views(
        dossier=[{"dossier_id": "A", "procedure_code": "P", "unit_code": "U",
                  "received_at": "2026-03-02T08:00", "due_at": "2026-03-06T08:00"}])  # fmt: skip
    found = landmarks(con, moment("2026-03-01T00:00"), CUTOFF, at_shares=(0.25, 0.5))
    assert found["as_of"].to_pylist() == [moment("2026-03-03T08:00"), moment("2026-03-04T08:00")]


def test_landmarks_want_to_know_when() -> None:
    with pytest.raises(ValueError, match="at least one of every"):
        landmarks(views(), CUTOFF, CUTOFF)
    with pytest.raises(ValueError, match="wanted an aware moment"):
        landmarks(views(), datetime(2026, 1, 1), CUTOFF, at_arrival=True)  # noqa: DTZ001


@settings(max_examples=12)
@given(
    ends=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20)), min_size=1, max_size=6),
    cutoff=st.integers(1, 60),
    as_of=st.integers(0, 30),
)
def test_what_is_known_at_the_cutoff_or_later_changes_no_label(
    ends: list[tuple[int, int]], cutoff: int, as_of: int
) -> None:
    """Rows that became known later may stand in the record: labels are those of the truncated record."""
    zero = datetime(2026, 1, 1, tzinfo=UTC)
    dossiers: list[dict[str, Any]] = [
                {"dossier_id": f"d{n}", "procedure_code": "P", "unit_code": "U", "received_at": zero,
                 "due_at": zero + timedelta(days=20)} for n in range(len(ends))]  # fmt: skip
    events: list[dict[str, Any]] = [
              {"dossier_id": f"d{n}", "kind": "decided", "happened_at": zero + timedelta(days=day),
               "known_at": zero + timedelta(days=day + delay)} for n, (day, delay) in enumerate(ends)]  # fmt: skip
    at = zero + timedelta(days=cutoff)
    known = [event for event in events if event["known_at"] < at]
    cases = _cases(zero + timedelta(days=as_of, hours=1), *(row["dossier_id"] for row in dossiers))
    whole = labels(views(dossier=dossiers, event=events), cases, at)
    cut = labels(views(dossier=dossiers, event=known), cases, at)
    assert whole["label"].to_pylist() == cut["label"].to_pylist()
    for (day, delay), label in zip(ends, whole["label"].to_pylist(), strict=True):
        if label is not None:
            assert cutoff > 20, "a label is known only when the promise has passed"
            assert label == (0.0 if day <= 20 and day + delay < cutoff else 1.0)
