"""The evidence pack: figures are counts over dossiers and acts, questions are made of them, nothing later is in it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from features.record.delivery import Chunk
from features.record.record import Record
from features.signals.acts import acts
from features.signals.handled import handled
from serving.read.evidence import pack, unlisted_papers

BEGIN = datetime(2026, 1, 5, 1, tzinfo=UTC)
AS_OF = BEGIN + timedelta(days=60)
LISTED, EXTRA = "Đơn đăng ký", "Xác nhận của tổ dân phố"


def office(folder: Any) -> Any:
    """o1 asks in three dossiers for a paper beyond the list, o2 in two for one that it has."""
    dossiers, events = [], []
    for n, (who, paper) in enumerate([("o1", EXTRA)] * 3 + [("o2", LISTED)] * 2):
        key, unit = f"d{n}", "U" + who[1]
        dossiers.append({"dossier_id": key, "procedure_code": "P", "unit_code": unit, "received_at": BEGIN.isoformat()})
        for kind, day in (("assigned", 0.1), ("papers_requested", 1), ("papers_supplied", 3), ("decided", 5)):
            more = {"papers": paper} if kind == "papers_requested" else {}
            at = (BEGIN + timedelta(days=day)).isoformat()
            events.append({"dossier_id": key, "kind": kind, "happened_at": at, "official_id": who, "unit_code": unit}
                          | more)  # fmt: skip
    procedure = {"procedure_code": "P", "procedure_name": "P", "sector_code": "S", "papers": LISTED}
    complaint = {"complaint_id": "c", "filed_at": (BEGIN + timedelta(days=4)).isoformat(), "dossier_id": "d0",
                 "topic": "extra_papers", "text": "Bắt nộp giấy lạ"}  # fmt: skip
    record = Record(folder / "record")
    chunks = [Chunk("procedure", [procedure]), Chunk("dossier", dossiers), Chunk("event", events),
              Chunk("complaint", [complaint])]  # fmt: skip
    record.append(chunks, source="t", arrived_at=AS_OF - timedelta(days=1))
    return record.connect()


def test_every_charge_has_its_dossier_its_acts_and_the_citizens_words(tmp_path: Path) -> None:
    con = office(tmp_path)
    acted = handled(con, AS_OF)
    found = acts(con, acted, AS_OF)
    charged = {(row["official_id"], row["dossier_id"]) for row in acted.to_pylist() if row["papers"]}
    assert {(row["official_id"], row["dossier_id"]) for row in found.to_pylist()} == charged
    assert charged == {("o1", "d0"), ("o1", "d1"), ("o1", "d2")}
    of_first = [row for row in found.to_pylist() if row["dossier_id"] == "d0"]
    assert {row["act"] for row in of_first} == {"papers_requested", "signal:DOC_OUTSIDE_PUBLISHED_LIST", "complaint"}
    asked = next(row for row in of_first if row["act"] == "papers_requested")
    assert (asked["unlisted"], asked["account_id"], asked["sector_code"]) == ([EXTRA], "o1", "S")
    assert asked["hours"] == 16


def test_questions_are_made_of_the_facts_and_the_atlas_says_what_a_paper_cost(tmp_path: Path) -> None:
    con = office(tmp_path)
    acted = handled(con, AS_OF)
    found = pack(acts(con, acted, AS_OF), None, AS_OF, "official", "o1")
    assert (found.total, found.families) == (3, {"papers": 3})
    first = found.questions[0]
    assert first.vi.startswith(f"3 hồ sơ bị yêu cầu “{EXTRA}”, không có trong thành phần hồ sơ đã công bố")
    assert first.dossiers == ("d0", "d1", "d2")
    [paper] = found.papers
    assert (paper.unit_code, paper.paper, paper.dossiers, paper.days) == ("U1", EXTRA, 3, 2.0)
    assert list(found.papers) == unlisted_papers(found.dossiers)


def test_nothing_that_became_known_later_is_evidence(tmp_path: Path) -> None:
    con = office(tmp_path)
    before, between = BEGIN + timedelta(hours=12), BEGIN + timedelta(days=2)
    assert acts(con, handled(con, before), before).num_rows == 0
    told = acts(con, handled(con, between), between)
    assert set(told["act"].to_pylist()) == {"papers_requested", "signal:DOC_OUTSIDE_PUBLISHED_LIST"}
    assert told["hours"].null_count == told.num_rows
