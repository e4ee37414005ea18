"""`/login`, `/logout` and the way through the identity provider."""

import hmac
import logging
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from serving.access.account import account_of_identity, find_account
from serving.access.login import LoginOrigin, TooMany, device_mark, known_device, log_in
from serving.access.secret import digest, new_secret
from serving.access.session import LONGEST_STAY, end_session, start_session
from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.language import speak
from serving.pages.rendering import render
from serving.state import Account
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import asked_language, cookie_name, cookie_options

router = APIRouter(include_in_schema=False)
log = logging.getLogger(__name__)

_DEVICE_COOKIE = "risk_device"  # a browser that somebody was let in from; strangers' guesses do not count there
_DOOR_COOKIE = "risk_door"  # ties a login form, or a flow through the provider, to one browser

WRONG = lazy("Tên đăng nhập hoặc mật khẩu không đúng, hoặc mật khẩu tạm đã quá bảy ngày.")
NO_ACCOUNT = lazy("Bạn đã được xác thực nhưng chưa có tài khoản ở đây. Hãy liên hệ quản trị.")
PROVIDER_FAILED = lazy("Không đăng nhập được qua hệ thống định danh. Hãy thử lại.")


def local_path(wanted: str) -> str:
    """`wanted` where it is a path of this service, else the first page.

    A login never leads to another site.
    """
    parts = urlsplit(wanted)
    local = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    printable = all(" " < sign < "\x7f" for sign in wanted)
    return wanted if local and printable and not parts.scheme and not parts.netloc else "/"


@router.get("/login", response_class=HTMLResponse)
def show(request: Request, next_: Annotated[str, Query(alias="next", max_length=500)] = "/") -> Response:
    """The login form."""
    return _form(request, local_path(next_))


@router.post("/login", response_class=HTMLResponse)
def enter(
    request: Request,
    login: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=5000)] = "",
    next_: Annotated[str, Form(alias="next", max_length=500)] = "/",
    door: Annotated[str, Form(max_length=100)] = "",
    language: Annotated[str, Form(max_length=2)] = "",
) -> Response:
    """Name and password: on to the wanted page, or the form again with what was wrong."""
    people = context_of(request).people
    back = local_path(next_)
    speak(language or asked_language(request))
    if not _same_browser(request, door):
        return _form(request, back, _("Biểu mẫu đã cũ. Hãy thử lại."), status=403)
    found = log_in(people.state, login, password, device_of(request, login), key=people.login_key, now=people.now())
    if isinstance(found, TooMany):
        seconds = max(1, int(found.wait.total_seconds()))
        text = _("Đã thử quá nhiều lần. Hãy thử lại sau {minutes} phút.").format(minutes=seconds // 60 + 1)
        answer = _form(request, back, text, status=429)
        answer.headers["Retry-After"] = str(seconds)
        return answer
    if found is None:
        with people.state.reading() as session:
            account = find_account(session, login)
        # a name that is nobody's may be a password typed into the wrong field: it is not stored
        actor = account.login if account else ""
        people.receipts.record(actor, "session.refused", {"by": "password"}, now=people.now())
        return _form(request, back, WRONG, status=401)
    return _admit(request, found, back, "password")


@router.post("/logout")
def leave(request: Request) -> Response:
    """End the session, here and on the server."""
    people = context_of(request).people
    token = request.cookies.get(cookie_name(request), "")
    with people.state.writing() as session:
        end_session(session, token)
    people.remembered.forget(token)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(cookie_name(request), **cookie_options(request))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'  # cookies stay: the browser that is known goes on being so
    return answer


@router.get("/login/oidc")
def to_provider(request: Request, next_: Annotated[str, Query(alias="next", max_length=500)] = "/") -> Response:
    """To the identity provider, with state, nonce and PKCE challenge."""
    people = context_of(request).people
    if people.provider is None:
        return _form(request, "/", _("Chưa cấu hình hệ thống định danh."), status=404)
    from serving.access.oidc import FLOW_LIFE, ProviderError

    browser = new_secret()
    try:
        url = people.provider.begin(people.state, browser, _callback(request), local_path(next_), now=people.now())
    except ProviderError as error:
        log.warning("login through the provider could not begin: %s", error)
        return _form(request, "/", PROVIDER_FAILED, status=503)
    answer = RedirectResponse(url, 303)
    answer.set_cookie(_DOOR_COOKIE, browser, max_age=int(FLOW_LIFE.total_seconds()), **cookie_options(request))
    return answer


@router.get("/login/oidc/callback")
def from_provider(
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Back from the provider: in, if everything holds and the subject has an account."""
    people = context_of(request).people
    if people.provider is None:
        return _form(request, "/", _("Chưa cấu hình hệ thống định danh."), status=404)
    from serving.access.oidc import ProviderError

    try:
        browser = request.cookies.get(_DOOR_COOKIE, "")
        identity = people.provider.finish(people.state, browser, state, code, _callback(request), now=people.now())
    except ProviderError as error:
        log.warning("login through the provider was refused: %s", error)
        people.receipts.record("", "session.refused", {"by": "oidc"}, now=people.now())
        return _form(request, "/", PROVIDER_FAILED, status=401)
    with people.state.reading() as session:
        account = account_of_identity(session, identity.issuer, identity.subject)
    if account is None or not account.active:
        return _form(request, "/", NO_ACCOUNT, status=403)
    return _admit(request, account, identity.next_path, "oidc")


def _admit(request: Request, account: Account, back: str, by: str) -> Response:
    people = context_of(request).people
    now = people.now()
    with people.state.writing() as session:
        token = start_session(session, account, now=now)
        link = people.receipts.append(session, account.login, "session.start", {"by": by}, now=now)
    people.receipts.anchor(link)
    answer = RedirectResponse(back, 303)
    answer.set_cookie(cookie_name(request), token, max_age=int(LONGEST_STAY.total_seconds()), **cookie_options(request))
    answer.delete_cookie(_DOOR_COOKIE, **cookie_options(request))
    mark = device_mark(people.login_key, account.login)
    answer.set_cookie(_DEVICE_COOKIE, mark, max_age=180 * 24 * 3600, **cookie_options(request))
    return answer


def device_of(request: Request, login: str) -> LoginOrigin:
    """Where a try to log in as `login` comes from: a browser that this name was let in from before, or an address."""
    key = context_of(request).people.login_key
    device = known_device(key, login, request.cookies.get(_DEVICE_COOKIE, ""))
    return device or LoginOrigin(request.client.host if request.client else "unknown")


def _form(request: Request, back: str, trouble: str | None = None, status: int = 200) -> Response:
    """The login form; its hidden field and a cookie carry the two halves of one secret (login CSRF)."""
    browser = new_secret()
    answer = render(
        request,
        "login.html",
        status,
        title=_("Đăng nhập"),
        back=back,
        door=digest(browser),
        trouble=trouble,
        provider=context_of(request).people.provider is not None,
    )
    answer.set_cookie(_DOOR_COOKIE, browser, max_age=3600, **cookie_options(request))
    return answer


def _same_browser(request: Request, door: str) -> bool:
    browser = request.cookies.get(_DOOR_COOKIE, "")
    return bool(browser) and hmac.compare_digest(digest(browser), door.encode("ascii", "replace").decode())


def _callback(request: Request) -> str:
    return str(request.url.replace(path=request.scope.get("outside", "") + "/login/oidc/callback", query=""))
