"""`/list.xlsx`, `/list.docx`, `/leadership.xlsx`, …: what a page shows, as a file.

Who took it is on record.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Annotated, Literal

import xlsxwriter
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from serving.accounts.guard import reader_of
from serving.documents.listing import MIME as WORD
from serving.documents.listing import Listing, write_listing
from serving.export import harmless
from serving.pages import words
from serving.pages.leadership import AGAINST, rank
from serving.pages.risk_list import TARGET, filters_for, least_of
from serving.risk_list import MOST_ROWS, RiskLine

router = APIRouter(include_in_schema=False)

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Text = Annotated[str, Query(max_length=200)]
Format = Literal["xlsx", "docx"]

Cell = str | float | None
LIST_HEAD = (
    "Thứ tự",
    "Mã hồ sơ",
    "Thủ tục",
    "Lĩnh vực",
    "Đơn vị",
    "Bước",
    "Nguy cơ trễ (%)",
    "Thời gian",
    "Hạn",
    "Vì sao",
)
UNIT_HEAD = ("Thứ tự", "Đơn vị", "Đã xong", "Trễ (%)", "Khoảng từ (%)", "đến (%)", "So với mức chung",
             "Điểm tiến độ 766", "Đang mở", "Quá hạn")  # fmt: skip


@router.get("/list.{ending}")
def risk_list(
    request: Request,
    ending: Format,
    unit: Text = "",
    sector: Text = "",
    level: Text = "",
    due: Text = "",
    size: Annotated[str, Query(max_length=4)] = "",
) -> Response:
    """The first 200 lines of the list under the same filters as the page."""
    reader = reader_of(request)
    found = request.app.state.serving.risk_list(TARGET)
    page = found.page(filters_for(reader, unit, sector, least_of(level), due), 0, MOST_ROWS)
    rows = [_list_row(request, line) for line in page.lines]
    _taken(request, "list.export", {"rows": len(rows), "as_of": found.meta.as_of.isoformat()})
    return _file(
        request, ending, "danh-sach-rui-ro", "DANH SÁCH", "Hồ sơ cần xem trước theo nguy cơ trễ hạn", LIST_HEAD, rows
    )


@router.get("/leadership.{ending}")
def leadership(request: Request, ending: Format, order: Literal["share", "progress", "overdue"] = "share") -> Response:
    """The ranking of units."""
    known = request.app.state.known
    standing = known.standing
    rows: list[Sequence[Cell]] = []
    for one in rank(list(standing.units.values()), order, standing.total.share):
        low, high = one.count.interval or (None, None)
        rows.append(
            (
                one.place, known.register.unit(one.count.code), one.count.ended, _hundred(one.count.share),
                _hundred(low), _hundred(high), AGAINST[one.against], one.count.progress, one.count.open,
                one.count.overdue,
            )
        )  # fmt: skip
    _taken(request, "leadership.export", {"rows": len(rows)})
    return _file(
        request, ending, "xep-hang-don-vi", "BẢNG XẾP HẠNG", "Đơn vị theo tỷ lệ trễ, 12 tháng", UNIT_HEAD, rows
    )


def _list_row(request: Request, line: RiskLine) -> Sequence[Cell]:
    register = request.app.state.known.register
    clock = words.Clockface(request.app.state.serving.settings.zone)
    return (
        line.rank, line.dossier_id, register.procedure(line.procedure_code), register.sector(line.sector_code),
        register.unit(line.unit_code), line.step or "", round(100 * line.score, 1), words.days_left(line.left_hours),
        clock.day(line.due_at), "; ".join(reason.vi for reason in line.reasons[:2]),
    )  # fmt: skip


def _hundred(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def _taken(request: Request, action: str, detail: dict[str, object]) -> None:
    people = request.app.state.people
    people.receipts.record(reader_of(request).login, action, detail, now=people.now())


def _file(
    request: Request,
    ending: Format,
    name: str,
    title: str,
    subject: str,
    head: Sequence[str],
    rows: list[Sequence[Cell]],
) -> Response:
    make, mime = (_excel, EXCEL) if ending == "xlsx" else (_word, WORD)
    content = make(request, title, subject, head, rows)
    return Response(
        content, media_type=mime, headers={"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
    )


def _excel(request: Request, title: str, subject: str, head: Sequence[str], rows: list[Sequence[Cell]]) -> bytes:
    """A sheet with filters and a frozen head; text that a spreadsheet could take for a formula stays text."""
    out = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet(title.capitalize())
        for place, text in enumerate(head):
            sheet.write_string(0, place, text, book.add_format({"bold": True}))
        for line, row in enumerate(rows, 1):
            for place, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(line, place, harmless(value))
                elif value is not None:
                    sheet.write_number(line, place, value)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(rows)), len(head) - 1)
        sheet.autofit(360)
        note = book.add_worksheet("Ghi chú")
        note.write_string(0, 0, words.NOT_A_FINDING)
        note.write_string(1, 0, _basis(request))
    return out.getvalue()


def _word(request: Request, title: str, subject: str, head: Sequence[str], rows: list[Sequence[Cell]]) -> bytes:
    known = request.app.state.known
    reader = reader_of(request)
    today = request.app.state.people.now().astimezone(request.app.state.serving.settings.zone)
    issuer = "ỦY BAN NHÂN DÂN TỈNH" if reader.unit_code == "*" else known.register.unit(reader.unit_code).upper()
    return write_listing(
        Listing(
            issuer=issuer,
            place_and_day=f"……, ngày {today:%d} tháng {today:%m} năm {today:%Y}",
            title=title,
            subject=subject,
            head=head,
            rows=[[_spoken(value) for value in row] for row in rows],
            basis=_basis(request),
            disclaimer=words.NOT_A_FINDING,
            signer="NGƯỜI LẬP",
        )
    )


def _spoken(value: Cell) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return words.decimal(value, 0 if isinstance(value, int) else 1)


def _basis(request: Request) -> str:
    clock = words.Clockface(request.app.state.serving.settings.zone)
    kept = request.app.state.serving.lists[TARGET].value
    until = clock.moment(request.app.state.known.register.data_until)
    if kept is None:
        return f"Dữ liệu đến {until}."
    return f"Mô hình {kept.meta.model_version}, chấm điểm lúc {clock.moment(kept.meta.as_of)}, dữ liệu đến {until}."
