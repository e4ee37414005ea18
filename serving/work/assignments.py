"""Work given to people: who has each piece of a unit's work, and what was undone; added, never changed."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.state import CaseAssignment

LONGEST_NOTE = 1_000
UNDONE_WITHIN = timedelta(hours=1)
"""How long a slip can be undone by whoever made it; later it is given to somebody else, and says so."""


def assign(
    session: Session, subjects: Mapping[str, str], official_id: str | None, note: str, *, now: datetime, by: int
) -> list[CaseAssignment]:
    """Gives pieces of work (subject → unit_code) to an official, or takes them back (None).

    ValueError without any, or for a note over 1,000 characters.
    """
    if not subjects:
        raise ValueError("tick at least one line")
    if len(note.strip()) > LONGEST_NOTE:
        raise ValueError(f"note: wanted at most {LONGEST_NOTE} characters, got {len(note.strip())}")
    rows = [
        CaseAssignment(
            subject=subject, unit_code=unit, official_id=official_id, note=note.strip(), assigned_at=now,
            assigned_by=by,
        )
        for subject, unit in subjects.items()
    ]  # fmt: skip
    session.add_all(rows)
    session.flush()
    return rows


def holders(session: Session, subjects: Iterable[str]) -> dict[str, CaseAssignment]:
    """subject → the assignment that holds, for subjects that were ever given to somebody."""
    wanted, found = sorted(set(subjects)), {}
    for start in range(0, len(wanted), 500):
        query = select(CaseAssignment).where(CaseAssignment.subject.in_(wanted[start : start + 500]))
        for one in session.scalars(query.order_by(CaseAssignment.id)):
            found[one.subject] = one
    return found


def latest_of(session: Session, account_id: int, now: datetime) -> list[CaseAssignment]:
    """What an account gave out in its last act, where that can still be undone; nothing where somebody acted since."""
    mine = select(CaseAssignment).where(
        CaseAssignment.assigned_by == account_id, CaseAssignment.assigned_at > now - UNDONE_WITHIN
    )
    last = session.scalars(mine.order_by(CaseAssignment.id.desc()).limit(1)).first()
    if last is None:
        return []
    rows = session.scalars(mine.where(CaseAssignment.assigned_at == last.assigned_at).order_by(CaseAssignment.id)).all()
    standing = holders(session, [one.subject for one in rows])
    return [one for one in rows if standing[one.subject].id == one.id]


def undo(session: Session, account_id: int, *, now: datetime) -> list[CaseAssignment]:
    """Puts the account's last act back: each piece goes to whoever had it before, as rows of their own.

    ValueError where nothing of it can be undone any more.
    """
    rows = latest_of(session, account_id, now)
    if not rows:
        raise ValueError("nothing of yours can be undone any more")
    for one in rows:
        before = session.scalars(
            select(CaseAssignment)
            .where(CaseAssignment.subject == one.subject, CaseAssignment.id < one.id)
            .order_by(CaseAssignment.id.desc())
            .limit(1)
        ).first()
        session.add(
            CaseAssignment(
                subject=one.subject, unit_code=one.unit_code, official_id=before.official_id if before else None,
                note="Hoàn tác", assigned_at=now, assigned_by=account_id,
            )
        )  # fmt: skip
    session.flush()
    return rows
