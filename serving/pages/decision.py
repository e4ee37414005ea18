"""`/decisions`, `/picks`: what a person does with a score; the reason is required and kept."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from serving.access.guard import Reader, reader_of
from serving.pages.dossier import line_in_scope
from serving.pages.rendering import Key, refused_as_problem
from serving.pages.risk_list import TARGET
from serving.read.problem import Problem
from serving.scoring.risk_list import RiskLine
from serving.state import Decision
from serving.work import decisions
from serving.work.idempotent_write import idempotent_write

router = APIRouter(include_in_schema=False)


@router.post("/decisions")
def decide(
    request: Request,
    dossier_id: Annotated[str, Form(alias="dossier", max_length=200)],
    kind: Annotated[str, Form(max_length=20)],
    reason: Annotated[str, Form(max_length=2000)],
    key: Key,
) -> Response:
    """Set a score aside, or put a dossier first in spite of it; the reason is required and kept."""
    line, _ = line_in_scope(request, dossier_id)
    return _decide(request, [line], kind, reason, key, "/dossier?" + urlencode({"id": dossier_id}))


@router.post("/picks")
def pick(
    request: Request,
    reason: Annotated[str, Form(max_length=2000)],
    key: Key,
    dossier_ids: Annotated[list[str] | None, Form(alias="dossier", max_length=200)] = None,
) -> Response:
    """Put the ticked dossiers into the next plan; for who inspects."""
    lines = [line_in_scope(request, dossier_id)[0] for dossier_id in dict.fromkeys(dossier_ids or [])]
    return _decide(request, lines, decisions.Kind.PICK, reason, key, "/list")


def _decide(request: Request, lines: list[RiskLine], kind: str, reason: str, key: str, back: str) -> Response:
    if not lines:
        raise Problem(422, "Tick at least one dossier.")
    return RedirectResponse(write_decisions(request, lines, kind, reason, key, back), 303)


def write_decisions(request: Request, lines: list[RiskLine], kind: str, reason: str, key: str, back: str) -> str:
    """The same decision about each of the lines, with one receipt; 422 for what is refused."""
    reader: Reader = reader_of(request)
    people = request.app.state.people
    meta = request.app.state.serving.risk_list(TARGET).meta
    ids = [line.dossier_id for line in lines]

    def effect(session: Session) -> dict[str, object]:
        for line in lines:
            decisions.decide(
                session,
                Decision(
                    dossier_id=line.dossier_id,
                    unit_code=line.unit_code or "",
                    target=TARGET,
                    track=decisions.track_of(reader.role),
                    as_of=meta.as_of,
                    score=line.score,
                    kind=kind,
                    reason=reason,
                    decided_at=people.now(),
                    decided_by=reader.account_id,
                ),
            )
        return {"kind": kind, "reason": reason.strip(), "dossiers": ids, "model": meta.model_version}

    with refused_as_problem():
        return idempotent_write(people, reader, key, "decision.write", back, effect, [f"dossier:{one}" for one in ids])
