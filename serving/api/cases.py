"""A unit's work as cases: listed, given to people, undone; letters of apology drafted together."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from serving.api.answer import answer
from serving.api.people import Done, Key
from serving.api.strict import strict
from serving.read.problem import Problem, documented
from serving.use_cases.cases import (
    MOST,
    cases_of,
    draft_apologies,
    filtered,
    undo_assignment,
    write_assignment,
)
from serving.use_cases.looked import note_look

router = APIRouter(prefix="/cases", tags=["cases"])


@strict
@dataclass(frozen=True)
class AssignmentWish:
    """Cases by `subject`, and whom they are given to; an empty official takes them back."""

    subjects: list[str]
    official_id: str = ""
    note: str = ""


@strict
@dataclass(frozen=True)
class LettersWish:
    """Letters for late dossiers (`subjects` of kind apology; empty: all without a letter): new day and reason."""

    new_due_at: datetime
    reason: str
    subjects: list[str]


@router.get("", response_model=list[dict[str, Any]], responses=documented(422))
def list_cases(
    request: Request,
    kind: Literal["", "warning", "explanation", "apology", "complaint", "consultation", "remedy"] = "",
    state: Literal["", "late", "free"] = "",
    holder: Annotated[str, Query(max_length=200)] = "",
    unit: Annotated[str, Query(max_length=200)] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """What waits in the reader's scope, the earliest term first, 200 from `offset`; who looked is on record."""
    found = filtered(cases_of(request), kind, state, holder, unit)[offset : offset + MOST]
    seen = [f"dossier:{one.dossier_id}" for one in found if one.dossier_id]
    note_look(request, "case.read", {"rows": len(found), "kind": kind}, seen)
    return answer([asdict(one) for one in found])


@router.post("/assign", response_model=Done, responses=documented(400, 404, 422))
def assign(request: Request, wish: AssignmentWish, key: Key) -> Response:
    """Give cases to an official of the reader's units, or take them back."""
    return answer(Done(write_assignment(request, wish.subjects, wish.official_id, wish.note, key, "/cases")))


@router.post("/undo", response_model=Done, responses=documented(400, 422))
def undo(request: Request, key: Key) -> Response:
    """Put the reader's last giving back, within an hour."""
    return answer(Done(undo_assignment(request, key, "/cases")))


@router.post("/apologies", response_model=Done, responses=documented(400, 404, 422))
def apologise(request: Request, wish: LettersWish, key: Key) -> Response:
    """Draft letters of apology for late dossiers together, with one receipt."""
    if wish.new_due_at.tzinfo is None:
        raise Problem(422, "new_due_at: wanted a moment with a zone.")
    back = "/cases?kind=apology"
    return answer(Done(draft_apologies(request, wish.subjects, wish.new_due_at, wish.reason, key, back)))
