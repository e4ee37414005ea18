"""How a dossier came to be pulled, from the plan: by what it was chosen, with which chances; which ones chance drew."""

from datetime import datetime
from typing import Any

from serving.plan.store import PlanStore, Sealed
from serving.work.findings import SampledDossier


def visit_of(store: PlanStore, visit_id: str, at: datetime) -> dict[str, Any]:
    """One visit of a sealed plan; LookupError for an unknown one, Sealed before its hour."""
    for plan_id in store.plans():
        if visit_id.partition("/")[0] != plan_id:
            continue
        for visit in store.open(plan_id).plan["visits"]:
            if visit["visit_id"] == visit_id:
                if datetime.fromisoformat(visit["at"]) > at:
                    raise Sealed(f"the visit {visit_id} has not begun")
                found: dict[str, Any] = visit
                return found
    raise LookupError(f"no visit {visit_id} in any plan")


def pulled(
    store: PlanStore, visit_id: str, dossier_id: str, at: datetime, *, visited_at: datetime | None = None,
    official_id: str | None = None,
) -> SampledDossier:  # fmt: skip
    """The dossier pulled at a visit of a sealed plan; errors as of `visit_of`."""
    return pulled_at(visit_of(store, visit_id, at), dossier_id, visited_at=visited_at, official_id=official_id)


def pulled_at(
    visit: dict[str, Any], dossier_id: str, *, visited_at: datetime | None = None, official_id: str | None = None
) -> SampledDossier:
    """The dossier pulled at a visit with its chances; one that was not on the sheet was chosen by other grounds."""
    planned = datetime.fromisoformat(visit["at"])
    line = next((one for one in visit["sheet"] if one["dossier_id"] == dossier_id), None)
    # a pick is a person's choice, known by no probability
    by_plan = line if line and line["chosen_by"] != "pick" else None
    return SampledDossier(
        inspection_id=visit["visit_id"],
        unit_code=visit["unit_code"],
        visited_at=visited_at or planned,
        dossier_id=dossier_id,
        official_id=official_id or (line["official_id"] if line else None),
        team_id=visit["team_id"],
        planned_at=planned,
        unit_chosen_by=visit["chosen_by"],
        unit_probability=visit["probability"],
        chosen_by=by_plan["chosen_by"] if by_plan else "other",
        probability=by_plan["probability"] if by_plan else None,
    )


def drawn(store: PlanStore, at: datetime) -> frozenset[str]:
    """Dossiers on the sheets of the latest plan that were drawn, of visits whose hour has come; the rest is sealed."""
    plans = store.plans()
    if not plans:
        return frozenset()
    sheets = (visit["sheet"] for visit in store.visits(plans[-1], at))
    return frozenset(line["dossier_id"] for sheet in sheets for line in sheet if line["chosen_by"] == "draw")
