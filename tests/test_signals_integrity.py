"""Every integrity signal fires where it should and stays silent in the near miss."""

from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from features.record.record import Record
from features.signals import DOSSIER_SIGNALS, evaluate
from tests.drawn_record import cases, connect_drawn, deliver, local, progress, synced, write_json

AS_OF = local("2026-10-15 00:00")
DOSSIER = {
    "dossier_id": "D", "procedure_code": "1.990001", "unit_code": "H99.24", "channel": "online",
    "submitted_at": "2026-09-07 08:00", "received_at": "2026-09-07 08:30", "due_at": "2026-09-21 08:30",
}  # fmt: skip


def event(at: str, kind: str, **cells: object) -> dict[str, object]:
    return {"dossier_id": "D", "kind": kind, "happened_at": f"2026-{at}", **cells}


def dossier(**cells: object) -> dict[str, object]:
    return {**DOSSIER, **cells}


DECIDED_EARLY = event("09-18 10:00", "decided")
TABLE: list[tuple[str, dict[str, object], list[dict[str, object]], list[dict[str, object]]]] = [
    # signal, dossier rows, events of the firing case, events of the near miss
    ("END_EQUALS_DUE", {}, [event("09-21 08:30", "decided")], [event("09-21 08:29", "decided")]),
    (
        "EVENT_AFTER_END", {},
        [DECIDED_EARLY, event("09-22 09:00", "assigned", step="Thẩm định hồ sơ")],
        [DECIDED_EARLY, event("09-22 09:00", "forwarded", step="Chuyển kết quả về một cửa"),
         event("09-22 10:00", "note"), event("09-23 09:00", "delivered")],
    ),
    ("END_EQUALS_RECEIPT", {}, [event("09-07 08:30", "decided")], [event("09-07 08:31", "decided")]),
    (
        "MASKED_STATUS", {},
        [event("09-07 08:30", "decided"), event("09-10 09:00", "papers_requested")],
        [event("09-10 09:00", "papers_requested"), event("09-14 09:00", "decided")],
    ),
    ("NO_DUE_DATE", {"due_at": None}, [event("09-07 08:30", "decided")], [event("09-08 08:30", "decided")]),
    ("ON_TIME_BY_DATE_ONLY", {}, [event("09-21 16:00", "decided")], [event("09-22 08:00", "decided")]),
    ("DUE_RESET", {}, [event("09-20 09:00", "reset", due_at="2026-10-20 09:00")],
     [event("09-20 09:00", "extended", due_at="2026-10-20 09:00", reason="Chờ ý kiến")]),
    (
        "DUE_EXTENDED_MORE_THAN_CITIZEN_TIME", {},
        # the citizen takes one working day; the promise moves by three, in the near miss by one
        [event("09-14 08:30", "papers_requested"), event("09-15 08:30", "papers_supplied", due_at="2026-09-24 08:30")],
        [event("09-14 08:30", "papers_requested"), event("09-15 08:30", "papers_supplied", due_at="2026-09-22 08:30")],
    ),
    ("REOPENED", {}, [DECIDED_EARLY, event("09-22 09:00", "reopened")], [DECIDED_EARLY, event("09-22 09:00", "note")]),
    (
        "REPEATED_SUPPLEMENT", {},
        [event("09-10 09:00", "papers_requested"), event("09-11 09:00", "papers_supplied"),
         event("09-14 09:00", "papers_requested")],
        [event("09-10 09:00", "papers_requested"), event("09-11 09:00", "papers_supplied")],
    ),
    ("SUPPLEMENT_CLOSE_TO_DEADLINE", {}, [event("09-18 16:30", "papers_requested")],  # 1.5 hours: a weekend between
     [event("09-17 16:00", "papers_requested")]),
    ("PAUSE_CLOSE_TO_DEADLINE", {}, [event("09-18 16:30", "suspended")], [event("09-17 16:00", "suspended")]),
    ("NO_APOLOGY", {}, [event("09-22 09:00", "decided")],
     [event("09-20 09:00", "apologised"), event("09-22 09:00", "decided")]),
    ("LATE_APOLOGY", {}, [event("09-21 09:00", "apologised")], [event("09-20 09:00", "apologised")]),
    (
        "APOLOGY_PROMISE_BROKEN", {},
        [event("09-20 09:00", "apologised", due_at="2026-09-25 09:00"), event("09-28 09:00", "decided")],
        [event("09-20 09:00", "apologised", due_at="2026-09-25 09:00"), event("09-24 09:00", "decided")],
    ),
    (
        "CONSULTATION_LATE", {},
        [event("09-08 09:00", "consulted", to_unit_code="H99.18", step_due_at="2026-09-15 17:30"),
         event("09-16 09:00", "consultation_answered", unit_code="H99.18")],
        [event("09-08 09:00", "consulted", to_unit_code="H99.18", step_due_at="2026-09-15 17:30"),
         event("09-15 09:00", "consultation_answered", unit_code="H99.18")],
    ),
    ("DOC_OUTSIDE_PUBLISHED_LIST", {}, [event("09-10 09:00", "papers_requested", papers="Hợp đồng thuê trụ sở")],
     [event("09-10 09:00", "papers_requested", papers="Đơn đăng ký; Giấy khai sinh")]),
    (
        "PAPERS_ASKED_IN_PARTS", {},
        [event("09-10 09:00", "papers_requested", papers="Đơn đăng ký"), event("09-11 09:00", "papers_supplied"),
         event("09-14 09:00", "papers_requested", papers="Giấy khai sinh")],
        [event("09-10 09:00", "papers_requested", papers="Đơn đăng ký; Giấy khai sinh"),
         event("09-11 09:00", "papers_supplied", papers="Đơn đăng ký"),
         event("09-14 09:00", "papers_requested", papers="Giấy khai sinh")],
    ),
    ("RECEIPT_SLOW", {"submitted_at": "2026-09-03 17:00"}, [], []),  # near miss: submitted half an hour before
    ("PLACEHOLDER_ID", {"x_identity_placeholder": 1}, [], []),
    ("SUBMITTED_COPIED", {"x_submitted_copied": 1}, [], []),
]  # fmt: skip


def shown(con: object, as_of: datetime = AS_OF, dossier_id: str = "D") -> dict[str, float]:
    rows = evaluate(con, cases(as_of, dossier_id)).to_pylist()  # type: ignore[arg-type]
    return {row["signal"]: row["value"] for row in rows}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The signals of every dossier of `TABLE`, drawn into one record: `<signal> fires` and `<signal> near`."""
    dossiers: list[dict[str, object]] = []
    events: list[dict[str, object]] = []
    for signal, cells, fires, near in TABLE:
        for name, told in (("fires", fires), ("near", near)):
            keep = cells if name == "fires" or signal == "NO_DUE_DATE" else {}
            dossiers.append(dossier(**keep) | {"dossier_id": f"{signal} {name}"})
            rows = [event("09-07 09:00", "note"), *told]
            events += [row | {"dossier_id": f"{signal} {name}"} for row in rows]
    procedure = [{"procedure_code": "1.990001", "sector_code": "S", "papers": "Đơn đăng ký; Giấy khai sinh"}]
    con = connect_drawn(tmp_path_factory.mktemp("drawn"), procedure=procedure, dossier=dossiers, event=events)
    found: dict[str, set[str]] = {}
    for row in evaluate(con, cases(AS_OF, *(str(one["dossier_id"]) for one in dossiers))).to_pylist():
        found.setdefault(row["dossier_id"], set()).add(row["signal"])
    return found


@pytest.mark.parametrize("signal", [row[0] for row in TABLE])
def test_signal_fires_and_near_miss_is_silent(signal: str, drawn: dict[str, set[str]]) -> None:
    assert signal in drawn[f"{signal} fires"]
    assert signal not in drawn.get(f"{signal} near", set())


def test_signals_from_other_tables(tmp_path: Path) -> None:
    """A rating before the end, a staff complaint, a second code: each beside its near miss."""
    con = connect_drawn(
        tmp_path,
        dossier=[dossier(dossier_id=name) for name in ("early", "after", "staff", "slow")],
        event=[event("09-18 10:00", "decided") | {"dossier_id": name} for name in ("early", "after", "staff", "slow")],
        rating=[
            {"rating_id": "1", "dossier_id": "early", "score": 5, "rated_at": "2026-09-07 08:36"},
            {"rating_id": "2", "dossier_id": "after", "score": 5, "rated_at": "2026-09-19 08:36"},
        ],
        complaint=[
            {"complaint_id": "1", "filed_at": "2026-09-09 08:00", "topic": "conduct", "dossier_id": "staff"},
            {"complaint_id": "2", "filed_at": "2026-09-09 08:00", "topic": "procedure", "dossier_id": "slow"},
        ],
        alias=[{"dossier_id": "early", "other_id": "H99.24-260907-48213", "known_at": "2026-09-07 09:00"}],
    )
    assert {"RATING_BEFORE_RESOLUTION", "OTHER_CODE"} <= shown(con, dossier_id="early").keys()
    assert not {"RATING_BEFORE_RESOLUTION", "OTHER_CODE"} & shown(con, dossier_id="after").keys()
    assert {"PAKN_STAFF", "COMPLAINT_CONDUCT"} <= shown(con, dossier_id="staff").keys()
    assert not {"PAKN_STAFF", "COMPLAINT_CONDUCT"} & shown(con, dossier_id="slow").keys()


def test_later_syncs_that_disagree_raise_flags_and_both_stay(tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    first = synced("H99.24-260907-0001", "20260907083000", "20260921083000")
    write_json(tmp_path / "raw" / "2026-09-07" / "a.json", {"data": [first]})
    write_json(tmp_path / "raw" / "2026-09-16" / "a.json", {"data": [{**first, "NgayHenTra": "20261015083000"}]})
    write_json(tmp_path / "raw" / "2026-09-17" / "a.json", {"data": [{**first, "MaTTHC": "1.990018"}]})
    deliver(record, tmp_path / "raw", "dvcqg")
    con = record.connect()
    assert con.execute("SELECT count(*) FROM dossier").fetchall() == [(3,)]
    found = shown(con, dossier_id="H99.24-260907-0001")
    assert {"DUE_RESET", "CONFLICTING_REWRITE"} <= found.keys()
    before = shown(con, local("2026-09-16 12:00"), "H99.24-260907-0001")
    assert not {"DUE_RESET", "CONFLICTING_REWRITE"} & before.keys()


def test_nothing_known_later_shows(tmp_path: Path) -> None:
    """For every moment: the signals of the whole record as of then are those of a record cut off there."""
    record = Record(tmp_path / "record")
    told = [
        synced("H99.18-260903-0007", "20260903083000", "20261001083000", NgayKetThucXuLy="20261001083000"),
        progress("H99.18-260903-0007", "20260904090000", 4, "Thẩm định hồ sơ"),
        progress("H99.18-260903-0007", "20260930160000", 5, "Yêu cầu bổ sung giấy tờ"),
        progress("H99.18-260903-0007", "20261006103000", 4, "Trình lãnh đạo ký"),
        progress("H99.18-260903-0007", "20261001083000", 9, "Kết thúc xử lý hồ sơ", "Cán bộ một cửa"),
        progress("H99.18-260903-0007", "20261012090000", 10, "Trả kết quả", "Cán bộ một cửa"),
    ]
    deliver(record, write_json(tmp_path / "raw.json", told), "dvcqg")
    moments = [local(f"2026-{day} 00:00") for day in ("09-05", "10-02", "10-07")]
    table = pa.concat_tables([cases(at, "H99.18-260903-0007") for at in moments])
    together = evaluate(record.connect(), table).to_pylist()
    for at in moments:
        cut = evaluate(record.connect(cutoff=at), cases(at, "H99.18-260903-0007")).to_pylist()
        assert [row for row in together if row["as_of"] == at] == cut
    assert "EVENT_AFTER_END" in shown(record.connect(), AS_OF, "H99.18-260903-0007")


def test_every_signal_is_declared_in_full() -> None:
    names = [signal.name for signal in DOSSIER_SIGNALS]
    assert len(names) == len(set(names))
    for signal in DOSSIER_SIGNALS:
        assert signal.words_vi
        assert signal.words_en
        assert signal.source
        assert signal.owner
        assert "vi phạm" not in signal.words_vi.lower(), "a signal accuses nobody"


def test_a_rule_holds_within_its_validity_alone(tmp_path: Path) -> None:
    from dataclasses import replace

    con = connect_drawn(tmp_path, dossier=[dossier()], event=[event("09-21 08:30", "decided")])
    rule = next(signal for signal in DOSSIER_SIGNALS if signal.name == "END_EQUALS_DUE")
    ended = replace(rule, valid_to=date(2026, 10, 1))
    assert evaluate(con, cases(AS_OF, "D"), [rule]).num_rows == 1
    assert evaluate(con, cases(AS_OF, "D"), [ended]).num_rows == 0


def test_an_empty_table_of_cases_gives_no_row(tmp_path: Path) -> None:
    con = connect_drawn(tmp_path, dossier=[dossier()])
    none = pa.table({"dossier_id": pa.array([], pa.string()), "as_of": pa.array([], pa.timestamp("us", "UTC"))})
    assert evaluate(con, none).num_rows == 0
