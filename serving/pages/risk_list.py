"""`/list`: the risk list, with filters in one row and two reasons a line."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from features.spelling.names import plain
from models.targets import MAIN
from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.pages.list_rows import list_rows
from serving.pages.rendering import official_said, render
from serving.scoring.risk_list import Filters, Order, RiskLine, RiskList, Search
from serving.use_cases.app_context import context_of
from serving.use_cases.decisions import undoable_decisions
from serving.use_cases.guard import Reader, reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.official_names import may_name, official_name
from serving.use_cases.saved_views import own_views
from serving.words import LEVELS
from serving.work.decisions import WORDS

router = APIRouter(include_in_schema=False)

MOST_CHOICES = 80  # longer menus are typed instead: thousands of units would weigh more than the list itself

Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True)
class PageSpan:
    """Where a page stands in its list: first and last line shown, of `total`; links before and after."""

    first: int
    last: int
    total: int
    before: str | None
    after: str | None


def stretch(path: str, wishes: dict[str, Any], offset: int, shown: int, size: int, total: int) -> PageSpan:
    """The pager of a list at `path` whose filters are `wishes`."""

    def link(start: int) -> str:
        query = {name: value for name, value in wishes.items() if value}
        return f"{path}?{urlencode(query | {'offset': start})}"

    return PageSpan(
        first=offset + 1 if shown else 0,
        last=offset + shown,
        total=total,
        before=link(max(0, offset - size)) if offset else None,
        after=link(offset + size) if offset + shown < total else None,
    )


def filters_for(reader: Reader, unit: str = "", sector: str = "", least: float = 0.0, due: str = "") -> Filters:
    """The wish of a reader inside the reader's scope. due: `ahead`, `new`, `overdue`, `waiting`, `all`, else all
    whose clock runs.
    """
    scope = reader.scope
    return Filters(
        sector=sector or None,
        unit=unit or None,
        official=scope.official_id,
        least_score=least,
        units=None if scope.official_id else scope.units,
        ahead=due == "ahead",
        fresh=due == "new",
        waiting=None if due == "all" else due == "waiting",
        overdue=due == "overdue",
    )


TABS = {
    "": lazy("Còn cứu được"),
    "new": lazy("Mới từ danh sách trước"),
    "overdue": lazy("Đã quá hạn"),
    "waiting": lazy("Chờ người dân"),
    "all": lazy("Tất cả"),
}
"""Tabs of the list by the `due` of their address, the first where nothing is asked."""
ORDERS: dict[str, tuple[Order, bool]] = {
    "": ("rank", False), "rank-back": ("rank", True), "left": ("left", False), "left-back": ("left", True),
    "dossier": ("dossier", False), "dossier-back": ("dossier", True), "unit": ("unit", False),
    "unit-back": ("unit", True), "step": ("step", False), "step-back": ("step", True), "age": ("age", False),
    "age-back": ("age", True),
}  # fmt: skip
BARS = 8
"""Units and sectors in the charts beside the list."""


def filters_on(request: Request, risk_list: RiskList, unit: str, sector: str, level: str, due: str, q: str) -> Filters:
    """The filters of the list's page and of its files: what can still be saved, unless another tab is asked for."""
    filters = filters_for(reader_of(request), unit, sector, least_of(level), due or "ahead")
    return replace(filters, search=_search(request, risk_list, q.strip())) if q.strip() else filters


def _search(request: Request, risk_list: RiskList, text: str) -> Search:
    """Codes whose names hold the text, with or without diacritics; holders only where the reader sees their names."""
    register, wanted = context_of(request).read_model.register, plain(text)

    def matching(column: str, name: Callable[[str], str]) -> frozenset[str]:
        return frozenset(code for code in risk_list.choices(column) if wanted in plain(name(code)))

    return Search(
        text,
        matching("procedure_code", register.procedure),
        matching("unit_code", register.unit),
        matching("official_id", lambda one: official_name(request, one) if may_name(request, one) else ""),
    )


def least_of(level: str) -> float:
    """The least score of a band of risk, named by its style; 0 for any other text."""
    return next((band.least for band in LEVELS if band.style == level), 0.0)


@router.get("/list", response_class=HTMLResponse)
def show(
    request: Request,
    unit: Text = "",
    sector: Text = "",
    level: Text = "",
    due: Text = "",
    q: Text = "",
    order: Text = "",
    offset: Annotated[int, Query(ge=0, le=100_000_000)] = 0,
    size: Annotated[int, Query(ge=10, le=50)] = 25,
) -> Response:
    """Open dossiers in the reader's scope, by tab; what can still be saved first, by falling risk."""
    reader = reader_of(request)
    people, serving = context_of(request).people, context_of(request).serving
    risk_list: RiskList = serving.risk_list(MAIN.name)
    found = risk_list.line(q.strip())
    if found is not None and reader.scope.covers(found.unit_code, found.official_id):
        return RedirectResponse("/dossier?" + urlencode({"id": q.strip()}), 303)
    due, order = due if due in TABS else "", order if order in ORDERS else ""
    filters = filters_on(request, risk_list, unit, sector, level, due, q)
    page = risk_list.page(filters, offset, size, *ORDERS[order])
    past = serving.past.get(MAIN.name)
    ids = [line.dossier_id for line in page.lines]
    frozen, decided = people.remembered.marks(people.state, MAIN.name, ids)
    may_pick, sees = reader.may("decision.write"), reader.may("harassment.read")
    picks = reader.may("pick.read")
    decision_words = {key: WORDS[kind] for key, kind in decided.items()} if picks else {}
    drawn = serving.drawn if picks else frozenset()
    press = list_rows(request, risk_list)
    rows = [
        press.row(
            line.dossier_id, frozen.get(line.dossier_id), decision_words.get(line.dossier_id, ""),
            official_said(request, line.official_id), line.dossier_id in drawn, may_pick, sees,
        )
        for line in page.lines
    ]  # fmt: skip
    note_look(
        request,
        "list.read",
        {"as_of": risk_list.meta.as_of.isoformat(), "model": risk_list.meta.model_version, "seen": ids},
        [f"dossier:{dossier_id}" for dossier_id in ids],
    )
    wishes = {"unit": unit, "sector": sector, "level": level, "due": due, "q": q.strip(), "order": order,
              "size": size if size != 25 else ""}  # fmt: skip

    def address(**changed: str) -> str:
        query = urlencode({name: value for name, value in (wishes | changed).items() if value})
        return "/list" + (f"?{query}" if query else "")

    def counted(one: str) -> int:
        return len(risk_list.places(filters_on(request, risk_list, unit, sector, level, one, q)))

    return render(
        request,
        "list.html",
        title=_("Danh sách rủi ro"),
        rows=rows,
        tabs=[(address(due=one), words, counted(one), one == due) for one, words in TABS.items()],
        sorted_by=lambda one: (address(order=f"{one}-back" if order == one else one), _direction(order, one)),
        pages=stretch("/list", wishes, offset, len(ids), size, page.total),
        wishes=wishes,
        past=past and past.turned_out(LEVELS[1].least, filters.units, filters.official),
        query=urlencode({name: value for name, value in wishes.items() if value}),
        levels=[band for band in LEVELS if band.least > 0],
        units=_units(risk_list, reader),
        sectors=risk_list.choices("sector_code"),
        charts=[
            (
                _("Đơn vị"),
                context_of(request).read_model.register.unit,
                _bars(risk_list, filters, "unit_code", lambda one: address(unit=one)),
            ),
            (
                _("Lĩnh vực"),
                context_of(request).read_model.register.sector,
                _bars(risk_list, filters, "sector_code", lambda one: address(sector=one)),
            ),
        ],
        may_pick=may_pick,
        undo=undoable_decisions(request),
        sees=sees,
        views=own_views(request, "/list"),
    )


def _direction(order: str, column: str) -> str:
    """`aria-sort` of a column."""
    if order == f"{column}-back" or (column == "rank" and order == ""):
        return "descending"
    return "ascending" if order == column else "none"


def _bars(
    risk_list: RiskList, filters: Filters, column: str, address: Callable[[str], str]
) -> list[tuple[str, int, int, str]]:
    """The commonest values: code, how many, width of the bar (of 100), address of the list of these alone."""
    found = risk_list.counts(filters, column)[:BARS]
    return [(code, n, max(1, round(100 * n / found[0][1])), address(code)) for code, n in found]


def as_frozen(line: RiskLine, frozen: dict[str, float]) -> RiskLine:
    """The line with the score that stands still while it is contested."""
    return replace(line, score=frozen[line.dossier_id]) if line.dossier_id in frozen else line


def _units(risk_list: RiskList, reader: Reader) -> list[str] | None:
    """The units to choose from; None where they are too many for a menu."""
    units = reader.scope.units
    choices = [code for code in risk_list.choices("unit_code") if units is None or code in units]
    return choices if len(choices) <= MOST_CHOICES else None
