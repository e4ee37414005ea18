"""Explanation slips of a reader's scope: explained, reviewed."""

from fastapi import Request
from sqlalchemy.orm import Session

from serving.access.permissions import Scope
from serving.read.problem import Problem
from serving.state import ExplanationSlip
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.work import explanations
from serving.work.explanations import Explanation

OUTCOMES = {"explanation.review": ("accepted", "returned"), "explanation.close": ("closed", "refused")}


def write_explanation(request: Request, slip_id: int, cause: str, text: str, key: str, back: str) -> str:
    """An explanation of a slip in the reader's scope; 404 outside it, 422 for what is refused."""
    reader, people = reader_of(request), context_of(request).people
    slip = slip_in(request, slip_id)

    def effect(session: Session) -> dict[str, object]:
        held = session.get_one(ExplanationSlip, slip.id)
        explanations.explain(session, held, cause, text, now=people.now(), by=reader.account_id)
        return {"slip": slip.id, "dossier": slip.dossier_id, "cause": cause}

    return idempotent_write(request, key, "explanation.write", back, effect, [f"dossier:{slip.dossier_id}"])


def write_review(request: Request, slip_id: int, outcome: str, text: str, key: str, back: str) -> str:
    """The head's or the level above's answer; the route's own right says which answers it may give."""
    reader, people = reader_of(request), context_of(request).people
    if outcome not in OUTCOMES[reader.action]:
        raise Problem(422, f"Wanted {' or '.join(OUTCOMES[reader.action])}.")
    slip = slip_in(request, slip_id)

    def effect(session: Session) -> dict[str, object]:
        held = session.get_one(ExplanationSlip, slip.id)
        explanations.review(session, held, outcome, text, now=people.now(), by=reader.account_id)
        return {"slip": slip.id, "dossier": slip.dossier_id, "outcome": outcome}

    return idempotent_write(request, key, reader.action, back, effect, [f"dossier:{slip.dossier_id}"])


def slip_in(request: Request, slip_id: int) -> ExplanationSlip:
    """A slip of the reader's scope; 404 for others and absent ones alike."""
    found = slips_in(request, reader_of(request).scope, slip_id) if 0 < slip_id < 2**31 else []
    if not found:
        raise Problem(404, "No slip of this number.")
    return found[0].slip


def slips_in(request: Request, scope: Scope, slip_id: int | None = None) -> list[Explanation]:
    """The first 200 slips of a scope, or one of them."""
    people = context_of(request).people
    with people.state.reading() as session:
        return explanations.explanations(session, scope, people.now(), slip_id=slip_id)
