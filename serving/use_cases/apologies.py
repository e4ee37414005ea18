"""Letters of apology as a reader drafts them and notes that they went out."""

from datetime import datetime

from fastapi import Request
from sqlalchemy.orm import Session

from serving.read.caseload import Case
from serving.read.problem import Problem
from serving.state import Apology
from serving.use_cases.answers import tracked
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.work import apologies


def write_draft(request: Request, dossier_id: str, new_due_at: datetime, reason: str, key: str, back: str) -> str:
    """A letter for one late dossier of the reader's units; 404 for another, 422 for what is refused."""
    reader, people = reader_of(request), context_of(request).people
    case = late_case(request, dossier_id, "apology.write")

    def effect(session: Session) -> dict[str, object]:
        apologies.draft(
            session, dossier_id, case.unit_code, case.due_at, new_due_at, reason, now=people.now(), by=reader.account_id
        )
        return {"dossier": dossier_id, "new_due_at": new_due_at.isoformat()}

    return idempotent_write(request, key, "apology.write", back, effect, [f"dossier:{dossier_id}"])


def write_sent(request: Request, apology_id: int, key: str, back: str) -> str:
    """Notes that a letter went out, once; 404 outside the reader's scope."""
    reader, people = reader_of(request), context_of(request).people
    letter = letter_in(request, apology_id)

    def effect(session: Session) -> dict[str, object]:
        held = session.get_one(Apology, apology_id)
        apologies.send(held, now=people.now(), by=reader.account_id)
        return {"apology": apology_id, "dossier": held.dossier_id}

    led = idempotent_write(request, key, "apology.write", back, effect, [f"dossier:{letter.dossier_id}"])
    context_of(request).trackers.of(anew=True)
    return led


def letter_in(request: Request, apology_id: int) -> Apology:
    """A letter of a unit in the reader's scope; others and absent ones answer alike."""
    with context_of(request).people.state.reading() as session:
        found: Apology | None = session.get(Apology, apology_id) if 0 < apology_id < 2**31 else None
    if found is None or not reader_of(request).scope.covers(found.unit_code):
        raise Problem(404, "No letter of this number.")
    return found


def late_case(request: Request, dossier_id: str, action: str) -> Case:
    """A dossier for which an apology is owed, in the reader's scope of an action; 404 for others and absent ones."""
    scope = reader_of(request).scope_for(action)
    for one in tracked(request).apologies:
        if one.case.dossier_id == dossier_id and scope.covers(one.case.unit_code):
            return one.case
    raise Problem(404, "No late dossier of this id.")
