"""The door: a login name and a password, with limits on guessing."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from serving.access.account import find_account, normal_login
from serving.access.passwords import matches
from serving.access.secret import keyed_digest, new_secret
from serving.state import Account, LoginFailure, State

WINDOW = timedelta(minutes=15)
MOST_PER_LOGIN_AND_ADDRESS = 5
MOST_PER_LOGIN = 25  # of places where nobody of this name has been let in before
MOST_PER_ADDRESS = 100  # an office stands behind one address


@dataclass(frozen=True)
class TooMany:
    """Guessing was stopped; try again after `wait`."""

    wait: timedelta


@dataclass(frozen=True)
class LoginOrigin:
    """Where a login comes from. recognised: a browser in which this very account was let in before (`known_device`)."""

    name: str
    recognised: bool = False


def device_mark(key: bytes, login: str) -> str:
    """What a browser keeps once `login` was let in from it: a random name and its HMAC; it opens nothing by itself."""
    name = new_secret()[:22]
    return f"{name}.{keyed_digest(key, f'device:{normal_login(login)}:{name}')}"


def known_device(key: bytes, login: str, mark: str) -> LoginOrigin | None:
    """The place that a mark names, None where it is not one of ours for this login."""
    name, _, mac = mark.partition(".")
    wanted = keyed_digest(key, f"device:{normal_login(login)}:{name}")
    if not hmac.compare_digest(wanted.encode(), mac.encode()):
        return None
    return LoginOrigin(f"device:{name[:40]}", recognised=True)


def log_in(
    state: State, login: str, password: str, place: LoginOrigin, *, key: bytes, now: datetime
) -> Account | TooMany | None:
    """The account when name and password are right; None when they are not, or a temporary password has lapsed.

    `TooMany` when there were too many tries.

    key: the installation's key, under which typed names are stored. The password is not even looked at while a
    limit holds, and a wrong name costs the same time as a wrong password. At a known place its own tries alone count:
    strangers who guess elsewhere lock nobody out of the browser they always use.
    """
    login_key = keyed_digest(key, normal_login(login))
    with state.reading() as session:
        oldest = _limit_reached(session, login_key, place, now)
        account = find_account(session, login)
    if oldest is not None:
        return TooMany(oldest + WINDOW - now)
    lapsed = account is not None and account.temporary_until is not None and account.temporary_until <= now
    hashed = account.password_hash if account is not None and account.active and not lapsed else None
    if matches(password, hashed):
        with state.writing() as session:
            session.execute(
                delete(LoginFailure).where(LoginFailure.login_key == login_key, LoginFailure.address == place.name)
            )
        return account
    with state.writing() as session:
        session.execute(delete(LoginFailure).where(LoginFailure.at < now - WINDOW))
        session.add(LoginFailure(login_key=login_key, address=place.name, at=now))
    return None


def _limit_reached(session: Session, login_key: str, place: LoginOrigin, now: datetime) -> datetime | None:
    """The oldest failure inside the window of a limit that is reached, None where none is."""
    since = LoginFailure.at >= now - WINDOW
    by_login, by_address = LoginFailure.login_key == login_key, LoginFailure.address == place.name
    limits: list[tuple[int, tuple[ColumnElement[bool], ...]]] = [(MOST_PER_LOGIN_AND_ADDRESS, (by_login, by_address))]
    if not place.recognised:
        limits += [(MOST_PER_LOGIN, (by_login,)), (MOST_PER_ADDRESS, (by_address,))]
    for most, which in limits:
        count, oldest = session.execute(select(func.count(), func.min(LoginFailure.at)).where(since, *which)).one()
        if count >= most:
            found: datetime = oldest
            return found
    return None
