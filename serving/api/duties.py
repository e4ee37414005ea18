"""What a reader must do now, and the reader's own part of the list: a head's unit, what an official holds."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from models.targets import MAIN
from serving.api.answer import answer
from serving.read.problem import documented
from serving.scoring.risk_list import MOST_ROWS, Filters, RiskLine
from serving.use_cases.app_context import context_of
from serving.use_cases.duties import Duty, duties_of, figures_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.official_names import official_name

router = APIRouter(tags=["list"])

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
