"""Warnings as their readers find them, and the acknowledgement: seen, and what is done about it."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from models.reasons import Reason
from serving.state import EarlyWarning, WarningEscalation
from serving.warnings.words import help_of

LONGEST_NOTE = 1000
TAKEN_BACK_WITHIN = timedelta(hours=1)
"""How long who answered by a slip can take it back."""


class WarningStatus(StrEnum):
    """Which warnings: those sent and waiting, or those answered."""

    OPEN = "open"
    ANSWERED = "answered"


@dataclass(frozen=True)
class WarningLine:
    """One warning that was sent: the row of the inbox, of the API and of a dossier's ledger.

    left_hours: working hours to the promise when it fired. helps: the step that helps most, in words. manner: `single`
    or `digest`. level: how many levels up it was escalated (0: none). acknowledged_at: None while nobody answered.
    official_id: who held the dossier when it fired.
    """

    id: int
    dossier_id: str
    procedure_code: str | None
    head_unit: str
    due_at: datetime
    left_hours: float
    score: float
    step: str | None
    helps: str
    reasons: tuple[Reason, ...]
    manner: str | None
    level: int
    told_at: datetime
    acknowledged_at: datetime | None
    note: str
    official_id: str | None = None


def warnings_of(
    session: Session, units: Collection[str] | None, standing: WarningStatus, *, most: int = 200, offset: int = 0
) -> list[WarningLine]:
    """The warnings sent to heads of `units` (None: all); open ones by due moment, answered ones latest first.

    What is held out is never among them, nor what waits for its digest.
    """
    query = _lines(units)
    if standing is WarningStatus.OPEN:
        query = query.where(EarlyWarning.acknowledged_at.is_(None)).order_by(EarlyWarning.due_at, EarlyWarning.id)
    else:
        query = query.where(EarlyWarning.acknowledged_at.is_not(None)).order_by(EarlyWarning.acknowledged_at.desc())
    return [_line(*row) for row in session.execute(query.offset(offset).limit(most))]


def warnings_about(session: Session, dossier_id: str, before: datetime) -> list[WarningLine]:
    """The warnings about one dossier that were sent to its heads before a moment, in order; also those unanswered."""
    query = _lines(None).where(EarlyWarning.dossier_id == dossier_id, EarlyWarning.told_at < before)
    return [_line(*row) for row in session.execute(query.order_by(EarlyWarning.told_at, EarlyWarning.id))]


def count_open(session: Session, units: Collection[str] | None) -> int:
    """How many warnings wait for an answer."""
    query = select(func.count()).select_from(EarlyWarning)
    return session.scalar(query.where(_told(units), EarlyWarning.acknowledged_at.is_(None))) or 0


def acknowledge(
    session: Session, warning_ids: Sequence[int], units: Collection[str] | None, note: str, *, by: int, now: datetime
) -> list[EarlyWarning]:
    """Note that the head has seen these warnings, each once; those answered before stay as they are.

    LookupError where one does not exist or lies outside `units`: the error is the same. ValueError for a
    note over 1,000 characters or for no warning at all.
    """
    note = note.strip()
    if not warning_ids:
        raise ValueError("tick at least one warning")
    if len(note) > LONGEST_NOTE:
        raise ValueError(f"a note holds {LONGEST_NOTE} characters, this one has {len(note)}")
    wanted = set(warning_ids)
    query = select(EarlyWarning).where(EarlyWarning.id.in_(wanted), _told(units)).with_for_update()
    found = list(session.scalars(query))
    if len(found) != len(wanted):
        raise LookupError("no warning of this number")
    fresh = [one for one in found if one.acknowledged_at is None]
    for one in fresh:
        one.acknowledged_at, one.acknowledged_by, one.note = now, by, note
    session.flush()
    return fresh


def answered_lately(session: Session, by: int, now: datetime) -> list[EarlyWarning]:
    """The warnings that an account answered in its last act, while that can be taken back (`TAKEN_BACK_WITHIN`)."""
    mine = select(EarlyWarning).where(
        EarlyWarning.acknowledged_by == by, EarlyWarning.acknowledged_at > now - TAKEN_BACK_WITHIN
    )
    found = list(session.scalars(mine.order_by(EarlyWarning.acknowledged_at.desc(), EarlyWarning.id)))
    return [one for one in found if one.acknowledged_at == found[0].acknowledged_at]


def take_back(session: Session, *, by: int, now: datetime) -> list[EarlyWarning]:
    """Undoes an account's last acknowledgement; ValueError where none can be undone any more."""
    found = answered_lately(session, by, now)
    if not found:
        raise ValueError("nothing of yours can be undone any more")
    for one in found:
        one.acknowledged_at, one.acknowledged_by, one.note = None, None, ""
    session.flush()
    return found


def _lines(units: Collection[str] | None) -> Select[EarlyWarning, int]:
    levels = (
        select(WarningEscalation.warning_id, func.max(WarningEscalation.level).label("level"))
        .group_by(WarningEscalation.warning_id)
        .subquery()
    )
    query = select(EarlyWarning, func.coalesce(levels.c.level, 0))
    return query.outerjoin(levels, levels.c.warning_id == EarlyWarning.id).where(_told(units))


def _line(one: EarlyWarning, level: int) -> WarningLine:
    assert one.told_at is not None  # what was not sent is no line
    return WarningLine(
        one.id, one.dossier_id, one.procedure_code, one.head_unit, one.due_at, one.left_hours, one.score, one.step,
        help_of(one), tuple(Reason(**reason) for reason in json.loads(one.reasons)), one.manner, level, one.told_at,
        one.acknowledged_at, one.note, one.official_id,
    )  # fmt: skip


def _told(units: Collection[str] | None) -> ColumnElement[bool]:
    condition = EarlyWarning.told_at.is_not(None)
    return condition if units is None else condition & EarlyWarning.head_unit.in_(units)
