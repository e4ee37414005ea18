"""`/what-if`: what handing on would change in a unit, and what one person more would: for whoever plans its work."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from serving.language import gettext as _
from serving.pages.rendering import render
from serving.read.problem import Problem
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.what_if import unit_what_if, units_of

router = APIRouter(include_in_schema=False)


@router.get("/what-if", response_class=HTMLResponse)
def show(request: Request, unit: Annotated[str, Query(max_length=200)] = "") -> Response:
    """One unit of the reader's scope, the reader's own or that with the most open dossiers where none is named."""
    reader, units = reader_of(request), units_of(request)
    own = reader.unit_code if reader.unit_code in units else next(iter(units), "")
    found = None
    if unit or own:
        try:
            found = unit_what_if(request, unit or own)
        except Problem as trouble:
            if trouble.status_code != 503:
                raise
        detail = {"unit": unit or own, "rows": found.looked_at if found else 0}
        subjects = found.subjects if found else [f"unit:{unit or own}"]
        note_look(request, "what_if.read", detail, subjects)
    return render(
        request, "what_if.html", title=_("Thử chuyển việc"), found=found, units=units, chosen=unit or own,
    )  # fmt: skip
