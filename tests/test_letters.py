"""Letters in the forms of Nghị định 30: made of what pages list, many in one file or one each, nobody named wrongly."""

import re
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import docx
import pytest
from docx.oxml.ns import qn
from fastapi.testclient import TestClient

from serving.access.permissions import Role, Scope
from serving.app import create_app
from serving.documents.letter import Letter, in_many_files, in_one_file
from serving.documents.letterhead import Letterheads
from serving.read.caseload import Case
from serving.read.register import Register, UnitEntry
from serving.reports.letters import KINDS, LetterDesk, letters_of
from serving.state import Apology, State, open_state
from serving.work import findings, remediation
from serving.work.apologies import ApologyStanding
from serving.work.consultations import Consultation
from serving.work.trackers import Tracked
from tests.drawn_people import NOW, sit_down, staffed_office, token
from tests.office_tools import converted, tool

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
AT = datetime(2026, 9, 4, 2, tzinfo=UTC)
REGISTER = Register(
    units={
        "T": UnitEntry("T", "UBND tỉnh Minh Hải", "province", None),
        "S": UnitEntry("S", "Sở Xây dựng", "department", "T"), "X": UnitEntry("X", "UBND xã Tân Mẫu", "commune", "T"),
    },
    procedures={"P": "Cấp giấy phép xây dựng <A> & B"},
)  # fmt: skip
DESK = LetterDesk(REGISTER, Letterheads(), ZONE, AT, lambda official: f"ông bà {official}")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state(f"sqlite:///{tmp_path / 'state.db'}")


def asked(dossier: str, unit: str, state: str) -> Consultation:
    since, due = AT - timedelta(days=9), AT - timedelta(days=4)
    return Consultation(dossier, "S", "P", unit, None, since, due, None, 40.0, state, seldom=False, short=False)


def tracked(*, consultations: list[Consultation] | None = None, late: list[str] | None = None) -> Tracked:
    cases = {
        one: cast("Case", SimpleNamespace(dossier_id=one, procedure_code="P", received_at=AT - timedelta(days=20)))
        for one in late or []
    }
    standings = [ApologyStanding(case, None, None, "none", in_time=False, times=0) for case in cases.values()]
    return Tracked(cast("Any", None), cases, standings, consultations or [], [], [])


def words(content: bytes) -> str:
    document = docx.Document(BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(one.text for one in document.paragraphs), *cells])


def made(kind: str, state: State, held: Tracked, **more: Any) -> list[Letter]:
    with state.reading() as session:
        return letters_of(kind, DESK, session, held, more.pop("scope", Scope(None)), **more)


def test_one_reminder_goes_to_each_unit_that_has_not_answered(state: State) -> None:
    held = tracked(consultations=[asked("D1", "X", "overdue"), asked("D2", "X", "overdue"), asked("D3", "X", "open"),
                                  asked("D4", "T", "late"), asked("D5", "T", "overdue")])  # fmt: skip
    to_province, to_commune = made("consultations", state, held)
    text = words(to_commune.content())
    assert all(one in text for one in ("Kính gửi: UBND xã Tân Mẫu", "V/v đôn đốc trả lời", "SỞ XÂY DỰNG", "D1", "D2"))
    assert "2 lượt" in text
    assert not any(one in text for one in ("D3", "D5"))
    assert "D5" in words(to_province.content())
    assert [one.file for one in made("consultations", state, held, only="X")] == ["don-doc-S-X"]
    assert made("consultations", state, held, scope=Scope(frozenset({"X"}))) == [], "who was asked reminds nobody"


def found(state: State, dossier: str, kind: str, confirmed: bool | None) -> None:
    pulled = findings.SampledDossier("V/1", "X", AT - timedelta(days=2), dossier, official_id="o1")
    severity = None if kind == "none" else 2
    said = findings.Conclusion(kind, severity, confirmed, "sổ tiếp nhận, trang 4")
    with state.writing() as session:
        findings.add(session, pulled, said, now=AT - timedelta(days=1))


def test_what_was_found_not_to_hold_is_named_nowhere(state: State) -> None:
    for dossier, kind, confirmed in (("D1", "lateness", True), ("D2", "lateness", None), ("D3", "extra_papers", False)):
        found(state, dossier, kind, confirmed)
    with state.writing() as session:
        for dossier in ("D1", "D2"):
            remediation.demand(session, f"V/1/{dossier}", f"Xử lý dứt điểm {dossier}", date(2026, 9, 30), now=AT)
        with pytest.raises(ValueError, match="found not to hold"):
            remediation.demand(session, "V/1/D3", "Xử lý dứt điểm", date(2026, 9, 30), now=AT)
    (letter,) = made("remedies", state, tracked())
    assert "D1" in words(letter.content())
    assert "D2" in words(letter.content())
    with state.writing() as session:
        refuted = findings.Conclusion("lateness", 2, False, "sổ tiếp nhận, trang 4")
        findings.correct(session, "V/1/D2", refuted, "đã đối chiếu hồ sơ giấy", now=AT)
    (letter,) = made("remedies", state, tracked())
    assert "D2" not in words(letter.content()), "refuted since: nothing rests on it"
    visit = {"visit_id": "V/1", "unit_code": "X", "by": "home_affairs", "team_id": "t", "at": AT.isoformat(),
             "sheet": [{"dossier_id": one} for one in ("D1", "D2", "D3", "D4")]}  # fmt: skip
    (minutes,) = made("minutes", state, tracked(), visits=[visit])
    text = words(minutes.content())
    assert "Chậm so với hẹn (đã xác nhận)" in text
    assert text.count("Không xác nhận có vấn đề") == 2
    assert "giấy tờ" not in text.lower().replace("hồ sơ giấy", "")
    assert "o1" not in text
    assert all(one in text for one in ("BIÊN BẢN", "SỞ NỘI VỤ", "ĐẠI DIỆN ĐƠN VỊ", "TRƯỞNG ĐOÀN KIỂM TRA", "Nơi nhận:"))


def drafts(state: State, number: int) -> list[str]:
    names = [f"D{n}" for n in range(number)]
    with state.writing() as session:
        for one in names:
            session.add(
                Apology(dossier_id=one, unit_code="X", old_due_at=AT, new_due_at=AT + timedelta(days=3), drafted_at=AT,
                        reason=f"Lý do của {one}", drafted_by=None, sent_at=None, sent_by=None)
            )  # fmt: skip
    return names


def test_many_letters_are_one_document_or_a_document_each(state: State) -> None:
    held = tracked(late=drafts(state, 3))
    letters = made("apologies", state, held)
    assert [one.file for one in letters] == ["xin-loi-1", "xin-loi-2", "xin-loi-3"]
    whole = in_one_file(letters)
    assert whole == in_one_file(letters), "equal letters, equal bytes"
    document = docx.Document(BytesIO(whole))
    assert len(document.sections) == 3
    assert all(one._sectPr.find(qn("w:pgNumType")).get(qn("w:start")) == "1" for one in document.sections)
    text = words(whole)
    assert text.count("PHIẾU XIN LỖI") == 3
    assert all(f"Lý do của D{n}" in text for n in range(3))
    assert "Cấp giấy phép xây dựng <A> & B" in text
    with zipfile.ZipFile(BytesIO(in_many_files(letters))) as packed:
        assert packed.namelist() == ["xin-loi-1.docx", "xin-loi-2.docx", "xin-loi-3.docx"]
        assert packed.read("xin-loi-2.docx") == letters[1].content()
    with zipfile.ZipFile(BytesIO(in_many_files([letters[0], replace(letters[1], file="xin-loi-1")]))) as packed:
        assert packed.namelist() == ["xin-loi-1.docx", "xin-loi-1-2.docx"]
    with pytest.raises(ValueError, match="of one template"):
        in_one_file([])
    assert [one.file for one in made("apologies", state, held, only="2")] == ["xin-loi-2"]


def test_a_commune_is_a_committee_once() -> None:
    head = DESK.head("X")
    assert (head.issuer, head.symbol) == ("Ủy ban nhân dân xã Tân Mẫu", "UBND")
    assert head.superior == "Ủy ban nhân dân tỉnh Minh Hải"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = staffed_office(tmp_path_factory.mktemp("office"))
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=3600)) as opened:
        opened.head_token = token(settings, Role.UNIT_HEAD, unit="x1")  # type: ignore[attr-defined]
        yield opened


def test_pages_and_api_give_the_same_letters_and_note_who_took_them(client: TestClient) -> None:
    sit_down(client, "truongphong")
    slips = client.get("/letters/explanations.docx")
    assert slips.status_code == 200, slips.text[:300]
    assert "PHIẾU GIẢI TRÌNH" in words(slips.content)
    assert not re.search(r"{{|{%|\bo-[0-9a-f]{6}", words(slips.content))
    key = {"Authorization": f"Bearer {client.head_token}"}  # type: ignore[attr-defined]
    assert client.get("/api/v1/letters/explanations.docx", headers=key).content == slips.content
    packed = client.get("/letters/explanations.zip")
    assert packed.headers["content-type"] == "application/zip"
    receipts = client.app.state.context.people.receipts  # type: ignore[attr-defined]
    assert [one.action for one in receipts.latest(most=3)] == ["letter.export"] * 3
    assert client.get("/letters/nonsense.docx").status_code == 404
    assert client.get("/letters/minutes.docx").status_code == 404, "no visit of a team is a head's to write up"
    assert "/letters/explanations.zip" in client.get("/explanations").text
    sit_down(client, "canbo")
    assert client.get("/letters/explanations.docx").status_code == 403


@pytest.mark.slow
def test_every_kind_is_rendered_to_pages(state: State, tmp_path: Path) -> None:
    to_text, about = tool("pdftotext"), tool("pdfinfo")
    found(state, "D1", "lateness", True)
    with state.writing() as session:
        remediation.demand(session, "V/1/D1", "Niêm yết lại thành phần hồ sơ", date(2026, 9, 30), now=AT)
    held = tracked(late=drafts(state, 2), consultations=[asked("D9", "X", "overdue")])
    visit = {"visit_id": "V/1", "unit_code": "X", "by": "own_head", "team_id": None, "at": AT.isoformat(),
             "sheet": [{"dossier_id": "D1"}]}  # fmt: skip
    kinds = [kind for kind in KINDS if kind != "explanations"]  # slips: the page's own test
    for kind in kinds:
        (tmp_path / f"{kind}.docx").write_bytes(in_one_file(made(kind, state, held, visits=[visit])))
    converted(tmp_path, (tmp_path / f"{kind}.docx" for kind in kinds))
    for kind in kinds:
        pdf = str(tmp_path / f"{kind}.pdf")
        text = subprocess.run([to_text, "-layout", pdf, "-"], check=True, capture_output=True, text=True).stdout
        assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in text, "on one line"
        assert "Nơi nhận:" in text
        info = subprocess.run([about, pdf], check=True, capture_output=True, text=True).stdout
        pages = {"apologies": "2", "minutes": "[12]"}.get(kind, "1")
        assert re.search(rf"Pages: +{pages}\n", info), (kind, info)
