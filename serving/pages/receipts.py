"""`/receipts`: who saw which score when, who decided what."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from serving.pages.rendering import render
from serving.read.receipt_words import ACTION_WORDS, told
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.receipts import chain_faults, receipts_for, withheld

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
    found = receipts_for(request, about=about, actor=actor, action=action, before=before, most=ROWS)
    people = context_of(request).people
    people.receipts.record(
        reader_of(request).login, "receipt.read", {"about": about, "by": actor, "rows": len(found)}, now=people.now()
    )
    return render(
        request,
        "receipts.html",
        title="Nhật ký",
        receipts=found,
        words={name: word for name, word in ACTION_WORDS.items() if name not in withheld(request)},
        told=told,
        actor=actor,
        action=action,
        about=about,
        next_before=found[-1].seq if len(found) == ROWS and not about.strip() else None,
    )


@router.get("/receipts/verify", response_class=HTMLResponse)
def verify(request: Request) -> Response:
    """Walks the whole chain, and says what is wrong with it, or that nothing is."""
    return render(request, "verify.html", title="Kiểm tra nhật ký", faults=chain_faults(request))
