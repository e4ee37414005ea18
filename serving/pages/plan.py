"""`/plan`: the month's visits as their hour comes, their sheets, and the findings form for the phone."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from models.targets import MAIN
from serving.language import chosen
from serving.language import gettext as _
from serving.pages.rendering import CommaNumbers, Key, render
from serving.pages.sheet_photos import photo_routes
from serving.plan.rendering import BY, CHOSEN
from serving.plan.sheet import questions
from serving.read.finding_words import CAUSE_WORDS, KIND_WORDS
from serving.read.problem import Problem
from serving.use_cases.app_context import context_of
from serving.use_cases.decisions import undoable_decisions
from serving.use_cases.evidence import facts_of_unit
from serving.use_cases.finding_photos import photos_by_dossier
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.planning import PlanWish, approve_plan, preview_plan, seal_plan
from serving.use_cases.visits import (
    Visit,
    in_scope,
    picked,
    plan_store,
    visit_ahead,
    visit_in,
    visits_ahead,
    write_finding,
)
from serving.work import decisions, findings

router = APIRouter(include_in_schema=False)
router.include_router(photo_routes("/plan"))


class PlanForm(CommaNumbers, PlanWish):
    """The wizard's fields; act: preview or seal."""

    csrf: str = ""
    key: str = Field("", max_length=64)
    act: Literal["preview", "seal"] = "preview"


@router.get("/plan", response_class=HTMLResponse)
def show(
    request: Request,
    plan: Annotated[str, Query(max_length=20)] = "",
    week: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """One plan: what it promises, and week by week the visits whose hour has come; the rest is sealed."""
    reader = reader_of(request)
    people = context_of(request).people
    store = plan_store(request)
    plans = store.plans()
    if plan and plan not in plans:
        raise Problem(404, "No plan of this name.")
    plan_id = plan or (plans[-1] if plans else "")
    now = people.now()
    sealed = store.open(plan_id) if plan_id else None
    opened = sealed.plan if sealed else None
    counted = {one for unit in sealed.brief["units"] for one in unit.get("picked", ())} if sealed else set()
    visits = in_scope(request, store.visits(plan_id, now)) if plan_id else []
    zone = context_of(request).serving.settings.zone
    weeks = sorted({_monday(datetime.fromisoformat(visit["at"]), zone) for visit in visits})
    chosen = week if week in weeks else (weeks[-1] if weeks else "")
    note_look(request, "plan.read", {"plan": plan_id, "week": chosen}, [f"plan:{plan_id}"])
    ahead = visits_ahead(request, plan_id) if plan_id else []
    if ahead:
        note_look(
            request,
            "visit.ahead",
            {"plan": plan_id, "listed": len(ahead)},
            [f"visit:{one['visit_id']}" for one in ahead],
        )
    with people.state.reading() as session:
        picks = decisions.picks_in(session, MAIN.name, reader.scope)
        done = {one.dossier_id for one in findings.standing(session, units={one.unit_code for one in picks})}
    seal = store.seal_of(plan_id) if plan_id else None
    approvals = [
        one
        for one in people.receipts.about(f"plan:{plan_id}", most=500)
        if one.action == "plan.approve" and seal is not None and json.loads(one.detail)["sha256"] == seal
    ]
    return render(
        request,
        "plan.html",
        title=_("Kế hoạch kiểm tra"),
        plan_id=plan_id,
        plans=plans,
        plan=opened,
        sha256=seal or "",
        persons=next((line["facts"].get("persons", []) for line in store.ledger.of(plan_id, "commit")), []),
        sealed=len(opened["visits"]) - len(store.visits(plan_id, now)) if opened else 0,
        weeks=weeks,
        this_week=_monday(now, zone),
        week=chosen,
        days=_days(visits, chosen, zone) if chosen else [],
        ahead=[(one, datetime.fromisoformat(one["at"])) for one in ahead],
        by=BY,
        chosen_words=CHOSEN,
        approvals=approvals,
        picks=[(one, one.dossier_id in done, one.dossier_id in counted) for one in picks],
        undo=[one for one in undoable_decisions(request) if one.kind == decisions.DecisionKind.PICK],
        may_approve=reader.may("plan.approve"),
        may_plan=reader.may("plan.write"),
    )


@router.post("/plan/approve")
def approve(
    request: Request,
    plan: Annotated[str, Form(max_length=20)],
    sha256: Annotated[str, Form(max_length=64)],
    key: Key,
) -> Response:
    """A leader approves a sealed plan by the hash of its seal, without seeing whom it visits."""
    return RedirectResponse(approve_plan(request, plan, sha256, key), 303)


@router.get("/plan/make", response_class=HTMLResponse)
def ask(request: Request) -> Response:
    """The form of a plan: month, what it looks for, shares, teams."""
    return _wizard(request, PlanWish(month=_months(request)[0]))


@router.post("/plan/make", response_class=HTMLResponse)
def draw(request: Request, wish: Annotated[PlanForm, Form()]) -> Response:
    """What such a plan would keep and cost; or, where that was seen and is wanted, the sealed plan."""
    if wish.act == "seal":
        return RedirectResponse(seal_plan(request, wish, wish.key), 303)
    return _wizard(request, wish, preview_plan(request, wish))


@router.get("/plan/visit", response_class=HTMLResponse)
def visit(request: Request, visit_id: Annotated[str, Query(alias="id", max_length=200)]) -> Response:
    """The sheet of a visit whose hour has come: what to pull, what to ask, and a form for each dossier."""
    reader = reader_of(request)
    people = context_of(request).people
    early = visit_ahead(request, visit_id)
    found = early or visit_in(request, visit_id)
    with people.state.reading() as session:
        recorded = {one.dossier_id: one for one in findings.standing(session, inspection_id=visit_id)}
    extra = picked(request, found)
    asked, of_dossier = facts_of_unit(request, found["unit_code"])
    note_look(
        request,
        "visit.ahead" if early else "visit.read",
        {"visit": visit_id},
        [f"visit:{visit_id}", *(f"dossier:{line['dossier_id']}" for line in found["sheet"])],
    )
    return render(
        request,
        "visit.html",
        title=_("Phiếu kiểm tra"),
        visit=found,
        at=datetime.fromisoformat(found["at"]),
        lines=[(line, questions(() if line["chosen_by"] == "draw" else line["reasons"])) for line in found["sheet"]],
        asked=asked[:12],
        of_dossier=of_dossier,
        recorded=recorded,
        extra=extra,
        listed=context_of(request).serving.listed(MAIN.name),  # open dossiers have a page; others may have ended
        by=BY,
        chosen_words=CHOSEN,
        kinds=KIND_WORDS,
        causes=CAUSE_WORDS,
        may_write=reader.may("finding.write") and early is None,
        early=early is not None,
        photos=photos_by_dossier(request, visit_id),
        post="/plan/finding",
        photo="/plan/photo",
    )


@router.post("/plan/finding")
def conclude(
    request: Request,
    visit_id: Annotated[str, Form(alias="visit", max_length=200)],
    dossier_id: Annotated[str, Form(alias="dossier", max_length=200)],
    kind: Annotated[str, Form(max_length=20)],
    key: Key,
    severity: Annotated[str, Form(pattern="^[123]?$")] = "",
    confirmed: Annotated[str, Form(max_length=5)] = "",
    evidence: Annotated[str, Form(max_length=findings.LONGEST_NOTE)] = "",
    cause: Annotated[str, Form(max_length=20)] = "",
    step: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Write down what was found on one dossier of the sheet; `none` is a finding too.

    It is not changed afterwards.
    """
    conclusion = (kind, severity, {"yes": True, "no": False}.get(confirmed), evidence, cause, step)
    back = "/plan/visit?" + urlencode({"id": visit_id})
    return RedirectResponse(write_finding(request, visit_id, dossier_id, conclusion, key, back), 303)


def _wizard(request: Request, wish: PlanWish, found: Mapping[str, Any] | None = None) -> Response:
    return render(
        request,
        "plan_make.html",
        title=_("Lập kế hoạch"),
        wish=wish,
        found=found,
        months=_months(request),
        targets={
            MAIN.name: chosen(MAIN.short_vi, MAIN.short_en),
            "conduct": _("Dấu hiệu phiền hà"),
            "mix": _("Cả hai, theo trọng số"),
        },
        sealed=[one for one in plan_store(request).plans() if one.startswith(wish.month)],
    )


def _months(request: Request) -> list[str]:
    """This month and the next; past its middle the next one first."""
    today = context_of(request).people.now().astimezone(context_of(request).serving.settings.zone).date()
    after = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    months = [f"{today:%Y-%m}", f"{after:%Y-%m}"]
    return months if today.day <= 15 else months[::-1]


def _monday(moment: datetime, zone: ZoneInfo) -> str:
    day = moment.astimezone(zone).date()
    return (day - timedelta(days=day.weekday())).isoformat()


def _days(visits: list[Visit], week: str, zone: ZoneInfo) -> list[tuple[datetime, list[Visit]]]:
    """Monday to Friday of the week (and further days that have visits), each with its visits by hour."""
    monday = datetime.fromisoformat(week).replace(tzinfo=zone)
    days: list[tuple[datetime, list[Visit]]] = []
    for place in range(7):
        day = monday + timedelta(days=place)
        on_day = [one for one in visits if datetime.fromisoformat(one["at"]).astimezone(zone).date() == day.date()]
        if on_day or place < 5:
            days.append((day, sorted(on_day, key=lambda one: str(one["at"]))))
    return days
