"""`/accounts`: the administrator makes and closes accounts; `/tokens`: anybody's own keys for programs."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from serving.access.account import set_password
from serving.access.login import TooMany, log_in
from serving.access.passwords import random_password
from serving.access.permissions import GRANTS, IN_PERSON, Role, reach_of
from serving.access.secret import digest
from serving.access.session import end_others, sessions_of
from serving.access.token import tokens_of
from serving.language import LANGUAGES
from serving.language import gettext as _
from serving.pages.login import device_of, local_path
from serving.pages.rendering import Key, render
from serving.plan.rules import Rules
from serving.read.official_directory import called
from serving.read.problem import Problem, refused_as_problem
from serving.read.receipt_words import ACTION_WORDS
from serving.state import Account
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
from serving.use_cases.guard import cookie_name, reader_of
from serving.work.assignments import LONGEST_TEAM

router = APIRouter(include_in_schema=False)


@router.get("/accounts", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """All accounts."""
    found, held = accounts(request), team_leads(request)
    names = {one.id: one.login for one in found}
    planned = {team.team_id for team in Rules().teams}
    return render(
        request, "accounts.html", title=_("Tài khoản"), accounts=found, roles=list(Role), officials=_pickable(request),
        local=[one for one in found if one.active and one.password_hash], suggested=random_password(),
        leads=[(team, names[held[team].account_id or 0] if team in held else "")
               for team in sorted(planned | held.keys())],
        inspectors=[one for one in found if one.active and one.role == Role.INSPECTOR.value],
    )  # fmt: skip


MOST_PICKED = 2_000
"""Officials offered to pick from; of a larger province the key is typed."""


def _pickable(request: Request) -> list[tuple[str, str]]:
    """Officials with name and unit: who gives accounts has to know whom to give them to."""
    register, names = context_of(request).read_model.register, context_of(request).people.directory.names
    if len(register.officials) > MOST_PICKED:
        return []
    found = [
        (key, f"{called(key, names, register)}, {register.unit(unit)}") for key, unit in register.officials.items()
    ]
    return sorted(found, key=lambda one: one[1])


@router.post("/accounts")
def add(
    request: Request,
    login: Annotated[str, Form(max_length=120)],
    name: Annotated[str, Form(max_length=200)],
    role: Role = Form(),
    password: Annotated[str, Form(max_length=200)] = "",
    unit: Annotated[str, Form(max_length=120)] = "",
    official: Annotated[str, Form(max_length=200)] = "",
    issuer: Annotated[str, Form(max_length=300)] = "",
    subject: Annotated[str, Form(max_length=200)] = "",
    key: Key = "",
) -> Response:
    """Make an account, local or of the identity provider."""
    wish = NewAccount(login, name, role, password, unit, official, issuer, subject)
    return RedirectResponse(write_account(request, wish, key, "/accounts"), 303)


@router.post("/accounts/{account_id}/close")
def close(request: Request, account_id: int, key: Key) -> Response:
    """Close an account; an administrator can't close the own one."""
    return RedirectResponse(close_account(request, account_id, key, "/accounts"), 303)


@router.post("/accounts/password")
def hand_over(
    request: Request,
    account: Annotated[int, Form(ge=1, lt=2**31)],
    password: Annotated[str, Form(max_length=200)],
    key: Key,
) -> Response:
    """Give somebody who forgot theirs a temporary password."""
    return RedirectResponse(give_password(request, account, password, key, "/accounts"), 303)


@router.post("/team-leads")
def lead(
    request: Request,
    team: Annotated[str, Form(max_length=LONGEST_TEAM)],
    key: Key,
    lead: Annotated[str, Form(max_length=120)] = "",
) -> Response:
    """Say who leads a team."""
    return RedirectResponse(write_lead(request, team, lead, key, "/accounts"), 303)


@router.get("/password", response_class=HTMLResponse)
def password_form(request: Request) -> Response:
    """The form with which a person changes the own password."""
    return _password(request)


@router.post("/password", response_class=HTMLResponse)
def change_password(
    request: Request,
    present: Annotated[str, Form(max_length=5000)],
    wanted: Annotated[str, Form(max_length=5000)],
    repeated: Annotated[str, Form(max_length=5000)],
) -> Response:
    """A new password for who knows the present one; every session ends, this one too."""
    reader, people = reader_of(request), context_of(request).people
    if wanted != repeated:
        return _password(request, _("Hai lần nhập mật khẩu mới không giống nhau."), 422)
    if reader.temporary and wanted == present:
        return _password(request, _("Mật khẩu mới phải khác mật khẩu tạm."), 422)
    found = log_in(
        people.state, reader.login, present, device_of(request, reader.login), key=people.login_key, now=people.now()
    )
    if isinstance(found, TooMany):
        return _password(request, _("Đã thử quá nhiều lần. Hãy thử lại sau."), 429)
    if found is None:
        people.receipts.record(reader.login, "session.refused", {"by": "password.write"}, now=people.now())
        return _password(request, _("Mật khẩu hiện tại không đúng."), 422)
    with refused_as_problem(), people.state.writing() as session:
        set_password(session, session.get_one(Account, reader.account_id), wanted)
        link = people.receipts.append(session, reader.login, "password.write", {"by": "password"}, now=people.now())
    people.receipts.anchor(link)
    return RedirectResponse("/login", 303)


@router.post("/language")
def choose_language(
    request: Request, language: Annotated[str, Form(max_length=2)], page: Annotated[str, Form(max_length=2000)] = "/"
) -> Response:
    """Say in which language the pages speak to the reader from now on."""
    people, reader = context_of(request).people, reader_of(request)
    if language not in LANGUAGES:
        raise Problem(422, f"language: wanted one of {', '.join(LANGUAGES)}")
    with people.state.writing() as session:
        session.get_one(Account, reader.account_id).language = language
        link = people.receipts.append(session, reader.login, "language.write", {"value": language}, now=people.now())
    people.receipts.anchor(link)
    return RedirectResponse(local_path(page), 303)


@router.post("/sessions/end")
def end_other_sessions(request: Request) -> Response:
    """End every session of the reader's own but this one."""
    people, reader = context_of(request).people, reader_of(request)
    with people.state.writing() as session:
        end_others(session, reader.account_id, request.cookies.get(cookie_name(request), ""))
        link = people.receipts.append(session, reader.login, "session.end", {"by": "others"}, now=people.now())
    people.receipts.anchor(link)
    return RedirectResponse("/password", 303)


def _password(request: Request, trouble: str | None = None, status: int = 200) -> Response:
    people, reader = context_of(request).people, reader_of(request)
    with people.state.reading() as session:
        mine = sessions_of(session, reader.account_id, now=people.now())
    this = digest(request.cookies.get(cookie_name(request), ""))
    return render(
        request, "password.html", status, title=_("Mật khẩu"), trouble=trouble,
        sessions=[(one.started_at, one.seen_at, one.token_hash == this) for one in mine],
    )  # fmt: skip


@router.get("/tokens", response_class=HTMLResponse)
def tokens(request: Request) -> Response:
    """The reader's own tokens; their secrets are not kept."""
    return _tokens(request, made=None)


@router.post("/tokens", response_class=HTMLResponse)
def issue(
    request: Request,
    name: Annotated[str, Form(min_length=1, max_length=120)],
    days: Annotated[int, Form(ge=1, le=366)],
    actions: Annotated[list[str] | None, Form(max_length=60)] = None,
) -> Response:
    """Make a token; its secret is shown once, here."""
    return _tokens(request, made=make_token(request, name, days, actions or []))


@router.post("/tokens/{token_id}/revoke")
def revoke(request: Request, token_id: int, key: Key) -> Response:
    """End one of the reader's tokens."""
    return RedirectResponse(end_token(request, token_id, key, "/tokens"), 303)


def _tokens(request: Request, made: str | None) -> Response:
    reader = reader_of(request)
    with context_of(request).people.state.reading() as session:
        mine = tokens_of(session, reader.account_id)
    allowed = [action for action in GRANTS if reach_of(reader.role, action) and action not in IN_PERSON]
    return render(
        request, "tokens.html", title=_("Khóa máy"), tokens=mine, allowed=allowed, made=made, words=ACTION_WORDS
    )
