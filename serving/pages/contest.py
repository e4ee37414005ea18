"""`/contests`: what officials dispute, and the answers to it."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from serving.access.guard import reader_of
from serving.pages.dossier import line_in_scope
from serving.pages.rendering import Key, refused_as_problem, render
from serving.pages.risk_list import TARGET
from serving.read.problem import Problem
from serving.state import Contest
from serving.work import contests
from serving.work.idempotent_write import idempotent_write

router = APIRouter(include_in_schema=False)


@router.get("/contests", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """The contests of the reader's scope, open ones first, and how many were right."""
    reader = reader_of(request)
    with request.app.state.people.state.reading() as session:
        found = contests.contests_in(session, reader.scope)
        rate = contests.upheld_rate(session, reader.scope)
    people = request.app.state.people
    subjects = [f"dossier:{one.dossier_id}" for one in found]
    people.receipts.record(reader.login, "contest.read", {"rows": len(found)}, now=people.now(), subjects=subjects)
    return render(
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


def write_contest(request: Request, dossier_id: str, about: str, text: str, key: str, back: str) -> str:
    """The reader's contest; 404 outside the scope, 422 for a reason that was not shown or what is refused."""
    reader = reader_of(request)
    line, _ = line_in_scope(request, dossier_id)
    people = request.app.state.people
    meta = request.app.state.serving.risk_list(TARGET).meta
    if about != "fact" and about not in {reason.code for reason in line.reasons}:
        raise Problem(422, "Wanted one of the reasons shown, or fact.")

    def effect(session: Session) -> dict[str, str]:
        opened = Contest(
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
            opened_at=people.now(),
            opened_by=reader.account_id,
        )
        contests.open_contest(session, opened)
        return {"dossier": dossier_id, "about": about, "score": f"{line.score:.6f}"}

    with refused_as_problem():
        return idempotent_write(people, reader, key, "contest.write", back, effect, [f"dossier:{dossier_id}"])


def write_answer(request: Request, contest_id: int, outcome: str, text: str, key: str, back: str) -> str:
    """The answer to a contest; 404 outside the scope, 422 for what is refused."""
    reader = reader_of(request)
    people = request.app.state.people
    if outcome not in ("upheld", "rejected"):
        raise Problem(422, "Wanted upheld or rejected.")
    with people.state.reading() as session:
        found = contests.contest_in(session, reader.scope, contest_id) if contest_id < 2**31 else None
    if found is None:
        raise Problem(404, "No contest of this number.")

    def effect(session: Session) -> dict[str, object]:
        contest = contests.contest_in(session, reader.scope, contest_id)
        assert contest is not None  # contests are never removed
        contests.answer_contest(contest, outcome == "upheld", text, by=reader.account_id, now=people.now())
        return {"contest": contest_id, "dossier": contest.dossier_id, "outcome": outcome}

    with refused_as_problem():
        return idempotent_write(people, reader, key, "contest.answer", back, effect, [f"dossier:{found.dossier_id}"])
