"""Accounts, tokens and leads of teams, for who sits at a browser's session: no token may make another."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from serving.access.token import tokens_of
from serving.api.answer import answer
from serving.api.people import Done, Key
from serving.api.strict import strict
from serving.read.problem import Problem, documented
from serving.use_cases.accounts import (
    NewAccount,
    accounts,
    close_account,
    end_token,
    give_password,
    make_token,
    team_leads,
    write_account,
    write_lead,
)
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look

router = APIRouter(tags=["accounts"])

Number = Annotated[int, Path(ge=1, lt=2**31)]


@strict
@dataclass(frozen=True)
class AccountWish(NewAccount):
    """An account to be made."""


@strict
@dataclass(frozen=True)
class TokenWish:
    """A token of one's own: name, days that it holds (1 to 366), and what it may do, of what one may do oneself."""

    name: str
    days: int
    actions: list[str]


@strict
@dataclass(frozen=True)
class PasswordWish:
    """A temporary password to be handed over."""

    password: str


@strict
@dataclass(frozen=True)
class LeadWish:
    """Who leads a team: the login of an inspector; empty: nobody."""

    team: str
    login: str = ""


@dataclass(frozen=True)
class AccountAnswer:
    """One account; never its password."""

    id: int
    login: str
    name: str
    role: str
    unit_code: str
    official_id: str | None
    active: bool
    created_at: datetime


@dataclass(frozen=True)
class TokenAnswer:
    """One of the reader's tokens; its secret was told once."""

    id: int
    name: str
    actions: list[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True)
class LeadAnswer:
    """Who leads a team, and since when."""

    team: str
    login: str
    set_at: datetime


@dataclass(frozen=True)
class Secret:
    """The secret of a new token, told this once."""

    secret: str


@router.get("/accounts", response_model=list[AccountAnswer])
def list_accounts(request: Request) -> Response:
    """All accounts, by login."""
    note_look(request, "account.read", {})
    return answer(
        [
            AccountAnswer(
                one.id, one.login, one.name, one.role, one.unit_code, one.official_id, one.active, one.created_at
            )
            for one in accounts(request)
        ]
    )


@router.post("/accounts", response_model=Done, responses=documented(400, 422))
def make_account(request: Request, wish: AccountWish, key: Key) -> Response:
    """Make an account, local or of the identity provider."""
    return answer(Done(write_account(request, wish, key, "/accounts")))


@router.post("/accounts/{account_id}/close", response_model=Done, responses=documented(400, 404, 422))
def close(request: Request, account_id: Number, key: Key) -> Response:
    """Close an account; nobody closes the own one."""
    return answer(Done(close_account(request, account_id, key, "/accounts")))


@router.post("/accounts/{account_id}/password", response_model=Done, responses=documented(400, 404, 422))
def password(request: Request, account_id: Number, wish: PasswordWish, key: Key) -> Response:
    """Give somebody a temporary password; their sessions end, and they choose their own with it within seven days."""
    return answer(Done(give_password(request, account_id, wish.password, key, "/accounts")))


@router.get("/team-leads", response_model=list[LeadAnswer])
def list_leads(request: Request) -> Response:
    """Who leads which inspection team."""
    names = {one.id: one.login for one in accounts(request)}
    found = team_leads(request)
    note_look(request, "account.read", {"list": "team-leads"})
    return answer([LeadAnswer(team, names[one.account_id or 0], one.set_at) for team, one in sorted(found.items())])


@router.post("/team-leads", response_model=Done, responses=documented(400, 422))
def lead(request: Request, wish: LeadWish, key: Key) -> Response:
    """Say who leads a team."""
    return answer(Done(write_lead(request, wish.team, wish.login, key, "/accounts")))


@router.get("/tokens", response_model=list[TokenAnswer])
def list_tokens(request: Request) -> Response:
    """The reader's own tokens."""
    with context_of(request).people.state.reading() as session:
        mine = tokens_of(session, reader_of(request).account_id)
    return answer(
        [
            TokenAnswer(one.id, one.name, one.actions.split(), one.created_at, one.expires_at, one.revoked_at)
            for one in mine
        ]
    )


@router.post("/tokens", response_model=Secret, responses=documented(400, 422))
def issue(request: Request, wish: TokenWish) -> Response:
    """Make a token; its secret is told once, here."""
    if not 1 <= len(wish.name) <= 120:
        raise Problem(422, "name: wanted 1 to 120 characters.")
    if not 1 <= wish.days <= 366:
        raise Problem(422, "days: wanted 1 to 366.")
    return answer(Secret(make_token(request, wish.name, wish.days, wish.actions)))


@router.post("/tokens/{token_id}/revoke", response_model=Done, responses=documented(400, 404, 422))
def revoke(request: Request, token_id: Number, key: Key) -> Response:
    """End one of the reader's tokens."""
    return answer(Done(end_token(request, token_id, key, "/tokens")))
