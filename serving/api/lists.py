"""The risk list, filtered and in pages; a reader's duties, and the own part of the list: a head's, an official's."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from models.targets import MAIN
from serving.api.answer import answer
from serving.read.problem import documented
from serving.scoring.risk_list import MOST_ROWS, Filters, RiskLine
from serving.use_cases.app_context import context_of, serving
from serving.use_cases.duties import Duty, duties_of, figures_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import looked, note_look
from serving.use_cases.official_names import official_name
from serving.use_cases.served_state import Serving

router = APIRouter(tags=["list"])

Text = Annotated[str | None, Query(max_length=200)]


@dataclass(frozen=True)
class ListAnswer:
    """A page of the risk list and what it was made of.

    as_of: when scores, ranks and reasons were made; read_at: the moment of due_at, left_hours and phase. `next`: the
    query of the next page, null at the end.
    """

    target: str
    as_of: datetime
    read_at: datetime
    model_version: str
    rule: bool
    record_version: int
    total: int
    offset: int
    lines: list[RiskLine]
    next: str | None


@router.get("/list", response_model=ListAnswer, responses=documented(404, 422, 503))
async def show_list(
    request: Request,
    state: Annotated[Serving, Depends(serving)],
    target: Annotated[str, Query(max_length=40, examples=[MAIN.name])] = MAIN.name,
    sector: Text = None,
    unit: Text = None,
    official: Text = None,
    least_score: Annotated[float, Query(ge=0, le=1)] = 0.0,
    ahead: Annotated[bool, Query(description="Only promises that can still be kept.")] = False,
    waiting: Annotated[
        bool, Query(description="Only dossiers whose clock stands (chờ người dân); they are on no other list.")
    ] = False,
    offset: Annotated[int, Query(ge=0, le=100_000_000)] = 0,
    size: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
) -> Response:
    """Open dossiers by falling risk (ties by age, then id), each with its reasons.

    The order within one list never changes; `as_of` tells when a newer list has taken its place between two
    pages.
    """
    risk_list = state.risk_list(target)
    scope = reader_of(request).scope
    filters = Filters(sector, unit, official, least_score, units=scope.units, ahead=ahead, waiting=waiting)
    page = risk_list.page(filters, offset, size)
    seen = [line.dossier_id for line in page.lines]
    detail = {"as_of": risk_list.meta.as_of.isoformat(), "model": risk_list.meta.model_version, "seen": seen}
    await looked(request, "list.read", detail, [f"dossier:{one}" for one in seen])
    more = offset + size < page.total
    wishes = {
        "target": target,
        "sector": sector,
        "unit": unit,
        "official": official,
        "least_score": least_score,
        "ahead": "true" if ahead else None,
        "waiting": "true" if waiting else None,
    }
    query = {name: value for name, value in wishes.items() if value} | {"offset": offset + size, "size": size}
    return answer(
        ListAnswer(
            target=target,
            as_of=risk_list.meta.as_of,
            read_at=risk_list.read_at,
            model_version=risk_list.meta.model_version,
            rule=risk_list.meta.rule,
            record_version=risk_list.meta.record_version,
            total=page.total,
            offset=offset,
            lines=[replace(line, official_name=official_name(request, line.official_id)) for line in page.lines],
            next="?" + urlencode(query) if more else None,
        )
    )


Offset = Annotated[int, Query(ge=0, le=1_000_000)]


@dataclass(frozen=True)
class DutiesAnswer:
    """duties: oldest first, each with the page that deals with it. figures: words → number on the reader's list."""

    duties: list[Duty]
    figures: dict[str, int]


@router.get("/duties", response_model=DutiesAnswer)
def duties(request: Request) -> Response:
    """What waits for the reader, oldest duty first."""
    note_look(request, "home.read", {})
    return answer(DutiesAnswer(duties_of(request), {words: number for words, number, _ in figures_of(request)}))


@router.get("/board", response_model=list[RiskLine], responses=documented(422, 503))
def board(request: Request, offset: Offset = 0) -> Response:
    """The open dossiers of the head's units, 200 from `offset`, least time left first."""
    return _mine(request, "board.read", offset)


@router.get("/own", response_model=list[RiskLine], responses=documented(422, 503))
def own(request: Request, offset: Offset = 0) -> Response:
    """The open dossiers that the official holds, 200 from `offset`, least time left first."""
    return _mine(request, "own.read", offset)


def _mine(request: Request, action: str, offset: int) -> Response:
    scope, risk_list = reader_of(request).scope, context_of(request).serving.risk_list(MAIN.name)
    base = Filters(official=scope.official_id, units=None if scope.official_id else scope.units)
    found = risk_list.page(base, offset, MOST_ROWS, order="left").lines
    seen = [one.dossier_id for one in found]
    detail = {"as_of": risk_list.meta.as_of.isoformat(), "model": risk_list.meta.model_version, "seen": seen}
    note_look(request, action, detail, [f"dossier:{one}" for one in seen])
    return answer([replace(one, official_name=official_name(request, one.official_id)) for one in found])
