"""`/official`: one official against peers who do the same procedures; who looked is logged and shown."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from models.targets import MAIN
from serving.access.permissions import Scope
from serving.language import gettext as _
from serving.pages import drawing
from serving.pages.rendering import official_said, render
from serving.read.finding_words import KIND_WORDS
from serving.read.problem import Problem
from serving.scoring.conduct_list_cache import has_enough_data
from serving.scoring.risk_list import Filters
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.remedies import remedies_of
from serving.use_cases.results import findings_about
from serving.work import contests, remediation

router = APIRouter(include_in_schema=False)


@router.get("/official", response_class=HTMLResponse)
def show(request: Request, official_id: Annotated[str, Query(alias="id", max_length=200)]) -> Response:
    """An official of a unit in the reader's scope; 404 for others and absent ones alike."""
    reader = reader_of(request)
    people, read_model = context_of(request).people, context_of(request).read_model
    unit = read_model.register.officials.get(official_id)
    if unit is None or not reader.scope.covers(unit):
        raise Problem(404, "No official of this key.")
    risk_list = context_of(request).serving.risk_list(MAIN.name)
    page = risk_list.page(Filters(official=official_id, units=reader.scope.units, waiting=None), 0, 25, order="left")
    note_look(
        request,
        "official.read",
        {"official": official_id, "as_of": risk_list.meta.as_of.isoformat()},
        [f"official:{official_id}"],
    )
    with people.state.reading() as session:
        rate = contests.upheld_rate(session, Scope(units=frozenset(), official_id=official_id))
        found = findings_about(request, session, official_id=official_id)
    sees = reader.scope_for("harassment.read").covers(unit)
    shelf = context_of(request).serving.conduct.value if sees else None
    line = shelf.of("official", official_id) if shelf else None
    return render(
        request,
        "official.html",
        title=_("Cán bộ"),
        official_id=official_id,
        name=official_said(request, official_id),
        unit=unit,
        sees=sees,
        conduct=line,
        conduct_enough=line is not None and has_enough_data(line),
        span=drawing.ratio_span(line.low, line.high) if line else None,
        sheet=read_model.officials.of(official_id),
        lines=page.lines,
        total=page.total,
        rate=rate,
        found=found,
        kinds=KIND_WORDS,
        remedies=remedies_of(request, [one.finding_id for one in found]),
        states=remediation.STATES,
        seen=people.receipts.about(f"official:{official_id}", most=10),
    )
