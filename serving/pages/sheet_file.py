"""A table as a file: .csv, .xlsx with filters and a frozen head, .docx in the layout of Nghị định 30/2020/NĐ-CP."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import Literal

from fastapi import Request
from fastapi.responses import Response

from features.sources.vietnamese_number import decimal
from models.targets import MAIN
from serving import words
from serving.documents.letterhead import Letterhead, Letterheads
from serving.documents.listing import MIME as WORD
from serving.documents.listing import Listing, write_listing
from serving.documents.table_file import harmless
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look

CSV = "text/csv; charset=utf-8"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Format = Literal["xlsx", "docx", "csv"]
Cell = str | float | None


@dataclass(frozen=True)
class Sheet:
    """What a file shows: its own name, the title and subject of the document, head and rows of the table."""

    name: str
    title: str
    subject: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def file_of(request: Request, ending: Format, action: str, sheet: Sheet) -> Response:
    """The answer with the file; who took it is on record under `action`."""
    detail = {"rows": len(sheet.rows), "as": ending}
    note_look(request, action, detail)
    make, mime = {"xlsx": (_excel, EXCEL), "docx": (_word, WORD), "csv": (_plain, CSV)}[ending]
    name = f'attachment; filename="{sheet.name}.{ending}"'
    return Response(make(request, sheet), media_type=mime, headers={"Content-Disposition": name})


def _excel(request: Request, sheet: Sheet) -> bytes:
    """A sheet with filters and a frozen head; text that a spreadsheet could take for a formula stays text."""
    import xlsxwriter  # of the extra `reports`

    out = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        page = book.add_worksheet(sheet.title.capitalize()[:31])
        for place, text in enumerate(sheet.head):
            page.write_string(0, place, text, book.add_format({"bold": True}))
        for line, row in enumerate(sheet.rows, 1):
            for place, value in enumerate(row):
                if isinstance(value, str):
                    page.write_string(line, place, harmless(value))
                elif value is not None:
                    page.write_number(line, place, value)
        page.freeze_panes(1, 0)
        page.autofilter(0, 0, max(1, len(sheet.rows)), len(sheet.head) - 1)
        page.autofit(360)
        note = book.add_worksheet("Ghi chú")
        note.write_string(0, 0, words.NOT_A_FINDING)
        note.write_string(1, 0, _basis(request))
    return out.getvalue()


def _plain(_: Request, sheet: Sheet) -> bytes:
    """Comma-separated text in UTF-8 with a mark that spreadsheets know it by (RFC 4180); no cell is a formula."""
    out = StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(sheet.head)
    rows.writerows([harmless(value) if isinstance(value, str) else value for value in row] for row in sheet.rows)
    return out.getvalue().encode("utf-8-sig")


def _word(request: Request, sheet: Sheet) -> bytes:
    reader = reader_of(request)
    today = context_of(request).people.now().astimezone(context_of(request).serving.settings.zone)
    return write_listing(
        Listing(
            letterhead=letterhead_of(request, "" if reader.unit_code == "*" else reader.unit_code),
            day=today.date(),
            title=sheet.title,
            subject=sheet.subject,
            head=sheet.head,
            rows=[[_spoken(value) for value in row] for row in sheet.rows],
            basis=_basis(request),
            disclaimer=words.NOT_A_FINDING,
        )
    )


def letterhead_of(request: Request, unit_code: str, kind: str = "") -> Letterhead:
    """Who issues a document of a unit, or of the whole province, as this installation states it."""
    register = context_of(request).read_model.register
    return Letterheads.read(context_of(request).serving.settings.home).of(register, unit_code, kind)


def _spoken(value: Cell) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return decimal(value, 0 if isinstance(value, int) else 1)


def _basis(request: Request) -> str:
    clock = words.Clockface(context_of(request).serving.settings.zone)
    listed = context_of(request).serving.listed(MAIN.name)
    until = clock.moment(context_of(request).read_model.register.data_until)
    if listed is None:
        return f"Dữ liệu đến {until}."
    return (
        f"Mô hình {listed.meta.model_version}, chấm điểm lúc {clock.moment(listed.meta.as_of)}, "
        f"hạn và tình trạng lúc {clock.moment(listed.read_at)}, dữ liệu đến {until}."
    )
