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


class PlanAsked(StrictBody):
    """A month's plan as it is asked for; the rules left out are the directives' defaults."""

    month: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-12"])
    target: str = Field("lateness", max_length=40)
    lateness: float = Field(0.5, ge=0, le=100)
    conduct: float = Field(1.0, ge=0, le=100)
    visits: int = Field(0, ge=0, le=1_000)
    random_share: float = Field(0.2, ge=0.1, le=0.2)
    min_gap_days: int = Field(45, ge=0, le=366)
    sheet_size: int = Field(20, ge=1, le=100)
    days_a_month: int = Field(4, ge=1, le=31)
    visits_a_day: int = Field(2, ge=1, le=6)
    because: str = Field("", max_length=1_000)

    def wish(self) -> PlanWish:
        """The same for the use case."""
        return PlanWish(**self.model_dump())


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
    found: Mapping[str, Any] = preview_plan(request, wish.wish())
    return answer(found)


@router.post("/plans", response_model=Done, responses=documented(400, 422, 503))
def seal(request: Request, wish: PlanAsked, key: Key) -> Response:
    """Fixes the seed, draws the plan and seals it."""
    return answer(Done(seal_plan(request, wish.wish(), key)))


@router.post("/plans/{plan_id}/approve", response_model=Done, responses=documented(400, 404, 422))
def approve(request: Request, plan_id: PlanId, wish: PlanSeal, key: Key) -> Response:
    """Approves a sealed plan by the hash of its seal."""
    return answer(Done(approve_plan(request, plan_id, wish.sha256, key)))
