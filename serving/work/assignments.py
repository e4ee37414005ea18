"""Work given to people: pieces of a unit's work, teams of inspectors to their leads; added, never changed."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.access.permissions import Role
from serving.state import Account, CaseAssignment, TeamLead

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


LONGEST_TEAM = 120


def set_lead(session: Session, team_id: str, login: str, *, now: datetime, by: int) -> TeamLead:
    """Makes an inspector the lead of a team, in place of whoever was; an empty login: nobody leads it.

    ValueError without a team, for an account that is closed or no inspector's.
    """
    if not 1 <= len(team_id.strip()) <= LONGEST_TEAM:
        raise ValueError(f"team: wanted 1 to {LONGEST_TEAM} characters")
    account = session.scalars(select(Account).where(Account.login == login)).first() if login else None
    if login and (account is None or not account.active or account.role != Role.INSPECTOR.value):
        raise ValueError("lead: wanted the login of an inspector whose account is open")
    row = TeamLead(team_id=team_id.strip(), account_id=account.id if account else None, set_at=now, set_by=by)
    session.add(row)
    session.flush()
    return row


def leads(session: Session) -> dict[str, TeamLead]:
    """team_id → the row that holds, of teams that somebody leads."""
    found = {one.team_id: one for one in session.scalars(select(TeamLead).order_by(TeamLead.id))}
    return {team: one for team, one in found.items() if one.account_id is not None}


def teams_of(session: Session, account_id: int) -> frozenset[str]:
    """The teams that an account leads."""
    return frozenset(team for team, one in leads(session).items() if one.account_id == account_id)
