"""Accounts as an administrator makes and closes them, and anybody's own tokens; leads of inspection teams."""

from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.access.account import TEMPORARY, add_account, deactivate, set_password
from serving.access.permissions import EVERY_UNIT, IN_PERSON, Role
from serving.access.token import issue_token, revoke_token
from serving.read.problem import Problem, refused_as_problem
from serving.state import Account, TeamLead
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.work.assignments import leads, set_lead


@dataclass(frozen=True)
class NewAccount:
    """An account to be made: local (password) or of the identity provider (issuer and subject).

    password: to be handed over; it opens the form for the person's own and lapses after `TEMPORARY`.
    unit: its place in the tree of units, empty for all of it. official: the official whose account it is.
    """

    login: str
    name: str
    role: Role
    password: str = ""
    unit: str = ""
    official: str = ""
    issuer: str = ""
    subject: str = ""


def accounts(request: Request) -> list[Account]:
    """All accounts, by login."""
    with context_of(request).people.state.reading() as session:
        return list(session.scalars(select(Account).order_by(Account.login)))


def write_account(request: Request, wish: NewAccount, key: str, back: str) -> str:
    """Makes an account; 422 for a unit that nobody named and for what is refused."""
    people, unit = context_of(request).people, wish.unit.strip() or EVERY_UNIT
    if unit != EVERY_UNIT and unit not in context_of(request).read_model.register.units:
        raise Problem(422, "No unit of this code.")
    issuer, subject = wish.issuer.strip(), wish.subject.strip()
    password = None if issuer and subject else wish.password or None

    def effect(session: Session) -> dict[str, str]:
        account = add_account(
            session, wish.login, wish.name, wish.role, now=people.now(), unit_code=unit,
            official_id=wish.official.strip() or None, password=password, temporary=True,
            oidc=(issuer, subject) if issuer and subject else None,
        )  # fmt: skip
        return {"made": account.login, "role": wish.role.value, "unit": unit}

    return idempotent_write(request, key, "account.write", back, effect)


def give_password(request: Request, account_id: int, password: str, key: str, back: str) -> str:
    """Gives somebody who forgot theirs a temporary password; their sessions end; 404 for an absent account.

    One's own is changed with the present one (`/password`); who logs in through the provider has none here.
    """
    people = context_of(request).people

    def effect(session: Session) -> dict[str, str]:
        account = _account(session, account_id)
        if account.id == reader_of(request).account_id:
            raise ValueError("password: one's own is changed with the present one")
        if account.oidc_subject or not account.active:
            raise ValueError("account: closed, or of the identity provider, which keeps its password")
        set_password(session, account, password, temporary_until=people.now() + TEMPORARY)
        return {"password": account.login}

    return idempotent_write(request, key, "account.write", back, effect)


def _account(session: Session, account_id: int) -> Account:
    account = session.get(Account, account_id) if 0 < account_id < 2**31 else None
    if account is None:
        raise Problem(404, "No account of this number.")
    return account


def close_account(request: Request, account_id: int, key: str, back: str) -> str:
    """Closes an account; nobody closes the own one; 404 for an absent one."""
    people = context_of(request).people

    def effect(session: Session) -> dict[str, str]:
        account = _account(session, account_id)
        if account.id == reader_of(request).account_id:
            raise ValueError("nobody closes their own account")
        deactivate(session, account, now=people.now())
        return {"closed": account.login}

    return idempotent_write(request, key, "account.write", back, effect)


def make_token(request: Request, name: str, days: int, actions: list[str]) -> str:
    """Makes one of the reader's own tokens and gives its secret, once; what the reader may not do is left out."""
    reader, people = reader_of(request), context_of(request).people
    now = people.now()
    with refused_as_problem(), people.state.writing() as session:
        account = session.get_one(Account, reader.account_id)
        chosen = frozenset(action for action in actions if reader.may(action) and action not in IN_PERSON)
        made = issue_token(session, account, name, chosen, now=now, expires_at=now + timedelta(days=days))
        detail = {"made": name, "actions": sorted(chosen)}
        link = people.receipts.append(session, reader.login, "token.write", detail, now=now)
    people.receipts.anchor(link)
    return made


def end_token(request: Request, token_id: int, key: str, back: str) -> str:
    """Ends one of the reader's own tokens; 404 for another's and an absent one alike."""
    people, reader = context_of(request).people, reader_of(request)

    def effect(session: Session) -> dict[str, str]:
        if not 0 < token_id < 2**31 or not revoke_token(session, reader.account_id, token_id, now=people.now()):
            raise Problem(404, "No token of this number.")
        return {"revoked": str(token_id)}

    return idempotent_write(request, key, "token.write", back, effect)


def team_leads(request: Request) -> dict[str, TeamLead]:
    """team_id → who leads it, of teams that somebody leads."""
    with context_of(request).people.state.reading() as session:
        return leads(session)


def write_lead(request: Request, team_id: str, login: str, key: str, back: str) -> str:
    """Says who leads a team: an inspector's account, or nobody (an empty login); 422 for others."""
    people, reader = context_of(request).people, reader_of(request)

    def effect(session: Session) -> dict[str, str]:
        set_lead(session, team_id, login.strip(), now=people.now(), by=reader.account_id)
        return {"made": login.strip(), "about": team_id}

    return idempotent_write(request, key, "account.write", back, effect)
