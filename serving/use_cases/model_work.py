"""Work on models as a reader asks for it, and how it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request
from sqlalchemy.orm import Session

from models.targets import MAIN, TARGETS
from serving.jobs.model_jobs import MODEL_JOBS, promote_by_command, start
from serving.jobs.run_log import RunLog
from serving.read.model_registry import read_shelf
from serving.read.problem import Problem, refused_as_problem
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.use_cases.looked import note_look

ONLY_TRAIN = frozenset({"conduct"})
"""Targets that are only learnt here; what is judged of them has its own way."""
NAMES = (*TARGETS, *sorted(ONLY_TRAIN))


@dataclass(frozen=True)
class WorkStanding:
    """One kind of work and its latest run; outcome None: never asked for."""

    name: str
    words: str
    outcome: str | None
    started_at: datetime | None
    ended_at: datetime | None
    told: str


def model_work(request: Request) -> list[WorkStanding]:
    """Every kind of work on models with its latest run."""
    log, found = RunLog(context_of(request).people.state), []
    for job in MODEL_JOBS.values():
        runs: Sequence = log.latest(job.name)  # type: ignore[type-arg]
        run = runs[0] if runs else None
        found.append(
            WorkStanding(job.name, job.words, run.outcome, run.started_at, run.ended_at, run.result)
            if run else WorkStanding(job.name, job.words, None, None, None, "")
        )  # fmt: skip
    return found


def begin_work(request: Request, kind: str, target: str, reason: str, key: str) -> str:
    """Begins it, once for one form, with the reader's reason on record; 422 for what is unknown or under way."""
    job = MODEL_JOBS.get(kind)
    if job is None or target not in NAMES or (target in ONLY_TRAIN and kind != "model-train"):
        raise Problem(422, f"Wanted one of {', '.join(MODEL_JOBS)} for one of {', '.join(NAMES)}.")
    reader, people, serving = reader_of(request), context_of(request).people, context_of(request).serving
    asked: list[bool] = []

    def effect(_: object) -> dict[str, str]:
        if len(reason.strip()) < 5:
            raise ValueError("reason: wanted at least 5 characters")
        asked.append(True)
        return {"work": kind, "target": target, "reason": reason.strip()[:500]}

    with refused_as_problem():
        back = idempotent_write(request, key, "model.train", "/analyst", effect)
        if asked:
            start(serving.settings, people.state, job, target, reader.login, people.now())
    return back


def promote_candidate(request: Request, sha256: str, reason: str, key: str, back: str) -> str:
    """Makes the candidate that was seen the champion: the reason is kept first, then the command asks every gate.

    422 where it is another by now, a gate does not hold, or no reason is given.
    """
    reader = reader_of(request)
    settings = context_of(request).serving.settings
    shelf = read_shelf(settings.models, MAIN.name)
    asked: list[str] = []

    def effect(_: Session) -> dict[str, str]:
        if len(reason.strip()) < 5:
            raise ValueError("a promotion says why")
        if shelf.candidate is None or shelf.candidate.sha256 != sha256:
            raise ValueError("the candidate is another one by now: open the page again")
        if shelf.refusal or shelf.refusing(reader.login):
            raise ValueError("a gate does not hold")
        asked.append(shelf.candidate.version)
        return {"candidate": shelf.candidate.version, "reason": reason.strip()}

    led = idempotent_write(request, key, "model.promote", back, effect)
    refused = promote_by_command(settings.home, MAIN.name, reader.login) if asked else None
    if refused is not None:
        note_look(request, "model.promote", {"candidate": asked[0], "outcome": refused[:500]})
        raise Problem(422, refused[:500])
    return led
