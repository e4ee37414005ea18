"""`/receipts`: who saw which score when, who decided what."""

import re
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from serving.language import gettext as _
from serving.pages.rendering import render
from serving.read.receipt_words import ACTION_WORDS, detail_words
from serving.use_cases.app_context import context_of
from serving.use_cases.looked import note_look
from serving.use_cases.official_names import official_name
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
    note_look(request, "receipt.read", {"about": about, "by": actor, "rows": len(found)})
    return render(
        request,
        "receipts.html",
        title=_("Nhật ký"),
        receipts=found,
        words={name: word for name, word in ACTION_WORDS.items() if name not in withheld(request)},
        detail_words=_detail_words(request),
        actor=actor,
        action=action,
        about=about,
        next_before=found[-1].seq if len(found) == ROWS and not about.strip() else None,
    )


_WORD = re.compile(r"[\w.-]{6,}")


def _detail_words(request: Request) -> Callable[[str], str]:
    """The detail of a receipt as a line: local time, officials by name for who may see them."""
    officials = context_of(request).read_model.register.officials
    zone = context_of(request).serving.settings.zone

    def name(found: re.Match[str]) -> str:
        return official_name(request, found[0]) if found[0] in officials else found[0]

    return lambda detail: _WORD.sub(name, detail_words(detail, zone))


@router.get("/receipts/verify", response_class=HTMLResponse)
def verify(request: Request) -> Response:
    """Walks the whole chain, and says what is wrong with it, or that nothing is."""
    return render(request, "verify.html", title=_("Kiểm tra nhật ký"), faults=chain_faults(request))
