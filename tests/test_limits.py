"""One person can not fill the house: who asks too much at once is told so, and others find room."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from serving.api.limits import PersonLimit

Ask = Callable[..., Coroutine[Any, Any, Message]]


def house(alone: int, in_company: int) -> tuple[Ask, asyncio.Event]:
    """An app behind the limit whose answers come when the event is set, and how to ask it."""
    release = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    limited = PersonLimit(slow, alone, in_company)

    async def ask(header: str = "authorization", value: str = "Bearer a", path: str = "/list") -> Message:
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        async def nothing() -> Message:
            return {"type": "http.request"}

        headers = [(header.encode(), value.encode())] if value else []
        scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "client": ("10.0.0.1", 1)}
        await limited(scope, nothing, keep)
        return sent[0]

    return ask, release


def test_one_token_leaves_room_for_others_and_is_itself_again_at_once() -> None:
    async def scene() -> None:
        ask, release = house(alone=6, in_company=2)
        many = [asyncio.create_task(ask()) for _ in range(10)]
        await asyncio.sleep(0.01)
        refused = [one.result() for one in many if one.done()]
        assert len(refused) == 4
        assert {one["status"] for one in refused} == {429}
        assert dict(refused[0]["headers"])[b"retry-after"] == b"1"
        other = [asyncio.create_task(ask(value="Bearer b")) for _ in range(2)]
        alive = asyncio.create_task(ask(path="/api/v1/health"))
        await asyncio.sleep(0.01)
        assert not any(one.done() for one in (*other, alive))  # let in, and waiting for their answers
        assert (await asyncio.wait_for(ask(), 10))["status"] == 429
        assert (await ask(value="Bearer b"))["status"] == 429  # in company each has its share
        release.set()
        assert Counter([(await one)["status"] for one in (*many, *other, alive)]) == {200: 9, 429: 4}
        assert (await ask())["status"] == 200

    asyncio.run(scene())


def test_a_person_is_a_session_whatever_else_a_browser_sends_and_an_address_where_nothing_is_shown() -> None:
    async def scene() -> None:
        ask, release = house(alone=1, in_company=1)
        first = asyncio.create_task(ask("cookie", "x=1; risk_session=abc; y=2"))
        nobody = asyncio.create_task(ask(value=""))
        await asyncio.sleep(0.01)
        assert (await ask("cookie", "__Host-risk_session=abc; x=other"))["status"] == 429
        assert (await ask(value=""))["status"] == 429
        release.set()
        assert [(await one)["status"] for one in (first, nobody)] == [200, 200]

    asyncio.run(scene())
