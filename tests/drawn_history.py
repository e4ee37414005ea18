"""Random small records for Hypothesis: a few dossiers, news late and out of order, told twice, corrected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from features.record.schema import EVENT_KINDS

START = datetime(2026, 8, 24, 1, tzinfo=UTC)  # a Monday, 8 o'clock in Vietnam

LIKELY = ["note", "assigned", "forwarded", "papers_requested", "papers_supplied", "extended", "decided", "reopened"]


def moments(days: int = 130) -> st.SearchStrategy[datetime]:
    """Moments on a grid of three hours, so that many coincide."""
    return st.integers(0, days * 8).map(lambda n: START + timedelta(hours=3 * n))


@st.composite
def histories(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """Rows of `dossier`, `event` and `procedure`, with aware moments; `known_at` and `row_id` filled."""
    ids = st.integers(0, 10**6).map(lambda n: f"{n:07}")
    late = st.sampled_from([0, 0, 0, 3, 24, 24 * 9])
    dossiers: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 4))):
        name, received = f"d{number}", draw(moments(60))
        known = received
        for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
            due = draw(st.none() | st.integers(0, 200).map(lambda n: timedelta(hours=6 * n)))
            dossiers.append({
                "dossier_id": name, "received_at": received, "known_at": known, "row_id": "d" + draw(ids),
                "procedure_code": draw(st.sampled_from(["p1", "p2"])), "unit_code": draw(st.sampled_from(["u1", "u2"])),
                "due_at": None if due is None else received + due, "channel": draw(st.sampled_from([None, "online"])),
                "applicant_kind": None, "x_form": draw(st.sampled_from([None, "A", "B"])),
            })  # fmt: skip
            known += timedelta(hours=draw(st.sampled_from([0, 30, 24 * 20])))
        at = received
        for _ in range(draw(st.integers(0, 8))):
            at += timedelta(hours=3 * draw(st.integers(-4, 80)))
            promised = draw(st.sampled_from([None, None, None, 40, 400]))
            events.append({
                "dossier_id": name, "happened_at": at, "known_at": at + timedelta(hours=draw(late)),
                "kind": draw(st.sampled_from(LIKELY) | st.sampled_from(EVENT_KINDS)), "row_id": "e" + draw(ids),
                "official_id": draw(st.sampled_from([None, "o1", "o2"])),
                "step": draw(st.sampled_from([None, "s1", "s2"])),
                "due_at": None if promised is None else at + timedelta(hours=promised),
                "event_id": draw(st.sampled_from([None, None, None, "once"])),
            })  # fmt: skip
    for n, row in enumerate([*dossiers, *events]):  # ids differ; their order stays drawn
        row["row_id"] += f"-{n}"
    procedures = [
        {"procedure_code": "p1", "sector_code": "land", "legal_working_days": 5.0, "row_id": "p1", "known_at": None,
         "valid_from": None, "valid_to": None},
        {"procedure_code": "p1", "sector_code": "land", "legal_working_days": 3.0, "row_id": "p2",
         "known_at": START + timedelta(days=30), "valid_from": START + timedelta(days=20), "valid_to": None},
    ]  # fmt: skip
    return {"dossier": dossiers, "event": events, "procedure": procedures}
