"""`/contests`: what officials dispute, and the answers to it."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from serving.language import gettext as _
from serving.pages.rendering import Key, render
from serving.use_cases.app_context import context_of
from serving.use_cases.contests import write_answer, write_contest
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.work import contests

router = APIRouter(include_in_schema=False)


@router.get("/contests", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """The contests of the reader's scope, open ones first, and how many were right."""
    reader = reader_of(request)
    with context_of(request).people.state.reading() as session:
        found = contests.contests_in(session, reader.scope)
        rate = contests.upheld_rate(session, reader.scope)
    subjects = [f"dossier:{one.dossier_id}" for one in found]
    note_look(request, "contest.read", {"rows": len(found)}, subjects)
    return render(
        request,
        "contests.html",
        title=_("Giải trình về điểm"),
        contests=found,
        rate=rate,
        may_answer=reader.may("contest.answer"),
        account_id=reader.account_id,
    )


@router.post("/contests/{contest_id}")
def answer(
    request: Request,
    contest_id: int,
    outcome: Annotated[str, Form(max_length=10)],
    text: Annotated[str, Form(max_length=contests.LONGEST_TEXT)],
    key: Key,
) -> Response:
    """Answer a contest once: upheld (the score is made anew from the corrected record) or rejected."""
    return RedirectResponse(write_answer(request, contest_id, outcome, text, key, "/contests"), 303)


@router.post("/contest")
def contest(
    request: Request,
    dossier_id: Annotated[str, Form(alias="dossier", max_length=200)],
    about: Annotated[str, Form(max_length=120)],
    text: Annotated[str, Form(max_length=contests.LONGEST_TEXT)],
    key: Key,
) -> Response:
    """The official concerned disputes a fact or a reason; the score stands frozen from here on."""
    back = "/dossier?" + urlencode({"id": dossier_id})
    return RedirectResponse(write_contest(request, dossier_id, about, text, key, back), 303)
