"""Pages: what they do when people act on them."""

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import docx
import openpyxl
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from serving.app import create_app
from serving.scoring.risk_list import Filters, latest_list
from serving.settings import Settings
from serving.state import Contest, Decision, Finding
from serving.words import wide_range
from tests.drawn_office import AS_OF, OPEN, dossier_id, rows_of, seal_plan, settings_of, store_scores
from tests.drawn_people import NOW, PASSWORD, sit_down, staffed_office

AFTER = NOW + timedelta(days=27)  # every visit of the drawn plan has begun

XSS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</textarea><svg/onload=alert(1)>",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "javascript:alert(1)//",
    "\u202e<b onmouseover=alert(1)>x</b>\u0000",
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = staffed_office(tmp_path_factory.mktemp("office"))
    seal_plan(settings)
    return settings.home


@pytest.fixture
def office(drawn: Path, tmp_path: Path) -> Settings:
    shutil.copytree(drawn, tmp_path / "home")
    return settings_of(tmp_path / "home")


@pytest.fixture
def client(office: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(office, now=lambda: AFTER, poll_seconds=60)) as opened:
        yield opened


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the first form of a page that is sent to `action`."""
    form = page.split(f'action="{action}"', 1)[1].split("</form>", 1)[0]
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))


def count(client: TestClient, table: type) -> int:
    people = client.app.state.context.people  # type: ignore[attr-defined]
    with people.state.reading() as session:
        return int(session.scalar(select(func.count()).select_from(table)) or 0)


def test_a_decision_needs_a_reason_and_a_double_click_has_one_effect(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    page = f"/dossier?id={dossier_id(0)}"
    form = {**form_of(client.get(page).text, "/decisions"), "kind": "dismiss"}
    assert client.post("/decisions", data={**form, "reason": "  "}).status_code == 422
    assert client.post("/decisions", data={**form, "reason": "đã có biên bản"}).status_code == 200
    again = client.post("/decisions", data={**form, "reason": "đã có biên bản"})
    assert again.status_code == 200
    assert count(client, Decision) == 1
    assert again.text.count("đã có biên bản") == 1
    receipts = client.app.state.context.people.receipts  # type: ignore[attr-defined]
    told = [one for one in receipts.about(f"dossier:{dossier_id(0)}") if one.action == "decision.write"]
    assert len(told) == 1
    assert "đã có biên bản" in told[0].detail
    assert receipts.verify() == []


def test_ticked_dossiers_go_into_the_plan(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    form = form_of(client.get("/list?due=all").text, "/picks")
    ticked = {"dossier": [dossier_id(0), dossier_id(3)], "reason": "cụm hồ sơ đất đai"}
    assert client.post("/picks", data={**form, **ticked}).status_code == 200
    shown = client.get("/list?due=all").text
    assert shown.count("Đưa vào kế hoạch</span>") == 2
    assert client.post("/picks", data={**form, "key": "n" * 30, "reason": "không chọn gì"}).status_code == 422


def test_contest_freezes_the_score_until_it_is_answered_and_recomputed(client: TestClient, office: Settings) -> None:
    page = f"/dossier?id={dossier_id(0)}"
    sit_down(client, "canbo")
    form = {**form_of(client.get(page).text, "/contest"), "about": "holder_queue", "text": "Tôi nghỉ phép từ 20/02"}
    for _ in range(2):
        assert client.post("/contest", data=form).status_code == 200
    assert count(client, Contest) == 1
    other = {**form_of(client.get(page).text, "/contest"), "about": "made_up", "text": "Không có lý do này"}
    assert client.post("/contest", data=other).status_code == 422

    store_scores(office, rows_of(OPEN), AS_OF + timedelta(days=1), shift=-0.4)
    refresh(client)
    sit_down(client, "thanhtra")
    shown = client.get("/list?due=all").text
    assert "đang giải trình" in shown
    assert "<b>Rất cao</b> 93 %" in shown  # as it was when it was contested; the new list says 53 %

    sit_down(client, "canbo")
    csrf = form_of(client.get("/contests").text, "/logout")["csrf"]
    answer = {"csrf": csrf, "key": "a" * 30, "outcome": "upheld", "text": "Tự trả lời"}
    assert client.post("/contests/1", data=answer).status_code == 403
    sit_down(client, "thanhtra")
    listed = client.get("/contests").text
    form = {**form_of(listed, "/contests/1"), "outcome": "upheld", "text": "Đã đính chính lịch nghỉ"}
    for _ in range(2):
        answered = client.post("/contests/1", data=form)
        assert answered.status_code == 200
    assert "<b>100 %</b>giải trình đúng" in answered.text
    late = {**form, "key": "b" * 30, "outcome": "rejected"}
    assert client.post("/contests/1", data=late).status_code == 422
    assert "<b>Rất cao</b> 93 %" in client.get("/list?due=all").text  # upheld, but not yet scored anew

    store_scores(office, rows_of(OPEN), AFTER + timedelta(days=1), shift=-0.4)
    refresh(client)
    assert "tính lại 53 %" in client.get("/contests").text
    assert "đang giải trình" not in client.get("/list?due=all").text


def refresh(client: TestClient) -> None:
    state = client.app.state.context  # type: ignore[attr-defined]
    state.refresh()


def test_the_range_of_a_score_is_told_where_it_is_wide_alone(client: TestClient, office: Settings) -> None:
    sit_down(client, "thanhtra")
    lines = latest_list(office.scores, "lateness").page(Filters(waiting=None), 0, 20).lines
    told = {line.dossier_id: wide_range(line.score_low, line.score_high) for line in lines}
    wide, narrow = (next(name for name, words in told.items() if bool(words) is wanted) for wanted in (True, False))
    assert f"có thể {told[wide]}" in client.get(f"/dossier?id={quote(wide)}").text
    assert "nói khác nhau nhiều" not in client.get(f"/dossier?id={quote(narrow)}").text
    page = client.get("/list").text
    shown = [words for name, words in told.items() if words and f"/dossier?id={quote(name)}" in page]
    assert shown
    assert all(words in page for words in shown)


def test_findings_from_the_phone(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    visit = re.findall(r"/plan/visit\?id=([^\"]+)", client.get("/plan").text)[0]
    page = client.get(f"/plan/visit?id={visit}").text
    form = {**form_of(page, "/plan/finding"), "kind": "none"}
    for _ in range(2):
        assert client.post("/plan/finding", data=form).status_code == 200
    assert count(client, Finding) == 1
    assert client.post("/plan/finding", data={**form, "key": "c" * 30}).status_code == 422  # it stands
    stranger = {**form, "key": "d" * 30, "dossier": "H00"}
    assert client.post("/plan/finding", data=stranger).status_code == 404
    fresh = client.get(f"/plan/visit?id={visit}").text
    empty = {**form_of(fresh, "/plan/finding"), "kind": "lateness", "severity": "2"}
    assert client.post("/plan/finding", data=empty).status_code == 422  # nothing was seen
    assert client.post("/plan/finding", data={**empty, "evidence": "Sổ theo dõi, tr. 12"}).status_code == 200
    assert count(client, Finding) == 2


def test_a_visit_before_its_hour_answers_like_an_absent_one(office: Settings) -> None:
    with TestClient(create_app(office, now=lambda: AS_OF - timedelta(days=1), poll_seconds=60)) as client:
        sit_down(client, "thanhtra")
        assert "Chưa cuộc nào đến giờ" in client.get("/plan").text
        sealed, absent = client.get("/plan/visit?id=2026-03/x1/team"), client.get("/plan/visit?id=2026-03/x9/team")
        assert sealed.status_code == absent.status_code == 404
        assert sealed.text == absent.text


def test_a_leader_approves_a_sealed_plan_once_by_its_hash(client: TestClient) -> None:
    sit_down(client, "lanhdao")
    form = form_of(client.get("/plan").text, "/plan/approve")
    assert client.post("/plan/approve", data={**form, "sha256": "0" * 64}).status_code == 404
    for _ in range(2):
        assert "Đã duyệt: lanhdao" in client.post("/plan/approve", data=form).text


@pytest.mark.parametrize("text", XSS)
def test_what_people_type_is_shown_as_text(client: TestClient, text: str) -> None:
    sit_down(client, "canbo")
    page = f"/dossier?id={dossier_id(0)}"
    form = {**form_of(client.get(page).text, "/contest"), "about": "fact", "text": text + " – giải trình"}
    assert client.post("/contest", data=form).status_code == 200
    sit_down(client, "thanhtra")
    form = {**form_of(client.get(page).text, "/decisions"), "kind": "override", "reason": text + " – lý do"}
    assert client.post("/decisions", data=form).status_code == 200
    form = {**form_of(client.get("/list?due=all").text, "/picks"), "dossier": dossier_id(4), "reason": text + " – chọn"}
    assert client.post("/picks", data=form).status_code == 200
    sheet = "/plan/visit?id=2026-03/x1/team"
    found = {**form_of(client.get(sheet).text, "/plan/finding"), "kind": "other", "severity": "1"}
    assert client.post("/plan/finding", data={**found, "evidence": text, "step": text}).status_code == 200
    answer = form_of(client.get("/contests").text, "/contests/1")
    assert (
        client.post("/contests/1", data={**answer, "outcome": "rejected", "text": text + " – trả lời"}).status_code
        == 200
    )
    token = {**form_of(client.get("/tokens").text, "/tokens"), "name": text[:120], "days": "1", "actions": "list.read"}
    assert client.post("/tokens", data=token).status_code == 200
    sit_down(client, "quantri")
    csrf = form_of(client.get("/accounts").text, "/accounts")
    made = {**csrf, "login": "moi.tao", "name": text, "role": "leader", "password": PASSWORD}
    assert client.post("/accounts", data=made).status_code == 200
    shown = ""
    for login, path in (
        ("thanhtra", page),
        ("thanhtra", "/contests"),
        ("thanhtra", "/plan"),
        ("thanhtra", "/plan?plan=" + quote(text[:20])),
        ("thanhtra", sheet),
        ("thanhtra", "/tokens"),
        ("thanhtra", "/official?id=" + quote(text)),
        ("thanhtra", "/unit?id=" + quote(text[:120])),
        ("thanhtra", "/conduct?unit=" + quote(text[:120]) + "&tier=" + quote(text[:20])),
        ("canbo", "/own"),
        ("quantri", "/receipts?action=" + quote(text[:60]) + "&about=" + quote(text)),
        ("quantri", "/accounts"),
        ("quantri", "/receipts"),
        ("lanhdao", "/receipts?actor=" + quote(text)),
        ("thanhtra", "/list?unit=" + quote(text)),
        ("thanhtra", "/dossier?id=" + quote(text)),
    ):
        sit_down(client, login)
        shown += client.get(path).text
    assert "<script>alert" not in shown
    assert not re.search(r"<(img|svg|b) [^>]*on\w+=", shown)
    assert not re.search(r"<svg/onload", shown)
    assert "49${49}" not in shown
    assert not re.search(r'(href|src|action)="\s*javascript:', shown)


def test_every_answer_carries_the_strict_headers(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    for path in ("/list", "/login", "/nowhere", "/static/style.css", "/api/v1/list"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == ("public, max-age=86400" if "static" in path else "no-store")


def test_pages_have_no_inline_script_style_or_foreign_address(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    for path in ("/list", f"/dossier?id={dossier_id(0)}", "/plan", "/contests"):
        page = client.get(path).text
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=", page), path
        assert not re.search(r'(src|href|action)="(https?:)?//', page), path


def test_the_first_page_is_small(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    page = client.get("/list").text
    files = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page))
    files |= {"/static/" + name for name in re.findall(r"url\(([^)]+)\)", client.get("/static/style.css").text)}
    weight = len(page.encode()) + sum(len(client.get(path).content) for path in files)
    assert len(files) >= 7
    assert weight <= 200_000


def test_login_leads_back_but_never_away(client: TestClient) -> None:
    for wanted, led in (
        ("/board?offset=25", "/board?offset=25"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ):
        client.cookies.clear()
        page = client.get("/login?next=" + quote(wanted)).text
        form = {**form_of(page, "/login"), "login": "truongphong", "password": PASSWORD}
        answer = client.post("/login", data=form, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, led)
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "samesite=lax" in answer.headers["set-cookie"].lower()
    assert client.post("/login", data={**form, "door": "x"}).status_code == 403


def test_logging_out_ends_the_session_on_the_server(client: TestClient) -> None:
    csrf = sit_down(client, "thanhtra")
    secret = client.cookies["risk_session"]
    left = client.post("/logout", data={"csrf": csrf}, follow_redirects=False)
    assert (left.status_code, left.headers["clear-site-data"]) == (303, '"cache", "storage"')
    client.cookies.set("risk_session", secret)
    assert client.get("/list", follow_redirects=False).status_code == 303


def test_exports_carry_the_same_lines_and_no_formula(client: TestClient) -> None:
    sit_down(client, "thanhtra.x1")
    book = openpyxl.load_workbook(BytesIO(client.get("/list.xlsx?due=all").content))
    sheet = book.worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref
    ids = [row[1].value for row in sheet.iter_rows(min_row=2)]
    assert dossier_id(0) in ids
    assert dossier_id(1) not in ids
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    document = docx.Document(BytesIO(client.get("/list.docx?due=all").content))
    text = "\n".join(p.text for p in document.paragraphs) + "\n".join(
        cell.text for table in document.tables for row in table.rows for cell in row.cells
    )
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in text
    assert "Độc lập - Tự do - Hạnh phúc" in text
    assert "không phải kết luận vi phạm" in text
    assert dossier_id(0) in text
    assert dossier_id(1) not in text


def test_an_administrator_makes_and_closes_accounts(client: TestClient) -> None:
    sit_down(client, "quantri")
    form = form_of(client.get("/accounts").text, "/accounts")
    made = {**form, "login": "moi.tao", "name": "Mới", "role": "unit_head", "unit": "x2", "password": PASSWORD}
    assert client.post("/accounts", data={**made, "unit": "nowhere"}).status_code == 422
    assert client.post("/accounts", data={**made, "password": "ngắn"}).status_code == 422
    page = client.post("/accounts", data=made).text
    assert page.count("moi.tao") >= 1
    number = re.search(r"/accounts/(\d+)/close(?:(?!/close).)*moi\.tao", page, re.S)
    assert number
    closing = form_of(page, f"/accounts/{number[1]}/close")
    assert "đã đóng" in client.post(f"/accounts/{number[1]}/close", data=closing).text


def test_a_token_is_shown_once_and_works(client: TestClient) -> None:
    sit_down(client, "phantich")
    form = form_of(client.get("/tokens").text, "/tokens")
    wanted = {"name": "máy", "days": "30", "actions": ["list.read", "account.write"]}
    page = client.post("/tokens", data={**form, **wanted})
    secret = re.search(r"risk_[\w-]{43}", page.text)
    assert secret
    assert secret[0] not in client.get("/tokens").text
    client.cookies.clear()
    bearer = {"Authorization": f"Bearer {secret[0]}"}
    assert client.get("/api/v1/list", headers=bearer).status_code == 200
    assert client.get("/analyst", headers=bearer).status_code == 403  # not among the token's actions


def test_no_citizen_is_named_anywhere(client: TestClient) -> None:
    for login, paths in {
        "thanhtra": ["/list", f"/dossier?id={dossier_id(0)}", f"/api/v1/dossiers/{dossier_id(0)}", "/api/v1/list"],
        "quantri": ["/receipts"],
    }.items():
        sit_down(client, login)
        for path in paths:
            assert "c-secret" not in client.get(path).text
