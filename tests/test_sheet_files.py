"""Every list as .xlsx and .docx: for whoever may read its page and nobody else, with filters, and never a formula."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO, StringIO

import docx
import openpyxl
import pytest
from fastapi.testclient import TestClient

from features.record.delivery import Chunk
from features.record.record import Record
from serving.access.permissions import reach_of
from serving.access.route_table import ROUTES
from serving.app import create_app
from tests.drawn_conduct import draw_full_office
from tests.drawn_office import dossier_id, official_of, unit_of
from tests.drawn_people import NOW, PEOPLE, sit_down

LISTS = sorted(
    path.removesuffix(".{ending}")
    for path in (key.split(" ")[1] for key in ROUTES)
    if path.endswith(".{ending}") and path.count("{") == 1
)
NOTHING_HERE = {
    "/complaints", "/consultations", "/papers", "/remedies", "/results", "/returns", "/sectors", "/warnings",
}  # fmt: skip
"""Lists of which the drawn office has no line; tests/test_answers.py and tests/test_warning_pages.py have some."""
AFTER = NOW + timedelta(days=27)
FORMULA = "=cmd|'/c calc'!A1"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = draw_full_office(tmp_path_factory.mktemp("office"))
    heard = AFTER - timedelta(hours=1)  # a record that has fallen behind opens no slip
    note = {"dossier_id": dossier_id(0), "kind": "note", "happened_at": heard, "known_at": heard}
    Record(settings.record_url).append([Chunk("event", [note])], source="canonical", arrived_at=heard)
    with TestClient(create_app(settings, now=lambda: AFTER, poll_seconds=3600)) as opened:
        csrf = sit_down(opened, "canbo")
        form = {"csrf": csrf, "dossier": dossier_id(0), "about": "fact", "text": FORMULA, "key": "c" * 24}
        assert opened.post("/contest", data=form).status_code == 200
        yield opened


@pytest.mark.parametrize("path", LISTS)
def test_a_file_is_for_whoever_may_read_the_page(client: TestClient, path: str) -> None:
    for person in PEOPLE:
        sit_down(client, person.login)
        wanted = 200 if reach_of(person.role, ROUTES[f"GET {path}.{{ending}}"]) else 403
        for ending in ("csv", "xlsx", "docx"):
            assert client.get(f"{path}.{ending}").status_code == wanted, (person.login, path, ending)


def reader_for(path: str) -> str:
    """Somebody who may read the list; of the narrowest scope."""
    able = [person.login for person in PEOPLE if reach_of(person.role, ROUTES[f"GET {path}.{{ending}}"])]
    return next((login for login in able if login in ("thanhtra.x1", "canbo", "truongphong")), able[0])


@pytest.mark.parametrize("path", LISTS)
def test_sheets_have_filters_a_frozen_head_and_no_formula(client: TestClient, path: str) -> None:
    sit_down(client, reader_for(path))
    query = "?due=all" if path == "/list" else ""
    book = openpyxl.load_workbook(BytesIO(client.get(f"{path}.xlsx{query}").content))
    sheet = book.worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref
    assert (sheet.max_row > 1) == (path not in NOTHING_HERE), path
    assert all(cell.data_type != "f" for one in book.worksheets for row in one.iter_rows() for cell in row)
    assert "không phải kết luận vi phạm" in book.worksheets[1]["A1"].value
    document = docx.Document(BytesIO(client.get(f"{path}.docx").content))
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in "".join(
        paragraph.text for row in document.tables[0].rows for cell in row.cells for paragraph in cell.paragraphs
    )


@pytest.mark.parametrize("path", ["/list", "/board", "/own", "/contests"])
def test_files_hold_nothing_from_outside(client: TestClient, path: str) -> None:
    login = reader_for(path)
    sit_down(client, login)
    query = "?due=all" if path == "/list" else ""
    sheet = openpyxl.load_workbook(BytesIO(client.get(f"{path}.xlsx{query}").content)).worksheets[0]
    told = {str(cell.value) for row in sheet.iter_rows() for cell in row}
    mine = [n for n in range(90) if unit_of(n) in ("x1", "x1.1") and (login != "canbo" or official_of(n) == "o1")]
    assert told & {dossier_id(n) for n in range(90)} <= {dossier_id(n) for n in mine}
    assert dossier_id(0) in told


def test_what_looks_like_a_formula_stays_text(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    sheet = openpyxl.load_workbook(BytesIO(client.get("/contests.xlsx").content)).worksheets[0]
    cell = next(cell for row in sheet.iter_rows() for cell in row if "calc" in str(cell.value))
    assert cell.data_type == "s"
    assert not str(cell.value).startswith("=")


def test_the_same_cells_stand_in_csv_and_none_is_a_formula(client: TestClient) -> None:
    sit_down(client, "canbo")
    text = client.get("/contests.csv").content.decode("utf-8-sig")
    rows = list(csv.reader(StringIO(text)))
    book = openpyxl.load_workbook(BytesIO(client.get("/contests.xlsx").content)).worksheets[0]
    assert rows[0] == [cell.value for cell in book[1]]
    assert len(rows) == book.max_row
    assert FORMULA in text
    assert not any(cell.startswith("=") for row in rows for cell in row)
