"""Decisions of a reader on scores."""

from collections.abc import Sequence

from fastapi import Request
from sqlalchemy.orm import Session

from models.targets import MAIN
from serving.read.problem import Problem
from serving.state import Decision
from serving.use_cases.app_context import context_of
from serving.use_cases.dossiers import Chosen
from serving.use_cases.guard import Reader, reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.work import decisions


def write_decisions(request: Request, chosen: Sequence[Chosen], kind: str, reason: str, key: str, back: str) -> str:
    """The same decision about each of the dossiers, with one receipt; 422 for what is refused.

    Of one that has ended nothing but a pick can be decided: no score of it stands.
    """
    reader: Reader = reader_of(request)
    people = context_of(request).people
    meta = context_of(request).serving.risk_list(MAIN.name).meta
    ids = [one.dossier_id for one in chosen]
    if kind != decisions.DecisionKind.PICK and any(one.score is None for one in chosen):
        raise Problem(422, "kind: wanted pick of a dossier that has ended.")

    def effect(session: Session) -> dict[str, object]:
        for one in chosen:
            decisions.decide(
                session,
                Decision(
                    dossier_id=one.dossier_id,
                    unit_code=one.unit_code,
                    target=MAIN.name,
                    track=decisions.track_of(reader.role),
                    as_of=meta.as_of,
                    score=one.score,
                    kind=kind,
                    reason=reason,
                    decided_at=people.now(),
                    decided_by=reader.account_id,
                ),
            )
        return {"kind": kind, "reason": reason.strip(), "dossiers": ids, "model": meta.model_version}

    return idempotent_write(request, key, "decision.write", back, effect, [f"dossier:{one}" for one in ids])


def undo_decisions(request: Request, key: str, back: str) -> str:
    """Takes the reader's last decision back, within an hour; 422 where none can be."""
    reader, people = reader_of(request), context_of(request).people
    ids = [f"dossier:{one.dossier_id}" for one in undoable_decisions(request)]

    def effect(session: Session) -> dict[str, object]:
        rows = decisions.undo(session, reader.account_id, now=people.now())
        return {"kind": decisions.DecisionKind.UNDO, "revoked": [one.dossier_id for one in rows]}

    return idempotent_write(request, key, "decision.write", back, effect, ids)


def undoable_decisions(request: Request) -> Sequence[Decision]:
    """What the reader decided last, while it can be taken back; nothing while the working state is away."""
    people, reader = context_of(request).people, reader_of(request)
    if not reader.may("decision.write") or getattr(request.state, "away", False):
        return ()
    with people.state.reading() as session:
        return decisions.latest_of(session, reader.account_id, people.now())
