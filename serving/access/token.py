"""API tokens: for programs, bound to an account, to some actions and to an end date."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.access.permissions import IN_PERSON, Role, reach_of
from serving.access.secret import digest, new_secret
from serving.state import Account, ApiToken, State

PREFIX = "risk_"  # lets secret scanners know a token when they see one
LONGEST_LIFE = timedelta(days=366)
_MOST_KEPT = 1_000


@dataclass(frozen=True)
class Grant:
    """A token that holds: its account and the actions it may do at most."""

    account: Account
    actions: frozenset[str]
    expires_at: datetime


class Grants:
    """What tokens grant, without a query as long as nothing in the working state has changed since the last one.

    So a revoked token, a closed account or a changed role is seen by the very next request, and a program that
    asks for a thousand scores is looked up once.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._kept: dict[str, tuple[int, Grant]] = {}  # digest of the token → generation of the state, grant

    def cached(self, token: str, now: datetime) -> Grant | None:
        """What the token granted and still does, found in memory; None: ask `find`."""
        found = self._kept.get(digest(token))
        if found is None or found[0] != self._state.generation() or found[1].expires_at <= now:
            return None
        return found[1]

    def find(self, token: str, now: datetime) -> Grant | None:
        """What the token grants, None where it holds no longer (`find_token`)."""
        generation = self._state.generation()  # before the query: what changes meanwhile is looked up again
        with self._state.reading() as session:
            grant = find_token(session, token, now=now)
        if grant is not None and generation is not None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[digest(token)] = generation, grant
        return grant


def issue_token(
    session: Session,
    account: Account,
    name: str,
    actions: frozenset[str],
    *,
    now: datetime,
    expires_at: datetime,
) -> str:
    """A new token, shown once. ValueError where it outlives a year, has ended, or asks for more than the owner may."""
    role = Role(account.role)
    excess = sorted(action for action in actions if reach_of(role, action) is None or action in IN_PERSON)
    if not actions or excess:
        raise ValueError(f"a token needs actions its owner may do, not: {', '.join(excess) or '(none given)'}")
    if not now < expires_at <= now + LONGEST_LIFE:
        raise ValueError(f"a token ends within {LONGEST_LIFE.days} days from now")
    token = PREFIX + new_secret()
    session.add(
        ApiToken(
            name=name.strip()[:120],
            token_hash=digest(token),
            account_id=account.id,
            actions=" ".join(sorted(actions)),
            created_at=now,
            expires_at=expires_at,
        )
    )
    return token


def find_token(session: Session, token: str, *, now: datetime) -> Grant | None:
    """What a token grants, None where it is unknown, over, revoked, or its account is closed."""
    row = session.execute(
        select(ApiToken, Account)
        .join(Account, Account.id == ApiToken.account_id)
        .where(
            ApiToken.token_hash == digest(token),
            ApiToken.expires_at > now,
            ApiToken.revoked_at.is_(None),
            Account.active,
        )
    ).first()
    return None if row is None else Grant(row[1], frozenset(row[0].actions.split()), row[0].expires_at)


def tokens_of(session: Session, account_id: int) -> list[ApiToken]:
    """All tokens of an account, newest first; the secrets themselves are not stored anywhere."""
    return list(session.scalars(select(ApiToken).where(ApiToken.account_id == account_id).order_by(ApiToken.id.desc())))


def revoke_token(session: Session, account_id: int, token_id: int, *, now: datetime) -> bool:
    """End a token of the account now; False where the account has no such token."""
    token = session.get(ApiToken, token_id)
    if token is None or token.account_id != account_id:
        return False
    token.revoked_at = token.revoked_at or now
    return True
