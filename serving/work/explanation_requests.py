"""Explanation slips: every late dossier asks its official why, once, with a term (S0 1d)."""

from collections.abc import Iterable, Set
from datetime import datetime

import duckdb
from sqlalchemy import select
from sqlalchemy.orm import Session

from features.calendar.working_time import Calendar
from features.record.latest import newest
from serving.read.caseload import Case
from serving.state import ExplanationSlip
from serving.state.insert_once import insert_once
from serving.work.outages import Outage, down_hours

TERM_HOURS = 24.0
"""Working hours to explain: three days. The directives set no number; an office may set its own."""


_EXPLAINED = f"""
SELECT dossier_id FROM (
    SELECT dossier_id, accepted FROM explanation_latest {newest("dossier_id", first="given_at DESC")}
) WHERE coalesce(accepted, true)
"""


def explained(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Late dossiers that were explained, the last explanation accepted or not yet judged, as `con` knows."""
    return frozenset(row[0] for row in con.execute(_EXPLAINED).fetchall())


def open_slips(
    session: Session, late: Iterable[Case], outages: Iterable[Outage], calendar: Calendar, *, now: datetime,
    explained: Set[str] = frozenset(), term_hours: float = TERM_HOURS,
) -> int:  # fmt: skip
    """Opens a slip for each late dossier that has none; gives how many. Twice, or in two processes, changes nothing.

    late: dossiers that missed the lawful promise. explained: those that the record explains already.
    """
    outages = list(outages)
    there = explained | set(session.scalars(select(ExplanationSlip.dossier_id)))
    opened = 0
    for case in late:
        if case.lawful_due_at is None or case.dossier_id in there:
            continue
        opened += insert_once(
            session,
            ExplanationSlip,
            dossier_id=case.dossier_id,
            unit_code=case.unit_code,
            official_id=case.official_id,
            step=case.step,
            missed_due_at=case.lawful_due_at,
            over_hours=case.over_hours,
            outage_hours=down_hours(outages, case.unit_code, case.received_at, case.ended_at or now, calendar),
            opened_at=now,
            answer_due_at=calendar.add(now, term_hours),
        )
    return opened
