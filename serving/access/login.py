"""The door: a login name and a password, with limits on guessing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from serving.access.account import find_account, normal_login
from serving.access.passwords import matches
from serving.access.secret import keyed_digest
from serving.state import Account, LoginFailure, State

WINDOW = timedelta(minutes=15)
MOST_PER_LOGIN_AND_ADDRESS = 5
MOST_PER_LOGIN = 25  # higher, so that a stranger cannot lock somebody out from one place
MOST_PER_ADDRESS = 100  # an office stands behind one address


@dataclass(frozen=True)
class TooMany:
    """Guessing was stopped; try again after `wait`."""

    wait: timedelta


def log_in(
    state: State, login: str, password: str, address: str, *, key: bytes, now: datetime
) -> Account | TooMany | None:
    """The account when name and password are right; None when they are not.

    `TooMany` when there were too many tries.

    key: the installation's key, under which typed names are kept. The password is not even looked at while a
    limit holds, and a wrong name costs the same time as a wrong password.
    """
    login_key = keyed_digest(key, normal_login(login))
    with state.reading() as session:
        oldest = _limit_reached(session, login_key, address, now)
        account = find_account(session, login)
    if oldest is not None:
        return TooMany(oldest + WINDOW - now)
    hashed = account.password_hash if account is not None and account.active else None
    if matches(password, hashed):
        with state.writing() as session:
            session.execute(
                delete(LoginFailure).where(LoginFailure.login_key == login_key, LoginFailure.address == address)
            )
        return account
    with state.writing() as session:
        session.execute(delete(LoginFailure).where(LoginFailure.at < now - WINDOW))
        session.add(LoginFailure(login_key=login_key, address=address, at=now))
    return None


def _limit_reached(session: Session, login_key: str, address: str, now: datetime) -> datetime | None:
    """The oldest failure inside the window of a limit that is reached, None where none is."""
    since = LoginFailure.at >= now - WINDOW
    by_login, by_address = LoginFailure.login_key == login_key, LoginFailure.address == address
    for most, which in (
        (MOST_PER_LOGIN_AND_ADDRESS, (by_login, by_address)),
        (MOST_PER_LOGIN, (by_login,)),
        (MOST_PER_ADDRESS, (by_address,)),
    ):
        count, oldest = session.execute(select(func.count(), func.min(LoginFailure.at)).where(since, *which)).one()
        if count >= most:
            found: datetime = oldest
            return found
    return None
