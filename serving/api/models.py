"""Work on models by API: asked for, and how it stands."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from models.targets import MAIN, TARGETS
from serving.api.answer import answer
from serving.api.people import Done, Key
from serving.api.strict import StrictBody
from serving.read.model_registry import RegistryView, read_shelf
from serving.read.problem import Problem, documented
from serving.use_cases.app_context import context_of
from serving.use_cases.looked import note_look
from serving.use_cases.model_work import WorkStanding, begin_work, model_work, promote_candidate

router = APIRouter(tags=["model"])


class WorkWish(StrictBody):
    """What is asked for, of which target, and why; the reason is kept."""

    kind: Literal["model-train", "model-rolling", "model-tune", "model-rollback"]
    target: str = Field(max_length=40, examples=[MAIN.name])
    reason: str = Field(max_length=2_000)


class PromotionWish(StrictBody):
    """The candidate that was looked at, by the hash of its package, and why it shall be the champion."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    reason: str = Field(max_length=2_000)


@router.get("/models", response_model=RegistryView, responses=documented(422))
def models(
    request: Request, target: Annotated[str, Query(max_length=40, examples=[MAIN.name])] = MAIN.name
) -> Response:
    """Champion, candidate and the one before, with their gates, and every move among them."""
    if target not in TARGETS:
        raise Problem(422, f"target: wanted one of {', '.join(TARGETS)}.")
    note_look(request, "analyst.read", {"model": target})
    return answer(read_shelf(context_of(request).serving.settings.models, target))


@router.get("/models/work", response_model=list[WorkStanding])
def standing(request: Request) -> Response:
    """Every kind of work on models with its latest run."""
    return answer(model_work(request))


@router.post("/models/work", response_model=Done, responses=documented(400, 422))
def begin(request: Request, wish: WorkWish, key: Key) -> Response:
    """Begins it in a process of its own; one at a time."""
    return answer(Done(begin_work(request, wish.kind, wish.target, wish.reason, key)))


@router.post("/models/promote", response_model=Done, responses=documented(400, 422))
def promote(request: Request, wish: PromotionWish, key: Key) -> Response:
    """Make the candidate the champion, where every gate holds."""
    return answer(Done(promote_candidate(request, wish.sha256, wish.reason, key, "/analyst")))
