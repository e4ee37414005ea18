"""Words of pages, for every role on every page that its links lead to: no command, no code of ours, no opaque key."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from urllib.parse import quote

import docx
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.pages.after_saving import COOKIE
from serving.pages.refusals import CAUSES, cause_of
from serving.words import NOT_A_FINDING
from tests.drawn_conduct import draw_full_office
from tests.drawn_people import NOW, PEOPLE, Person, sit_down
from tests.test_links import links

COMMAND = re.compile(r"\brisk [a-z]+")
CODE = re.compile(r"\bS\d [\dđa-z]|DOC766|domain\.md")
KEY = re.compile(r"\bo-[0-9a-f]{6}")
ENGLISH = re.compile(r"\b(?:the|with|and|wanted|which)\b")
SEES_NAMES = ("inspector", "unit_head", "leader")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = draw_full_office(tmp_path_factory.mktemp("office"))
    with TestClient(create_app(settings, now=lambda: NOW + timedelta(days=27), poll_seconds=3600)) as opened:
        yield opened


def text_of(page: str) -> str:
    """What a person reads: no tags, no scripts, no code samples."""
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(code|script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)))


def walked(client: TestClient, start: str = "/") -> dict[str, str]:
    """The pages that links lead to from `start`, two of a kind."""
    waiting = [start]
    seen: dict[str, str] = {}
    kinds: dict[str, int] = {}
    while waiting:
        link = waiting.pop(0)
        kind = re.sub(r"=[^&]*", "", link)
        if link in seen or kinds.get(kind, 0) >= 2:
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        seen[link] = client.get(link).text
        waiting += sorted(links(seen[link]))
    return seen


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.login)
def test_no_page_tells_commands_codes_or_english(client: TestClient, person: Person) -> None:
    sit_down(client, person.login)
    pages = walked(client)
    assert len(pages) >= 5
    for link, page in pages.items():
        said = text_of(page)
        assert COMMAND.findall(said) == [], link
        assert CODE.findall(said) == [], link
        assert page.count(NOT_A_FINDING) == 1, link
        if person.role in SEES_NAMES:
            assert KEY.findall(said) == [], link
        if not link.startswith(("/receipts", "/jobs")):  # what was typed or counted there is shown as it is
            assert ENGLISH.findall(said) == [], link


def test_what_was_saved_is_said_once_and_the_way_leads_back(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    page = client.get("/list?due=all&order=left")
    form = dict(re.findall(r'name="(csrf|key)" value="([^"]*)"', page.text.split('action="/picks"')[1]))
    ticked = re.findall(r'name="dossier" value="([^"]+)"', page.text)[0]
    answer = client.post(
        "/picks", data={**form, "dossier": ticked, "reason": "cụm hồ sơ đất đai"}, follow_redirects=False,
        headers={"Referer": "http://testserver/list?due=all&order=left"},
    )  # fmt: skip
    assert answer.headers["location"] == "/list?due=all&order=left"
    assert COOKIE in answer.headers["set-cookie"]
    assert "Đã lưu: quyết định về điểm" in client.get(answer.headers["location"]).text
    assert "Đã lưu" not in client.get("/list").text


def test_a_foreign_referer_never_leads_away(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    page = client.get("/list?due=all").text
    form = dict(re.findall(r'name="(csrf|key)" value="([^"]*)"', page.split('action="/picks"')[1]))
    ticked = re.findall(r'name="dossier" value="([^"]+)"', page)[1]
    answer = client.post(
        "/picks", data={**form, "dossier": ticked, "reason": "cụm hồ sơ đất đai"}, follow_redirects=False,
        headers={"Referer": "https://evil.example//evil.example/list?x=1"},
    )  # fmt: skip
    assert answer.headers["location"] == "/list"


def test_each_refusal_has_one_sentence() -> None:
    assert cause_of("2026-03/x1/team/h1 has a conclusion; it stands, and a correction says why it differs") == (
        "Hồ sơ này đã có kết luận; muốn đổi thì sửa ở trang Kết quả và nêu lý do."
    )
    assert (
        cause_of("No plan keeps all quotas: mỗi đơn vị: 3/4")
        == "Không lập được kế hoạch giữ đủ chỉ tiêu: mỗi đơn vị: 3/4."
    )
    assert cause_of("nothing of this") is None
    assert all(not ENGLISH.search(sentence) for _, sentence in CAUSES)


def test_a_head_sees_own_inspections_and_no_visit_of_a_team(client: TestClient) -> None:
    sit_down(client, "truongphong")
    page = client.get("/self-inspections")
    assert page.status_code == 200
    assert client.get("/plan").status_code == 403
    assert "/team" not in html.unescape(page.text)
    visits = client.get("/api/v1/self-inspections").json()
    assert visits
    assert {one["visit_id"].split("/")[2] for one in visits} == {"head"}
    begun = next(one["visit_id"] for one in visits if f"visit?id={quote(one['visit_id'], safe='/')}" in page.text)
    assert '"/letters/minutes.zip"' in page.text
    minutes = client.get(f"/letters/minutes.docx?only={begun}")
    assert f"/letters/minutes.docx?only={quote(begun, safe='/')}" in page.text
    cells = [cell.text for table in docx.Document(BytesIO(minutes.content)).tables for cell in table._cells]
    assert "NGƯỜI ĐỨNG ĐẦU ĐƠN VỊ" in "".join(cells)
    team = client.get("/self-inspections/visit?id=2026-03/x1/team")
    assert team.status_code == 404


def test_figures_of_today_are_those_of_the_lists_tabs(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    context = client.app.state.context  # type: ignore[attr-defined]
    scored = context.serving.listed("lateness")
    ended = pa.table({
        "dossier_id": pa.array(scored.dossier_ids()[:1], pa.string()),
        "phase": pa.array(["ended"], pa.string()), "lawful_due_at": pa.array([None], pa.timestamp("us", "UTC")),
        "overdue": pa.array([False]),
    })  # fmt: skip
    context.serving.restate(NOW + timedelta(days=27), ended, context.read_model.calendar)
    assert len(context.serving.listed("lateness").dossier_ids()) == len(scored.dossier_ids()) - 1
    today, listed = text_of(client.get("/").text), text_of(client.get("/list").text)
    for words in ("còn cứu được", "đã quá hạn", "chờ người dân"):
        told = re.search(rf"([\d.]+)\s+{words}", today)
        shown = re.search(rf"{words.capitalize()} \(([\d.]+)\)", listed)
        assert told is not None
        assert shown is not None
        assert told[1] == shown[1], words
