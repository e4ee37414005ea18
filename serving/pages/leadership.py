"""`/leadership`: units ranked with their intervals, progress points of the index 766, sectors, month against month; and
the dossiers behind each figure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from models.targets import MAIN
from serving import words
from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.pages.drawing import polyline
from serving.pages.rendering import render
from serving.pages.risk_list import stretch
from serving.pages.sheet_file import Format, Sheet, file_of
from serving.read.counted_dossiers import MonthCount
from serving.read.on_time_statistics import Count
from serving.read.problem import refused_as_problem
from serving.scoring.risk_list import MOST_ROWS
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look

router = APIRouter(include_in_schema=False)

ROWS = 50
Text = Annotated[str, Query(max_length=200)]
Month = Annotated[str, Query(pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$")]


@dataclass(frozen=True)
class RankedUnit:
    """A unit in the ranking; place is None where there is not enough to rank by."""

    place: int | None
    count: Count
    against: str


AGAINST = {
    "higher": lazy("nhiều hơn mức chung"),
    "lower": lazy("ít hơn mức chung"),
    "alike": lazy("không khác mức chung"),
    "unknown": lazy("chưa đủ dữ liệu"),
}


@router.get("/leadership", response_class=HTMLResponse)
def show(
    request: Request,
    order: Literal["share", "progress", "overdue"] = "share",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    month: Month = "",
    before: Month = "",
) -> Response:
    """The whole province: no dossier and no official is named here; every figure leads to its dossiers."""
    reader = reader_of(request)
    people, read_model = context_of(request).people, context_of(request).read_model
    standing, counted = read_model.standing, read_model.counted
    months = counted.months()
    names = [one.month for one in months]
    # of the months that are whole the last two, where nobody asked for others
    month, before = month or (names[-2:-1] or names or [""])[0], before or (names[-3:-2] or names or [""])[0]
    ranked = rank(list(standing.units.values()), order, standing.total.share)
    rate = people.remembered.upheld_rate(people.state, reader.scope)
    note_look(request, "leadership.read", {"until": standing.until.isoformat() if standing.until else ""})
    return render(
        request,
        "leadership.html",
        title=_("Toàn tỉnh"),
        standing=standing,
        rows=ranked[offset : offset + ROWS],
        sectors=rank(list(standing.sectors.values()), "share", standing.total.share),
        against=AGAINST,
        order=order,
        rate=rate,
        months=months,
        month=month,
        before=before,
        compared=_compared(read_model.counted.units_of(month), read_model.counted.units_of(before), month, before),
        opened=opened,
        trend=_trend(months),
        pages=stretch("/leadership", {"order": order}, offset, len(ranked[offset : offset + ROWS]), ROWS, len(ranked)),
    )


def _compared(
    now: dict[str, MonthCount], then: dict[str, MonthCount], month: str, before: str
) -> list[tuple[str, MonthCount, MonthCount, tuple[float, float, float] | None]]:
    """unit_code, both months, and how the share differs; units whose interval lies clear of nothing first."""
    rows = [
        (unit, now.get(unit, MonthCount(month)), then.get(unit, MonthCount(before)))
        for unit in sorted(now.keys() | then.keys())
    ]
    compared = [(unit, one, other, one.against(other)) for unit, one, other in rows]
    return sorted(compared, key=lambda row: -abs(row[3][0]) if row[3] else 1.0)[:ROWS]


def _trend(months: list[MonthCount]) -> tuple[str, float] | None:
    """The share of late by month as points of a line, and the top of its axis; None under two months with a share."""
    shares = [one.share for one in months]
    present = [share for share in shares if share is not None]
    if len(present) < 2:
        return None
    return polyline(shares, 0.0, max(*present, 0.01)), max(*present, 0.01)


def opened(figure: str, **of: str) -> str:
    """The address of the dossiers that a figure counts, of a unit, sector or month."""
    return "/leadership/dossiers?" + urlencode({"figure": figure} | of)


FIGURE_WORDS = {
    "received": lazy("tiếp nhận"), "ended": lazy("đã xong"), "late": lazy("trễ hẹn theo luật"), "open": lazy("đang mở"),
    "overdue": lazy("đang quá hạn"), "waiting": lazy("chờ người dân"), "past_first": lazy("xong sau hẹn đầu tiên"),
}  # fmt: skip
Figure = Literal["received", "ended", "late", "open", "overdue", "waiting", "past_first"]


@router.get("/leadership/dossiers", response_class=HTMLResponse)
def dossiers(
    request: Request,
    figure: Figure = "late",
    unit: Text = "",
    sector: Text = "",
    month: Month = "",
    offset: Annotated[int, Query(ge=0, le=100_000_000)] = 0,
) -> Response:
    """The dossiers that a figure of the province counts: as many as it says."""
    listed = context_of(request).serving.listed(MAIN.name)
    with refused_as_problem():
        found = context_of(request).read_model.counted.of(figure, unit, sector, month)
    lines = found.slice(offset, ROWS).to_pylist()
    note_look(
        request,
        "leadership.read",
        {"kind": figure, "unit": unit, "month": month, "rows": len(lines)},
        [f"dossier:{one['dossier_id']}" for one in lines],
    )
    wishes = {"figure": figure, "unit": unit, "sector": sector, "month": month}
    return render(
        request, "counted.html", title=_("Hồ sơ đứng sau con số"), lines=lines, figure=FIGURE_WORDS[figure],
        total=found.num_rows, wishes=wishes, linked={one["dossier_id"] for one in lines
                                                     if listed is not None and listed.line(one["dossier_id"])},
        query=urlencode({name: value for name, value in wishes.items() if value}),
        pages=stretch("/leadership/dossiers", wishes, offset, len(lines), ROWS, found.num_rows),
    )  # fmt: skip


@router.get("/leadership/dossiers.{ending}")
def dossiers_file(
    request: Request, ending: Format, figure: Figure = "late", unit: Text = "", sector: Text = "", month: Month = ""
) -> Response:
    """The first 200 of them."""
    context = context_of(request)
    clock, register = words.Clockface(context.serving.settings.zone), context.read_model.register
    with refused_as_problem():
        found = context_of(request).read_model.counted.of(figure, unit, sector, month)
    head = ("Mã hồ sơ", "Thủ tục", "Lĩnh vực", "Đơn vị", "Tiếp nhận", "Hạn theo luật", "Xong")
    rows: list[Any] = [
        (one["dossier_id"], register.procedure(one["procedure_code"]), register.sector(one["sector_code"]),
         register.unit(one["unit_code"]), clock.moment(one["received_at"]), clock.moment(one["lawful_due_at"]),
         clock.moment(one["ended_at"]))
        for one in found.slice(0, MOST_ROWS).to_pylist()
    ]  # fmt: skip
    sheet = Sheet(
        "ho-so-dung-sau-con-so",
        "DANH SÁCH",
        f"Hồ sơ {FIGURE_WORDS[figure]}",
        head,
        rows,
    )
    return file_of(request, ending, "leadership.export", sheet)


def rank(counts: list[Count], order: str, average: float | None) -> list[RankedUnit]:
    """Counts in order, worst first; those with too few dossiers stand at the end without a place."""
    keys: dict[str, Callable[[Count], float]] = {
        "share": lambda count: -(count.share or 0),
        "progress": lambda count: count.progress if count.progress is not None else 99,
        "overdue": lambda count: -count.overdue,
    }
    ranked = sorted((count for count in counts if count.share is not None), key=lambda c: (keys[order](c), c.code))
    rest = sorted((count for count in counts if count.share is None), key=lambda c: c.code)
    return [RankedUnit(place, count, count.against(average)) for place, count in enumerate(ranked, 1)] + [
        RankedUnit(None, count, "unknown") for count in rest
    ]
