"""Lateness: who is in the cohort, what counts as late, and that nothing later than a moment plays a part."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from drawn_views import moment, views
from hypothesis import given, settings
from hypothesis import strategies as st

from models.lateness import cohort, labels, landmarks

DOSSIERS = """
    dossier_id | procedure_code | unit_code | received_at      | due_at           | known_at
    in-time    | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    late       | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    open       | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    extended   | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    delivered  | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    reopened   | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    no-promise | P              | U         | 2026-03-02T08:00 |                  |
    heard-late | P              | U         | 2026-03-02T08:00 | 2026-03-10T17:00 |
    unripe     | P              | U         | 2026-03-02T08:00 | 2026-05-10T17:00 |
"""
EVENTS = """
    dossier_id | kind      | happened_at      | known_at         | due_at
    in-time    | decided   | 2026-03-10T17:00 |                  |
    late       | decided   | 2026-03-10T17:01 |                  |
    extended   | extended  | 2026-03-09T08:00 |                  | 2026-03-20T17:00
    extended   | decided   | 2026-03-19T08:00 |                  |
    delivered  | decided   | 2026-03-09T08:00 |                  |
    delivered  | delivered | 2026-03-15T08:00 |                  |
    reopened   | decided   | 2026-03-06T08:00 |                  |
    reopened   | reopened  | 2026-03-07T08:00 |                  |
    reopened   | refused   | 2026-03-12T08:00 |                  |
    heard-late | decided   | 2026-03-09T08:00 | 2026-06-01T08:00 |
    unripe     | decided   | 2026-03-09T08:00 |                  |
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
        ("extended", "2026-03-05T08:00", 1.0),  # the promise in force then was missed
        ("extended", "2026-03-10T08:00", 0.0),  # the new promise was kept
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


def test_labels_keep_the_order_of_cases_and_repeat_for_repeated_ones() -> None:
    con = views(dossier=DOSSIERS, event=EVENTS)
    at = moment("2026-03-05T08:00")
    found = labels(con, _cases(at, "late", "in-time", "late", "never heard of"), CUTOFF)
    assert found["dossier_id"].to_pylist() == ["late", "in-time", "late", "never heard of"]
    assert found["label"].to_pylist() == [1.0, 0.0, 1.0, None]


def test_the_cohort_is_open_known_and_not_yet_due() -> None:
    con = views(dossier=DOSSIERS, event=EVENTS)
    assert cohort(con, moment("2026-03-06T08:00"))["dossier_id"].to_pylist() == [
        "delivered", "extended", "heard-late", "in-time", "late", "open", "reopened", "unripe"]  # fmt: skip
    assert cohort(con, moment("2026-03-11T08:00"))["dossier_id"].to_pylist() == ["extended"]
    overdue = cohort(con, moment("2026-03-11T08:00"), overdue=True)["dossier_id"].to_pylist()
    assert overdue == ["extended", "heard-late", "no-promise", "open", "reopened"]
    assert cohort(con, moment("2026-03-02T08:00")).num_rows == 0, "known before as_of, not at it"


def test_landmarks_at_arrival_stand_one_microsecond_after_receipt() -> None:
    con = views(dossier=DOSSIERS, event=EVENTS)
    found = landmarks(con, moment("2026-03-01T00:00"), CUTOFF, at_arrival=True)
    assert found.num_rows == 8, "all but the one without a promise"
    assert set(found["as_of"].to_pylist()) == {moment("2026-03-02T08:00") + timedelta(microseconds=1)}


def test_weekly_landmarks_start_at_the_start_and_include_the_end() -> None:
    con = views(dossier=DOSSIERS, event=EVENTS)
    start = moment("2026-03-03T00:00")
    found = landmarks(con, start, start + timedelta(days=14), every=timedelta(days=7))
    ids = {}
    for row in found.to_pylist():
        ids.setdefault(row["as_of"], []).append(row["dossier_id"])
    assert list(ids) == [start, start + timedelta(days=7), start + timedelta(days=14)]
    assert ids[start + timedelta(days=7)] == ["extended", "heard-late", "in-time", "late", "open", "reopened"]
    assert ids[start + timedelta(days=14)] == ["extended"]


def test_landmarks_at_events_follow_each_piece_of_news() -> None:
    con = views(dossier=DOSSIERS, event=EVENTS)
    found = landmarks(con, moment("2026-03-01T00:00"), CUTOFF, at_events=True).to_pylist()
    assert [(row["dossier_id"], row["as_of"]) for row in found] == [
        ("reopened", moment("2026-03-07T08:00") + timedelta(microseconds=1)),
        ("extended", moment("2026-03-09T08:00") + timedelta(microseconds=1)),
    ]


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


@settings(max_examples=12, deadline=None)
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
    dossiers = [{"dossier_id": f"d{n}", "procedure_code": "P", "unit_code": "U", "received_at": zero,
                 "due_at": zero + timedelta(days=20)} for n in range(len(ends))]  # fmt: skip
    events = [{"dossier_id": f"d{n}", "kind": "decided", "happened_at": zero + timedelta(days=day),
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
