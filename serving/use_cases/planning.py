"""A month's plan as a reader makes, looks at and seals it; on pages and by API alike, with a receipt for each line."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from pydantic import BaseModel, Field

from features.calendar.vietnam import VIETNAM
from features.record.record import Record
from models.targets import MAIN
from serving.plan.eligibility import Infeasible
from serving.plan.gather import gather
from serving.plan.mix import MIX, mixed
from serving.plan.plan import make
from serving.plan.plan_input import PlanInput
from serving.plan.rules import Rules
from serving.plan.store import PlanStore
from serving.read.problem import Problem, refused_as_problem
from serving.scoring.score_files import latest_path
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.use_cases.visits import plan_store
from serving.work import decisions

TARGETS = (MAIN.name, "conduct", MIX)


class PlanWish(BaseModel):
    """What is asked of a plan, on the page and by API; what is left out are the directives' defaults.

    target: of `TARGETS`; lateness, conduct: weights of a mix. visits: of teams, 0 for as many as they can make; the
    rest as in `serving.plan.rules.Rules`. because: why a second plan of a month is drawn.
    """

    month: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-12"])
    target: str = Field(default=MAIN.name, max_length=40)
    lateness: float = Field(default=0.5, ge=0, le=100)
    conduct: float = Field(default=1.0, ge=0, le=100)
    visits: int = Field(default=0, ge=0, le=1_000)
    random_share: float = Field(default=0.2, ge=0.1, le=0.2)
    min_gap_days: int = Field(default=45, ge=0, le=366)
    sheet_size: int = Field(default=20, ge=1, le=100)
    days_a_month: int = Field(default=4, ge=1, le=31)
    visits_a_day: int = Field(default=2, ge=1, le=6)
    because: str = Field(default="", max_length=1_000)

    def rules(self) -> Rules:
        """The rules asked for; ValueError names the one that cannot be."""
        plain = Rules()
        teams = tuple(
            replace(team, days_a_month=self.days_a_month, visits_a_day=self.visits_a_day) for team in plain.teams
        )
        return plain.without(
            visits=self.visits, random_share=self.random_share, min_gap_days=self.min_gap_days,
            sheet_size=self.sheet_size, teams=teams,
        )  # fmt: skip


def preview_plan(request: Request, wish: PlanWish) -> Mapping[str, Any]:
    """What such a plan would be like, drawn with a seed that is thrown away: quotas, prices, guessability.

    Which units are visited is not among it: nobody learns that before sealing. Problem 422 where no plan is possible.
    """
    with refused_as_problem():
        made = _made(_brief(request, wish))
    return {name: made[name] for name in ("quotas", "prices", "expected", "guessable")} | {
        "visits": len(made["visits"]), "team_visits": sum(one["team_id"] is not None for one in made["visits"]),
    }  # fmt: skip


def seal_plan(request: Request, wish: PlanWish, key: str) -> str:
    """Fixes the seed, draws the plan and seals it; gives its address. Problem 422 where none is possible."""
    people = context_of(request).people
    with refused_as_problem():
        brief, store, now = _brief(request, wish), planning_store(request), people.now()
        _made(brief)  # what is impossible leaves no seed behind
        plan_id, published = store.commit(wish.month, now, wish.because.strip() or None)
        try:
            sealed = store.seal(plan_id, brief, now)
        except Infeasible as refusal:
            raise _impossible(refusal) from refusal
        detail = {"plan": plan_id, "visits": len(sealed.plan["visits"]), "seed_sha256": published}
        back = f"/plan?plan={plan_id}"
        return idempotent_write(request, key, "plan.write", back, lambda _: detail, [f"plan:{plan_id}"])


def approve_plan(request: Request, plan_id: str, sha256: str, key: str) -> str:
    """A leader approves a sealed plan by the hash of its seal, without seeing whom it visits; gives its address.

    The hash is over plan, brief and the ledger before it: a plan sealed anew has another, and is not approved.
    """
    store = plan_store(request)
    if plan_id not in store.plans() or sha256 != store.seal_of(plan_id):
        raise Problem(404, "No sealed plan of this name and hash.")
    detail, back = {"plan": plan_id, "sha256": sha256}, "/plan?" + urlencode({"plan": plan_id})
    return idempotent_write(request, key, "plan.approve", back, lambda _: detail,
        [f"plan:{plan_id}"],
    )  # fmt: skip


def planning_store(request: Request) -> PlanStore:
    """The plans; what is written to their ledger leaves a receipt of the reader."""
    settings, people = context_of(request).serving.settings, context_of(request).people
    login = reader_of(request).login

    def tell(line: Mapping[str, Any], sha256: str) -> None:
        detail = {"plan": line["plan_id"], "act": line["act"], "line": line["number"], "sha256": sha256}
        at = datetime.fromisoformat(line["at"])
        people.receipts.record(login, "plan.write", detail, now=at, subjects=[f"plan:{line['plan_id']}"])

    return PlanStore(settings.home / "plans", settings.keys, tell)


def _brief(request: Request, wish: PlanWish) -> PlanInput:
    settings, now = context_of(request).serving.settings, context_of(request).people.now()
    if wish.target not in TARGETS:
        raise Problem(422, f"target: wanted one of {', '.join(TARGETS)}.")
    try:
        if wish.target == MIX:
            scores = mixed(settings.scores, {MAIN.name: wish.lateness, "conduct": wish.conduct})
        else:
            scores = latest_path(settings.scores, wish.target)
    except FileNotFoundError as error:
        raise Problem(503, "Nothing has been scored for this yet.") from error
    with context_of(request).people.state.reading() as session:
        picked = decisions.waiting_picks(session, MAIN.name)
    with Record(settings.record_url).connect(cutoff=now) as con:
        return gather(con, scores, wish.month, VIETNAM, wish.rules(), settings.zone, picked)


def _made(brief: PlanInput) -> Mapping[str, Any]:
    try:
        made: Mapping[str, Any] = make(brief, token_hex(32)).as_json()
    except Infeasible as refusal:
        raise _impossible(refusal) from refusal
    return made


def _impossible(refusal: Infeasible) -> Problem:
    shortfalls = "; ".join(f"{one.vi}: {one.possible}/{one.wanted}" for one in refusal.unmet)
    return Problem(422, f"No plan keeps all quotas: {shortfalls}")
