"""Receipts as far as a reader may know them."""

from fastapi import Request

from serving.state import Receipt
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of

INSPECTION = frozenset(
    {"decision.write", "plan.read", "plan.write", "plan.approve", "plan.export", "visit.read", "finding.write"}
)
"""Actions whose receipts tell what is inspected: only who may read picks is shown them."""


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


def withheld(request: Request) -> frozenset[str]:
    return frozenset() if reader_of(request).may("pick.read") else INSPECTION
