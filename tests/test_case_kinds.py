"""Other forms of the faults of `../shared/cases`: each dossier right in the record, set aside or told; none silent."""

import unicodedata
import zipfile
from datetime import UTC, date, datetime
from html import escape
from pathlib import Path

import openpyxl
import pytest

from features.record.delivery import DeliveryReceipt
from features.record.record import Record
from features.sources import SOURCES, FeedOptions
from tests.drawn_record import KEY, synced, write_json
from tests.test_feeds_log import MAPPING as LOG_MAPPING
from tests.test_feeds_log import written
from tests.test_table_sources import HEADER, MAPPING, Truth, book, in_1258, line, stored, take, truth

NOW = datetime(2026, 11, 1, tzinfo=UTC)
TRUTHS = [truth(n) for n in range(4)]
Rows = list[list[object]]
MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry
manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>"""


def ods(path: Path, sheets: dict[str, tuple[bool, Rows]]) -> Path:
    """An OpenDocument spreadsheet: by name of sheet whether it is hidden, and its rows; days as days."""
    ns = ("office", "table", "style", "text")
    spaces = " ".join(f'xmlns:{one}="urn:oasis:names:tc:opendocument:xmlns:{one}:1.0"' for one in ns)

    def cell(value: object) -> str:
        if isinstance(value, date):
            return f'<table:table-cell office:value-type="date" office:date-value="{value:%Y-%m-%d}"/>'
        if isinstance(value, int | float):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        return f'<table:table-cell office:value-type="string"><text:p>{escape(str(value))}</text:p></table:table-cell>'

    def table(name: str, hidden: bool, rows: Rows) -> str:
        lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
        style = "off" if hidden else "on"
        return f'<table:table table:name="{name}" table:style-name="{style}">{lines}</table:table>'

    shown = "".join(
        f'<style:style style:name="{name}" style:family="table"><style:table-properties table:display="{value}"/>'
        "</style:style>" for name, value in (("on", "true"), ("off", "false")))  # fmt: skip
    tables = "".join(table(name, *sheet) for name, sheet in sheets.items())
    text = (f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} office:version="1.2">'
            f"<office:automatic-styles>{shown}</office:automatic-styles><office:body><office:spreadsheet>{tables}"
            "</office:spreadsheet></office:body></office:document-content>")  # fmt: skip
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        file.writestr("META-INF/manifest.xml", MANIFEST)
        file.writestr("content.xml", text)
    return path


def whole(record: Record, truths: list[Truth] = TRUTHS) -> bool:
    return stored(record) == {one.code: (one.procedure, one.received, one.due) for one in truths}


def filed(folder: Path, form: str, rows: Rows) -> Path:
    (folder / "in").mkdir(exist_ok=True)
    if form == "ods":
        return ods(folder / "in/a.ods", {"a": (False, rows)})
    if form == "xlsx":
        return book(folder / "in/a.xlsx", rows)
    text = "\r\n".join(";".join(map(str, row)) for row in rows)
    coded = {"utf-16": text.encode("utf-16"), "cp1258": in_1258(text)}.get(form, text.encode())
    (folder / "in/a.csv").write_bytes(coded)
    return folder / "in/a.csv"


TAILS: dict[str, list[object]] = {
    "totals": ["", "", "", "", "", "Tổng số: 4 hồ sơ"], "totals by name": ["Tổng cộng", 4, "", "", "", ""],
    "header": list(HEADER), "signature": ["", "", "", "", "Người lập biểu", ""],
    "page": ["Trang 1/2", "", "", "", "", ""],
}  # fmt: skip


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("form", ["csv", "xlsx", "ods", "utf-16", "cp1258"])
def test_a_line_that_is_no_dossier_is_set_aside_alike_in_every_form(tmp_path: Path, form: str, tail: str) -> None:
    """In the middle of the rows and at their end: told as often, and no dossier of its own."""
    rows: Rows = [list(HEADER), line(TRUTHS[0]), line(TRUTHS[1]), TAILS[tail], *map(line, TRUTHS[2:]), TAILS[tail]]
    options = {"encoding": "cp1258"} if form == "cp1258" else {}
    receipt, record = take(filed(tmp_path, form, rows), tmp_path / "home", **options)
    assert whole(record), (receipt, receipt.notes)
    assert receipt.rejected >= 2, receipt.notes


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_a_hidden_sheet_is_told_and_not_read(tmp_path: Path, form: str) -> None:
    rows: Rows = [list(HEADER), *map(line, TRUTHS)]
    old: Rows = [list(HEADER), line(truth(90))]
    (tmp_path / "in").mkdir()
    if form == "ods":
        path = ods(tmp_path / "in/a.ods", {"cũ": (True, old), "mới": (False, rows)})
    else:
        path = book(tmp_path / "in/a.xlsx", rows, hidden=True)
    receipt, record = take(path, tmp_path / "home")
    assert whole(record)
    assert any("hidden" in note for note in receipt.notes), receipt.notes


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_days_turned_round_among_texts_are_never_taken_in_silence(tmp_path: Path, form: str) -> None:
    """What an American spreadsheet makes of dd/mm: 3 February for 2 March, 13 March left as text."""
    truths = [truth(n) for n in range(0, 16, 3)]
    rows: Rows = [list(HEADER)]
    for one in truths:
        row = line(one)
        for place, day in ((3, one.received), (4, one.due)):
            if day.day <= 12:
                row[place] = date(day.year, day.day, day.month)
        rows.append(row)
    receipt, record = take(filed(tmp_path, form, rows), tmp_path / "home")
    have = stored(record)
    wrong = [one.code for one in truths if have.get(one.code, (0, 0, 0))[1:] != (one.received, one.due)]
    assert not any(code in have for code in wrong), "a turned day stands as if it were right"
    assert receipt.rejected or receipt.notes


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
@pytest.mark.parametrize("declared", [True, False])
def test_serial_days_are_read_where_declared_and_told_elsewhere(tmp_path: Path, form: str, declared: bool) -> None:
    serial = lambda day: (day - date(1899, 12, 30)).days  # noqa: E731
    rows: Rows = [list(HEADER), *([*line(one)[:3], serial(one.received), serial(one.due), "Sở"] for one in TRUTHS)]
    mapping = MAPPING.replace("%d/%m/%Y", "excel") if declared else MAPPING
    receipt, record = take(filed(tmp_path, form, rows), tmp_path / "home", mapping)
    assert whole(record) if declared else whole(record) or receipt.rejected or receipt.notes, receipt.notes


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_canonical_codes_are_one_in_every_writing(tmp_path: Path, coding: str) -> None:
    """NFD and NFC, `5.0` and `5`, blanks that are none: an event stands with its dossier, a dossier with its unit."""
    plain = "HỒ-Đ-1"
    texts = {
        "unit.csv": "unit_code,unit_name\n5,Sở Năm\n",
        "dossier.csv": f"dossier_id,procedure_code,unit_code,received_at\n{plain},p,5.0,2026-03-02T08:00\n",
        "event.csv": "dossier_id,kind,happened_at,unit_code\n"
        f"\u200b{unicodedata.normalize('NFD', plain)}\u00a0,decided,2026-03-05T08:00,5\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text.encode(coding))
    record = Record(tmp_path / "home")
    receipt = record.append(SOURCES["canonical"].read(tmp_path, FeedOptions()), source="canonical", arrived_at=NOW)
    rows = record.connect().execute(
        "SELECT d.dossier_id, u.unit_name, e.kind FROM dossier d JOIN unit u USING (unit_code) JOIN event e "
        "USING (dossier_id, unit_code)").fetchall()  # fmt: skip
    assert rows == [(plain, "Sở Năm", "decided")] or receipt.rejected, (rows, receipt.notes)


def taken(folder: Path, source: str, path: Path, **options: object) -> tuple[DeliveryReceipt, Record]:
    record = Record(folder / "home")
    chunks = SOURCES[source].read(path, FeedOptions(key=KEY, **options))  # type: ignore[arg-type]
    receipt = record.append((one for one in chunks if one.table != "directory"), source=source, arrived_at=NOW)
    assert receipt.read == receipt.appended + receipt.duplicates + receipt.rejected
    return receipt, record


PAGINGS = {
    "from 1": lambda n: {"currentPage": n + 1, "totalPages": 3, "totalItems": 6},
    "from 0, Spring": lambda n: {"number": n, "totalPages": 3, "totalElements": 6, "size": 2},
    "total alone": lambda n: {"total": 6},
    "words": lambda n: {"Trang": n + 1, "SoTrang": 3},
    "as text": lambda n: {"page": str(n + 1), "totalPages": "3"},
}  # fmt: skip


@pytest.mark.parametrize("paging", PAGINGS)
@pytest.mark.parametrize("lost", [0, 1, 2])
@pytest.mark.parametrize("wrap", ["data", "content", "of an answer"])
def test_a_page_that_did_not_come_is_told_in_every_form_of_paging(
    tmp_path: Path, paging: str, lost: int, wrap: str
) -> None:
    for page in range(3):
        if page == lost:
            continue
        items = [
            synced(f"H99.24-26090{n}-000{n}", f"2026090{n}080000", "20261001170000")
            for n in (2 * page + 1, 2 * page + 2)
        ]
        inner = PAGINGS[paging](page) | {wrap: items}
        answer = {"response": {"data": inner | {"items": items}}} if wrap == "of an answer" else inner
        write_json(tmp_path / f"in/trang-{page}.json", answer)
    receipt, _ = taken(tmp_path, "dvcqg", tmp_path / "in")
    if wrap == "data":  # what this exchange calls it
        assert receipt.appended >= 4
        assert any("missing from an answer" in note for note in receipt.notes), receipt.notes
    else:
        assert receipt.rejected == 2, "an answer in another wrapping is set aside whole"


@pytest.mark.parametrize(
    "word", ["schedule", "START", "suspend", "ate_abort", "pi_abort", "autoskip", "unknown", "assign"]
)
@pytest.mark.parametrize("outside", [False, True])
def test_only_what_a_log_calls_complete_ends_anything(tmp_path: Path, word: str, outside: bool) -> None:
    event = (f'<string key="concept:name" value="send"/><date key="time:timestamp" value="2025-03-05T09:00:00+07:00"/>'
             f'<string key="lifecycle:transition" value="{word}"/>')  # fmt: skip
    case = '<string key="concept:name" value="A1"/><date key="start" value="2025-03-03T08:00:00"/>'
    inside = "" if outside else f"<event>{event}</event>"
    beside = f'<event>{event}<string key="case:concept:name" value="A1"/></event>' if outside else ""
    lost = "<event><string key='concept:name' value='send'/></event>" if outside else ""
    log = written(tmp_path / "a.xes", f"<log><trace>{case}{inside}</trace>{beside}{lost}</log>")
    receipt, record = taken(tmp_path, "xes", log, mapping=written(tmp_path / "m.toml", LOG_MAPPING))
    kinds = [kind for (kind,) in record.connect().execute("SELECT kind FROM event").fetchall()]
    assert "decided" not in kinds
    assert kinds or receipt.rejected
    assert receipt.notes
    if outside:
        assert receipt.rejected, "an event of no case is set aside"


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_a_merged_group_cell_is_every_rows_or_its_rows_are_set_aside(tmp_path: Path, form: str) -> None:
    """The office is written once for four rows; no row takes the office of another group."""
    rows: Rows = [list(HEADER), *map(line, TRUTHS)]
    for row in rows[2:]:
        row[2] = row[5] = ""
    path = filed(tmp_path, form, rows)
    if form == "xlsx":
        workbook = openpyxl.load_workbook(path)
        for column in ("C", "F"):
            workbook.active.merge_cells(f"{column}2:{column}5")  # type: ignore[union-attr]
        workbook.save(path)
    receipt, record = take(path, tmp_path / "home")
    have = stored(record)
    assert set(have) == {one.code for one in TRUTHS} or receipt.rejected
    units = {unit for (unit,) in record.connect().execute("SELECT DISTINCT unit_code FROM dossier").fetchall()}
    assert units == {"H99.13"}
