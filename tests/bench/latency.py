"""`service`: single scores, news scored at once, and the list, over HTTP on a made-up installation."""

import asyncio
import json
import os
import resource
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from serving.cli.group import settings_of
from serving.settings import Settings
from tests.bench.group import Card, Runs, bench, tell
from tests.bench.requests import REFERENCE, Latency, ask, load, posted_history, serving, warm
from tests.bench.section import Figure, Section

LIST = "/api/v1/list?size=50"


@bench.command("service")
def service(
    ctx: typer.Context,
    card: Card = None,
    runs: Runs = 3,
    seconds: Annotated[float, typer.Option(help="Length of each run.", min=1)] = 5,
    dossiers: Annotated[int, typer.Option(help="Size of the made-up province.", min=500)] = 3_000,
    news: Annotated[int, typer.Option(help="Events posted one by one.", min=10)] = 500,
    workers: Annotated[int, typer.Option(help="Server processes.", min=1)] = 2,
) -> None:
    """POST /score at 8 connections, POST /events with fresh scores, GET /list: median, p99, requests a second."""
    tell([service_section(settings_of(ctx), runs, seconds, dossiers, news, workers)], card)


def service_section(
    settings: Settings, runs: int, seconds: float, dossiers: int, news: int, workers: int = 2
) -> Section:
    """All of it on one server, with the health route as the reference."""
    from tests.bench.installation import install

    with TemporaryDirectory(prefix="risk-service-") as folder:
        there = install(settings, Path(folder), dossiers)
        body, _ = posted_history(there)
        with serving(there, workers) as (port, token):
            warm(port, token, body)
            health, scores, lists = [], [], []
            for _ in range(runs):
                health.append(asyncio.run(load(port, "GET", REFERENCE, token, b"", 8, seconds / 2)))
                scores.append(asyncio.run(load(port, "POST", "/api/v1/score", token, body, 8, seconds)))
                lists.append(asyncio.run(load(port, "GET", LIST, token, b"", 8, seconds)))
            fresh = [_news(port, token, body, number) for number in range(news)]
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = [
        *_figures("POST /score, 8 connections", scores, health, 15, 50),
        *_figures("GET /list, 8 connections", lists, health),
        *_figures("GET /health, 8 connections", health, health),
        _slowest("POST /events → fresh score, p99", fresh, 0.99, 200),
        _slowest("POST /events → fresh score, median", fresh, 0.5),
        Figure("processor of the server over all of it", "s", [used.ru_utime + used.ru_stime]),
    ]
    words = f"Server processes: {workers}; the client shares the machine. Ratio: to GET /health of the same run."
    return Section("Service over HTTP", words, figures)


def _figures(
    name: str, runs: list[Latency], health: list[Latency], most50: float | None = None, most99: float | None = None
) -> list[Figure]:
    found = []
    for part, unit, most in (("p50", "ms", most50), ("p99", "ms", most99), ("rate", "requests/s", None)):
        values = [getattr(run, part) for run in runs]
        reference = Figure("", "", [getattr(run, part) for run in health]).median
        figure = Figure(f"{name}, {part}", unit, values)
        wanted = f"at most {most} ms" if most else ""
        holds = figure.median <= most if most else None
        found.append(Figure(figure.name, unit, values, figure.median / reference, wanted, holds))
    failed = sum(run.failed for run in runs)
    return [*found, Figure(f"{name}, failed", "", [failed], None, "0", failed == 0)]


def _news(port: int, token: str, body: bytes, number: int) -> float:
    """Milliseconds until a new event of a dossier came back as a fresh score."""
    dossier_id = json.loads(body)["dossier"]["dossier_id"]
    event = {"dossier_id": dossier_id, "kind": "note", "happened_at": datetime.now(UTC).isoformat(),
             "event_id": f"bench-{os.getpid()}-{number}"}  # fmt: skip
    begun = time.perf_counter()
    status, told = asyncio.run(ask(port, "POST", "/api/v1/events", token, json.dumps({"events": [event]}).encode()))
    spent = 1000 * (time.perf_counter() - begun)
    if status != 200 or not json.loads(told)["scores"]:
        raise OSError(f"POST /api/v1/events was answered {status} without a fresh score")
    return spent


def _slowest(name: str, times: list[float], share: float, most: float | None = None) -> Figure:
    value = sorted(times)[min(len(times) - 1, int(len(times) * share))]
    return Figure(name, "ms", [value], None, f"at most {most} ms" if most else "", value <= most if most else None)
