"""Explanation slips: every late dossier asks its official why, once, with a term (S0 1d)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from features.calendar import Calendar
from serving.answers.outages import Outage, down_hours
from serving.caseload import Case
from serving.state import ExplanationSlip

TERM_HOURS = 24.0
"""Working hours to explain: three days. The directives set no number; an office may set its own."""
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def open_slips(
    session: Session, late: Iterable[Case], known: Iterable[Outage], calendar: Calendar, *, now: datetime,
    term_hours: float = TERM_HOURS,
) -> int:  # fmt: skip
    """Opens a slip for each late dossier that has none; gives how many. Twice, or in two processes, changes nothing.

    late: dossiers that missed their promise; one without a promise cannot have missed it and is passed over.
    """
    insert = _INSERT[session.get_bind().dialect.name]
    known = list(known)
    there = set(session.scalars(select(ExplanationSlip.dossier_id)))
    opened = 0
    for case in late:
        if case.due_at is None or case.dossier_id in there:
            continue
        row = {
            "dossier_id": case.dossier_id,
            "unit_code": case.unit_code,
            "official_id": case.official_id,
            "step": case.step,
            "missed_due_at": case.due_at,
            "over_hours": case.over_hours,
            "outage_hours": down_hours(known, case.unit_code, case.received_at, case.ended_at or now, calendar),
            "opened_at": now,
            "answer_due_at": calendar.add(now, term_hours),
        }
        added = insert(ExplanationSlip).values(**row).on_conflict_do_nothing().returning(ExplanationSlip.id)
        opened += session.execute(added).first() is not None
    return opened
