"""To whom a complaint or finding belongs that names nobody: who held the dossier when, in shares of at most one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.case_state import custody
from features.complaints import history as complaint_history
from features.record.delivery import Chunk
from features.record.record import Record
from models.official_events import DISCOVERED, REPORTED, labels

BEGIN = datetime(2026, 1, 5, 2, tzinfo=UTC)
AS_OF = BEGIN + timedelta(days=60)
PEOPLE = [{"official_id": who, "unit_code": "U"} for who in ("o1", "o2", "o3")]


def event(kind: str, day: float, who: str | None) -> dict[str, object]:
    at = (BEGIN + timedelta(days=day)).isoformat()
    return {"dossier_id": "d", "kind": kind, "happened_at": at, "official_id": who, "unit_code": "U"}


def complaint(day: float, **more: object) -> dict[str, object]:
    at = (BEGIN + timedelta(days=day)).isoformat()
    return {"complaint_id": "c", "filed_at": at, "dossier_id": "d", "complainant_id": "p", "topic": "conduct"} | more


def office(folder: Any, events: Any, complaints: Any = (), findings: Any = (), inspections: Any = ()) -> Any:
    record = Record(folder / "record")
    dossier = {"dossier_id": "d", "procedure_code": "P", "unit_code": "U", "received_at": BEGIN.isoformat()}
    chunks = [Chunk("dossier", [dossier]), Chunk("event", events), Chunk("official", PEOPLE),
              Chunk("complaint", list(complaints)), Chunk("inspection", list(inspections)),
              Chunk("finding", list(findings))]  # fmt: skip
    record.append(chunks, source="t", arrived_at=AS_OF + timedelta(days=900))
    return record.connect()


def shares(con: Any, at: Any = AS_OF) -> Any:
    custody.attach(con, [at])
    return {who: round(weight, 2) for who, weight in con.sql("SELECT official_id, weight FROM custody").fetchall()}


def test_who_held_it_longer_before_the_complaint_has_the_larger_share(tmp_path: Path) -> None:
    events = [event("assigned", 0, "o1"), event("assigned", 9, "o2"), event("assigned", 12, "o3")]
    assert shares(office(tmp_path, events, [complaint(12)])) == {"o1": 0.75, "o2": 0.25}


def test_time_that_the_citizen_had_is_nobodys(tmp_path: Path) -> None:
    events = [event("assigned", 0, "o1"), event("papers_requested", 1, "o1"), event("papers_supplied", 9, "o2")]
    assert shares(office(tmp_path, events, [complaint(10)])) == {"o1": 0.5, "o2": 0.5}


def test_a_complaint_on_papers_is_of_whoever_asked_for_them(tmp_path: Path) -> None:
    events = [event("assigned", 0, "o1"), event("papers_requested", 9, "o2"), event("papers_supplied", 10, "o1")]
    assert shares(office(tmp_path, events, [complaint(11, topic="extra_papers")])) == {"o2": 1.0}


def test_a_desk_is_no_holder_and_its_share_is_nobodys(tmp_path: Path) -> None:
    events = [event("assigned", 0, "Cán bộ một cửa"), event("assigned", 5, "o1")]
    assert shares(office(tmp_path, events, [complaint(10)])) == {"o1": 0.5}


def test_a_complaint_that_names_its_official_is_not_shared_out(tmp_path: Path) -> None:
    con = office(tmp_path, [event("assigned", 0, "o1")], [complaint(5, official_id="o2")])
    assert shares(con) == {}
    history = {row["official_id"]: row for row in complaint_history.build(con, [AS_OF]).to_pylist()}
    assert [history[who]["reported_90d"] for who in ("o1", "o2")] == [0, 1]


def test_counts_and_labels_are_sums_of_shares(tmp_path: Path) -> None:
    events = [event("assigned", 0, "o1"), event("assigned", 9, "o2")]
    con = office(tmp_path, events, [complaint(12), complaint(12, complaint_id="e", complainant_id="q")])
    history = {row["official_id"]: row for row in complaint_history.build(con, [AS_OF]).to_pylist()}
    assert [round(history[who]["reported_90d"], 2) for who in ("o1", "o2", "o3")] == [1.5, 0.5, 0]
    cases = complaint_history.roster(con, [BEGIN])
    told = labels(con, cases, REPORTED, timedelta(days=90), AS_OF)
    by_official = dict(zip(cases["official_id"].to_pylist(), told.round(3).tolist(), strict=True))
    assert by_official == {
        "o1": pytest.approx(1 - 0.25**2, abs=2e-3),
        "o2": pytest.approx(1 - 0.75**2, abs=2e-3),
        "o3": 0,
    }


def test_a_finding_without_an_official_goes_to_who_held_the_dossier_before_the_visit(tmp_path: Path) -> None:
    day = (BEGIN + timedelta(days=10)).isoformat()
    visit = {"inspection_id": "i", "unit_code": "U", "visited_at": day}
    finding = {"finding_id": "f", "inspection_id": "i", "dossier_id": "d", "kind": "extra_papers",
               "known_at": (BEGIN + timedelta(days=12)).isoformat()}  # fmt: skip
    events = [event("assigned", 0, "o1"), event("papers_requested", 3, "o1"), event("assigned", 11, "o3")]
    con = office(tmp_path, events, findings=[finding], inspections=[visit])
    assert shares(con, AS_OF + timedelta(days=999)) == {"o1": 1.0}
    told = labels(
        con, complaint_history.roster(con, [BEGIN]), DISCOVERED, timedelta(days=999), AS_OF + timedelta(days=999)
    )
    assert sum(told) == 1
    assert custody.shared_out(con, AS_OF + timedelta(days=999)) == {"complaint": (0, 0), "finding": (1, 1)}


moves = st.lists(
    st.tuples(st.sampled_from(["assigned", "forwarded", "papers_requested", "resumed"]), st.floats(0, 50),
              st.sampled_from(["o1", "o2", "o3", None])), max_size=8,
)  # fmt: skip


@settings(max_examples=15)
@given(moves, moves)
def test_shares_add_up_to_one_and_nothing_known_later_moves_them(
    tmp_path_factory: Any, before: Any, after: Any
) -> None:
    folder = tmp_path_factory.mktemp("record")
    early = [event(kind, min(day, 19.0), who) for kind, day, who in before]
    late = [event(kind, 20 + day, who) for kind, day, who in after]
    alone = shares(office(folder / "a", early, [complaint(20)]))
    both = shares(office(folder / "b", [*early, *late], [complaint(20)]))
    assert alone == both
    assert not alone or sum(alone.values()) == pytest.approx(1, abs=0.2)
