"""`half-sent`: two hundred connections that do not say to the end what they want; how many are held, and how long.

Through the shipped nginx and bare, with the waits that the service has in operation.
"""

import asyncio
import os
import ssl
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from unittest.mock import patch

import typer

from tests.bench.group import Card, bench, tell
from tests.bench.requests import serving
from tests.bench.section import Figure, Section

EVERY = 0.3
"""Seconds between two drips."""
LOOKS = (25.0, 60.0, 90.0)
"""Seconds after which those still held are counted."""
ANSWERED = 2.0
"""Seconds within which another's request has to be answered meanwhile."""


_FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


@dataclass(frozen=True)
class Start:
    """How a connection begins, and what drips in after it. head: with the path to be filled in."""

    head: bytes
    drip: bytes = b""

    def of(self, path: str) -> bytes:
        """The beginning of a request for `path`."""
        return self.head.replace(b"{path}", path.encode()).replace(b"{form}", _FORM)


STARTS = {
    "nothing at all": Start(b""),
    "half a line": Start(b"GET {path} HT"),
    "headers without end": Start(b"GET {path} HTTP/1.1\r\nHost: x\r\nX-A: ", b"a"),
    "empty lines": Start(b"\r\n", b"\r\n"),
    "a body that trickles": Start(b"POST {path} HTTP/1.1\r\nHost: x\r\n{form}Content-Length: 100000\r\n\r\n", b"x"),
    "a second request, half": Start(b"GET {path} HTTP/1.1\r\nHost: x\r\n\r\nGET {path} HT", b"P"),
    "in pieces": Start(b"POST {path} HTTP/1.1\r\nHost: x\r\n{form}Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
}


@cache
def _anybody() -> ssl.SSLContext:
    """Takes the made-up certificate; made once, for to read the machine's authorities takes longer than to connect."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def held(port: int, start: bytes, drip: bytes, longest: float, *, tls: bool = False, source: str = "") -> float:
    """Seconds for which a server holds a connection that begins so and goes on with a drip; at most `longest`.

    source: the address that the connection comes from, of this machine.
    """
    began = time.monotonic()
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=_anybody() if tls else None, local_addr=(source, 0) if source else None
        )
    except (ConnectionError, ssl.SSLError):
        return time.monotonic() - began  # not let in at all
    writer.write(start)

    async def drips() -> None:
        while drip:
            await asyncio.sleep(EVERY)
            writer.write(drip)
            await writer.drain()

    dripping = asyncio.create_task(drips())
    try:
        async with asyncio.timeout(longest):
            while await reader.read(65_536):
                pass
    except (TimeoutError, ConnectionError, ssl.SSLError):
        pass
    took = time.monotonic() - began
    dripping.cancel()
    await asyncio.gather(dripping, return_exceptions=True)
    writer.transport.abort()
    return took


async def _crowd(port: int, path: str, count: int, tls: bool) -> tuple[dict[str, list[float]], list[float]]:
    """How long each kind is held, and how long others wait for an answer meanwhile."""
    import httpx2

    kinds = list(STARTS)
    began = [(kinds[n % len(kinds)], f"127.0.1.{1 + n % 20}") for n in range(count)]
    waiting = [
        asyncio.create_task(held(port, STARTS[kind].of(path), STARTS[kind].drip, LOOKS[-1], tls=tls, source=source))
        for kind, source in began
    ]
    others = []
    scheme = "https" if tls else "http"
    health = path.replace("/login", "/api/v1/health")
    async with httpx2.AsyncClient(verify=False, timeout=30) as client:
        for _ in range(20):
            await asyncio.sleep(1)
            asked = time.monotonic()
            (await client.get(f"{scheme}://127.0.0.1:{port}{health}")).raise_for_status()
            others.append(time.monotonic() - asked)
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    for (kind, _), seconds in zip(began, await asyncio.gather(*waiting), strict=True):
        took[kind].append(seconds)
    return took, others


@bench.command("half-sent")
def half_sent(
    card: Card = None,
    count: Annotated[int, typer.Option(help="Connections.", min=8)] = 200,
) -> None:
    """Connections that never say to the end what they want, through the shipped nginx and bare: how many are held."""
    from tests.drawn_office import draw_office
    from tests.drawn_proxy import behind_nginx

    sections = []
    with (
        TemporaryDirectory(prefix="risk-half-sent-") as folder,
        patch.dict(os.environ, {"RISK_ROOT_PATH": "/risk"}),
        serving(draw_office(Path(folder) / "home"), workers=1) as (port, _),
    ):
        sections.append(_section("bare", asyncio.run(_crowd(port, "/login", count, False)), count))
        with behind_nginx(Path(folder), port) as site:
            behind = asyncio.run(_crowd(site.port, "/risk/login", count, True))
        sections.append(_section("through the shipped nginx", behind, count))
    tell(sections, card)


def _section(words: str, found: tuple[dict[str, list[float]], list[float]], count: int) -> Section:
    took, others = found
    every = [one for kind in took.values() for one in kind]
    figures = []
    for look in LOOKS:
        still = sum(one >= look - 0.1 for one in every)
        last = look == LOOKS[-1]
        figures.append(
            Figure(f"of {count} held after {look:.0f} s", "", [still], None, "0" * last, not still if last else None)
        )
    figures += [Figure(f"held: {kind}", "s", seconds) for kind, seconds in took.items()]
    slow = max(others)
    figures.append(
        Figure("another's request meanwhile", "s", others, None, f"at most {ANSWERED:g} s", slow <= ANSWERED)
    )
    about = f"{count} connections from 20 addresses, a byte or line every {EVERY:g} s, where more comes at all."
    return Section(f"Half-sent requests, {words}", about, figures)
