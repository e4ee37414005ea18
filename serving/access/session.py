"""Sessions of browsers, stored on the server; a cookie carries a random token and nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from serving.access.secret import digest, new_secret
from serving.state import Account, LoginSession

LONGEST_STAY = timedelta(hours=10)  # a working day
LONGEST_IDLE = timedelta(minutes=60)
_FIND = (
    select(LoginSession, Account)
    .join(Account, Account.id == LoginSession.account_id)
    .where(LoginSession.token_hash == bindparam("hash"), LoginSession.expires_at > bindparam("now"), Account.active)
)
_SEEN_EVERY = timedelta(minutes=5)  # how stale `seen_at` may be: a write per page would buy nothing


@dataclass(frozen=True)
class BrowserSession:
    """A session that holds. csrf: the key of its forms. stale: `seen_at` wants to be written again."""

    id: int
    account: Account
    csrf: str
    stale: bool


def start_session(session: Session, account: Account, *, now: datetime) -> str:
    """A new session; returns the token for the cookie. Sessions long over are swept on the way."""
    session.execute(delete(LoginSession).where(LoginSession.expires_at <= now))
    token = new_secret()
    session.add(
        LoginSession(
            token_hash=digest(token),
            account_id=account.id,
            csrf=new_secret(),
            started_at=now,
            seen_at=now,
            expires_at=now + LONGEST_STAY,
        )
    )
    return token


def find_session(session: Session, token: str, *, now: datetime) -> BrowserSession | None:
    """The session of a token, None where it is unknown, over, idle for an hour, or its account is closed."""
    row = session.execute(_FIND, {"hash": digest(token), "now": now}).first()
    if row is None:
        return None
    stay, account = row
    if now - stay.seen_at > LONGEST_IDLE:
        return None
    return BrowserSession(stay.id, account, stay.csrf, stale=now - stay.seen_at > _SEEN_EVERY)


def touch_session(session: Session, stay_id: int, *, now: datetime) -> None:
    """Note that the session is in use."""
    session.execute(update(LoginSession).where(LoginSession.id == stay_id).values(seen_at=now))


def sessions_of(session: Session, account_id: int, *, now: datetime) -> list[LoginSession]:
    """The sessions of an account that still open something, the last used first."""
    holding = (LoginSession.expires_at > now, LoginSession.seen_at >= now - LONGEST_IDLE)
    found = select(LoginSession).where(LoginSession.account_id == account_id, *holding)
    return list(session.scalars(found.order_by(LoginSession.seen_at.desc(), LoginSession.id)))


def end_others(session: Session, account_id: int, token: str) -> None:
    """End every session of the account but the one of `token`."""
    others = (LoginSession.account_id == account_id, LoginSession.token_hash != digest(token))
    session.execute(delete(LoginSession).where(*others))


def end_session(session: Session, token: str) -> None:
    """End a session now; its token opens nothing any more."""
    session.execute(delete(LoginSession).where(LoginSession.token_hash == digest(token)))
