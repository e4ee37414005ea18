"""Accounts: made by an administrator, found by login name or by the identity provider's subject."""

import re
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.access.passwords import hash_password
from serving.access.permissions import EVERY_UNIT, Role
from serving.state import Account, ApiToken, LoginSession

TEMPORARY = timedelta(days=7)
"""How long a password given by somebody else may wait for its exchange."""
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,118}[a-z0-9]")


def add_account(
    session: Session,
    login: str,
    name: str,
    role: Role,
    *,
    now: datetime,
    unit_code: str = EVERY_UNIT,
    official_id: str | None = None,
    password: str | None = None,
    temporary: bool = False,
    oidc: tuple[str, str] | None = None,
) -> Account:
    """A new account.

    `oidc` is (issuer, subject); an account has a password, an identity of a provider, or both. temporary: the password
    is somebody else's word, to be exchanged within `TEMPORARY` (ASVS 5.0, 6.4.1).

    Raises ValueError where the login is taken or malformed, where a unit head has no unit, where an official
    has no official_id, where neither way of logging in is given, or where the password is too weak.
    """
    login = normal_login(login)
    if not _LOGIN.fullmatch(login):
        raise ValueError("a login has 3 to 120 characters of a–z, 0–9 and . _ @ -, this one has not")
    if find_account(session, login):
        raise ValueError(f"the login {login} is taken")
    if role is Role.UNIT_HEAD and unit_code == EVERY_UNIT:
        raise ValueError("a unit head needs the code of the unit")
    if role is Role.OFFICIAL and not official_id:
        raise ValueError("an official's account needs the official_id of the record")
    if password is None and oidc is None:
        raise ValueError("an account needs a password or an identity of the provider")
    account = Account(
        login=login,
        name=name.strip()[:200] or login,
        role=role.value,
        unit_code=unit_code,
        official_id=official_id,
        password_hash=None if password is None else hash_password(password, login),
        temporary_until=now + TEMPORARY if temporary and password is not None else None,
        oidc_issuer=oidc[0] if oidc else None,
        oidc_subject=oidc[1] if oidc else None,
        active=True,
        created_at=now,
    )
    session.add(account)
    session.flush()
    return account


def normal_login(login: str) -> str:
    """The form in which logins are stored and compared: trimmed, lower case."""
    return login.strip().casefold()


def find_account(session: Session, login: str) -> Account | None:
    """The account of a login name, active or not."""
    return session.scalar(select(Account).where(Account.login == normal_login(login)))


def account_of_identity(session: Session, issuer: str, subject: str) -> Account | None:
    """The account tied to a subject of an identity provider."""
    return session.scalar(select(Account).where(Account.oidc_issuer == issuer, Account.oidc_subject == subject))


def set_password(session: Session, account: Account, password: str, *, temporary_until: datetime | None = None) -> None:
    """A new password; every session of the account ends, for whoever holds one may be why it was changed.

    temporary_until: where another than its owner chose it, the moment from which it opens nothing.
    """
    account.password_hash = hash_password(password, account.login)
    account.temporary_until = temporary_until
    _end_all(session, account)


def deactivate(session: Session, account: Account, *, now: datetime) -> None:
    """Close an account: no login, no session, no token works from now on; its receipts stay."""
    account.active = False
    _end_all(session, account)
    for token in session.scalars(select(ApiToken).where(ApiToken.account_id == account.id)):
        token.revoked_at = token.revoked_at or now


def _end_all(session: Session, account: Account) -> None:
    for stay in session.scalars(select(LoginSession).where(LoginSession.account_id == account.id)):
        session.delete(stay)
