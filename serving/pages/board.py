"""`/board`: the unit head's day: what runs out of time, who holds it, what helps.

No harassment scores here.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from features.calendar.working_time import HOURS_A_DAY, Calendar
from models.targets import MAIN
from serving.language import gettext as _
from serving.pages import drawing
from serving.pages.rendering import render
from serving.pages.risk_list import as_frozen, filters_for, stretch
from serving.read.case_file import CaseFile
from serving.scoring.risk_list import Filters, RiskLine, RiskList
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.warnings.acknowledgement import count_open

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class BoardLine:
    """A dossier on the board: its line, days in the present step, and what to do about it."""

    line: RiskLine
    days_in_step: float | None
    to_do: str


def to_do(line: RiskLine) -> str:
    """What helps, from time left and risk alone: a rule that a head can check, not a model's opinion."""
    if line.waits:
        return _("Nhắc người nộp; đồng hồ đang dừng")
    if line.left_hours is None:
        return _("Xác định hạn trả và hẹn người nộp")
    if line.left_hours < 0:
        return _("Xin lỗi, hẹn lại ngày trả; nêu nguyên nhân")
    if line.left_hours < HOURS_A_DAY:
        return _("Xử lý ngay hôm nay")
    if line.score >= 0.4 and line.left_hours < 3 * HOURS_A_DAY:
        return _("Giao người hỗ trợ, chốt bước tiếp theo trong ngày")
    if line.score >= 0.4:
        return _("Hỏi người giữ về vướng mắc")
    return _("Theo dõi")


@router.get("/board", response_class=HTMLResponse)
def show(request: Request, offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0) -> Response:
    """Open dossiers of the reader's unit and below, least time left first, then by risk."""
    reader = reader_of(request)
    people, read_model = context_of(request).people, context_of(request).read_model
    risk_list: RiskList = context_of(request).serving.risk_list(MAIN.name)
    filters = filters_for(reader)
    page = risk_list.page(filters, offset, 25, order="left")
    ids = [line.dossier_id for line in page.lines]
    frozen, _decided = people.remembered.marks(people.state, MAIN.name, ids)
    rate = people.remembered.upheld_rate(people.state, reader.scope)
    waiting = _warnings(request)
    note_look(
        request,
        "board.read",
        {"as_of": risk_list.meta.as_of.isoformat(), "model": risk_list.meta.model_version, "seen": ids},
        [f"dossier:{dossier_id}" for dossier_id in ids],
    )
    lines = [
        BoardLine(
            as_frozen(line, frozen),
            _days_in_step(read_model.cases.of(line.dossier_id), risk_list.read_at, read_model.calendar),
            to_do(line),
        )
        for line in page.lines
    ]
    return render(
        request,
        "board.html",
        title=_("Đơn vị tôi"),
        lines=lines,
        frozen=frozen,
        counts=_counts(risk_list, filters),
        standing=read_model.standing.units.get(reader.unit_code),
        rate=rate,
        warnings=waiting,
        pages=stretch("/board", {}, offset, len(lines), 25, page.total),
    )


def _counts(risk_list: RiskList, filters: Filters) -> dict[str, int]:
    left = risk_list.left_hours(filters)
    waiting = len(risk_list.places(replace(filters, waiting=True)))
    return {
        "open": len(left) + waiting,
        "waiting": waiting,
        "overdue": int((left < 0).sum()),
        "today": int(((left >= 0) & (left < HOURS_A_DAY)).sum()),
        "week": int(((left >= HOURS_A_DAY) & (left < 5 * HOURS_A_DAY)).sum()),
    }


def _warnings(request: Request) -> int | None:
    """How many early warnings wait for the reader; None while the working state is away."""
    if getattr(request.state, "away", False):
        return None
    with context_of(request).people.state.reading() as session:
        return count_open(session, reader_of(request).scope_for("warning.read").units)


def _days_in_step(case: CaseFile | None, as_of: datetime, calendar: Calendar) -> float | None:
    return drawing.step_spans(case, as_of, calendar)[-1].days if case else None
