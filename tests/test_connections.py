"""A bare server lets go of who does not say to the end what is wanted, and knows its clients behind a proxy."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import uvicorn

from serving import connections
from serving.api.limits import BodyLimit
from serving.connections import server_options
from tests.bench.half_sent import held
from tests.bench.port import free_port

PROXY, STRANGER = "127.0.0.2", "127.0.0.3"
MANY = 200


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with scheme and client, once it has read the body; at /deaf without reading it."""
    if scope["type"] != "http":
        return
    if scope["path"] != "/deaf":
        while (await receive()).get("more_body"):
            pass
    told = json.dumps([scope["scheme"], scope["client"][0]]).encode()
    headers = [(b"content-length", str(len(told)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server as `risk serve` runs it, with shorter waits, that trusts `PROXY` alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "HEAD_SECONDS", 2.0)
        patch.setattr(connections, "LEFT_SECONDS", 1.0)
        app: Any = BodyLimit(echo, grace=2.0)
        found = free_port()
        options = server_options(PROXY) | {"timeout_keep_alive": 4}
        server = uvicorn.Server(uvicorn.Config(app, port=found, lifespan="off", **options))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        until = time.monotonic() + 30
        while not server.started and time.monotonic() < until:
            time.sleep(0.05)
        yield found
        server.should_exit = True
        thread.join(10)


STARTS = {
    "nothing at all": b"",
    "half a line": b"GET / HT",
    "headers without end": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
    "empty lines": b"\r\n",
    "a body that trickles": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
    "a body that nobody reads": b"POST /deaf HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
    "a second request, half": b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
    "in pieces": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
}
DRIP = {"headers without end": b"a", "empty lines": b"\r\n", "a body that trickles": b"x",
        "a body that nobody reads": b"x", "a second request, half": b"P", "in pieces": b"1\r\nx\r\n"}  # fmt: skip


@pytest.mark.parametrize("kind", STARTS)
def test_who_does_not_say_to_the_end_is_let_go(port: int, kind: str) -> None:
    longest = 30.0  # a busy machine; without an end it would be held for as long as it drips
    assert asyncio.run(held(port, STARTS[kind], DRIP.get(kind, b""), longest)) < longest - 5


def test_two_hundred_of_them_are_gone_and_others_are_answered_meanwhile(port: int) -> None:
    async def run() -> list[float]:
        kinds = list(STARTS)
        asked = (
            held(port, STARTS[kinds[n % len(kinds)]], DRIP.get(kinds[n % len(kinds)], b""), 60) for n in range(MANY)
        )
        waiting = asyncio.gather(*asked)
        await asyncio.sleep(1)
        async with httpx2.AsyncClient(timeout=30) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).status_code == 200
        return await waiting

    took = asyncio.run(run())
    assert sum(one >= 55 for one in took) == 0
    assert len(took) == MANY


def test_a_body_at_a_fair_pace_and_requests_on_one_connection_are_served(port: int) -> None:
    def fair() -> Iterator[bytes]:
        for _ in range(8):
            time.sleep(0.4)  # longer in all than the grace
            yield b"x" * 20_000

    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        assert client.post("/", content=fair()).status_code == 200
        for _ in range(4):
            time.sleep(1)  # longer in all than headers may take
            assert client.get("/").json() == ["http", "127.0.0.1"]


@pytest.mark.parametrize(("address", "told"), [(PROXY, ["https", "203.0.113.9"]), (STRANGER, ["http", STRANGER])])
def test_a_proxy_elsewhere_says_who_the_client_is_and_a_stranger_does_not(
    port: int, address: str, told: list[str]
) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.4, 203.0.113.9"}
    with httpx2.Client(transport=httpx2.HTTPTransport(local_address=address), timeout=30) as client:
        assert client.get(f"http://127.0.0.1:{port}/", headers=forwarded).json() == told
