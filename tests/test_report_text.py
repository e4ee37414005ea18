"""The drafted text of a report is edited on its page; draft and edited text are kept, figures are nobody's to write."""

import json
import re
from collections.abc import Iterator
from io import BytesIO

import docx
import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.reports.report import Sentence
from serving.reports.text import strange_numbers
from serving.work.witnessed_rows import WITNESSED
from tests.drawn_people import NOW, sit_down, staffed_office

ASKED = {"kind": "unit", "month": "2026-02", "unit": "x1"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = staffed_office(tmp_path_factory.mktemp("office"))
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=3600)) as opened:
        yield opened


def fields(page: str) -> tuple[str, list[str], list[str], list[str]]:
    """as_of, parts, sentences and rows of the form."""
    as_of = re.findall(r'name="as_of" value="([^"]+)"', page)[0]
    sentences = re.findall(r'<textarea id="s\d+"[^>]*>([^<]*)</textarea>', page)
    return (
        as_of,
        re.findall(r'name="part" value="([^"]*)"', page),
        sentences,
        re.findall(r'name="rows" value="([^"]*)"', page),
    )


def words_of(content: bytes) -> str:
    return "\n".join(one.text for one in docx.Document(BytesIO(content)).paragraphs)


def test_a_head_edits_the_text_and_both_are_kept(client: TestClient) -> None:
    csrf = sit_down(client, "truongphong")
    page = client.get("/reports/text", params=ASKED)
    as_of, parts, sentences, rows = fields(page.text)
    assert len(parts) == len(sentences) == len(rows) > 4
    drafted = [one for one in sentences if one]
    assert re.search(r"Căn cứ R1: Hồ sơ tiếp nhận trong kỳ = \d", page.text), "the count that the sentence tells"
    assert any("tiếp nhận" in one for one in drafted)
    assert "bản dự thảo" not in page.text.split("<details")[-1].lower() or "<details" not in page.text
    sentences[0] = "Tháng này đơn vị tiếp nhận nhiều hồ sơ đất đai hơn, khoảng 98765 hồ sơ."
    dropped, sentences[1] = sentences[1], ""
    form = {**ASKED, "as_of": as_of, "part": parts, "sentence": sentences, "rows": rows, "csrf": csrf, "key": "t" * 30}
    shown = client.post("/reports/text", data=form)
    assert shown.status_code == 200
    assert "98765" in shown.text.split("đề nghị xem lại")[1][:60], "a number that no figure has is pointed at"
    assert dropped in shown.text, "the draft stays beside it"
    file = client.get("/reports/unit.docx", params={**ASKED, "as_of": as_of})
    said = words_of(file.content)
    assert sentences[0] in said
    listed = client.get("/reports", params={"month": "2026-02"}).text
    assert re.search(r"Bản đã sửa lời văn.*?/reports/unit\.docx\?[^\"]*as_of=", listed), "an edited text is not lost"
    assert listed.index("Báo cáo tháng của đơn vị") < listed.index("Báo cáo tháng của Trung tâm"), "one's own first"
    assert dropped not in said
    receipts = client.app.state.context.people.receipts  # type: ignore[attr-defined]
    (written,) = [one for one in receipts.latest(most=9) if one.action == "report.write"]
    detail = json.loads(written.detail)
    assert dropped in [one[1] for one in detail["drafted"]]
    assert next(one[1] for one in detail["written"]) == sentences[0]
    assert dropped not in [one[1] for one in detail["written"]]
    assert any(name.startswith("report_text:") for name in detail["rows"])
    again = client.post("/reports/text", data={**form, "sentence": ["khác"] * len(sentences)})
    assert "khác" not in list(fields(again.text)[2]), "sent twice, written once"


def test_figures_and_other_reports_are_as_they_were(client: TestClient) -> None:
    sit_down(client, "truongphong")
    fresh = fields(client.get("/reports/text", params={**ASKED, "month": "2026-01"}).text)[2]
    assert not any("98765" in one for one in fresh)


@pytest.mark.parametrize("login", ["canbo", "phantich", "lanhdao", "quantri"])
def test_who_may_not_write_sees_no_form(client: TestClient, login: str) -> None:
    csrf = sit_down(client, login)
    assert client.get("/reports/text", params=ASKED).status_code == 403
    form = {**ASKED, "as_of": NOW.isoformat(), "part": [], "sentence": [], "rows": [], "csrf": csrf, "key": "u" * 30}
    assert client.post("/reports/text", data=form).status_code == 403


def test_a_head_writes_in_no_other_unit_and_nothing_endless(client: TestClient) -> None:
    csrf = sit_down(client, "truongphong")
    assert client.get("/reports/text", params={**ASKED, "unit": "x2"}).status_code == 404
    form = {**ASKED, "as_of": NOW.isoformat(), "csrf": csrf, "key": "v" * 30}
    for part, sentence in (("nonsense", "một câu"), ("results", "x" * 2_001)):
        asked = {**form, "part": [part], "sentence": [sentence], "rows": [""]}
        assert client.post("/reports/text", data=asked).status_code == 422
    assert any(table.__tablename__ == "report_text" for table in WITNESSED)


def test_numbers_are_compared_however_they_are_written(client: TestClient) -> None:
    from serving.reports.report import Figure, Report
    from tests.test_small_numbers import report_of

    report: Report = report_of(figures=(Figure("a", "a", 1234), Figure("b", "b", 8.5)))
    said = [Sentence("results", "Có 1.234 hồ sơ, 8,5 %, 8,50 %, tháng 2 năm 2026; và 77 nữa.")]
    assert strange_numbers(report, said) == ["77"]
