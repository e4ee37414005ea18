"""Limits on what a request may send, and on how much of the house one person may fill."""

import asyncio
import re
import time
from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.read.problem import Problem, problem_response

MOST_BYTES = 10_000_000
BODY_SECONDS = 60.0
"""How long a body may take to come in all."""
BODY_GRACE, LEAST_RATE = 15.0, 2_000.0
"""A body has so many seconds, and one more for so many bytes that have come: one that trickles is ended early."""


class BodyLimit:
    """Refuses bodies above `MOST_BYTES` (413), by the length announced or by what really comes, and slow ones (408)."""

    def __init__(
        self, app: ASGIApp, most_bytes: int = MOST_BYTES, seconds: float = BODY_SECONDS, grace: float = BODY_GRACE
    ) -> None:
        self.app = app
        self.most_bytes = most_bytes
        self.seconds = seconds
        self.grace = grace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, counting its body; one that announces too much is not read at all."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        detail = f"wanted a body of at most {self.most_bytes} bytes"
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self.most_bytes:
            await problem_response(413, detail, {"Connection": "close"})(scope, receive, send)
            return
        came, body_over = 0, False
        began = asyncio.get_running_loop().time()

        async def counted() -> Message:
            nonlocal came, body_over
            if body_over:
                return await receive()  # what may come later is the end of the connection
            try:
                async with asyncio.timeout_at(began + min(self.seconds, self.grace + came / LEAST_RATE)):
                    message = await receive()
            except TimeoutError:
                raise Problem(408, "The body took too long.", {"Connection": "close"}) from None
            body_over = not message.get("more_body", False)
            came += len(message.get("body", b""))
            if came > self.most_bytes:
                raise Problem(413, detail, {"Connection": "close"})
            return message

        await self.app(scope, counted, send)


MOST_ALONE, MOST_IN_COMPANY = 192, 64
"""Requests of one person in work at once in one process (of `serving.api.watch.MOST_AT_ONCE`): while nobody else
is there, and while others are."""
COMPANY_SECONDS = 10.0
_SESSION = re.compile(rb"risk_session=([^;]+)")


class PersonLimit:
    """Answers 429 with Retry-After to who has too many requests in work, so that others still find room.

    A person is a token or a session; who shows neither is known by address. Nothing is counted over time: a program
    that waits for its answers may ask as fast as they come.
    """

    def __init__(self, app: ASGIApp, alone: int = MOST_ALONE, in_company: int = MOST_IN_COMPANY) -> None:
        self.app = app
        self.alone = alone
        self.in_company = in_company
        self._in_work: Counter[int] = Counter()
        self._seen: dict[int, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on where its person has room left; the health route is for everybody."""
        if scope["type"] != "http" or scope["path"] == "/api/v1/health":
            await self.app(scope, receive, send)
            return
        person = _person(scope)
        most = self.in_company if self._company(person) else self.alone
        if self._in_work[person] >= most:
            detail = f"You have {most} requests in work already: wait for their answers."
            await problem_response(429, detail, {"Retry-After": "1"})(scope, receive, send)
            return
        self._in_work[person] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._in_work[person] -= 1
            if not self._in_work[person]:
                del self._in_work[person]

    def _company(self, person: int) -> bool:
        """Whether anybody else has asked in the last seconds."""
        now = time.perf_counter()
        self._seen.pop(person, None)  # the last seen stand last
        self._seen[person] = now
        while now - self._seen[first := next(iter(self._seen))] > COMPANY_SECONDS:
            del self._seen[first]
        return len(self._seen) > 1


def _person(scope: Scope) -> int:
    """Stands for who asks, for as long as this process lives; no token or session can be read off it."""
    headers = dict(scope["headers"])
    shown = headers.get(b"authorization")
    if shown is None and (found := _SESSION.search(headers.get(b"cookie", b""))):
        shown = found[1]
    return hash(shown or (scope.get("client") or ("",))[0])
