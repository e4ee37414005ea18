"""What units of a reader's scope must put right, and the acts of the unit and of who inspected on it."""

from collections.abc import Collection, Sequence
from datetime import date

from fastapi import Request
from sqlalchemy.orm import Session

from serving.access.permissions import Role
from serving.read.problem import Problem
from serving.state import Remediation
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.work import remediation

ACTS_OF = {Role.UNIT_HEAD: ("reported",), Role.INSPECTOR: ("accepted", "refused", "extended")}
"""The unit reports; who inspected accepts, refuses or gives more time."""


def remedies_in(request: Request) -> list[remediation.RemedyStanding]:
    """What the units of the reader's scope must put right, the most urgent first."""
    with context_of(request).people.state.reading() as session:
        return remediation.standing(session, _today(request), reader_of(request).scope.units)


def remedies_of(request: Request, finding_ids: Collection[str]) -> dict[str, list[remediation.RemedyStanding]]:
    """finding_id → what it demands; of findings that the reader was shown."""
    found: dict[str, list[remediation.RemedyStanding]] = {}
    if finding_ids:
        with context_of(request).people.state.reading() as session:
            for one in remediation.standing(session, _today(request), findings=finding_ids):
                found.setdefault(one.finding_id, []).append(one)
    return found


def remedy_acts(request: Request) -> Sequence[str]:
    """What the reader's role may say of a remedy."""
    return ACTS_OF.get(reader_of(request).role, ())


def write_remedy_act(
    request: Request, remedy_id: int, kind: str, note: str, due_on: date | None, key: str, back: str
) -> str:
    """An act on a remedy of the reader's units; 404 for one outside, 422 for what is refused or not the reader's."""
    reader, people = reader_of(request), context_of(request).people
    if kind not in remedy_acts(request):
        raise Problem(422, f"kind: wanted one of {', '.join(remedy_acts(request))}.")
    with people.state.reading() as session:
        found = session.get(Remediation, remedy_id) if 0 < remedy_id < 2**31 else None
    if found is None or not reader.scope.covers(found.unit_code):
        raise Problem(404, "No remedy of this number.")

    def effect(session: Session) -> dict[str, object]:
        remediation.act(session, remedy_id, kind, note, now=people.now(), due_on=due_on, by=reader.account_id)
        return {"remedy": remedy_id, "act": kind}

    return idempotent_write(request, key, "remedy.write", back, effect)


def _today(request: Request) -> date:
    today: date = context_of(request).people.now().astimezone(context_of(request).serving.settings.zone).date()
    return today
