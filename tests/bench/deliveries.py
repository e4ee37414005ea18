"""`deliveries`: 200 days of small deliveries, and what they cost as they grow many; `server-memory`: what a server
holds with many open dossiers in its record."""

import asyncio
import math
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from serving.cli.group import settings_of
from serving.settings import Settings
from tests.bench.contender import spend
from tests.bench.group import Card, bench, tell
from tests.bench.matrix import drawn
from tests.bench.scoring import Kept, prepared
from tests.bench.section import Figure, Section

_HERE = "tests.bench.deliveries"
_A_DAY = 10
_DAILY = {"take in": "taking in", "news": "looking for news and reading them", "merge": "merging, vacuum"}
_PASSES = {"score": "score of all open dossiers", "reread": "the server's reading of the whole record"}
"""Passes over the whole record, after a quarter, half and all of the days: no part of a small delivery's cost."""
_MOST = 1.1
_WEEK = 7


@bench.command("deliveries")
def deliveries(
    card: Card = None,
    days: Annotated[int, typer.Option(help="Simulated days, a multiple of four.", min=100)] = 200,
    a_day: Annotated[int, typer.Option(help="Deliveries a day.", min=1)] = _A_DAY,
    dossiers: Annotated[int, typer.Option(help="Dossiers of all days, ten events each.", min=1_000)] = 6_000,
    kept: Kept = None,
) -> None:
    """Small deliveries day by day: files, processor time of taking in, news, merging, scores; how each grows."""
    if days % 4:
        raise typer.BadParameter(f"wanted a multiple of four, for figures stand by quarters; came {days}")
    with prepared(20_000, kept) as (_, model), drawn(dossiers, days) as folder:
        spent = spend(f"{_HERE}:campaign", folder=str(folder), model=model, days=days, a_day=a_day)
    tell([deliveries_section(spent.answer, spent.peak, days, a_day, dossiers)], card)


def deliveries_section(told: dict[str, Any], peak: float, days: int, a_day: int, dossiers: int) -> Section:
    """The days in quarters, and the exponent between the first quarter and all of them."""
    quarter = days // 4
    figures = []
    for name, words in _DAILY.items():
        spent = told[name]
        figures += [
            Figure(f"{words}, day {at + 1} to {at + quarter}, a delivery", "ms",
                   [1000 * sum(spent[at : at + quarter]) / quarter / a_day])
            for at in range(0, days, quarter)
        ]  # fmt: skip
        figures.append(_exponent(f"exponent of {words}, by days", sum(spent[:quarter]), sum(spent)))
    for name, words in _PASSES.items():
        passes = {int(day): cost for day, cost in told[name].items()}
        figures += [Figure(f"{words}, day {day}", "s", [passes[day]]) for day in (quarter, days // 2, days)]
        figures.append(_exponent(f"exponent of {words}, by the record's days", passes[quarter], passes[days]))
    figures += [
        Figure(f"files {words}, day {day}", "", [told[name][day - 1]])
        for name, words in (("living", "with rows"), ("lying", "on disk with log, week of the vacuum kept"))
        for day in (quarter, days // 2, days)
    ]
    figures += [
        Figure("files a delivery writes", "", [told["written"] / (days * a_day)]),
        Figure("greatest memory", "MB", [peak]),
    ]
    words = (
        f"{dossiers:,} dossiers, ten events each, over {days} days in {a_day} deliveries a day, taken in as the API "
        "does (files merged once a poll, here once a day); a second reader looks for news after each. Ages of logs "
        "and of files that were merged are moved on with the days, so that a week's and a month's are kept as in "
        "service. Processor time of one process; exponent: between the first quarter and the whole."
    )
    return Section("Small deliveries", words, figures)


def _exponent(name: str, first: float, whole: float) -> Figure:
    found = math.log(whole / first) / math.log(4)
    return Figure(name, "", [found], None, f"at most {_MOST}", found <= _MOST)


def campaign(folder: str, model: str, days: int, a_day: int) -> dict[str, Any]:
    """Takes the drawn record in, day by day; processor seconds of each day's work, and the files at its end."""
    from datetime import timedelta

    import pyarrow as pa

    from features.calendar.vietnam import VIETNAM
    from features.record.delivery import Chunk
    from features.record.record import Record
    from models.artefact import load
    from serving.scoring.batch import score_open
    from serving.scoring.record_delta import RecordDelta
    from serving.scoring.record_snapshot import RecordSnapshot

    home = Path(folder, "record")
    ours, theirs = Record(home), Record(home)
    rows = _days(Path(folder), days)
    loaded = load(Path(model), threads=1)
    told: dict[str, Any] = {name: [] for name in (*_DAILY, "living", "lying")} | {name: {} for name in _PASSES}
    told["written"] = 0
    seen, vacuumed = RecordDelta(0), 0
    for day, (begins, tables) in enumerate(rows, 1):
        spent = dict.fromkeys(_DAILY, 0.0)
        for nth in range(a_day):
            arrived = begins + timedelta(days=(nth + 1) / a_day)
            chunks = [Chunk(name, _share(table, nth, a_day), zone="UTC") for name, table in tables.items()]
            before = len(_lying(home))
            with _counted(spent, "take in"):
                ours.append(chunks, source="api", arrived_at=arrived, live=True, tidy=False)
            told["written"] += len(_lying(home)) - before
            with _counted(spent, "news"):
                if not seen.follow(theirs, theirs.version()):
                    raise ValueError("news of single dossiers were not followed")
        seen = RecordDelta(seen.version)  # a day's news are read into the ground by night
        _grow_older(home, day)
        before_merge = _living(ours)
        with _counted(spent, "merge"), _vacuumed(day - vacuumed >= _WEEK):
            ours.tidy()
        if day - vacuumed >= _WEEK and _living(ours) < before_merge:
            vacuumed = day
        for name, cost in spent.items():
            told[name].append(cost)
        told["living"].append(_living(ours))
        told["lying"].append(len(_lying(home)))
        if day in (days // 4, days // 2, days):
            at, once = begins + timedelta(days=1, seconds=1), dict.fromkeys(_PASSES, 0.0)
            with _counted(once, "score"):
                score_open(ours.connect(cutoff=at), at, loaded, VIETNAM)
            with _counted(once, "reread"):
                RecordSnapshot(theirs, VIETNAM, theirs.version()).day(at)
            for name, cost in once.items():
                told[name][day] = cost
            pa.default_memory_pool().release_unused()
    return told


def _days(folder: Path, days: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Of each day its begin and the drawn rows that become known on it, without the moments of knowledge."""
    from datetime import UTC, datetime, timedelta

    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from tests.bench.drawn_record import START

    tables = {name: pq.read_table(folder / f"{name}.parquet").sort_by("known_at") for name in ("dossier", "event")}
    first = datetime.fromtimestamp(START / 1e6, UTC)
    for day in range(days):
        begins = first + timedelta(days=day)
        low, high = (moment.replace(tzinfo=None) for moment in (begins, begins + timedelta(days=1)))
        yield (
            begins,
            {
                name: table.filter((pc.field("known_at") >= low) & (pc.field("known_at") < high)).drop_columns(
                    ["known_at", "row_id"]
                )
                for name, table in tables.items()
            },
        )


def _share(table: Any, nth: int, of: int) -> Any:
    begin, end = (table.num_rows * at // of for at in (nth, nth + 1))
    return table.slice(begin, end - begin)


@contextmanager
def _counted(spent: dict[str, float], name: str) -> Iterator[None]:
    begun = time.process_time()
    yield
    spent[name] += time.process_time() - begun


def _living(record: Any) -> int:
    from features.record.schema import TABLES

    return sum(len(record.table(name).paths(None)[0]) for name in (*TABLES, "delivery"))


def _lying(home: Path) -> list[Path]:
    return [path for path in home.glob("*/**/*") if path.is_file() and "staging" not in path.parts]


def _grow_older(home: Path, day: int) -> None:
    """Moves the ages of all logs on by a day, but for each table's newest, by which caches know it."""
    for log in home.glob("*/_delta_log"):
        for path in [*sorted(log.glob("*.json"))[:-1], *log.glob("*.checkpoint*.parquet")]:
            with suppress(OSError):
                then = path.stat().st_mtime - 86_400
                os.utime(path, (then, then))


@contextmanager
def _vacuumed(old: bool) -> Iterator[None]:
    """`old`: a vacuum takes what was merged before for a week old; in truth all is younger than an hour."""
    from deltalake import DeltaTable

    usual = DeltaTable.vacuum

    def vacuum(table: DeltaTable, retention_hours: int, dry_run: bool) -> list[str]:
        hours = 0 if old else retention_hours
        gone: list[str] = usual(table, retention_hours=hours, dry_run=dry_run, enforce_retention_duration=False)
        return gone

    DeltaTable.vacuum = vacuum  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        DeltaTable.vacuum = usual  # type: ignore[method-assign]


@bench.command("server-memory")
def server_memory(
    ctx: typer.Context,
    card: Card = None,
    sizes: Annotated[list[int] | None, typer.Option("--dossiers", help="Open dossiers in record and list.")] = None,
) -> None:
    """Memory of one server process over so many open dossiers, all of them in the record with five events each."""
    tell([server_memory_section(settings_of(ctx), sizes or [50_000, 500_000])], card)


def server_memory_section(settings: Settings, sizes: list[int]) -> Section:
    """Memory of the server when it has read everything and shown pages, and the most it ever held."""
    figures = []
    for dossiers in sizes:
        with tempfile.TemporaryDirectory(prefix="risk-server-memory") as folder:
            home = Path(folder)
            there = replace(
                settings, home=home, record_url=str(home / "record"), database_url=f"sqlite:///{home / 'state.db'}"
            )
            spend(f"{_HERE}:crowd", home=str(home), dossiers=dossiers)
            held, peak, cpu = _served(there)
        figures += [
            Figure(f"{dossiers:,} open dossiers, held", "MB", [held]),
            Figure(f"{dossiers:,} open dossiers, at most", "MB", [peak]),
            Figure(f"{dossiers:,} open dossiers, processor until all is read", "s", [cpu]),
        ]
    words = (
        "One server process over a made-up list and a record that holds all of its dossiers, five events each: "
        "resident memory once everything is read and lists, dossiers and counts were shown, and the most it ever held."
    )
    return Section("Memory of a server", words, figures)


def crowd(home: str, dossiers: int) -> int:
    """Makes the list and the record; gives the number of dossiers."""
    from tests.bench.crowd import make_crowd

    there = Settings.from_env(Path(home))
    there = replace(there, record_url=f"{home}/record", database_url=f"sqlite:///{home}/state.db")
    make_crowd(there, dossiers, in_record=dossiers)
    return dossiers


def _served(settings: Settings) -> tuple[float, float, float]:
    """Megabytes that the server holds and held at most, and its processor seconds until it rests."""
    from tests.bench.crowd import dossier_id
    from tests.bench.pages import rest, servers, servers_cpu
    from tests.bench.requests import ask, serving

    with serving(settings, 1, "inspector") as (port, token):
        rest()
        cpu = servers_cpu()
        for path in ("/list", "/", f"/dossier?id={dossier_id(7)}", "/sectors", "/api/v1/list?size=100"):
            asyncio.run(ask(port, "GET", path, token, b""))
        rest()
        status = [Path(f"/proc/{pid}/status").read_text("ascii") for pid in servers()]
    held, peak = (sum(int(one.split(f"{name}:")[1].split()[0]) for one in status if f"{name}:" in one) / 1024
                  for name in ("VmRSS", "VmHWM"))  # fmt: skip
    return held, peak, cpu
