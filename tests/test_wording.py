"""Wording: nobody is accused, every score says what it is not, numbers and days are written as in Vietnam."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from features.sources.vietnamese_number import decimal
from serving import words
from serving.access.permissions import GRANTS, Role, reach_of
from serving.access.route_table import ROUTES
from serving.app import create_app
from serving.pages import rendering
from serving.pages.board import to_do
from serving.pages.leadership import AGAINST
from serving.read import finding_words
from serving.read.receipt_words import ACTION_WORDS, detail_words
from tests.drawn_office import dossier_id
from tests.drawn_people import NOW, PEOPLE, sit_down, staffed_office

PAGES = Path(rendering.__file__).parent

# Words that say of a person what only a finding and the law may say. "kết luận vi phạm" stands in the
# sentence that
# says what a score is not.
FORBIDDEN = re.compile(
    r"(?<!kết luận )vi phạm|tham nhũng|nhận hối lộ|đòi tiền|vòi vĩnh|kẻ |thủ phạm|sai phạm|tội |gian dối|gian lận"
    r"|đáng ngờ|nghi phạm|kẻ xấu|yếu kém|lười|corrupt|guilty|culprit|offender|fraud|suspect",
    re.IGNORECASE,
)
DECIMAL_POINT = re.compile(r"(?<![\w.\-/:])\d+\.\d+(?![\w.\-/])(?!\s*(?:\.\d))")
OTHER_DAYS = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}-\d{1,2}-\d{4}\b")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = staffed_office(tmp_path_factory.mktemp("office"))
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=60)) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(client: TestClient) -> dict[tuple[str, str], str]:
    """Every page that every role may open, as it reads."""
    fixed = [
        key.split(" ")[1]
        for key in ROUTES
        if key.startswith("GET ") and "{" not in key and "/api" not in key and key.split(" ")[1] not in
        ("/", "/login/oidc", "/login/oidc/callback", "/plan/visit", "/dossier", "/official", "/login")
    ]  # fmt: skip
    shown = {("", "/login"): client.get("/login").text}
    for person in PEOPLE:
        sit_down(client, person.login)
        for path in fixed:
            if reach_of(person.role, ROUTES[f"GET {path}"]):
                shown[person.login, path] = client.get(path).text
        for path in (f"/dossier?id={dossier_id(0)}", "/official?id=o1"):
            answer = client.get(path)
            if answer.status_code == 200:
                shown[person.login, path] = answer.text
    assert len(shown) > 25
    return shown


def text_of(page: str) -> str:
    """What a person reads of a page: without tags, attributes, codes and English asides."""
    page = re.sub(r"<(code|script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    page = re.sub(r'<span class="en" lang="en">.*?</span>', " ", page, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", " ", page)


def test_no_page_accuses(pages: dict[tuple[str, str], str]) -> None:
    for who, page in pages.items():
        assert FORBIDDEN.findall(text_of(page)) == [], who


def test_no_template_and_no_table_of_words_accuses() -> None:
    sources = [path.read_text("utf-8") for path in (PAGES / "templates").rglob("*.*")]
    tables = [*finding_words.KIND_WORDS.values(), *finding_words.CAUSE_WORDS.values(), *AGAINST.values(),
              *ACTION_WORDS.values(), *words.EVENT_WORDS.values(), *(role.words for role in Role)]  # fmt: skip
    assert len(sources) > 15
    for text in [*sources, *tables]:
        assert FORBIDDEN.findall(text) == []


def test_the_forbidden_words_are_found_when_they_stand_there() -> None:
    for text in ("có vi phạm", "Sai phạm", "a corrupt official", "nghi phạm"):
        assert FORBIDDEN.search(text)
    assert not FORBIDDEN.search(words.NOT_A_FINDING)


def test_every_score_stands_with_what_it_is_not(pages: dict[tuple[str, str], str]) -> None:
    scored = {who: page for who, page in pages.items() if 'class="risk ' in page}
    assert len(scored) > 8
    for who, page in scored.items():
        body = page.split("<main", 1)[1].split("</main>")[0]
        assert words.NOT_A_FINDING in body, who  # with the scores, not in the footer
    for who, page in pages.items():
        assert page.count(words.NOT_A_FINDING) == 1, who  # once a page, or nobody reads it


def test_risk_is_said_in_word_number_and_colour(pages: dict[tuple[str, str], str]) -> None:
    badges = [badge for page in pages.values() for badge in re.findall(r'<span class="risk (r\d)">(.*?)</span>', page)]
    told = {style: word for style, text in badges for word in re.findall(r"<b>(.*?)</b>", text)}
    assert told.items() <= {band.style: band.word for band in words.LEVELS}.items()
    assert sum(bool(re.search(r"</b> [<>]? ?\d+ %", text)) for _, text in badges) > 50


def test_numbers_have_a_decimal_comma_and_days_are_day_month_year(pages: dict[tuple[str, str], str]) -> None:
    for who, page in pages.items():
        if who[1] in ("/receipts",):  # its column shows the receipts' own canonical JSON
            page = re.sub(r'<td class="small" data-l="Nội dung">.*?</td>', "", page, flags=re.DOTALL)
        if who[1] == "/intake":  # its counts of rows are whole numbers, with dots between thousands
            page = re.sub(r'<td class="n" data-l="(Đọc|Mới|Đã có|Để riêng)">\d{1,3}(\.\d{3})*</td>', "", page)
        said = re.sub(r"H99\.13-\d+-\d+|x1\.1|canonical\S*", "", text_of(page))
        assert DECIMAL_POINT.findall(said) == [], who
        assert OTHER_DAYS.findall(said) == [], who


@pytest.mark.parametrize(
    ("value", "places", "said"),
    [(12345.678, 1, "12.345,7"), (0.5, 2, "0,50"), (-3.0, 0, "−3"), (None, 1, "–"), (float("nan"), 1, "–")],
)
def test_decimals(value: float | None, places: int, said: str) -> None:
    assert decimal(value, places) == said


@pytest.mark.parametrize(
    ("share", "said"), [(0.134, "13 %"), (0.004, "< 1 %"), (0.999, "> 99 %"), (1.0, "100 %"), (None, "–")]
)
def test_percentages_never_claim_certainty(share: float | None, said: str) -> None:
    assert words.percent(share) == said


@pytest.mark.parametrize(
    ("hours", "said"),
    [(20, "còn 2,5 ngày"), (3, "còn 3 giờ"), (-8, "quá 1,0 ngày"), (0.4, "còn 0,4 giờ"), (None, "chưa có hạn")],
)
def test_time_left_is_said_in_working_days(hours: float | None, said: str) -> None:
    assert words.days_left(hours) == said


def test_bands_of_risk_meet_without_gap() -> None:
    said = [words.level(n / 1000).word for n in range(1001)]
    assert said[0] == "Thấp"
    assert said[-1] == "Rất cao"
    assert sorted(set(said), key=said.index) == [band.word for band in reversed(words.LEVELS)]


def test_what_to_do_follows_from_time_and_risk() -> None:
    from dataclasses import replace

    from serving.scoring.risk_list import RiskLine

    line = RiskLine(1, "H", "x1", "o1", "1", "DD", 0.1, -2.0, -1.8, 100.0, None, None, "Thẩm định", [])
    assert to_do(line) == "Theo dõi"
    assert "Xin lỗi" in to_do(replace(line, left_hours=-1.0))
    assert "hôm nay" in to_do(replace(line, left_hours=2.0))
    assert "người giữ" in to_do(replace(line, score=0.6))
    assert "trong ngày" in to_do(replace(line, score=0.6, left_hours=12.0))


def test_every_right_and_every_receipt_reads_in_words() -> None:
    assert set(GRANTS) <= set(ACTION_WORDS)
    assert detail_words('{"plan":"2026-10","seen":["a","b","c","d"]}') == "kế hoạch: 2026-10; đã hiện: 4 (a, b, c, …)"
    assert (
        detail_words('{"as_of":"2026-09-30T17:00:00+00:00","by":"password"}')
        == "tính đến: 30/09/2026 17:00 UTC; bằng: mật khẩu"
    )
    assert detail_words("no object") == "no object"
    assert detail_words('{"sha256":"' + "ab" * 32 + '","warnings":[]}') == "mã băm: abababababab…"
