"""`load`: as many people as a province has, then ten times as many; how soon the service is itself again."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from serving.cli.group import settings_of
from tests.bench.group import Card, bench, tell
from tests.bench.requests import answer_of, request_of, serving
from tests.bench.section import Figure, Section

PAGE = "/api/v1/list?size=50"
THINKS = 1.0
"""Seconds between two requests of one person."""


@dataclass
class Met:
    """What people met: seconds of each answer, statuses; -1 where no answer came."""

    times: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


@bench.command("load")
def overload(
    ctx: typer.Context,
    card: Card = None,
    users: Annotated[int, typer.Option(help="People at once.", min=1)] = 200,
    seconds: Annotated[float, typer.Option(help="How long they work.", min=1)] = 300,
    crowd: Annotated[float, typer.Option(help="How long ten times as many come.", min=1)] = 60,
    dossiers: Annotated[int, typer.Option(help="Open dossiers on the list.", min=100)] = 50_000,
    workers: Annotated[int, typer.Option(help="Server processes.", min=1)] = 2,
) -> None:
    """People who ask for a page of the list a second; ten times as many; then one who measures the way back."""
    from tests.bench.crowd import make_crowd

    with TemporaryDirectory(prefix="risk-load-") as folder:
        home = Path(folder)
        settings = replace(
            settings_of(ctx), home=home, record_url=str(home / "record"), database_url=f"sqlite:///{home / 'state.db'}"
        )
        make_crowd(settings, dossiers)
        with serving(settings, workers) as (port, token):
            request = request_of("GET", PAGE, token, b"")
            usual = asyncio.run(people(port, request, users, seconds))
            many = asyncio.run(people(port, request, 10 * users, crowd))
            back = asyncio.run(recovery(port, request))
    usual.times.sort()
    p99 = usual.times[int(len(usual.times) * 0.99)] if usual.times else float("inf")
    wrong = sum(count for status, count in usual.statuses.items() if status != 200)
    other = sum(count for status, count in many.statuses.items() if status not in (200, 429, 503))
    figures = [
        Figure(f"{users} people, answers", "", [sum(usual.statuses.values())]),
        Figure(f"{users} people, p99", "s", [p99], None, "at most 1 s", p99 <= 1),
        Figure(f"{users} people, not 200", "", [wrong], None, "0", wrong == 0),
        *(Figure(f"{10 * users} people, answered {status}", "", [count])
          for status, count in sorted(many.statuses.items())),
        Figure(f"{10 * users} people, neither 200 nor 429 nor 503", "", [other], None, "0", other == 0),
        Figure("itself again after", "s", [back], None, "within 10 s", back <= 10),
    ]  # fmt: skip
    words = (
        f"A page of 50 of {dossiers:,} lines a second and person; {workers} processes; the client shares the machine."
    )
    tell([Section("Overload", words, figures)], card)


async def people(port: int, request: bytes, users: int, seconds: float) -> Met:
    """`users` who each send the request, think, and send it again on the same connection."""
    met = Met()
    until = time.perf_counter() + seconds

    async def person(number: int) -> None:
        await asyncio.sleep(THINKS * number / users)
        reader = writer = None
        while time.perf_counter() < until:
            begun = time.perf_counter()
            try:
                if writer is None or reader is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request)
                status, _ = await asyncio.wait_for(answer_of(reader), 30)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                status, writer = -1, None
            if status == 503:  # the server closes after it
                writer = None
            met.statuses[status] += 1
            if status == 200:
                met.times.append(time.perf_counter() - begun)
            await asyncio.sleep(max(0.0, THINKS - (time.perf_counter() - begun)))

    await asyncio.gather(*(person(number) for number in range(users)))
    return met


async def recovery(port: int, request: bytes) -> float:
    """Seconds until ten answers in a row are 200 within a second each."""
    begun, row = time.perf_counter(), 0
    while row < 10 and time.perf_counter() - begun < 60:
        asked = time.perf_counter()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            status, _ = await asyncio.wait_for(answer_of(reader), 5)
            writer.close()
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            status = -1
        row = row + 1 if status == 200 and time.perf_counter() - asked < 1 else 0
    return time.perf_counter() - begun
