"""What visits of a reader's scope concluded: listed, corrected, and put right until a day."""

from datetime import date

from fastapi import Request
from sqlalchemy.orm import Session

from serving.plan.plan import is_of_head
from serving.read.problem import Problem
from serving.state import Finding
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.work import findings, remediation


def results_in(request: Request, dossier_id: str = "") -> list[Finding]:
    """The findings that hold, newest visit first; of one dossier where asked."""
    scope = reader_of(request).scope
    with context_of(request).people.state.reading() as session:
        found = findings.standing(session, units=scope.units)
    mine = [one for one in found if not dossier_id or one.dossier_id == dossier_id]
    return sorted(mine, key=lambda one: (one.visited_at, one.finding_id), reverse=True)


def findings_about(
    request: Request, session: Session, dossier_id: str | None = None, official_id: str | None = None
) -> list[Finding]:
    """The findings that hold on one dossier or official, as the reader may see them, newest first.

    Who inspects and who leads see those of their units; a head those of own inspections, and what else was told the
    unit by a remedy stands among its remedies.
    """
    reader = reader_of(request)
    all_of, own = reader.scope_for("plan.read"), reader.scope_for("self.read")
    if not (reader.may("plan.read") or reader.may("self.read")):
        return []
    found = [
        one for one in findings.standing(session, dossier_id=dossier_id, official_id=official_id)
        if all_of.covers(one.unit_code) or (is_of_head(one.finding_id) and own.covers(one.unit_code))
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.visited_at, one.finding_id), reverse=True)


def write_correction(
    request: Request, finding_id: str, conclusion: findings.Conclusion, because: str, key: str, back: str
) -> str:
    """A corrected version beside the one before; 404 outside the scope, 422 for what is refused."""
    found = _finding_in(request, finding_id)
    people, reader = context_of(request).people, reader_of(request)

    def effect(session: Session) -> dict[str, object]:
        row = findings.correct(session, finding_id, conclusion, because, now=people.now(), by=reader.account_id)
        return {"finding": finding_id, "version": row.version, "kind": conclusion.kind, "reason": because}

    about = [f"dossier:{found.dossier_id}", f"visit:{found.inspection_id}"]
    return idempotent_write(request, key, "finding.write", back, effect, about)


def write_remedy(request: Request, finding_id: str, what: str, due_on: date, key: str, back: str) -> str:
    """Demands that something be put right until a day; 404 outside the scope, 422 for what is refused."""
    found = _finding_in(request, finding_id)
    people, reader = context_of(request).people, reader_of(request)

    def effect(session: Session) -> dict[str, object]:
        remediation.demand(session, finding_id, what, due_on, now=people.now(), by=reader.account_id)
        return {"finding": finding_id, "until": due_on.isoformat()}

    return idempotent_write(request, key, "remedy.demand", back, effect, [f"dossier:{found.dossier_id}"])


def _finding_in(request: Request, finding_id: str) -> Finding:
    """A finding of the reader's scope; foreign and absent ones answer alike."""
    with context_of(request).people.state.reading() as session:
        found = findings.latest(session, finding_id)
    if found is None or not reader_of(request).scope.covers(found.unit_code):
        raise Problem(404, "No finding of this number.")
    return found
