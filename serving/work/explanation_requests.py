"""Explanation slips: every late dossier asks its official why, once, with a term (S0 1d)."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from features.calendar.working_time import Calendar
from serving.read.caseload import Case
from serving.state import ExplanationSlip
from serving.state.insert_once import insert_once
from serving.work.outages import Outage, down_hours

TERM_HOURS = 24.0
"""Working hours to explain: three days. The directives set no number; an office may set its own."""


def open_slips(
    session: Session, late: Iterable[Case], known: Iterable[Outage], calendar: Calendar, *, now: datetime,
    term_hours: float = TERM_HOURS,
) -> int:  # fmt: skip
    """Opens a slip for each late dossier that has none; gives how many. Twice, or in two processes, changes nothing.

    late: dossiers that missed their promise; one without a promise cannot have missed it and is passed over.
    """
    known = list(known)
    there = set(session.scalars(select(ExplanationSlip.dossier_id)))
    opened = 0
    for case in late:
        if case.due_at is None or case.dossier_id in there:
            continue
        opened += insert_once(
            session,
            ExplanationSlip,
            dossier_id=case.dossier_id,
            unit_code=case.unit_code,
            official_id=case.official_id,
            step=case.step,
            missed_due_at=case.due_at,
            over_hours=case.over_hours,
            outage_hours=down_hours(known, case.unit_code, case.received_at, case.ended_at or now, calendar),
            opened_at=now,
            answer_due_at=calendar.add(now, term_hours),
        )
    return opened
