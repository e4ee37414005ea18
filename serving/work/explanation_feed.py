"""Hands what was explained, and how it was judged, to the record as one more delivery."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from features.record.delivery import Chunk, DeliveryReceipt
from serving.state import ExplanationAct, ExplanationSlip, State
from serving.work.findings import Appends

ACCEPTED = {"explained": None, "returned": False, "accepted": True, "refused": False, "closed": True}


def deliver_explanations(state: State, record: Appends, *, now: datetime) -> DeliveryReceipt | None:
    """Every act that the record lacks, as one delivery; None where there is none.

    A death between record and state repeats the delivery, which changes nothing: the record knows rows by content.
    """
    with state.reading() as session:
        rows = [
            (act, slip)
            for act, slip in session.execute(
                select(ExplanationAct, ExplanationSlip)
                .join(ExplanationSlip, ExplanationSlip.id == ExplanationAct.slip_id)
                .order_by(ExplanationAct.id)
            )
        ]
    waiting = [act.id for act, _ in rows if act.delivered_at is None]
    if not waiting:
        return None
    delivered = list(_rows(rows, set(waiting)))
    receipt = record.append(
        [Chunk("explanation", delivered, file="explanations")], source="explanations", arrived_at=now
    )
    with state.writing() as session:
        for act in session.scalars(select(ExplanationAct).where(ExplanationAct.id.in_(waiting))):
            act.delivered_at = now
    return receipt


def _rows(rows: Iterable[tuple[ExplanationAct, ExplanationSlip]], waiting: set[int]) -> Iterable[dict[str, Any]]:
    explained_by_slip: dict[int, ExplanationAct] = {}
    for act, slip in rows:
        if act.act == "explained":
            explained_by_slip[slip.id] = act
        if act.id in waiting:
            explained = explained_by_slip[slip.id]
            yield {
                "dossier_id": slip.dossier_id,
                "official_id": slip.official_id,
                "given_at": explained.acted_at,
                "cause": explained.cause,
                "accepted": ACCEPTED[act.act],
                "known_at": act.acted_at,
            }
