"""Warnings as their readers find them, and the acknowledgement: seen, and what is done about it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, false, func, select, true
from sqlalchemy.orm import Session

from serving.state import EarlyWarning, WarningEscalation

LONGEST_NOTE = 1000


class Standing(StrEnum):
    """Which warnings: those told and waiting, or those answered."""

    OPEN = "open"
    ANSWERED = "answered"


@dataclass(frozen=True)
class Shown:
    """A warning and the highest level it was escalated to (0: none)."""

    warning: EarlyWarning
    level: int


def warnings_of(
    session: Session, units: Collection[str] | None, standing: Standing, *, most: int = 200, offset: int = 0
) -> list[Shown]:
    """The warnings told to heads of `units` (None: all); open ones by due moment, answered ones latest first.

    What is held out is never among them, nor what waits for its digest.
    """
    levels = (
        select(WarningEscalation.warning_id, func.max(WarningEscalation.level).label("level"))
        .group_by(WarningEscalation.warning_id)
        .subquery()
    )
    query = select(EarlyWarning, func.coalesce(levels.c.level, 0)).outerjoin(
        levels, levels.c.warning_id == EarlyWarning.id
    )
    if standing is Standing.OPEN:
        query = query.where(EarlyWarning.acknowledged_at.is_(None)).order_by(EarlyWarning.due_at, EarlyWarning.id)
    else:
        query = query.where(EarlyWarning.acknowledged_at.is_not(None)).order_by(EarlyWarning.acknowledged_at.desc())
    rows = session.execute(query.where(_told(units)).offset(offset).limit(most))
    return [Shown(warning, level) for warning, level in rows]


def count_open(session: Session, units: Collection[str] | None) -> int:
    """How many warnings wait for an answer."""
    query = select(func.count()).select_from(EarlyWarning)
    return session.scalar(query.where(_told(units), EarlyWarning.acknowledged_at.is_(None))) or 0


def acknowledge(
    session: Session, warning_ids: Sequence[int], units: Collection[str] | None, note: str, *, by: int, now: datetime
) -> list[EarlyWarning]:
    """Note that the head has seen these warnings, each once; those answered before stay as they are.

    LookupError where one does not exist or lies outside `units`: the two are not told apart. ValueError for a
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


def _told(units: Collection[str] | None) -> ColumnElement[bool]:
    told = EarlyWarning.told_at.is_not(None)
    if units is None:
        return told & true()
    return told & (EarlyWarning.head_unit.in_(list(units)) if units else false())
