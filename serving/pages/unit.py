"""`/unit`: one unit: on-time figures with its interval, and signals of conduct against peers for who may see them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from models.targets import MAIN
from serving.pages import drawing
from serving.pages.leadership import AGAINST
from serving.pages.rendering import render
from serving.read.problem import Problem
from serving.scoring.conduct_list_cache import has_enough_data
from serving.scoring.risk_list import Filters
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look

router = APIRouter(include_in_schema=False)


@router.get("/unit", response_class=HTMLResponse)
def show(request: Request, unit_code: Annotated[str, Query(alias="id", max_length=120)]) -> Response:
    """A unit in the reader's scope; 404 for others and absent ones alike."""
    reader = reader_of(request)
    context = context_of(request)
    read_model, serving = context.read_model, context.serving
    if unit_code not in read_model.register.units or not reader.scope.covers(unit_code):
        raise Problem(404, "No unit of this code.")
    sees = reader.scope_for("harassment.read").covers(unit_code)
    shelf = serving.conduct.value if sees else None
    line = shelf.of("unit", unit_code) if shelf else None
    standing = read_model.standing.units.get(unit_code)
    page = serving.risk_list(MAIN.name).page(Filters(unit=unit_code), 0, 10)
    note_look(request, "unit.read", {"unit": unit_code}, [f"unit:{unit_code}"])
    return render(
        request,
        "unit.html",
        title=read_model.register.unit(unit_code),
        unit=unit_code,
        standing=standing,
        against=AGAINST[standing.against(read_model.standing.total.share)] if standing else AGAINST["unknown"],
        average=read_model.standing.total.share,
        sees=sees,
        conduct=line,
        conduct_enough=line is not None and has_enough_data(line),
        span=drawing.ratio_span(line.low, line.high) if line else None,
        lines=page.lines,
        total=page.total,
    )
