"""Early warnings as a reader acknowledges them, and their effect as known now."""

from collections.abc import Sequence

from fastapi import Request
from sqlalchemy.orm import Session

from models.effect import Effect
from serving.read.problem import Problem, refused_as_problem
from serving.state import EarlyWarning
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.use_cases.looked import note_look
from serving.warnings.acknowledgement import acknowledge, answered_lately, take_back
from serving.warnings.outcome import effect_of_warnings

PAGE = 25


def write_acknowledgement(request: Request, warnings: Sequence[int], note: str, key: str, back: str) -> str:
    """The reader's acknowledgement of warnings by number; 404 for one outside the scope, 422 for what is refused."""
    reader, people = reader_of(request), context_of(request).people
    wanted = sorted({one for one in warnings if 0 < one < 2**31})[:PAGE]

    def effect(session: Session) -> dict[str, object]:
        fresh = acknowledge(session, wanted, reader.scope.units, note, by=reader.account_id, now=people.now())
        return {"warnings": [one.id for one in fresh], "dossiers": [one.dossier_id for one in fresh], "note": note}

    with refused_as_problem():
        try:
            return idempotent_write(request, key, "warning.write", back, effect, [f"warning:{one}" for one in wanted])
        except LookupError:
            raise Problem(404, "No warning of this number.") from None


def undo_acknowledgement(request: Request, key: str, back: str) -> str:
    """Takes the reader's last acknowledgement back, within an hour; 422 where none can be."""
    reader, people = reader_of(request), context_of(request).people

    def effect(session: Session) -> dict[str, object]:
        found = take_back(session, by=reader.account_id, now=people.now())
        return {"revoked": [one.id for one in found], "dossiers": [one.dossier_id for one in found]}

    return idempotent_write(request, key, "warning.write", back, effect)


def undoable(request: Request) -> list[EarlyWarning]:
    """What the reader answered last, while it can be taken back."""
    people = context_of(request).people
    with people.state.reading() as session:
        return answered_lately(session, reader_of(request).account_id, people.now())


def effect_now(request: Request) -> Effect:
    """The effect of all warnings so far, as known now; who asked is on record."""
    people, now = context_of(request).people, context_of(request).people.now()
    note_look(request, "warning.effect", {})
    with people.state.reading() as session, context_of(request).trackers.record.connect(cutoff=now) as con:
        return effect_of_warnings(session, con, now)
