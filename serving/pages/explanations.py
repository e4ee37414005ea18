"""`/explanations`: late dossiers that ask why; the official explains, the head reviews, the level above closes."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from models.targets import MAIN
from serving.language import gettext as _
from serving.pages.rendering import Key, render
from serving.pages.risk_list import stretch
from serving.read.finding_words import CAUSE_WORDS
from serving.use_cases.app_context import context_of
from serving.use_cases.explanations import write_explanation, write_review
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.work import explanations
from serving.work.explanations import LONGEST_TEXT

router = APIRouter(include_in_schema=False)

ROWS = 25
Text = Annotated[str, Form(max_length=LONGEST_TEXT)]


@router.get("/explanations", response_class=HTMLResponse)
def show(
    request: Request,
    state: Annotated[str, Query(max_length=12)] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """The slips of the reader's scope, those that wait longest first."""
    reader = reader_of(request)
    people = context_of(request).people
    context_of(request).trackers.of()
    with people.state.reading() as session:
        found = explanations.explanations(session, reader.scope, people.now(), most=10_000)
    wanted = [one for one in found if not state or one.state == state]
    shown = wanted[offset : offset + ROWS]
    listed = context_of(request).serving.listed(MAIN.name)
    note_look(
        request,
        "explanation.read",
        {"seen": [one.slip.id for one in shown]},
        [f"dossier:{one.slip.dossier_id}" for one in shown],
    )
    return render(
        request,
        "explanations.html",
        title=_("Giải trình hồ sơ trễ"),
        lines=shown,
        counts=Counter(one.state for one in found),
        overdue=sum(one.overdue for one in found),
        states=explanations.STATES,
        after=explanations.AFTER,
        chosen=state,
        linked={one.slip.dossier_id for one in shown if listed is not None and listed.line(one.slip.dossier_id)},
        pages=stretch("/explanations", {"state": state}, offset, len(shown), ROWS, len(wanted)),
        causes=CAUSE_WORDS,
        may={name: reader.scope_for(f"explanation.{name}") for name in ("write", "review", "close")},
    )


@router.post("/explanations/{slip_id}/explain")
def explain(
    request: Request, slip_id: int, cause: Annotated[str, Form(max_length=20)], text: Text, key: Key
) -> Response:
    """The official's explanation, or the head's in their place."""
    return RedirectResponse(write_explanation(request, slip_id, cause, text, key, "/explanations"), 303)


@router.post("/explanations/{slip_id}/review")
def review(
    request: Request, slip_id: int, outcome: Annotated[str, Form(max_length=12)], key: Key, text: Text = ""
) -> Response:
    """The head accepts or returns."""
    return RedirectResponse(write_review(request, slip_id, outcome, text, key, "/explanations"), 303)


@router.post("/explanations/{slip_id}/close")
def close(
    request: Request, slip_id: int, outcome: Annotated[str, Form(max_length=12)], key: Key, text: Text = ""
) -> Response:
    """The level above closes or refuses."""
    return RedirectResponse(write_review(request, slip_id, outcome, text, key, "/explanations"), 303)
