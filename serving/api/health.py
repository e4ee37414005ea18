"""`GET /api/v1/health` and `/api/v1/ready`: does the process live, and how old is what it serves?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from serving.api.answer import answer
from serving.read.problem import documented
from serving.read.served_state import Serving, serving

router = APIRouter(tags=["health"])


@dataclass(frozen=True)
class Health:
    """The process answers. `now`: its clock."""

    status: str
    now: datetime


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
    """The model that scores single dossiers: which, whether the rule stands in, and what is wrong with a newer."""

    target: str
    version: str | None
    rule: bool | None
    trouble: str | None


@dataclass(frozen=True)
class Readiness:
    """`ready` when there is a list to show; otherwise the status is 503."""

    status: str
    lists: list[ListAge]
    models: list[ModelState]


@router.get("/health", response_model=Health)
async def health(state: Annotated[Serving, Depends(serving)]) -> Response:
    """Whether the process answers at all."""
    return answer(Health("ok", state.now()))


@router.get("/ready", response_model=Readiness, responses=documented(503))
async def ready(state: Annotated[Serving, Depends(serving)]) -> Response:
    """Whether there is something to serve, and how old it is."""
    lists = []
    for target, kept in state.lists.items():
        meta = kept.value.meta if kept.value else None
        lists.append(
            ListAge(
                target=target,
                as_of=meta.as_of if meta else None,
                age_seconds=(state.now() - meta.as_of).total_seconds() if meta else None,
                model_version=meta.model_version if meta else None,
                rule=meta.rule if meta else None,
                rows=len(kept.value) if kept.value else 0,
                trouble=kept.trouble,
            )
        )
    status = "ready" if any(one.as_of for one in lists) else "not ready"
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
    return answer(Readiness(status, lists, models), 200 if status == "ready" else 503)
