"""Receipts as far as a reader may know them."""

from fastapi import Request

from serving.plan.ledger import PlanLedger
from serving.plan.verify import ledger_faults
from serving.state import Receipt
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.work.receipts import Fault
from serving.work.witnessed_files import file_faults

INSPECTION = frozenset({
    "decision.write", "plan.read", "plan.write", "plan.approve", "plan.export", "visit.read", "finding.write",
    "remedy.demand", "conduct.digest",  # which names those newly flagged alone
})  # fmt: skip
"""Actions whose receipts show what is inspected: only those who may read picks see them."""


def receipts_for(
    request: Request, *, about: str = "", actor: str = "", action: str = "", before: int | None = None, most: int = 50
) -> list[Receipt]:
    """Receipts, newest first, of one subject or else of one person and action, as far as the reader may know them.

    Those of inspections (`INSPECTION`) are left out for who may not read picks.
    """
    receipts, hidden = context_of(request).people.receipts, withheld(request)
    found: list[Receipt] = (
        receipts.about(about.strip(), most, without=hidden)
        if about.strip()
        else receipts.latest(
            actor=actor.strip() or None, action=action or None, before=before, most=most, without=hidden
        )
    )
    return found


def chain_faults(request: Request) -> list[Fault]:
    """All faults of the chain, of what its receipts name, and of the plans' ledger; who asked is on record."""
    people, settings = context_of(request).people, context_of(request).serving.settings
    note_look(request, "receipt.read", {"about": "verify"})
    in_ledger = ledger_faults(PlanLedger(settings.home / "plans"), people.receipts)
    faults = [*people.receipts.verify(now=people.now()), *file_faults(settings.home, people.receipts)]
    return [*faults, *(Fault(0, what) for what in in_ledger)]


def withheld(request: Request) -> frozenset[str]:
    return frozenset() if reader_of(request).may("pick.read") else INSPECTION
