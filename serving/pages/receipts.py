"""`/receipts`: who saw which score when, who decided what."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from serving.access.guard import reader_of
from serving.pages.rendering import render
from serving.read.receipt_words import ACTION_WORDS, told

router = APIRouter(include_in_schema=False)

ROWS = 50


@router.get("/receipts", response_class=HTMLResponse)
def show(
    request: Request,
    actor: Annotated[str, Query(max_length=120)] = "",
    action: Annotated[str, Query(max_length=60)] = "",
    about: Annotated[str, Query(max_length=240)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    """Receipts, newest first; of one person, one action, or about one dossier, official or plan."""
    reader_of(request)
    receipts = request.app.state.people.receipts
    if about.strip():
        found = receipts.about(about.strip(), ROWS)
    else:
        found = receipts.latest(actor=actor.strip() or None, action=action or None, before=before, most=ROWS)
    return render(
        request,
        "receipts.html",
        title="Nhật ký",
        receipts=found,
        words=ACTION_WORDS,
        told=told,
        actor=actor,
        action=action,
        about=about,
        next_before=found[-1].seq if len(found) == ROWS and not about.strip() else None,
    )
