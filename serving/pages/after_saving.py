"""After a form was saved: back to where the reader was, filters and all, with one line that says what was done."""

from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.read.receipt_words import ACTION_WORDS

COOKIE = "risk_done"
"""Carries the action over the redirect; read once, for a minute at most."""
SENT_HERE = "x-form"
"""Header of a form that a script sent: its answer names the next page, and the script goes there."""
_SILENT = frozenset({"session.end", "session.start", "language.write"})


class AfterSaving:
    """Looks at answers of forms that lead on (303): those that went well."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on; completes where it leads."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"].startswith("/api/"):
            await self.app(scope, receive, send)
            return
        sent_here = Headers(scope=scope).get(SENT_HERE)
        state = scope.setdefault("state", {})

        async def led(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 303:
                reader = state.get("reader")
                if reader is not None and reader.action in ACTION_WORDS and reader.action not in _SILENT:
                    headers = MutableHeaders(scope=message)
                    headers["location"] = _back(headers["location"], Headers(scope=scope).get("referer", ""))
                    headers.append("set-cookie", _cookie(reader.action, 60))
            if message["type"] == "http.response.start" and message["status"] == 303 and sent_here:
                headers = MutableHeaders(scope=message)
                headers["x-location"] = headers["location"]
                del headers["location"]
                message["status"] = 204
            await send(message)

        await self.app(scope, receive, led)


def done_just_now(request: Request) -> str | None:
    """What was done just now, in words; None where nothing was."""
    return ACTION_WORDS.get(request.cookies.get(COOKIE, ""))


def forget(response: Response) -> None:
    """Says it once."""
    response.headers.append("set-cookie", _cookie("", 0))


def _back(location: str, referer: str) -> str:
    """The page that the form stood on with its query, where the answer leads to the same page without one."""
    came, leads = urlsplit(referer), urlsplit(location)
    if came.path == leads.path and came.query and not leads.query:
        return f"{leads.path}?{came.query}" + (f"#{leads.fragment}" if leads.fragment else "")
    return location


def _cookie(value: str, seconds: int) -> str:
    cookie: SimpleCookie = SimpleCookie()
    cookie[COOKIE] = value
    for name, setting in (("path", "/"), ("max-age", seconds), ("samesite", "Lax"), ("httponly", True)):
        cookie[COOKIE][name] = setting
    return cookie[COOKIE].OutputString()
