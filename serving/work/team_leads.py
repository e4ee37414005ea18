"""Who leads an inspection team: that person sees the team's visits some hours before, to prepare them."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.access.permissions import Role
from serving.state import Account, TeamLead

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
