"""The pages in English: no text lacks it, only names and official papers stay Vietnamese; the switch."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import lxml.html
import pytest
from fastapi.testclient import TestClient

from serving import words
from serving.app import create_app
from serving.language import LANGUAGES, LazyText, gettext, preferred, speaking
from serving.read.intake_words import cell_words
from serving.read.receipt_words import detail_words
from serving.words import NOT_A_FINDING
from tests.drawn_conduct import draw_full_office
from tests.drawn_people import NOW, PASSWORD, PEOPLE, Person, sit_down
from tests.test_pages_words import KEY, SEES_NAMES, walked
from tests.translations import PO, SERVING, compiled, english, lacking

VIETNAMESE = re.compile("[ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ]", re.IGNORECASE)
PLACE = re.compile(r"%\(\w+\)s|\{\w*\}|\\\d")
OF_FILES = {"export", "export_answers", "sheet_file"}
"""Modules whose words go into files that leave the house."""
READ = ("aria-label", "placeholder", "data-l", "title", "alt")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = draw_full_office(tmp_path_factory.mktemp("office"))
    with TestClient(create_app(settings, now=lambda: NOW + timedelta(days=27), poll_seconds=3600)) as opened:
        yield opened


def choose(client: TestClient, language: str, page: str = "/") -> int:
    csrf = re.findall(r'name="csrf" value="([^"]+)"', client.get("/").text)[0]
    form = {"csrf": csrf, "language": language, "page": page}
    return client.post("/language", data=form, follow_redirects=False).status_code


def vietnamese_of(page: str) -> list[str]:
    """Vietnamese that a reader of an English page meets outside what is marked as Vietnamese."""

    def marked(element: lxml.html.HtmlElement) -> bool:
        return next((one.get("lang") for one in (element, *element.iterancestors()) if one.get("lang")), "") == "vi"

    found = []
    for element in lxml.html.document_fromstring(page).iter():
        if not isinstance(element.tag, str) or element.tag in ("script", "style", "title"):
            continue
        if not marked(element):
            found += [element.text or "", *(element.get(name) or "" for name in READ)]
        parent = element.getparent()
        if parent is not None and not marked(parent):
            found.append(element.tail or "")
    return [one.strip() for one in found if VIETNAMESE.search(one)]


def test_every_text_has_its_english_and_none_is_left_over() -> None:
    assert lacking(english()) == [], "python -m tests.translations, then write the English in pages.po"
    assert len(english()) > 1_000


def test_the_compiled_catalogue_is_of_the_written_one() -> None:
    assert PO.with_suffix(".mo").read_bytes() == compiled(english()), "python -m tests.translations"


def test_no_text_of_a_page_stands_outside_the_catalogue() -> None:
    for path in (SERVING / "pages" / "templates").rglob("*.*"):
        bare = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", path.read_text("utf-8"), flags=re.DOTALL)
        assert VIETNAMESE.findall(bare) == [], path.name
    for path in (SERVING / "pages").glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        in_files = [
            node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and "Sheet(" in ast.unparse(node)
        ]
        said = [
            node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in ("_", "lazy")
        ]
        notes = [node for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
        fine = {one for node in (*said, *in_files, *notes) for one in ast.walk(node)}
        left = [
            node.value for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in fine
        ]  # fmt: skip
        assert path.stem in OF_FILES or not [one for one in left if VIETNAMESE.search(one)], path.name


def test_english_keeps_every_place_and_no_vietnamese_letter() -> None:
    for text, said in ((str(message.id), str(message.string)) for message in english() if message.id):
        assert set(PLACE.findall(text)) == set(PLACE.findall(said)), text
        assert VIETNAMESE.findall(said) == [], said
        assert (text[:1] == " ", text[-1:] == " ") == (said[:1] == " ", said[-1:] == " "), text
        assert not re.search(r"violat|corrupt|guilt|accus|suspect", said.lower()), said


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.login)
def test_an_english_page_speaks_english(client: TestClient, person: Person) -> None:
    sit_down(client, person.login)
    assert choose(client, "en") == 303
    pages = walked(client)
    assert choose(client, "vi") == 303
    assert len(pages) >= 5
    with speaking("en"):
        remark = gettext(NOT_A_FINDING)
    for link, page in pages.items():
        assert '<html lang="en">' in page, link
        assert vietnamese_of(page) == [], link
        assert page.count(remark) == 1, link
        if person.role in SEES_NAMES:
            assert KEY.findall(lxml.html.document_fromstring(page).text_content()) == [], link


def test_names_are_marked_for_a_screen_reader(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    choose(client, "en")
    page = client.get("/list").text
    choose(client, "vi")
    assert '<span lang="vi">Phường Sông Hồng</span>' in page
    assert re.search(r"<option[^>]* lang=\"vi\">Phường Sông Hồng", page)
    assert "Official no. " in page
    assert 'lang="vi"' not in client.get("/list").text.split("<body>")[1]


def test_the_switch_is_the_accounts_and_leads_back(client: TestClient) -> None:
    sit_down(client, "canbo")
    form = {"language": "en", "page": "/own?x=1"}
    csrf = re.findall(r'name="csrf" value="([^"]+)"', client.get("/").text)[0]
    answer = client.post("/language", data=form | {"csrf": csrf}, follow_redirects=False)
    assert answer.headers["location"] == "/own?x=1"
    sit_down(client, "thanhtra.x1")
    assert '<html lang="vi">' in client.get("/").text
    sit_down(client, "canbo")
    assert '<html lang="en">' in client.get("/").text
    away = client.post("/language", data={"csrf": "x", "language": "vi"}, follow_redirects=False)
    assert away.status_code == 403
    assert "The form is out of date" in away.text
    assert choose(client, "fr") == 422
    assert choose(client, "vi", "https://evil.example/") == 303
    assert '<html lang="vi">' in client.get("/").text


def test_files_and_the_api_stay_as_they_are(client: TestClient) -> None:
    sit_down(client, "lanhdao")
    before = [client.get(path).content for path in ("/list.csv", "/leadership.csv", "/receipts.csv?action=home.read")]
    said = client.get("/api/v1/duties").json()
    assert choose(client, "en") == 303
    after = [client.get(path).content for path in ("/list.csv", "/leadership.csv", "/receipts.csv?action=home.read")]
    assert after[:2] == before[:2]
    assert "Mở trang đầu" in after[2].decode()
    assert client.get("/api/v1/duties").json() == said
    assert choose(client, "vi") == 303


def test_no_language_is_left_over_from_another_request(client: TestClient) -> None:
    sit_down(client, "lanhdao")
    paths = ("/list.csv", "/api/v1/duties")
    said = [client.get(path).content for path in paths]
    with speaking("en"):  # as the context of the request before, on a connection that is kept
        assert [client.get(path).content for path in paths] == said
        assert '<html lang="vi">' in client.get("/").text
        client.cookies.clear()
        assert "Đăng nhập" in client.get("/login").text


def test_a_stranger_is_asked_in_the_browsers_language(client: TestClient) -> None:
    client.cookies.clear()
    assert "Đăng nhập" in client.get("/login").text
    english_page = client.get("/login", headers={"Accept-Language": "en-US,en;q=0.9"}).text
    assert "Log in" in english_page
    assert 'href="/login?language=vi"' in english_page
    assert "Đăng nhập" in client.get("/login", headers={"Accept-Language": "en-US,en;q=0.9,vi;q=0.8"}).text
    asked = client.get("/login?language=en").text
    door = re.findall(r'name="door" value="([^"]+)"', asked)[0]
    wrong = {"login": "canbo", "password": PASSWORD + "x", "door": door, "language": "en"}
    assert "Name or password is not right" in client.post("/login", data=wrong).text
    assert "Not found" in client.get("/nowhere", headers={"Accept-Language": "en"}).text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "vi"), ("en", "en"), ("fr-FR, en;q=0.5", "en"), ("EN-gb", "en"), ("fr", "vi"), ("en, vi;q=0.1", "vi"),
     (";q=,,", "vi"), ("x" * 10_000, "vi")],
)  # fmt: skip
def test_the_language_of_a_header(accepted: str, language: str) -> None:
    assert preferred(accepted) == language
    assert language in LANGUAGES


def test_numbers_and_moments_in_both_languages() -> None:
    zone, at = ZoneInfo("Asia/Ho_Chi_Minh"), datetime(2026, 3, 5, 7, 30, tzinfo=UTC)
    clock = words.Clockface(zone)
    said = lambda: (  # noqa: E731
        words.decimal(-1234.56), words.percent(0.134), words.figure("0.25"), clock.moment(at), clock.day(at),
        words.iso_day("2026-03-05"), words.iso_day("2026-03"), words.days_left(20), words.hours_between(16, 32),
        detail_words('{"score": "2026-03-05T07:30:00+00:00"}', zone), cell_words("2026-03-05T14:30+07:00"),
    )  # fmt: skip
    assert said() == (
        "−1.234,6", "13 %", "0,25", "05/03/2026 14:30", "05/03/2026", "05/03/2026", "03/2026", "còn 2,5 ngày",
        "2,0–4,0 ngày làm việc", "điểm: 05/03/2026 14:30", "05/03/2026 14:30",
    )  # fmt: skip
    with speaking("en"):
        assert said() == (
            "−1,234.6", "13%", "0.25", "5 Mar 2026 14:30", "5 Mar 2026", "5 Mar 2026", "03/2026", "2.5 days left",
            "2.0–4.0 working days", "points: 5 Mar 2026 14:30", "5 Mar 2026 14:30",
        )  # fmt: skip


def test_a_lazy_text_is_vietnamese_until_it_is_said() -> None:
    text = LazyText("Cao")
    with speaking("en"):
        assert (text, dict[str, int]({text: 1})["Cao"]) == ("Cao", 1)
        assert (f"{text}", str(text), text.lower(), text.__html__()) == ("High", "High", "high", "High")
        with speaking("vi"):
            assert f"{text}" == "Cao"
        assert f"{text}" == "High"
    assert f"{text}" == "Cao"
