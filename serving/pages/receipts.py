"""`/receipts`: who saw which score when, who decided what."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from serving.access.guard import reader_of
from serving.pages.rendering import render
from serving.read.receipt_words import ACTION_WORDS, told
from serving.state import Receipt

router = APIRouter(include_in_schema=False)

ROWS = 50

INSPECTION = frozenset(
    {"decision.write", "plan.read", "plan.write", "plan.approve", "plan.export", "visit.read", "finding.write"}
)
"""Actions whose receipts tell what is inspected: only who may read picks is shown them."""


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
    people = request.app.state.people
    people.receipts.record(
        reader_of(request).login, "receipt.read", {"about": about, "by": actor, "rows": len(found)}, now=people.now()
    )
    return render(
        request,
        "receipts.html",
        title="Nhật ký",
        receipts=found,
        words={name: word for name, word in ACTION_WORDS.items() if name not in _withheld(request)},
        told=told,
        actor=actor,
        action=action,
        about=about,
        next_before=found[-1].seq if len(found) == ROWS and not about.strip() else None,
    )


def receipts_for(
    request: Request, *, about: str = "", actor: str = "", action: str = "", before: int | None = None, most: int = 50
) -> list[Receipt]:
    """Receipts, newest first, of one subject or else of one person and action, as far as the reader may know them.

    Those of inspections (`INSPECTION`) are left out for who may not read picks.
    """
    receipts, hidden = request.app.state.people.receipts, _withheld(request)
    found: list[Receipt] = (
        receipts.about(about.strip(), most, without=hidden)
        if about.strip()
        else receipts.latest(
            actor=actor.strip() or None, action=action or None, before=before, most=most, without=hidden
        )
    )
    return found


def _withheld(request: Request) -> frozenset[str]:
    return frozenset() if reader_of(request).may("pick.read") else INSPECTION
