"""Plans of inspections by API: preview, seal, approve; what is sealed stays sealed here too."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from serving.api.answer import answer
from serving.api.people import Done, Key
from serving.api.strict import StrictBody
from serving.read.problem import documented
from serving.use_cases.planning import PlanWish, approve_plan, preview_plan, seal_plan
from serving.use_cases.visits import plan_store

router = APIRouter(tags=["plan"])

PlanId = Annotated[str, Path(max_length=20, examples=["2026-12"])]


class PlanAsked(PlanWish, StrictBody):
    """A month's plan as it is asked for; the rules left out are the directives' defaults."""


class PlanSeal(StrictBody):
    """What an approval is bound to."""

    sha256: str = Field(max_length=64)


class PlanLine(BaseModel):
    """One sealed plan: what its approval is bound to."""

    plan_id: str
    sha256: str | None


@router.get("/plans", response_model=list[PlanLine])
def plans(request: Request) -> Response:
    """The sealed plans, oldest first; whom they visit stays sealed until the hour of each visit."""
    store = plan_store(request)
    return answer([{"plan_id": one, "sha256": store.seal_of(one)} for one in store.plans()])


@router.post("/plans/preview", response_model=dict[str, Any], responses=documented(400, 422, 503))
def preview(request: Request, wish: PlanAsked) -> Response:
    """Quotas, prices and guessability of such a plan; nothing is sealed, no unit is named."""
    found: Mapping[str, Any] = preview_plan(request, wish)
    return answer(found)


@router.post("/plans", response_model=Done, responses=documented(400, 422, 503))
def seal(request: Request, wish: PlanAsked, key: Key) -> Response:
    """Fixes the seed, draws the plan and seals it."""
    return answer(Done(seal_plan(request, wish, key)))


@router.post("/plans/{plan_id}/approve", response_model=Done, responses=documented(400, 404, 422))
def approve(request: Request, plan_id: PlanId, wish: PlanSeal, key: Key) -> Response:
    """Approves a sealed plan by the hash of its seal."""
    return answer(Done(approve_plan(request, plan_id, wish.sha256, key)))
