"""`/contests`: what officials dispute, and the answers to it."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from serving import contests
from serving.accounts.guard import reader_of
from serving.api.problem import Problem
from serving.pages.dossier import line_in_scope
from serving.pages.paper import paper, refused_as_problem
from serving.pages.risk_list import TARGET
from serving.state import Contest
from serving.submission import claim, settle

router = APIRouter(include_in_schema=False)


@router.get("/contests", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """The contests of the reader's scope, open ones first, and how many were right."""
    reader = reader_of(request)
    with request.app.state.people.state.reading() as session:
        found = contests.contests_in(session, reader.scope)
        rate = contests.upheld_rate(session, reader.scope)
    return paper(
        request,
        "contests.html",
        title="Giải trình",
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
    key: Annotated[str, Form(max_length=64)],
) -> Response:
    """Answer a contest, once, with words.

    Upheld (the score is made anew with the corrected record) or rejected.
    """
    reader = reader_of(request)
    people = request.app.state.people
    if outcome not in ("upheld", "rejected"):
        raise Problem(422, "Wanted upheld or rejected.")
    now = people.now()
    with refused_as_problem(), people.state.writing() as session:
        sent = claim(session, key, reader.account_id, now=now)
        if sent is not None:
            return RedirectResponse(sent, 303)
        found = contests.contest_in(session, reader.scope, contest_id)
        if found is None:
            raise Problem(404, "No contest of this number.")
        contests.answer_contest(session, found, outcome == "upheld", text, by=reader.account_id, now=now)
        link = people.receipts.append(
            session,
            reader.login,
            "contest.answer",
            {"contest": contest_id, "dossier": found.dossier_id, "outcome": outcome},
            now=now,
            subjects=[f"dossier:{found.dossier_id}"],
        )
        settle(session, key, "/contests")
    people.receipts.anchor(link)
    return RedirectResponse("/contests", 303)


@router.post("/contest")
def contest(
    request: Request,
    dossier_id: Annotated[str, Form(alias="dossier", max_length=200)],
    about: Annotated[str, Form(max_length=120)],
    text: Annotated[str, Form(max_length=contests.LONGEST_TEXT)],
    key: Annotated[str, Form(max_length=64)],
) -> Response:
    """The official concerned disputes a fact or a reason; the score stands frozen from here on."""
    reader = reader_of(request)
    line, _ = line_in_scope(request, dossier_id)
    people = request.app.state.people
    meta = request.app.state.serving.risk_list(TARGET).meta
    if about != "fact" and about not in {reason.code for reason in line.reasons}:
        raise Problem(422, "Wanted one of the reasons shown, or fact.")
    back = "/dossier?" + urlencode({"id": dossier_id})
    now = people.now()
    with refused_as_problem(), people.state.writing() as session:
        sent = claim(session, key, reader.account_id, now=now)
        if sent is not None:
            return RedirectResponse(sent, 303)
        contests.open_contest(
            session,
            Contest(
                dossier_id=dossier_id,
                official_id=line.official_id,
                unit_code=line.unit_code or "",
                target=TARGET,
                as_of=meta.as_of,
                model_version=meta.model_version,
                frozen_score=line.score,
                about="fact" if about == "fact" else "reason",
                reason_code=about,
                claim=text,
                opened_at=now,
                opened_by=reader.account_id,
            ),
        )
        link = people.receipts.append(
            session,
            reader.login,
            "contest.write",
            {"dossier": dossier_id, "about": about, "score": f"{line.score:.6f}"},
            now=now,
            subjects=[f"dossier:{dossier_id}"],
        )
        settle(session, key, back)
    people.receipts.anchor(link)
    return RedirectResponse(back, 303)
