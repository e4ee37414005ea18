"""`/explanations`: late dossiers that ask why; the official explains, the head reviews, the level above closes."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from serving.access.guard import reader_of
from serving.access.permissions import Scope
from serving.pages.rendering import Key, refused_as_problem, render
from serving.pages.risk_list import TARGET, stretch
from serving.read.finding_words import CAUSE_WORDS
from serving.read.problem import Problem
from serving.state import ExplanationSlip
from serving.work import explanations
from serving.work.explanations import LONGEST_TEXT, Explanation
from serving.work.idempotent_write import idempotent_write

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
    people = request.app.state.people
    request.app.state.trackers.of()
    with people.state.reading() as session:
        found = explanations.explanations(session, reader.scope, people.now(), most=10_000)
    wanted = [one for one in found if not state or one.state == state]
    shown = wanted[offset : offset + ROWS]
    listed = request.app.state.serving.lists[TARGET].value
    people.receipts.record(
        reader.login, "explanation.read", {"seen": [one.slip.id for one in shown]}, now=people.now(),
        subjects=[f"dossier:{one.slip.dossier_id}" for one in shown],
    )  # fmt: skip
    return render(
        request,
        "explanations.html",
        title="Giải trình hồ sơ trễ",
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


OUTCOMES = {"explanation.review": ("accepted", "returned"), "explanation.close": ("closed", "refused")}


def write_explanation(request: Request, slip_id: int, cause: str, text: str, key: str, back: str) -> str:
    """An explanation of a slip in the reader's scope; 404 outside it, 422 for what is refused."""
    reader, people = reader_of(request), request.app.state.people
    slip = slip_in(request, slip_id)

    def effect(session: Session) -> dict[str, object]:
        held = session.get_one(ExplanationSlip, slip.id)
        explanations.explain(session, held, cause, text, now=people.now(), by=reader.account_id)
        return {"slip": slip.id, "dossier": slip.dossier_id, "cause": cause}

    with refused_as_problem():
        return idempotent_write(people, reader, key, "explanation.write", back, effect, [f"dossier:{slip.dossier_id}"])


def write_review(request: Request, slip_id: int, outcome: str, text: str, key: str, back: str) -> str:
    """The head's or the level above's answer; the route's own right says which answers it may give."""
    reader, people = reader_of(request), request.app.state.people
    if outcome not in OUTCOMES[reader.action]:
        raise Problem(422, f"Wanted {' or '.join(OUTCOMES[reader.action])}.")
    slip = slip_in(request, slip_id)

    def effect(session: Session) -> dict[str, object]:
        held = session.get_one(ExplanationSlip, slip.id)
        explanations.review(session, held, outcome, text, now=people.now(), by=reader.account_id)
        return {"slip": slip.id, "dossier": slip.dossier_id, "outcome": outcome}

    with refused_as_problem():
        return idempotent_write(people, reader, key, reader.action, back, effect, [f"dossier:{slip.dossier_id}"])


def slip_in(request: Request, slip_id: int) -> ExplanationSlip:
    """A slip of the reader's scope; 404 for others and absent ones alike."""
    found = slips_in(request, reader_of(request).scope, slip_id) if 0 < slip_id < 2**31 else []
    if not found:
        raise Problem(404, "No slip of this number.")
    return found[0].slip


def slips_in(request: Request, scope: Scope, slip_id: int | None = None) -> list[Explanation]:
    """The first 200 slips of a scope, or one of them."""
    people = request.app.state.people
    with people.state.reading() as session:
        return explanations.explanations(session, scope, people.now(), slip_id=slip_id)
