"""The visits that a reader may see, and the findings entered on them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request
from sqlalchemy.orm import Session

from models.targets import MAIN
from serving.plan.sampled_dossiers import pulled, visit_of
from serving.plan.store import PlanStore, Sealed
from serving.read.problem import Problem
from serving.state import Decision
from serving.use_cases.app_context import context_of
from serving.use_cases.dossiers import last_holder
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.use_cases.looked import note_look
from serving.work import decisions, findings
from serving.work.assignments import teams_of

Visit = Mapping[str, Any]
OWN_HEAD = "own_head"
"""Who makes a visit (`serving.plan.plan.Visit.by`) that the unit's own head makes."""


def write_finding(
    request: Request,
    visit_id: str,
    dossier_id: str,
    conclusion: tuple[str, str, bool | None, str, str, str],
    key: str,
    back: str,
    own: bool = False,
) -> str:
    """What was found on one dossier: kind, severity, confirmed (None: not yet said), evidence, cause, step.

    own: at a head's own inspection of the unit.
    """
    reader = reader_of(request)
    people = context_of(request).people
    kind, severity, confirmed, evidence, cause, step = conclusion
    found = own_visit(request, visit_id) if own else visit_in(request, visit_id)
    extra = set() if own else {one.dossier_id for one in picked(request, found)}
    if dossier_id not in {line["dossier_id"] for line in found["sheet"]} | extra:
        raise Problem(404, "No dossier of this id on the sheet.")

    holder = None if dossier_id not in extra else last_holder(request, dossier_id)

    def effect(session: Session) -> dict[str, str]:
        findings.add(
            session,
            pulled(plan_store(request), visit_id, dossier_id, people.now(), official_id=holder),
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
    return idempotent_write(request, key, "self.write" if own else "finding.write", back, effect, about)


def visible_visits(request: Request) -> list[Visit]:
    """The visits of the latest plan whose hour has come, in the reader's scope; who asked is on record."""
    people = context_of(request).people
    store = plan_store(request)
    plans = store.plans()
    if not plans:
        return []
    subjects = [f"plan:{plans[-1]}"]
    note_look(request, "plan.read", {"plan": plans[-1]}, subjects)
    return in_scope(request, store.visits(plans[-1], people.now()))


SEEN_AHEAD = timedelta(days=7)
"""How long before its hour a head sees an own inspection, to be there and prepare it."""


def own_inspections(request: Request) -> list[Visit]:
    """The inspections that heads of the reader's units owe by the last two plans, up to a week ahead, by hour.

    Visits of teams are never among them, begun or not.
    """
    store, until = plan_store(request), context_of(request).people.now() + SEEN_AHEAD
    plans, scope = store.plans(), reader_of(request).scope_for("self.read")
    visits = [one for plan in plans[-2:] for one in store.visits(plan, until)]
    mine = [one for one in visits if one["by"] == OWN_HEAD and scope.covers(one["unit_code"])]
    return sorted(mine, key=lambda one: (str(one["at"]), str(one["visit_id"])))


def own_visit(request: Request, visit_id: str) -> Visit:
    """An own inspection of the reader's units whose hour has come; all others and absent ones answer alike."""
    found = _begun(request, visit_id)
    covers = reader_of(request).scope_for("self.read").covers
    if found is None or found["by"] != OWN_HEAD or not covers(found["unit_code"]):
        raise Problem(404, "No inspection of this number.")
    return found


def plan_store(request: Request) -> PlanStore:
    settings = context_of(request).serving.settings
    return PlanStore(settings.home / "plans", settings.keys)


LEAD_AHEAD = timedelta(hours=24)
"""How long before its hour the lead of a team sees the team's visit, to prepare it; each look is on record."""


def led_teams(request: Request) -> frozenset[str]:
    """The teams that the reader leads."""
    reader, people = reader_of(request), context_of(request).people
    if not reader.may("finding.write") or reader.allowed is not None:  # in person: no program looks ahead
        return frozenset()
    with people.state.reading() as session:
        return teams_of(session, reader.account_id)


def visits_ahead(request: Request, plan_id: str) -> list[Visit]:
    """The visits of the reader's own teams that begin within `LEAD_AHEAD`, by hour; nobody else sees them."""
    teams, now = led_teams(request), context_of(request).people.now()
    if not teams:
        return []
    found = plan_store(request).visits(plan_id, now + LEAD_AHEAD)
    mine = [one for one in found if one["team_id"] in teams and datetime.fromisoformat(one["at"]) > now]
    return sorted(in_scope(request, mine), key=lambda one: str(one["at"]))


def visit_ahead(request: Request, visit_id: str) -> Visit | None:
    """One of them, for the page of its sheet; None where it has begun or is none of them."""
    plan_id = visit_id.partition("/")[0]
    if plan_id not in plan_store(request).plans():
        return None
    return next((one for one in visits_ahead(request, plan_id) if one["visit_id"] == visit_id), None)


def visit_in(request: Request, visit_id: str) -> Visit:
    """A visit that has begun, in the reader's scope; sealed, foreign and absent ones answer alike."""
    found = _begun(request, visit_id)
    if found is None or not in_scope(request, [found]):
        raise Problem(404, "No visit of this number.")
    return found


def _begun(request: Request, visit_id: str) -> dict[str, Any] | None:
    """A visit whose hour has come; None for one that is sealed still or that no plan has."""
    try:
        return visit_of(plan_store(request), visit_id, context_of(request).people.now())
    except (LookupError, Sealed):
        return None


def picked(request: Request, visit: Visit) -> list[Decision]:
    """What people ticked for this unit beside the sealed sheet: pulled too, and recorded as chosen otherwise."""
    drawn = {line["dossier_id"] for line in visit["sheet"]}
    with context_of(request).people.state.reading() as session:
        picks = decisions.picks_in(session, MAIN.name, reader_of(request).scope, visit["unit_code"])
    return [one for one in picks if one.dossier_id not in drawn]


def in_scope(request: Request, visits: list[dict[str, Any]]) -> list[Visit]:
    scope = reader_of(request).scope
    return [visit for visit in visits if scope.covers(visit["unit_code"])]
