"""`pages`: the pages over a crowded list, asked by a client in another process, and what each weighs."""

import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import settings_of
from serving.settings import Settings
from tests.bench.group import Card, Runs, bench, tell
from tests.bench.requests import Latency, ask, load, serving
from tests.bench.section import Figure, Section

LISTS = (
    "/list", "/list?offset=25", "/list?offset=50", "/list?unit=U007", "/list?unit=U031&level=r3",
    "/list?sector=S03&level=r3", "/list?due=ahead", "/list?offset=150000", "/list?sector=S11&due=ahead",
)  # fmt: skip
LIGHTEST = "/api/v1/health"
API_LISTS = (
    "/api/v1/list?size=25", "/api/v1/list?size=25&offset=25", "/api/v1/list?size=25&offset=50",
    "/api/v1/list?size=25&unit=U007", "/api/v1/list?size=25&sector=S03&least_score=0.6",
)  # fmt: skip
HEAVIEST = 200 * 1024
FIRST_PAGES = ("/", "/list", "/explanations", "/conduct", "/results")


@dataclass(frozen=True)
class Run:
    """One run of requests, and the processor time that the servers took for one of them, in ms."""

    latency: Latency
    cpu: float


@bench.command("pages")
def pages(
    ctx: typer.Context,
    card: Card = None,
    rounds: Annotated[int, typer.Option(help="Runs of each page.", min=1)] = 5,
    seconds: Annotated[float, typer.Option(help="Length of each run.", min=1)] = 8,
    connections: Annotated[int, typer.Option(min=1, max=256)] = 16,
    workers: Annotated[int, typer.Option(help="Server processes.", min=1)] = 2,
    dossiers: Annotated[int, typer.Option(help="Open dossiers on the list.", min=100)] = 200_000,
) -> None:
    """List and dossier pages of an inspector over made-up open dossiers: median, p99, weight."""
    from tests.bench.crowd import make_crowd

    with tempfile.TemporaryDirectory(prefix="risk-pages") as folder:
        home = Path(folder)
        settings = replace(
            settings_of(ctx), home=home, record_url=str(home / "record"), database_url=f"sqlite:///{home / 'state.db'}"
        )
        make_crowd(settings, dossiers)
        tell([measure(settings, dossiers, rounds, seconds, connections, workers)], card)


@bench.command("first-pages")
def first_pages(ctx: typer.Context, card: Card = None, runs: Runs = 2) -> None:
    """Processor time of a server's start, and of each page the first time and the second, on a copy of the home."""
    told: list[dict[str, float]] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="risk-first-pages") as folder:
            home = Path(folder, "home")
            given = settings_of(ctx)
            shutil.copytree(given.home, home)
            told.append(_first(replace(given, home=home, record_url=str(home / "record"),
                                       database_url=f"sqlite:///{home / 'state.db'}")))  # fmt: skip
    tell([first_pages_section(told)], card)


def first_pages_section(told: Sequence[dict[str, float]]) -> Section:
    """Processor seconds by name, of each run; a page asked the second time may take less than a tick, 0."""
    figures = []
    for name in told[0]:
        again = statistics.median(one[name.replace(", first", ", second")] for one in told)
        ratio = statistics.median(one[name] for one in told) / again if name.endswith(", first") and again else None
        figures.append(Figure(name, "CPU s", [one[name] for one in told], ratio))
    words = (
        "Processor seconds of one server process on a copy of the home: from its start until it has read everything "
        "and rests, then of each page, asked by an inspector, the first time and the second. Ratio: first to second."
    )
    return Section("Pages of a server just started", words, figures)


def _first(settings: Settings) -> dict[str, float]:
    with serving(settings, 1, "inspector") as (port, token):
        rest()
        spent = {"start, until all is read": servers_cpu()}
        for path in FIRST_PAGES:
            for turn in ("first", "second"):
                begun = servers_cpu()
                status, _ = asyncio.run(ask(port, "GET", path, token, b""))
                if status != 200:
                    raise ValueError(f"{path} was answered {status}")
                spent[f"{path}, {turn}"] = servers_cpu() - begun
    return spent


def measure(settings: Settings, dossiers: int, rounds: int, seconds: float, connections: int, workers: int) -> Section:
    """Every run of every page, and the weight of the first page with its style and script."""
    from tests.bench.crowd import IN_RECORD, dossier_id

    drawn = tuple(f"/dossier?id={dossier_id(n)}" for n in range(0, IN_RECORD, 7))
    with serving(settings, workers, "inspector") as (port, token):

        def run(paths: str | Sequence[str]) -> Run:
            begun = servers_cpu()
            told = asyncio.run(load(port, "GET", paths, token, b"", connections, seconds))
            return Run(told, 1000 * (servers_cpu() - begun) / (told.rate * seconds))

        def weigh(path: str) -> int:
            return len(asyncio.run(ask(port, "GET", path, token, b""))[1])

        for paths in (LISTS, drawn[:40]):
            asyncio.run(load(port, "GET", paths, token, b"", connections, 2))  # every process has read everything
        asked = (LISTS, drawn, LIGHTEST, API_LISTS)
        turns = [[run(paths) for paths in asked] for _ in range(rounds)]
        page = weigh("/list?size=50")
        assets = sum(weigh(f"/static/{path.name}") for path in _assets())
    ran = list(zip(*turns, strict=True))
    lists, files, light, answers = ([one.latency for one in runs] for runs in ran)
    spent = [[one.cpu for one in runs] for runs in ran]
    ratio = statistics.median(page / answer for page, answer in zip(spent[0], spent[3], strict=True))
    reference = statistics.median(one.p50 for one in light)
    failed = sum(one.failed for one in (*lists, *files, *answers))
    figures = [
        *_figures("list page", lists, reference, 150, 500),
        *_figures("dossier page", files, reference, None, 300),
        Figure(LIGHTEST, "ms", [one.p50 for one in light], 1.0),
        Figure("list page of 25 lines, processor of the servers", "ms", spent[0], ratio, "at most 3 × the API's list",
               ratio <= 3),
        Figure("the API's list of 25 lines, processor of the servers", "ms", spent[3], 1.0),
        Figure("dossier page, processor of the servers", "ms", spent[1]),
        Figure("first page, 50 lines, with style, script and fonts", "bytes", [page + assets], None, "≤ 200 KB",
               page + assets <= HEAVIEST),
        Figure("answers other than 200", "", [failed], None, "none", failed == 0),
    ]  # fmt: skip
    words = (
        f"Pages of an inspector over {dossiers:,} open dossiers: {connections} connections that ask without pause, "
        f"{workers} server processes, {rounds} runs of {seconds:g} s each; {len(LISTS)} different lists, "
        f"{len(drawn)} dossiers. Every answer writes a receipt. Ratios are to {LIGHTEST} in the same run."
    )
    return Section("Pages", words, figures)


def _figures(name: str, runs: list[Latency], reference: float, median: float | None, most: float) -> list[Figure]:
    p50, p99 = [one.p50 for one in runs], [one.p99 for one in runs]
    wanted = "" if median is None else f"under {median:g} ms"
    holds = None if median is None else statistics.median(p50) < median
    return [
        Figure(f"{name}, median", "ms", p50, statistics.median(p50) / reference, wanted, holds),
        Figure(f"{name}, p99", "ms", p99, None, f"under {most:g} ms", statistics.median(p99) < most),
        Figure(f"{name}, rate", "requests/s", [one.rate for one in runs]),
    ]


def servers() -> list[int]:
    """The process ids of the servers: the processes below this one."""
    found, below = [], [os.getpid()]
    while below:
        tasks = Path(f"/proc/{below.pop()}/task")
        with suppress(OSError):  # one that has ended meanwhile
            mine = [int(one) for task in tasks.iterdir() for one in (task / "children").read_text("ascii").split()]
            found += mine
            below += mine
    return found


def servers_cpu() -> float:
    """Processor seconds of the servers so far."""
    ticks = 0
    for one in servers():
        with suppress(OSError):
            told = Path(f"/proc/{one}/stat").read_text("ascii", errors="replace").rpartition(")")[2].split()
            ticks += int(told[11]) + int(told[12])  # utime, stime (proc_pid_stat(5))
    return ticks / os.sysconf("SC_CLK_TCK")


def rest(patience: float = 900) -> None:
    """Waits until the servers do next to nothing for ten seconds."""
    until, calm = time.monotonic() + patience, 0
    while calm < 2 and time.monotonic() < until:
        before = servers_cpu()
        time.sleep(5)
        calm = calm + 1 if servers_cpu() - before < 0.25 else 0


def _assets() -> list[Path]:
    """What a browser fetches with a first page: style, script, fonts."""
    import serving.pages

    folder = Path(serving.pages.__file__).parent / "static"
    return [path for path in folder.iterdir() if path.suffix in (".css", ".js", ".woff2")]
