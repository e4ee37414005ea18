"""The guard before every route: who asks, may they, did they mean it. Whatever no rule allows is refused."""

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from serving.access.permissions import IN_PERSON, Role, Scope, UnitTree, reach_of, scope_of
from serving.access.route_table import PUBLIC, action_of, template_of
from serving.access.session import find_session, touch_session
from serving.access.token import PREFIX
from serving.language import SOURCE, preferred, speak
from serving.state import Account
from serving.use_cases.app_context import context_of
from serving.work.fallback_cache import AWAY

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIE = "risk_session"


class LoginNeeded(Exception):
    """A page was asked for by nobody in particular: the answer is the way to the door and back."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.location = "/login?" + urlencode({"next": back})


class PasswordNeeded(Exception):
    """A page was asked for with a password that somebody else gave: the answer is the form for one's own."""


@dataclass(frozen=True)
class Reader:
    """Who asks: an account with one role, through a browser's session or a program's token.

    csrf: key that forms of this session carry; empty for a token. allowed: the token's actions, None for a
    session. temporary: the password is somebody else's word and opens the form for a new one alone.
    language: in which the pages speak.
    action: what the present route does; `scope` is how far the reader may do that.
    """

    account_id: int
    login: str
    name: str
    role: Role
    unit_code: str
    official_id: str | None
    csrf: str
    allowed: frozenset[str] | None
    action: str
    tree: UnitTree
    temporary: bool
    language: str = SOURCE

    def may(self, action: str) -> bool:
        """Whether the reader may do `action` anywhere at all."""
        by_token = self.allowed is not None
        if by_token and action in IN_PERSON:
            return False
        return reach_of(self.role, action) is not None and (self.allowed is None or action in self.allowed)

    def scope_for(self, action: str) -> Scope:
        """Where the reader may do `action`."""
        reach = reach_of(self.role, action) if self.may(action) else None
        return scope_of(reach, self.unit_code, self.official_id, self.tree)

    @property
    def scope(self) -> Scope:
        """Where the reader may do what the present route does."""
        return self.scope_for(self.action)


async def guard(request: Request) -> AsyncIterator[None]:
    """Lets a request through when the table says so, and leaves its `Reader` on it.

    Raises 403 for what the role or the token may not do and for routes without a rule, 401 or `LoginNeeded`
    when nobody is logged in, 403 or `PasswordNeeded` where the password is a temporary one, 403 when a form does not
    carry its session's key. The form is closed at the end: of one that the route has no field for nobody else would.
    """
    try:
        await _let_through(request)
        yield
    finally:
        await request.close()


async def _let_through(request: Request) -> None:
    # said for every request: one on a kept connection may begin in the context of the one before
    speak(asked_language(request) if is_page(request) else SOURCE)
    template = template_of(request)
    action = action_of(request.method, template) if template else None
    if action is None:
        raise HTTPException(403, "No rule allows this.")
    if action == PUBLIC:
        return
    reader = _cached_reader(request, action) or await run_in_threadpool(_reader, request, action)
    if reader is None:
        if _wants_json(request):
            raise HTTPException(401, "Give a valid API token.", {"WWW-Authenticate": "Bearer"})
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        raise LoginNeeded(back if request.method in SAFE else "/")
    request.state.reader = reader
    if is_page(request):
        speak(reader.language)
    if reader.temporary and action not in {"password.write", "session.end"}:
        if _wants_json(request):
            raise HTTPException(403, "The password is a temporary one: log in on the page and choose your own.")
        raise PasswordNeeded
    if not reader.may(action):
        raise HTTPException(403, "This role may not do that.")
    if request.method not in SAFE and reader.allowed is None:
        await _meant(request, reader.csrf)


def is_page(request: Request) -> bool:
    """Whether the answer is read on a screen here: neither JSON nor a file (.docx, .csv …) that leaves the house."""
    return not _wants_json(request) and "." not in request.url.path.rpartition("/")[2]


def asked_language(request: Request) -> str:
    """The language for who is not logged in: the one that a link asks for, or the browser's."""
    return request.query_params.get("language") or preferred(request.headers.get("Accept-Language", ""))


def reader_of(request: Request) -> Reader:
    """The reader whom `guard` let through."""
    reader: Reader = request.state.reader
    return reader


def cookie_name(request: Request) -> str:
    """The session cookie's name. Over https it is bound to the host and to https by its prefix (RFC 6265bis)."""
    return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE


def cookie_options(request: Request) -> dict[str, Any]:
    """How cookies of the door are set. Not for scripts, not for other sites, over https where there is https."""
    return {"httponly": True, "samesite": "lax", "path": "/", "secure": request.url.scheme == "https"}


def _cached_reader(request: Request, action: str) -> Reader | None:
    """The reader of a token that was looked up before: no query, so no thread, whose turn costs more than a score."""
    people = context_of(request).people
    bearer = _bearer(request)
    grant = people.grants.cached(bearer, people.now()) if bearer else None
    tree: UnitTree = context_of(request).read_model.register.tree
    return None if grant is None else _as_reader(grant.account, "", grant.actions, action, tree)


def _bearer(request: Request) -> str | None:
    """The token sent, "" where something else was sent to show who asks; None: nothing was."""
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if not kind:
        return None
    return bearer if kind.lower() == "bearer" and bearer.startswith(PREFIX) else ""


def _reader(request: Request, action: str) -> Reader | None:
    people = context_of(request).people
    now = people.now()
    tree: UnitTree = context_of(request).read_model.register.tree
    bearer = _bearer(request)
    if bearer is not None:
        grant = people.grants.find(bearer, now) if bearer else None
        return None if grant is None else _as_reader(grant.account, "", grant.actions, action, tree)
    token = request.cookies.get(cookie_name(request))
    if not token:
        return None
    try:
        with people.state.reading() as session:
            stay = find_session(session, token, now=now)
    except AWAY:  # who was let in a while ago may go on reading
        stay = people.remembered.stay(token, now) if request.method in SAFE else None
        if stay is None:
            raise
        request.state.away = True
        return _as_reader(stay.account, stay.csrf, None, action, tree)
    if stay is None:
        people.remembered.forget(token)
        return None
    people.remembered.note(token, stay, now)
    if stay.stale:
        with people.state.writing() as session:
            touch_session(session, stay.id, now=now)
    return _as_reader(stay.account, stay.csrf, None, action, tree)


def _as_reader(account: Account, csrf: str, allowed: frozenset[str] | None, action: str, tree: UnitTree) -> Reader:
    return Reader(
        account_id=account.id,
        login=account.login,
        name=account.name,
        role=Role(account.role),
        unit_code=account.unit_code,
        official_id=account.official_id,
        csrf=csrf,
        allowed=allowed,
        action=action,
        tree=tree,
        temporary=account.temporary_until is not None,
        language=account.language,
    )


async def _meant(request: Request, csrf: str) -> None:
    """Refuses a change that another site's page may have sent in the reader's name."""
    given = request.headers.get("X-CSRF-Token")
    if given is None and "form" in request.headers.get("Content-Type", ""):
        field = (await request.form()).get("csrf")
        given = field if isinstance(field, str) else None
    if request.headers.get("Sec-Fetch-Site") == "cross-site" or not hmac.compare_digest(
        (given or "").encode(), csrf.encode()
    ):
        raise HTTPException(403, "The form is out of date: open the page again and send it once more.")


def _wants_json(request: Request) -> bool:
    return request.url.path.startswith("/api/") or "Authorization" in request.headers
