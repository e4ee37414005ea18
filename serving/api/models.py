"""Work on models by API: asked for, and how it stands."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from models.targets import MAIN
from serving.api.answer import answer
from serving.api.people import Done, Key
from serving.api.strict import StrictBody
from serving.read.problem import documented
from serving.use_cases.model_work import WorkStanding, begin_work, model_work

router = APIRouter(tags=["model"])


class WorkWish(StrictBody):
    """What is asked for, of which target, and why; the reason is kept."""

    kind: Literal["model-train", "model-rolling", "model-tune", "model-rollback"]
    target: str = Field(max_length=40, examples=[MAIN.name])
    reason: str = Field(max_length=2_000)


@router.get("/models/work", response_model=list[WorkStanding])
def standing(request: Request) -> Response:
    """Every kind of work on models with its latest run."""
    return answer(model_work(request))


@router.post("/models/work", response_model=Done, responses=documented(400, 422))
def begin(request: Request, wish: WorkWish, key: Key) -> Response:
    """Begins it in a process of its own; one at a time."""
    return answer(Done(begin_work(request, wish.kind, wish.target, wish.reason, key)))
