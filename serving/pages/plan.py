"""`/plan`: the month's visits as their hour comes, their sheets, and the findings form for the phone."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from serving.access.guard import reader_of
from serving.pages.rendering import Key, refused_as_problem, render
from serving.pages.risk_list import TARGET
from serving.plan.questions import questions
from serving.plan.rendering import BY, CHOSEN
from serving.plan.sampled_dossiers import pulled, visit_of
from serving.plan.store import PlanStore, Sealed
from serving.read.finding_words import CAUSE_WORDS, KIND_WORDS
from serving.read.problem import Problem
from serving.state import Decision
from serving.work import decisions, findings
from serving.work.idempotent_write import idempotent_write

router = APIRouter(include_in_schema=False)

Visit = Mapping[str, Any]


@router.get("/plan", response_class=HTMLResponse)
def show(
    request: Request,
    plan: Annotated[str, Query(max_length=20)] = "",
    week: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """One plan: what it promises, and week by week the visits whose hour has come; the rest is sealed."""
    reader = reader_of(request)
    people = request.app.state.people
    store = _store(request)
    known = store.plans()
    if plan and plan not in known:
        raise Problem(404, "No plan of this name.")
    plan_id = plan or (known[-1] if known else "")
    now = people.now()
    opened = store.open(plan_id).plan if plan_id else None
    visits = _mine(request, store.visits(plan_id, now)) if plan_id else []
    zone = request.app.state.serving.settings.zone
    weeks = sorted({_monday(datetime.fromisoformat(visit["at"]), zone) for visit in visits})
    chosen = week if week in weeks else (weeks[-1] if weeks else "")
    people.receipts.record(
        reader.login, "plan.read", {"plan": plan_id, "week": chosen}, now=now, subjects=[f"plan:{plan_id}"]
    )
    with people.state.reading() as session:
        picks = decisions.picks_in(session, TARGET, reader.scope)
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
        title="Kế hoạch kiểm tra",
        plan_id=plan_id,
        plans=known,
        plan=opened,
        sha256=seal or "",
        persons=next((line["facts"].get("persons", []) for line in store.ledger.of(plan_id, "commit")), []),
        sealed=len(opened["visits"]) - len(store.visits(plan_id, now)) if opened else 0,
        weeks=weeks,
        this_week=_monday(now, zone),
        week=chosen,
        days=_days(visits, chosen, zone) if chosen else [],
        by=BY,
        chosen_words=CHOSEN,
        approvals=approvals,
        picks=[(one, one.dossier_id in done) for one in picks],
        may_approve=reader.may("plan.approve"),
    )


@router.post("/plan/approve")
def approve(
    request: Request,
    plan: Annotated[str, Form(max_length=20)],
    sha256: Annotated[str, Form(max_length=64)],
    key: Key,
) -> Response:
    """A leader approves a sealed plan by the hash of its seal, without seeing whom it visits.

    The hash is over plan, brief and the ledger before it: a plan sealed anew has another, and is not approved.
    """
    reader = reader_of(request)
    people = request.app.state.people
    store = _store(request)
    if plan not in store.plans() or sha256 != store.seal_of(plan):
        raise Problem(404, "No sealed plan of this name and hash.")
    with refused_as_problem():
        back = idempotent_write(
            people,
            reader,
            key,
            "plan.approve",
            "/plan?" + urlencode({"plan": plan}),
            lambda _: {"plan": plan, "sha256": sha256},
            [f"plan:{plan}"],
        )
    return RedirectResponse(back, 303)


@router.get("/plan/visit", response_class=HTMLResponse)
def visit(request: Request, visit_id: Annotated[str, Query(alias="id", max_length=200)]) -> Response:
    """The sheet of a visit whose hour has come: what to pull, what to ask, and a form for each dossier."""
    reader = reader_of(request)
    people = request.app.state.people
    found = _visit(request, visit_id)
    now = people.now()
    with people.state.reading() as session:
        said = {one.dossier_id: one for one in findings.standing(session, inspection_id=visit_id)}
    extra = _picked(request, found)
    people.receipts.record(
        reader.login,
        "visit.read",
        {"visit": visit_id},
        now=now,
        subjects=[f"visit:{visit_id}", *(f"dossier:{line['dossier_id']}" for line in found["sheet"])],
    )
    return render(
        request,
        "visit.html",
        title="Phiếu kiểm tra",
        visit=found,
        at=datetime.fromisoformat(found["at"]),
        lines=[(line, questions(line["reasons"] if line["chosen_by"] == "score" else ())) for line in found["sheet"]],
        said=said,
        extra=extra,
        listed=request.app.state.serving.lists[TARGET].value,  # open dossiers have a page; others may have ended
        by=BY,
        chosen_words=CHOSEN,
        kinds=KIND_WORDS,
        causes=CAUSE_WORDS,
        may_write=reader.may("finding.write"),
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
    said = (kind, severity, {"yes": True, "no": False}.get(confirmed), evidence, cause, step)
    back = "/plan/visit?" + urlencode({"id": visit_id})
    return RedirectResponse(write_finding(request, visit_id, dossier_id, said, key, back), 303)


def write_finding(
    request: Request,
    visit_id: str,
    dossier_id: str,
    said: tuple[str, str, bool | None, str, str, str],
    key: str,
    back: str,
) -> str:
    """What was found on one dossier: kind, severity, confirmed (None: not yet said), evidence, cause, step."""
    reader = reader_of(request)
    people = request.app.state.people
    kind, severity, confirmed, evidence, cause, step = said
    found = _visit(request, visit_id)
    if dossier_id not in {line["dossier_id"] for line in found["sheet"]} | {
        one.dossier_id for one in _picked(request, found)
    }:
        raise Problem(404, "No dossier of this id on the sheet.")

    def effect(session: Session) -> dict[str, str]:
        findings.add(
            session,
            pulled(_store(request), visit_id, dossier_id, people.now()),
            findings.Conclusion(
                kind=kind,
                severity=int(severity) if severity and kind != "none" else None,
                confirmed=confirmed if kind != "none" else None,
                evidence=evidence,
                cause=cause or None,
                step=step.strip() or None,
            ),
            now=people.now(),
            by=reader.account_id,
        )
        return {"visit": visit_id, "dossier": dossier_id, "kind": kind}

    about = [f"dossier:{dossier_id}", f"visit:{visit_id}"]
    with refused_as_problem():
        return idempotent_write(people, reader, key, "finding.write", back, effect, about)


def visible_visits(request: Request) -> list[Visit]:
    """The visits of the latest plan whose hour has come, in the reader's scope; who asked is on record."""
    people = request.app.state.people
    store = _store(request)
    known = store.plans()
    if not known:
        return []
    subjects = [f"plan:{known[-1]}"]
    people.receipts.record(
        reader_of(request).login, "plan.read", {"plan": known[-1]}, now=people.now(), subjects=subjects
    )
    return _mine(request, store.visits(known[-1], people.now()))


def _store(request: Request) -> PlanStore:
    settings = request.app.state.serving.settings
    return PlanStore(settings.home / "plans", settings.keys)


def _visit(request: Request, visit_id: str) -> Visit:
    """A visit that has begun, in the reader's scope; sealed, foreign and absent ones answer alike."""
    try:
        found = visit_of(_store(request), visit_id, request.app.state.people.now())
    except (LookupError, Sealed):
        found = None
    if found is None or not _mine(request, [found]):
        raise Problem(404, "No visit of this number.")
    return found


def _picked(request: Request, visit: Visit) -> list[Decision]:
    """What people ticked for this unit beside the sealed sheet: pulled too, and recorded as chosen otherwise."""
    drawn = {line["dossier_id"] for line in visit["sheet"]}
    with request.app.state.people.state.reading() as session:
        picks = decisions.picks_in(session, TARGET, reader_of(request).scope, visit["unit_code"])
    return [one for one in picks if one.dossier_id not in drawn]


def _mine(request: Request, visits: list[dict[str, Any]]) -> list[Visit]:
    scope = reader_of(request).scope
    return [visit for visit in visits if scope.covers(visit["unit_code"])]


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
