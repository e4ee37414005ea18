"""`/list.xlsx`, `/board.docx`, `/contests.xlsx`, …: what a page lists, as a file, under the same scope and filters."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from models.conduct import ConductLine
from models.targets import MAIN
from serving import words
from serving.pages.board import to_do
from serving.pages.conduct import GRAIN_WORDS
from serving.pages.leadership import AGAINST, rank
from serving.pages.risk_list import ORDERS, as_frozen, filters_for, filters_on
from serving.pages.sheet_file import Cell, Format, Sheet, file_of
from serving.plan.rendering import BY, CHOSEN
from serving.read.receipt_words import ACTION_WORDS
from serving.read.register import Register
from serving.scoring.conduct_list_cache import has_enough_data
from serving.scoring.risk_list import MOST_ROWS, RiskLine
from serving.use_cases.app_context import context_of
from serving.use_cases.conduct import Grain, conduct_lines
from serving.use_cases.guard import reader_of
from serving.use_cases.official_names import official_name
from serving.use_cases.receipts import receipts_for
from serving.use_cases.visits import visible_visits
from serving.work import contests

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Query(max_length=200)]

LIST_HEAD = ("Thứ tự", "Mã hồ sơ", "Thủ tục", "Lĩnh vực", "Đơn vị", "Bước", "Nguy cơ trễ (%)", "Thời gian", "Hạn",
             "Vì sao")  # fmt: skip
BOARD_HEAD = (*LIST_HEAD[1:-1], "Người giữ", "Nên làm")
UNIT_HEAD = ("Thứ tự", "Đơn vị", "Đã xong", "Trễ (%)", "Khoảng từ (%)", "đến (%)", "So với mức chung",
             "Điểm tiến độ 766", "Đang mở", "Quá hạn")  # fmt: skip
CONDUCT_HEAD = ("Thứ tự", "Đối tượng", "Đơn vị", "Khoảng từ (lần)", "đến (lần)", "n", "Vì sao nên xem")
CONTEST_HEAD = ("Mã hồ sơ", "Đơn vị", "Gửi lúc", "Về", "Nội dung", "Điểm giữ nguyên (%)", "Kết quả", "Trả lời",
                "Trả lời lúc")  # fmt: skip
RECEIPT_HEAD = ("Số", "Lúc", "Ai", "Việc", "Nội dung", "Mã")
VISIT_HEAD = ("Lúc", "Đơn vị", "Ai kiểm tra", "Tổ", "Chọn", "Xác suất (%)", "Số hồ sơ")


@router.get("/list.{ending}")
def risk_list(
    request: Request,
    ending: Format,
    unit: Text = "",
    sector: Text = "",
    level: Text = "",
    due: Text = "",
    q: Text = "",
    order: Text = "",
    size: Annotated[str, Query(max_length=4)] = "",
) -> Response:
    """The first 200 lines of the list under the same filters as the page."""
    found = context_of(request).serving.risk_list(MAIN.name)
    filters = filters_on(request, found, unit, sector, level, due, q)
    lines = found.page(filters, 0, MOST_ROWS, *ORDERS.get(order, ORDERS[""])).lines
    sheet = _with_reasons(request, "danh-sach-rui-ro", "Hồ sơ cần xem trước theo nguy cơ trễ hạn", lines)
    return file_of(request, ending, "list.export", sheet)


@router.get("/board.{ending}")
def board(request: Request, ending: Format) -> Response:
    """The first 200 dossiers of the head's unit and below, least time left first."""
    found = context_of(request).serving.risk_list(MAIN.name)
    page = found.page(filters_for(reader_of(request)), 0, MOST_ROWS, order="left")
    rows = [
        (*_line(request, line), official_name(request, line.official_id), to_do(line))
        for line in _lines(request, page.lines)
    ]
    subject = "Hồ sơ của đơn vị, ít thời gian nhất trước"
    return file_of(request, ending, "board.export", Sheet("viec-can-lo", "DANH SÁCH", subject, BOARD_HEAD, rows))


@router.get("/own.{ending}")
def own(request: Request, ending: Format) -> Response:
    """What the official holds, with the reasons."""
    found = context_of(request).serving.risk_list(MAIN.name)
    page = found.page(filters_for(reader_of(request)), 0, MOST_ROWS, order="left")
    sheet = _with_reasons(request, "ho-so-cua-toi", "Hồ sơ tôi đang giữ", page.lines)
    return file_of(request, ending, "own.export", sheet)


@router.get("/conduct.{ending}")
def conduct(request: Request, ending: Format, grain: Grain = "official", tier: Text = "", unit: Text = "") -> Response:
    """The first 200 lines of one conduct list; no figure where there is too little behind it."""
    _, lines = conduct_lines(request, grain, tier, unit)
    register = context_of(request).read_model.register
    rows: list[Sequence[Cell]] = [
        (
            place, _subject(request, line), register.unit(line.unit_code),
            line.low if has_enough_data(line) else None, line.high if has_enough_data(line) else None, line.n,
            line.reasons_vi if has_enough_data(line) else "Chưa đủ dữ liệu",
        )
        for place, line in enumerate(lines[:MOST_ROWS], 1)
    ]  # fmt: skip
    subject = f"{GRAIN_WORDS[grain]} nên xem trước theo dấu hiệu phiền hà"
    return file_of(request, ending, "conduct.export", Sheet("dau-hieu", "DANH SÁCH", subject, CONDUCT_HEAD, rows))


@router.get("/leadership.{ending}")
def leadership(request: Request, ending: Format, order: Literal["share", "progress", "overdue"] = "share") -> Response:
    """The ranking of units."""
    read_model = context_of(request).read_model
    standing = read_model.standing
    rows: list[Sequence[Cell]] = []
    for one in rank(list(standing.units.values()), order, standing.total.share):
        low, high = one.count.interval or (None, None)
        rows.append(
            (
                one.place, read_model.register.unit(one.count.code), one.count.ended, _hundred(one.count.share),
                _hundred(low), _hundred(high), AGAINST[one.against], one.count.progress, one.count.open,
                one.count.overdue,
            )
        )  # fmt: skip
    subject = "Đơn vị theo tỷ lệ trễ, 12 tháng"
    sheet = Sheet("xep-hang-don-vi", "BẢNG XẾP HẠNG", subject, UNIT_HEAD, rows)
    return file_of(request, ending, "leadership.export", sheet)


@router.get("/contests.{ending}")
def contest_list(request: Request, ending: Format) -> Response:
    """The contests of the reader's scope."""
    clock, register = _clock(request), context_of(request).read_model.register
    with context_of(request).people.state.reading() as session:
        found = contests.contests_in(session, reader_of(request).scope)
    outcomes = {"upheld": "giải trình đúng", "rejected": "giữ nguyên"}
    rows = [
        (
            one.dossier_id, register.unit(one.unit_code), clock.moment(one.opened_at),
            "dữ kiện" if one.about == "fact" else one.reason_code, one.claim, _hundred(one.frozen_score),
            outcomes.get(one.outcome or "", "chờ trả lời"), one.answer or "", clock.moment(one.answered_at),
        )
        for one in found
    ]  # fmt: skip
    subject = "Giải trình của cán bộ và trả lời"
    return file_of(request, ending, "contest.export", Sheet("giai-trinh", "DANH SÁCH", subject, CONTEST_HEAD, rows))


@router.get("/receipts.{ending}")
def receipt_list(
    request: Request,
    ending: Format,
    actor: Text = "",
    action: Text = "",
    about: Annotated[str, Query(max_length=240)] = "",
) -> Response:
    """The latest 200 receipts under the same filters as the page."""
    clock = _clock(request)
    found = receipts_for(request, about=about, actor=actor, action=action, most=MOST_ROWS)
    rows = [
        (one.seq, clock.moment(one.at), one.actor, ACTION_WORDS.get(one.action, one.action), one.detail[:500], one.mac)
        for one in found
    ]
    subject = "Ai đã xem và quyết định điều gì"
    return file_of(request, ending, "receipt.export", Sheet("nhat-ky", "NHẬT KÝ", subject, RECEIPT_HEAD, rows))


@router.get("/plan.{ending}")
def visits(request: Request, ending: Format) -> Response:
    """The visits of the latest plan whose hour has come; what is sealed stays sealed here too."""
    clock, register = _clock(request), context_of(request).read_model.register
    rows = [
        (
            clock.moment(datetime.fromisoformat(one["at"])), register.unit(one["unit_code"]), BY[one["by"]][0],
            one["team_id"] or "", CHOSEN[one["chosen_by"]][0], _hundred(one["probability"]), len(one["sheet"]),
        )
        for one in visible_visits(request)
    ]  # fmt: skip
    subject = "Các cuộc kiểm tra đã đến giờ"
    return file_of(request, ending, "plan.export", Sheet("ke-hoach", "KẾ HOẠCH", subject, VISIT_HEAD, rows))


def _with_reasons(request: Request, name: str, subject: str, lines: list[RiskLine]) -> Sheet:
    rows = [
        (
            line.rank,
            *_line(request, line),
            "; ".join(_register(request).named(reason).vi for reason in line.reasons[:2]),
        )
        for line in _lines(request, lines)
    ]
    return Sheet(name, "DANH SÁCH", subject, LIST_HEAD, rows)


def _lines(request: Request, lines: list[RiskLine]) -> list[RiskLine]:
    """The lines with the scores that stand still while they are contested."""
    people = context_of(request).people
    frozen, _ = people.remembered.marks(people.state, MAIN.name, [line.dossier_id for line in lines])
    return [as_frozen(line, frozen) for line in lines]


def _line(request: Request, line: RiskLine) -> Sequence[Cell]:
    register = context_of(request).read_model.register
    return (
        line.dossier_id, register.procedure(line.procedure_code), register.sector(line.sector_code),
        register.unit(line.unit_code), words.step_words(line.step), round(100 * line.score, 1),
        "chờ người dân" if line.waits else words.days_left(line.left_hours), _clock(request).day(line.due_at),
    )  # fmt: skip


def _subject(request: Request, line: ConductLine) -> str:
    if line.dossier_id:
        return line.dossier_id
    return official_name(request, line.official_id) if line.official_id else _register(request).unit(line.unit_code)


def _register(request: Request) -> Register:
    return context_of(request).read_model.register


def _clock(request: Request) -> words.Clockface:
    return words.Clockface(context_of(request).serving.settings.zone)


def _hundred(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)
