"""Which dossiers chance chose for a visit that has begun: what the list marks as drawn."""

from datetime import datetime

from serving.plan.store import PlanStore


def drawn(store: PlanStore, at: datetime) -> frozenset[str]:
    """Dossiers on the sheets of the latest plan that were drawn, of visits whose hour has come; the rest is sealed."""
    plans = store.plans()
    if not plans:
        return frozenset()
    sheets = (visit["sheet"] for visit in store.visits(plans[-1], at))
    return frozenset(line["dossier_id"] for sheet in sheets for line in sheet if line["chosen_by"] == "draw")
