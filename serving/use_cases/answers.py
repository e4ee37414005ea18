"""What late dossiers of a reader's scope still owe, and the reader's marks on it."""

from fastapi import Request
from sqlalchemy.orm import Session

from serving.read.caseload import Case
from serving.read.problem import Problem
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import Reader, reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.work.annotations import add_mark
from serving.work.apologies import ApologyStanding
from serving.work.complaints import ComplaintStanding
from serving.work.consultations import Consultation
from serving.work.trackers import Tracked


def tracked(request: Request) -> Tracked:
    """What is tracked now."""
    found: Tracked = context_of(request).trackers.of()
    return found


def apologies_in(request: Request) -> list[ApologyStanding]:
    """The late dossiers of the reader's scope for which an apology is owed, those without one first."""
    scope = reader_of(request).scope
    return [one for one in tracked(request).apologies if scope.covers(one.case.unit_code)]


def consultations_in(request: Request) -> list[Consultation]:
    """Questions that units of the reader's scope asked or were asked."""
    scope, found = reader_of(request).scope, tracked(request).consultations
    return [one for one in found if scope.covers(one.lead_unit) or scope.covers(one.asked_unit)]


def returned_in(request: Request) -> list[Case]:
    """Dossiers of the reader's scope that were sent back twice or more."""
    scope = reader_of(request).scope
    return [case for case in tracked(request).returned if scope.covers(case.unit_code)]


def complaints_in(request: Request) -> list[ComplaintStanding]:
    """The complaints about units of the reader's scope, those that wait first."""
    scope = reader_of(request).scope
    return [one for one in tracked(request).complaints if scope.covers(one.unit_code)]


def write_mark(request: Request, subject: str, field: str, value: str, note: str, key: str, back: str) -> str:
    """A mark on something tracked in the reader's scope; 404 outside it, 422 for what is refused."""
    reader, people = reader_of(request), context_of(request).people
    unit = _unit_of(tracked(request), reader, subject)
    if unit is None:
        raise Problem(404, "Nothing tracked under this name.")

    def effect(session: Session) -> dict[str, object]:
        add_mark(session, subject, unit, field, value, note, now=people.now(), by=reader.account_id)
        return {"subject": subject, "field": field, "value": value}

    led = idempotent_write(request, key, "mark.write", back, effect, [subject])
    context_of(request).trackers.of(anew=True)
    return led


def _unit_of(held: Tracked, reader: Reader, subject: str) -> str | None:
    """The unit that a mark is about, where the reader may set it."""
    kind, _, name = subject.partition(":")
    right = "return.review" if kind == "return" else "mark.write"
    units: list[str | None] = []
    if kind == "return":
        units = [case.unit_code for case in held.returned if case.dossier_id == name]
    elif kind == "consultation":
        units = [one.lead_unit for one in held.consultations if one.subject == subject]
    elif kind == "complaint":
        units = [one.unit_code for one in held.complaints if one.subject == subject]
    scope = reader.scope_for(right)
    return next((unit for unit in units if unit is not None and scope.covers(unit)), None)
