"""Answers: slips on two levels, outages, apologies kept or broken, consultations, complaints, the ledger."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import docx
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from features.calendar.vietnam import VIETNAM
from features.record.record import Record
from serving.access.permissions import Role, Scope
from serving.app import create_app
from serving.read.case_file import CaseEvent, CaseFile
from serving.read.caseload import Caseload
from serving.read.delay import Holder
from serving.read.responsibility import ledger
from serving.state import ExplanationSlip, State, open_state
from serving.work.annotations import add_mark, marks_of
from serving.work.apologies import draft, owed, send, standings
from serving.work.complaints import TOPIC_WORDS, Sorting, complaints, floods, sorting
from serving.work.consultations import answerers, consultations
from serving.work.explanations import (
    Outage,
    alike,
    deliver_explanations,
    down_hours,
    explain,
    explanations,
    open_slips,
    review,
)
from tests.drawn_people import NOW, PEOPLE, Person, sit_down, staffed_office, token
from tests.drawn_record import connect_drawn, local

START, UNTIL = local("2026-09-01 00:00"), local("2026-10-01 00:00")
EVERYTHING = Scope(None)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state(f"sqlite:///{tmp_path / 'state.db'}")


def dossier(name: str, due: str, **fields: str) -> dict[str, str]:
    return {"dossier_id": name, "procedure_code": "P", "unit_code": "U1", "received_at": "2026-09-01 08:00",
            "due_at": due} | fields  # fmt: skip


def event(name: str, kind: str, at: str, **fields: str) -> dict[str, str]:
    return {"dossier_id": name, "kind": kind, "happened_at": at} | fields


def loaded(folder: Path, **tables: list[dict[str, str]]) -> tuple[object, Caseload]:
    con = connect_drawn(folder, **tables)
    return con, Caseload.read(con, START, UNTIL, UNTIL, VIETNAM)


def test_a_late_dossier_asks_its_holder_at_the_promise_once(state: State, tmp_path: Path) -> None:
    _, load = loaded(
        tmp_path,
        dossier=[
            dossier("LATE", "2026-09-10 17:00"), dossier("OPEN", "2026-09-29 17:00"), dossier("OK", "2026-09-30 17:00"),
        ],
        event=[
            event("LATE", "assigned", "2026-09-01 09:00", official_id="slow", step="Thẩm định"),
            event("LATE", "forwarded", "2026-09-14 09:00", official_id="signer", step="Ký"),
            event("LATE", "decided", "2026-09-14 10:00", official_id="signer"),
            event("LATE", "delivered", "2026-09-15 10:00", official_id="counter"),
            event("OK", "decided", "2026-09-15 10:00", official_id="counter"),
        ],
    )  # fmt: skip
    late = [case for case in load.cases if case.late]
    with state.writing() as session:
        assert open_slips(session, late, [], VIETNAM, now=UNTIL) == 2
        assert open_slips(session, late, [], VIETNAM, now=UNTIL + timedelta(days=1)) == 0
    with state.reading() as session:
        found = {one.slip.dossier_id: one.slip for one in explanations(session, EVERYTHING, UNTIL)}
    assert (found["LATE"].official_id, found["LATE"].step) == ("slow", "Thẩm định"), "not who handed it out"
    assert found["LATE"].over_hours == pytest.approx(0.5 + 8 + 2, abs=0.01)
    assert found["OPEN"].official_id is None
    assert found["LATE"].answer_due_at == local("2026-10-05 17:30"), "three working days"


@pytest.fixture
def slip(state: State) -> ExplanationSlip:
    with state.writing() as session:
        row = ExplanationSlip(
            dossier_id="D", unit_code="U1", official_id="o", step=None, missed_due_at=START, over_hours=10.0,
            outage_hours=0.0, opened_at=UNTIL, answer_due_at=UNTIL + timedelta(days=3),
        )  # fmt: skip
        session.add(row)
    return row


def test_two_levels_go_back_and_forth_and_nothing_else_does(
    state: State, slip: ExplanationSlip, tmp_path: Path
) -> None:
    moment = iter(UNTIL + timedelta(hours=n) for n in range(1, 99))
    with state.writing() as session:
        for act in ("accepted", "returned", "closed", "refused"):
            with pytest.raises(ValueError, match="this one is open"):
                review(session, slip, act, "xem lại đi", now=next(moment))
        with pytest.raises(ValueError, match="cause: wanted one of citizen"):
            explain(session, slip, "moon", "trời mưa to", now=next(moment))
        explain(session, slip, "workload", "quá nhiều hồ sơ", now=next(moment))
        with pytest.raises(ValueError, match="text: wanted 5"):
            review(session, slip, "returned", "", now=next(moment))
        review(session, slip, "returned", "nêu rõ số hồ sơ", now=next(moment))
        explain(session, slip, "workload", "43 hồ sơ mỗi ngày", now=next(moment))
        review(session, slip, "accepted", "", now=next(moment))
        with pytest.raises(ValueError, match="this one is accepted"):
            review(session, slip, "returned", "thôi xem lại", now=next(moment))
        review(session, slip, "refused", "chưa rõ biện pháp", now=next(moment))
        explain(session, slip, "official", "đã bố trí thêm người", now=next(moment))
        review(session, slip, "accepted", "", now=next(moment))
        review(session, slip, "closed", "", now=next(moment))
        with pytest.raises(ValueError, match="this one is closed"):
            explain(session, slip, "law", "thêm một lần nữa", now=next(moment))
    record = Record(tmp_path / "record")
    told = deliver_explanations(state, record, now=UNTIL + timedelta(days=9))
    assert told is not None
    assert deliver_explanations(state, record, now=UNTIL + timedelta(days=9)) is None
    rows = record.connect().execute(
        "SELECT cause, accepted FROM explanation_latest ORDER BY given_at"
    ).fetchall()  # fmt: skip
    assert rows == [("workload", False), ("workload", False), ("official", True)]


def test_an_outage_as_long_as_the_delay_excuses(state: State) -> None:
    morning = Outage("U1", local("2026-09-07 08:00"), local("2026-09-07 12:00"))
    inside = Outage(None, local("2026-09-07 09:00"), local("2026-09-07 13:30"))
    known = [morning, inside, Outage("U2", local("2026-09-08 08:00"), local("2026-09-08 17:30"))]
    assert down_hours(known, "U1", START, UNTIL, VIETNAM) == pytest.approx(4), "overlapping ones count once"
    assert down_hours(known, "U2", START, UNTIL, VIETNAM) == pytest.approx(3 + 8)
    assert down_hours([Outage(None, local("2026-09-30 13:30"), None)], "U1", START, UNTIL, VIETNAM) == pytest.approx(4)
    with state.writing() as session:
        for name, over, down in (("a", 3.0, 4.0), ("b", 5.0, 4.0)):
            session.add(
                ExplanationSlip(
                    dossier_id=name, unit_code="U1", official_id=None, step=None, missed_due_at=START, over_hours=over,
                    outage_hours=down, opened_at=UNTIL, answer_due_at=UNTIL,
                )
            )  # fmt: skip
    with state.reading() as session:
        states = {one.slip.dossier_id: one.state for one in explanations(session, EVERYTHING, UNTIL)}
    assert states == {"a": "excused", "b": "open"}


def test_explanations_that_always_say_the_same_are_told() -> None:
    others = [
        "Do hồ sơ nhiều, cán bộ ít.",
        "cán bộ ít, do hồ sơ nhiều",
        "Chờ ý kiến của Sở Xây dựng về ranh giới thửa đất",
    ]
    assert alike("Do hồ sơ nhiều, cán bộ ít", others) == 2
    assert alike("Hệ thống ngừng từ 8 giờ đến 16 giờ", others) == 0


def test_an_apology_is_sent_or_not_and_its_promise_kept_or_broken(state: State, tmp_path: Path) -> None:
    names = ("NONE", "KEPT", "BROKEN", "OURS")
    con, load = loaded(
        tmp_path,
        dossier=[dossier(name, "2026-09-10 17:00") for name in names],
        event=[
            event("NONE", "decided", "2026-09-11 10:00"),
            *(event(name, "apologised", "2026-09-10 09:00", due_at="2026-09-15 17:00") for name in ("KEPT", "BROKEN")),
            event("KEPT", "decided", "2026-09-15 10:00"), event("BROKEN", "decided", "2026-09-16 10:00"),
        ],
    )  # fmt: skip
    with state.writing() as session:
        now = local("2026-09-20 08:00")
        with pytest.raises(ValueError, match="a moment to come"):
            draft(session, "OURS", "U1", None, now, "quá tải", now=now)
        letter = draft(session, "OURS", "U1", None, local("2026-09-25 17:00"), "quá tải", now=now)
        send(letter, now=now)
        with pytest.raises(ValueError, match="has been sent"):
            send(letter, now=now)
    with state.reading() as session:
        found = {one.case.dossier_id: one for one in standings(con, session, owed(load), UNTIL)}  # type: ignore[arg-type]
    assert {name: (one.sent_at is not None, one.promise, one.in_time) for name, one in found.items()} == {
        "NONE": (False, "none", False), "KEPT": (True, "kept", True), "BROKEN": (True, "broken", True),
        "OURS": (True, "broken", False),
    }  # fmt: skip


def test_consultations_pair_by_agency_and_keep_their_terms(state: State, tmp_path: Path) -> None:
    def asked(name: str, unit: str, at: str, due: str = "") -> dict[str, str]:
        return event(name, "consulted", at, to_unit_code=unit, unit_code="U1", **({"step_due_at": due} if due else {}))

    def answered(name: str, unit: str, at: str, **fields: str) -> dict[str, str]:
        return event(name, "consultation_answered", at, unit_code=unit, **fields)

    con = connect_drawn(
        tmp_path,
        dossier=[dossier(name, "2026-09-30 17:00") for name in ("A", "B")],
        event=[
            asked("A", "S1", "2026-09-02 08:00", "2026-09-04 17:00"),
            asked("A", "S2", "2026-09-02 09:00", "2026-09-04 17:00"),
            answered("A", "S2", "2026-09-04 16:00", reason="Đồng ý."), answered("A", "S1", "2026-09-07 08:00"),
            asked("B", "S1", "2026-09-08 08:00", "2026-09-10 17:00"), asked("B", "S3", "2026-09-08 08:00"),
        ],
    )  # fmt: skip
    found = consultations(con, START, UNTIL, VIETNAM, {})
    assert {(one.dossier_id, one.asked_unit): one.state for one in found} == {
        ("A", "S1"): "late", ("A", "S2"): "in_time", ("B", "S1"): "overdue", ("B", "S3"): "open",
    }  # fmt: skip
    assert [one.asked_unit for one in found if one.short] == ["S2"], "a hint, not a mark"
    first = answerers(found)[0]
    assert (first.unit_code, first.asked, first.late, first.overdue, first.vague) == ("S1", 2, 1, 1, 0)
    (subject,) = [one.subject for one in found if one.asked_unit == "S2"]
    with state.writing() as session:
        with pytest.raises(ValueError, match="wanted for 'quality' one of vague, clear"):
            add_mark(session, subject, "U1", "quality", "bad", "vì không rõ", now=START)
        add_mark(session, subject, "U1", "quality", "vague", "không nêu quan điểm", now=START)
    with state.reading() as session:
        marks = marks_of(session, "consultation", UNTIL)
    assert {one.unit_code: one.vague for one in answerers(consultations(con, START, UNTIL, VIETNAM, marks))}["S2"] == 1


def test_complaints_keep_their_four_terms(state: State, tmp_path: Path) -> None:
    def complaint(name: str, filed: str, **fields: str) -> dict[str, str]:
        return {"complaint_id": name, "filed_at": filed, "unit_code": "U1", "complainant_id": "secret"} | fields

    con = connect_drawn(
        tmp_path,
        complaint=[
            complaint("late", "2026-09-03 08:00", answered_at="2026-09-24 08:01"),
            complaint("in_time", "2026-09-03 08:00", answered_at="2026-09-23 17:00"),
            complaint("overdue", "2026-09-03 08:00"), complaint("open", "2026-09-29 08:00"),
            complaint("refused", "2026-09-03 08:00"),
            complaint("own_term", "2026-09-28 08:00", due_at="2026-09-29 08:00"),
        ],
    )  # fmt: skip
    with state.writing() as session:
        add_mark(
            session,
            "complaint:refused",
            "U1",
            "refused",
            "done",
            "không thuộc thẩm quyền",
            now=local("2026-09-08 09:00"),
        )
        add_mark(session, "complaint:late", "U1", "published", "done", "đã công khai", now=local("2026-09-24 17:00"))
    with state.reading() as session:
        found = {
            one.complaint_id: one
            for one in complaints(con, START, UNTIL, VIETNAM, marks_of(session, "complaint", UNTIL))
        }
    assert {name: (one.state, one.late) for name, one in found.items()} == {
        "late": ("published", True), "in_time": ("handled", False), "overdue": ("overdue", True),
        "open": ("open", False), "refused": ("refused", False), "own_term": ("overdue", True),
    }  # fmt: skip
    assert found["refused"].clocks["refused"].late, "after more than two working days"
    assert not found["late"].clocks["published"].late
    assert found["in_time"].clocks["published"].late, "handled on 23 September, nothing published by the 30th"
    assert "secret" not in repr(list(found.values()))


KINDS = (
    "assigned", "forwarded", "papers_requested", "papers_supplied", "suspended", "resumed", "consulted",
    "consultation_answered", "note", "decided", "reopened", "extended",
)  # fmt: skip


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 40_000), st.sampled_from(KINDS), st.sampled_from([None, "a", "b"])), max_size=12),
    st.integers(1, 50_000),
)
def test_the_ledger_covers_the_whole_time_once(told: list[tuple[int, str, str | None]], end: int) -> None:
    received = local("2026-09-01 08:00")
    events = tuple(
        CaseEvent(
            received + timedelta(minutes=at), kind, who, "U1", "S1" if kind == "consulted" else None, f"b{at % 3}",
            None, None,
        )
        for at, kind, who in sorted(told, key=lambda one: one[0])
    )  # fmt: skip
    due = received + timedelta(days=5)
    case = CaseFile("D", "P", "U1", None, None, None, None, received, due, due, events=events)
    until = received + timedelta(minutes=end)
    found, state = ledger(case, until, VIETNAM), case.state(until, VIETNAM)
    stop = state.ended_at or until
    anew = [now.since for before, now in pairwise(found.stays) if before.until != now.since]
    assert all(one.kind == "reopened" for one in events if one.happened_at in anew), "a gap only before a new beginning"
    if not anew and stop > received:
        assert sum(stay.hours for stay in found.stays) == pytest.approx(VIETNAM.working_hours(received, stop), abs=1e-6)
        assert (found.stays[0].since, found.stays[-1].until) == (received, stop)
    held = {holder: sum(one.hours for one in found.stays if one.holder is holder) for holder in Holder}
    assert held[Holder.OFFICE] == pytest.approx(state.own_hours, abs=1e-6)
    assert held[Holder.OTHER_OFFICE] == pytest.approx(state.other_hours, abs=1e-6)
    assert held[Holder.CITIZEN] + held[Holder.SUSPENDED] == pytest.approx(state.citizen_hours, abs=1e-6)
    over = VIETNAM.working_hours(state.lawful_due_at, stop) if state.late and state.lawful_due_at else 0.0
    assert sum(stay.past_due_hours for stay in found.stays) == pytest.approx(over, abs=1e-6)
    assert sum(one.hours for one in found.shares) == pytest.approx(sum(stay.hours for stay in found.stays), abs=1e-6)
    assert 0 <= found.nameless_hours <= held[Holder.OFFICE] + 1e-6


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    office = staffed_office(tmp_path, (*PEOPLE, Person("truong.x2", Role.UNIT_HEAD, "x2")), dossiers=40)
    with TestClient(create_app(office, now=lambda: NOW, poll_seconds=60)) as opened:
        yield opened


def test_an_explanation_goes_through_the_pages_and_its_scope_holds(client: TestClient) -> None:
    sit_down(client, "truong.x2")
    other = client.get("/api/v1/explanations").json()
    assert {one["unit_code"] for one in other} == {"x2"}
    csrf = sit_down(client, "canbo")
    mine = client.get("/api/v1/explanations").json()
    assert {one["official_id"] for one in mine} == {"o1"}
    number = mine[0]["id"]
    form = {"csrf": csrf, "key": "e" * 30, "cause": "workload", "text": "nhận thay ba người"}
    assert client.post(f"/explanations/{other[0]['id']}/explain", data=form).status_code == 404
    shown = client.post(f"/explanations/{number}/explain", data=form)
    assert "nhận thay ba người" in shown.text
    assert client.post(f"/explanations/{number}/review", data={**form, "outcome": "accepted"}).status_code == 403
    csrf = sit_down(client, "truong.x2")
    answer = {"csrf": csrf, "key": "f" * 30, "outcome": "accepted", "text": ""}
    assert client.post(f"/explanations/{number}/review", data=answer).status_code == 404, "another unit's head"
    answer["csrf"] = sit_down(client, "truongphong")
    assert client.post(f"/explanations/{number}/review", data={**answer, "outcome": "closed"}).status_code == 422
    assert client.post(f"/explanations/{number}/review", data=answer).status_code == 200
    answer |= {"csrf": sit_down(client, "lanhdao"), "key": "g" * 30, "outcome": "closed"}
    assert client.post(f"/explanations/{number}/close", data=answer).status_code == 200
    assert [one["state"] for one in client.get("/api/v1/explanations").json() if one["id"] == number] == ["closed"]


def test_a_letter_of_apology_has_the_fields_of_the_form(client: TestClient) -> None:
    csrf = sit_down(client, "truongphong")
    missing = [one for one in client.get("/api/v1/apologies").json() if one["sent_at"] is None]
    name = missing[0]["dossier_id"]
    form = {
        "csrf": csrf,
        "key": "a" * 30,
        "dossier": name,
        "new_due_at": "2026-03-09T16:00",
        "reason": "chờ xác minh thực địa",
    }
    assert client.post("/apologies", data=form).status_code == 200
    assert client.post("/apologies", data={**form, "key": "b" * 30, "new_due_at": "tomorrow"}).status_code == 422
    letter = docx.Document(BytesIO(client.get("/apologies/1.docx").content))
    text = "\n".join(one.text for one in letter.paragraphs)
    for part in (
        "XIN LỖI VÀ HẸN LẠI",
        name,
        "chờ xác minh thực địa",
        "09/03/2026 16:00",
        "Kính gửi: …",
        "Điện thoại: …",
    ):
        assert part in text
    assert client.post("/apologies/1/sent", data={"csrf": csrf, "key": "c" * 30}).status_code == 200
    (now,) = [one for one in client.get("/api/v1/apologies").json() if one["dossier_id"] == name]
    assert (now["sent_at"] is not None, now["promise"]) == (True, "pending")
    sit_down(client, "truong.x2")
    assert client.get("/apologies/1.docx").status_code == 404


def test_the_ledger_is_for_those_who_may_see_the_dossier(client: TestClient) -> None:
    sit_down(client, "truongphong")
    found = client.get("/api/v1/ledger/H99.13-260914-0000").json()
    assert found["stays"][0]["official_id"] == "o1"
    assert {one["official_id"] for one in found["shares"]} >= {"o1"}
    assert "Sổ trách nhiệm" in client.get("/dossier?id=H99.13-260914-0000").text
    assert client.get("/api/v1/ledger/H99.13-260914-0001").status_code == 404
    assert client.get("/api/v1/ledger/absent").status_code == 404
    sit_down(client, "canbo")
    assert client.get("/api/v1/ledger/H99.13-260914-0000").status_code == 200
    assert client.get("/api/v1/ledger/H99.13-260914-0004").status_code == 404, "o5 held that one"


def test_complaints_sort_by_topic_copies_and_floods(tmp_path: Path) -> None:
    def complaint(number: int, who: str, text: str) -> dict[str, object]:
        filed = f"2026-09-{number % 20 + 1:02d} 08:00"
        return {"complaint_id": f"c{number}", "filed_at": filed, "unit_code": "U1", "complainant_id": who, "text": text}

    words = "Cán bộ tiếp dân có thái độ hách dịch, quát tháo người dân"
    late = "Hồ sơ quá hẹn trả kết quả đã hơn mười ngày mà chưa có thông báo gì"
    con = connect_drawn(
        tmp_path, complaint=[complaint(1, "a", words), complaint(2, "b", words), complaint(3, "c", late)]
    )
    found = sorting(con, UNTIL)
    assert [found[key].topic for key in ("c1", "c2", "c3")] == ["conduct", "conduct", "lateness"]
    assert [found[key].same_as for key in ("c1", "c2", "c3")] == [None, "c1", None]
    assert set(TOPIC_WORDS) >= {one.topic for one in found.values()}
    assert not {"complainant_id", "text"} & set(Sorting.__dataclass_fields__)


def test_floods_are_told_once_and_the_largest_first() -> None:
    one, two = Sorting("conduct", None, "c1", 5, 2), Sorting("lateness", "c7", "c9", 30, 1)
    held = {"c1": one, "c2": one, "c9": two, "c4": Sorting("other", None, None, 0, 0)}
    assert floods(["c1", "c2", "c4", "absent", "c9"], held) == [two, one]
    assert floods([], held) == []


def test_every_page_of_answers_opens_with_a_token_too(client: TestClient) -> None:
    app_settings = client.app.state.context.serving.settings  # type: ignore[attr-defined]
    bearer = token(app_settings, Role.UNIT_HEAD, now=datetime(2026, 3, 1, tzinfo=UTC), unit="x1")
    for path in ("explanations", "apologies", "consultations", "complaints", "returns", "remedies", "reports"):
        for door in (f"/{path}", f"/api/v1/{path}"):
            assert client.get(door, headers={"Authorization": f"Bearer {bearer}"}).status_code == 200, door
    answer = client.get("/api/v1/reports/unit.xlsx?month=2026-02", headers={"Authorization": f"Bearer {bearer}"})
    assert answer.status_code == 200
    other = client.get("/api/v1/reports/unit.xlsx?month=2026-02&unit=x2", headers={"Authorization": f"Bearer {bearer}"})
    assert other.status_code == 404
