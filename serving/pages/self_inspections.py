"""`/self-inspections`: the inspections that a unit's own head makes, their sheets, and what was found."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from models.targets import MAIN
from serving.language import gettext as _
from serving.pages.rendering import Key, render
from serving.pages.sheet_photos import photo_routes
from serving.plan.rendering import BY, CHOSEN
from serving.plan.sheet import questions
from serving.read.finding_words import CAUSE_WORDS, KIND_WORDS
from serving.use_cases.app_context import context_of
from serving.use_cases.finding_photos import photos_by_dossier
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.visits import own_inspections, own_visit, write_finding
from serving.work import findings

router = APIRouter(include_in_schema=False)
router.include_router(photo_routes("/self-inspections", own=True))


@router.get("/self-inspections", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """Those of the month up to a week ahead; visits of teams are never among them."""
    people = context_of(request).people
    visits, now = own_inspections(request), people.now()
    note_look(request, "self.read", {"rows": len(visits)})
    with people.state.reading() as session:
        found = findings.standing(session, units={one["unit_code"] for one in visits})
    recorded = {visit["visit_id"]: sum(one.inspection_id == visit["visit_id"] for one in found) for visit in visits}
    lines = [(one, datetime.fromisoformat(one["at"]), recorded[one["visit_id"]]) for one in visits]
    return render(request, "self_inspections.html", title=_("Tự kiểm tra"), lines=lines, now=now)


@router.get("/self-inspections/visit", response_class=HTMLResponse)
def sheet(request: Request, visit_id: Annotated[str, Query(alias="id", max_length=200)]) -> Response:
    """The sheet of one whose hour has come."""
    reader, people = reader_of(request), context_of(request).people
    found = own_visit(request, visit_id)
    with people.state.reading() as session:
        recorded = {one.dossier_id: one for one in findings.standing(session, inspection_id=visit_id)}
    note_look(
        request,
        "visit.read",
        {"visit": visit_id},
        [f"visit:{visit_id}", *(f"dossier:{line['dossier_id']}" for line in found["sheet"])],
    )
    return render(
        request, "visit.html", title=_("Phiếu tự kiểm tra"), visit=found, at=datetime.fromisoformat(found["at"]),
        lines=[(line, questions(() if line["chosen_by"] == "draw" else line["reasons"])) for line in found["sheet"]],
        asked=[], of_dossier={}, recorded=recorded, extra=[],
        listed=context_of(request).serving.listed(MAIN.name), by=BY, chosen_words=CHOSEN,
        kinds=KIND_WORDS, causes=CAUSE_WORDS, may_write=reader.may("self.write"), post="/self-inspections/finding",
        early=False, photos=photos_by_dossier(request, visit_id), photo="/self-inspections/photo",
    )  # fmt: skip


@router.post("/self-inspections/finding")
def conclude(
    request: Request,
    visit_id: Annotated[str, Form(alias="visit", max_length=200)],
    dossier_id: Annotated[str, Form(alias="dossier", max_length=200)],
    kind: Annotated[str, Form(max_length=20)],
    key: Key,
    severity: Annotated[str, Form(pattern="^[123]?$")] = "",
    evidence: Annotated[str, Form(max_length=findings.LONGEST_NOTE)] = "",
    cause: Annotated[str, Form(max_length=20)] = "",
    step: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """What the head found on one dossier; whether it is confirmed is never the unit's own to say."""
    conclusion = (kind, severity, None, evidence, cause, step)
    back = "/self-inspections/visit?" + urlencode({"id": visit_id})
    return RedirectResponse(write_finding(request, visit_id, dossier_id, conclusion, key, back, own=True), 303)
