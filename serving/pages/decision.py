"""`/decisions`, `/picks`: what a person does with a score; the reason is required and kept."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from serving.pages.rendering import Key
from serving.read.problem import Problem
from serving.use_cases.decisions import undo_decisions, write_decisions
from serving.use_cases.dossiers import Chosen, chosen_in_scope
from serving.work import decisions

router = APIRouter(include_in_schema=False)

Page = Annotated[Literal["/list", "/dossier", "/evidence", "/plan"], Form()]
"""Where the reader stays; its query is that of the page that the form stood on."""


@router.post("/decisions")
def decide(
    request: Request,
    dossier_id: Annotated[str, Form(alias="dossier", max_length=200)],
    kind: Annotated[str, Form(max_length=20)],
    reason: Annotated[str, Form(max_length=2000)],
    key: Key,
) -> Response:
    """Set a score aside, or put a dossier first in spite of it; the reason is required and kept."""
    back = "/dossier?" + urlencode({"id": dossier_id})
    return _decide(request, [chosen_in_scope(request, dossier_id)], kind, reason, key, back)


@router.post("/picks")
def pick(
    request: Request,
    reason: Annotated[str, Form(max_length=2000)],
    key: Key,
    dossier_ids: Annotated[list[str] | None, Form(alias="dossier", max_length=200)] = None,
    page: Page = "/list",
) -> Response:
    """Put the ticked dossiers, open or ended, into the next plan; for who inspects."""
    chosen = [chosen_in_scope(request, dossier_id) for dossier_id in dict.fromkeys(dossier_ids or [])]
    return _decide(request, chosen, decisions.DecisionKind.PICK, reason, key, page)


@router.post("/decisions/undo")
def undo(request: Request, key: Key, page: Page) -> Response:
    """Take the last decision back, and stay on the page where that was asked."""
    return RedirectResponse(undo_decisions(request, key, page), 303)


def _decide(request: Request, chosen: list[Chosen], kind: str, reason: str, key: str, back: str) -> Response:
    if not chosen:
        raise Problem(422, "Tick at least one dossier.")
    return RedirectResponse(write_decisions(request, chosen, kind, reason, key, back), 303)
