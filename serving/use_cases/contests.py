"""Contests as a reader opens and answers them."""

from fastapi import Request
from sqlalchemy.orm import Session

from models.targets import MAIN
from serving.read.problem import Problem
from serving.state import Contest
from serving.use_cases.app_context import context_of
from serving.use_cases.dossiers import line_in_scope
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.work import contests


def write_contest(request: Request, dossier_id: str, about: str, text: str, key: str, back: str) -> str:
    """The reader's contest; 404 outside the scope, 422 for a reason that was not shown or what is refused."""
    reader = reader_of(request)
    line, _ = line_in_scope(request, dossier_id)
    people = context_of(request).people
    meta = context_of(request).serving.risk_list(MAIN.name).meta
    if about != "fact" and about not in {reason.code for reason in line.reasons}:
        raise Problem(422, "Wanted one of the reasons shown, or fact.")

    def effect(session: Session) -> dict[str, str]:
        opened = Contest(
            dossier_id=dossier_id,
            official_id=line.official_id,
            unit_code=line.unit_code or "",
            target=MAIN.name,
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

    return idempotent_write(request, key, "contest.write", back, effect, [f"dossier:{dossier_id}"])


def write_answer(request: Request, contest_id: int, outcome: str, text: str, key: str, back: str) -> str:
    """The answer to a contest; 404 outside the scope, 422 for what is refused."""
    reader = reader_of(request)
    people = context_of(request).people
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

    return idempotent_write(request, key, "contest.answer", back, effect, [f"dossier:{found.dossier_id}"])
