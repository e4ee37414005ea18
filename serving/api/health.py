"""`GET /api/v1/health` and `/api/v1/ready`: does the process live, and how old is what it serves?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from models.targets import MAIN
from serving.api.answer import answer
from serving.jobs.job_status import (
    ServiceLevel,
    data_promise,
    database_promise,
    job_promises,
    job_statuses,
    list_promise,
)
from serving.jobs.run_log import RunLog
from serving.jobs.schedule import JobRules
from serving.read.model_registry import damaged_champions
from serving.read.problem import documented
from serving.use_cases.app_context import context_of, serving
from serving.use_cases.served_state import Serving

router = APIRouter(tags=["health"])


@dataclass(frozen=True)
class Health:
    """The process answers. `now`: its clock. `data_until`, `list_as_of`: of what it shows, where it shows any."""

    status: str
    now: datetime
    data_until: datetime | None
    list_as_of: datetime | None


@dataclass(frozen=True)
class ListAge:
    """One served list: since when, made by which model, how old, and what is wrong with a newer one."""

    target: str
    as_of: datetime | None
    age_seconds: float | None
    model_version: str | None
    rule: bool | None
    rows: int
    trouble: str | None


@dataclass(frozen=True)
class ModelState:
    """The model that scores single dossiers: which, whether the rule stands in, and what is wrong with a newer.

    Of another target it is told where its champion cannot be read; its last list stands.
    """

    target: str
    version: str | None
    rule: bool | None
    trouble: str | None


@dataclass(frozen=True)
class Readiness:
    """`ready` when every promise holds; otherwise the status is 503 and the promise names the cause."""

    status: str
    promises: list[ServiceLevel]
    lists: list[ListAge]
    models: list[ModelState]


@router.get("/health", response_model=Health)
async def health(request: Request, state: Annotated[Serving, Depends(serving)]) -> Response:
    """Whether the process answers at all; what `ready` says is no reason to end a process that lives."""
    latest = state.lists[MAIN.name].value if MAIN.name in state.lists else None
    until = context_of(request).read_model.register.data_until
    return answer(Health("ok", state.now(), until, latest.meta.as_of if latest else None))


@router.get("/ready", response_model=Readiness, responses=documented(503))
def ready(request: Request, state: Annotated[Serving, Depends(serving)]) -> Response:
    """Whether the service keeps its word: fresh data, list, jobs, backup, a database that answers."""
    lists = []
    for target, scored in state.lists.items():
        meta = scored.value.meta if scored.value else None
        lists.append(
            ListAge(
                target=target,
                as_of=meta.as_of if meta else None,
                age_seconds=(state.now() - meta.as_of).total_seconds() if meta else None,
                model_version=meta.model_version if meta else None,
                rule=meta.rule if meta else None,
                rows=len(scored.value) if scored.value else 0,
                trouble=scored.trouble,
            )
        )
    promises = _promises(request, state)
    status = "not ready" if any(one.holds is False for one in promises) else "ready"
    kept_model = state.desk.champion
    model = kept_model.value
    models = [
        ModelState(
            target=state.desk.target,
            version=model.version if model else None,
            rule=model.rule if model else None,
            trouble=kept_model.trouble or (model.trouble if model else None),
        )
    ]
    models += [
        ModelState(target, one.version, None, one.trouble)
        for target, one in damaged_champions(state.settings.models).items()
        if target != state.desk.target
    ]
    return answer(Readiness(status, promises, lists, models), 200 if status == "ready" else 503)


def _promises(request: Request, state: Serving) -> list[ServiceLevel]:
    people, read_model, now = context_of(request).people, context_of(request).read_model, state.now()
    rules = JobRules.of(state.settings.home, state.settings.zone)
    latest = state.lists[MAIN.name].value if MAIN.name in state.lists else None
    found = [
        data_promise(rules, read_model.register.data_until, read_model.calendar, now),
        list_promise(rules, latest.meta.as_of if latest else None, now),
        database_promise(people.state),
    ]
    if not read_model.whole:
        cause = "the service has just started and still reads the record: a few seconds"
        found.append(ServiceLevel("start", None, None, False, cause))
    try:
        return [*found, *job_promises(rules, job_statuses(rules, RunLog(people.state), now), now)]
    except SQLAlchemyError as error:
        return [*found, ServiceLevel("jobs", None, None, None, f"not known: {type(error).__name__} of the database")]
