"""`score`, `list`: latency over HTTP, beside the health route of the same server."""

import asyncio
import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Annotated

import typer

from serving.cli.group import settings_of
from serving.settings import Settings
from tests.bench.group import bench
from tests.bench.port import free_port

RUNS = 3
REFERENCE = "/api/v1/health"


@dataclass(frozen=True)
class Latency:
    """One run of requests: milliseconds at the median and the 99th percentile, requests a second, failures."""

    p50: float
    p99: float
    rate: float
    failed: int


@bench.command("score")
def score(
    ctx: typer.Context,
    connections: Annotated[int, typer.Option(min=1, max=256)] = 8,
    seconds: Annotated[float, typer.Option(help="Length of each run.", min=1)] = 5,
    workers: Annotated[int, typer.Option(help="Server processes.", min=1)] = 2,
) -> None:
    """Score and reasons of one posted dossier over HTTP, as of the latest list, against /health."""
    settings = settings_of(ctx)
    body, as_of = posted_history(settings)
    with serving(settings, workers) as (port, token):
        warm(port, token, body)
        _report(f"POST /api/v1/score, {connections} connections, {workers} processes, as of {as_of}", [
            (asyncio.run(load(port, "POST", "/api/v1/score", token, body, connections, seconds)),
             asyncio.run(load(port, "GET", REFERENCE, token, b"", connections, seconds / 2)))
            for _ in range(RUNS)
        ])  # fmt: skip


@bench.command("list")
def show_list(
    ctx: typer.Context,
    connections: Annotated[int, typer.Option(min=1, max=256)] = 16,
    seconds: Annotated[float, typer.Option(help="Length of each run.", min=1)] = 5,
    workers: Annotated[int, typer.Option(help="Server processes.", min=1)] = 2,
    path: Annotated[str, typer.Option(help="What is asked for.")] = "/api/v1/list?size=50",
) -> None:
    """A page of the risk list over HTTP, against /health."""
    settings = settings_of(ctx)
    with serving(settings, workers) as (port, token):
        _report(f"GET {path}, {connections} connections, {workers} processes", [
            (asyncio.run(load(port, "GET", path, token, b"", connections, seconds)),
             asyncio.run(load(port, "GET", REFERENCE, token, b"", connections, seconds / 2)))
            for _ in range(RUNS)
        ])  # fmt: skip


@contextmanager
def serving(settings: Settings, workers: int, role: str = "analyst") -> Iterator[tuple[int, str]]:
    """A server over the installation, on a free port, and a token of `role` for it; stopped at the end."""
    token = bench_token(settings, role)
    port = free_port()
    words = ["--home", str(settings.home), "serve", "--port", str(port), "--workers", str(workers)]
    start = "from serving.cli import main; main()"
    process = subprocess.Popen([sys.executable, "-c", start, *words], stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                if asyncio.run(ask(port, "GET", "/api/v1/health", token, b""))[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.2)
        else:
            raise OSError("the server did not become ready within two minutes")
        yield port, token
    finally:
        os.kill(process.pid, signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:  # a machine under load; what is measured has been measured
            process.kill()
            process.wait()


async def load(
    port: int, method: str, path: str | Sequence[str], token: str, body: bytes, connections: int, seconds: float
) -> Latency:
    """Keeps `connections` busy for `seconds`, one request after the other on each; of several paths each in turn."""
    times: list[float] = []
    failed = 0
    until = time.perf_counter() + seconds
    requests = cycle([request_of(method, one, token, body) for one in ([path] if isinstance(path, str) else path)])

    async def client() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < until:
            begun = time.perf_counter()
            writer.write(next(requests))
            status, _ = await answer_of(reader)
            times.append(time.perf_counter() - begun)
            failed += status != 200
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    times.sort()
    at = [1000 * times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.99)]
    return Latency(at[0], at[1], len(times) / seconds, failed)


async def ask(port: int, method: str, path: str, token: str, body: bytes) -> tuple[int, bytes]:
    """One request on a connection of its own: status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request_of(method, path, token, body))
    try:
        return await answer_of(reader)
    finally:
        writer.close()


def request_of(method: str, path: str, token: str, body: bytes) -> bytes:
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    return int(head.split(" ", 2)[1]), await reader.readexactly(length)


def posted_history(settings: Settings) -> tuple[bytes, str]:
    """The body of a score request for a dossier of the middle of the latest list, as of that list."""
    from features.record.record import Record
    from serving.scoring.record_snapshot import rows_of
    from serving.scoring.risk_list import latest_list

    risk_list = latest_list(settings.scores, "lateness")
    line = risk_list.page(offset=len(risk_list) // 2, size=1).lines[0]
    with Record(settings.record_url).connect() as con:
        dossier, events = rows_of(con, line.dossier_id)
    as_of = risk_list.meta.as_of
    asked = ("kind", "happened_at", "known_at", "official_id", "unit_code", "step", "due_at")
    known = [{name: event[name] for name in asked} for event in events if event["known_at"] < as_of]
    facts = {name: value for name, value in (dossier or {}).items() if name not in ("row_id", "delivery_id")}
    return json.dumps({"dossier": facts, "events": known, "as_of": as_of}, default=str).encode(), str(as_of)


def bench_token(settings: Settings, role: str) -> str:
    """A token of an hour for an account of `role` made for this."""
    from serving.access.account import add_account, find_account
    from serving.access.permissions import GRANTS, IN_PERSON, Role, reach_of
    from serving.access.token import issue_token
    from serving.state import open_state

    now = datetime.now(UTC)
    state = open_state(settings.database_url)
    try:
        with state.writing() as session:
            account = find_account(session, f"bench.{role}")
            if account is None:
                password = secrets.token_urlsafe(24)  # never told to anybody
                account = add_account(session, f"bench.{role}", "Đo tốc độ", Role(role), now=now, password=password)
            actions = frozenset(one for one in GRANTS if reach_of(Role(role), one) and one not in IN_PERSON)
            return issue_token(session, account, "bench", actions, now=now, expires_at=now + timedelta(hours=1))
    finally:
        state.close()


def warm(port: int, token: str, body: bytes) -> None:
    """Lets every process make the day of the request, so that it is not measured."""
    for _ in range(20):
        status, told = asyncio.run(ask(port, "POST", "/api/v1/score", token, body))
        if status != 200:
            raise ValueError(f"the score request was answered {status}: {told[:200].decode()}")


def _report(what: str, runs: list[tuple[Latency, Latency]]) -> None:
    typer.echo(what)
    for name in ("p50", "p99", "rate"):
        values = [getattr(run, name) for run, _ in runs]
        reference = statistics.median(getattr(health, name) for _, health in runs)
        median = statistics.median(values)
        unit = "requests/s" if name == "rate" else "ms"
        typer.echo(
            f"  {name}: {median:.1f} {unit} (min {min(values):.1f}, max {max(values):.1f}); "
            f"{median / reference:.2f} × {REFERENCE}"
        )
    typer.echo(f"  failed: {sum(run.failed for run, _ in runs)}")
