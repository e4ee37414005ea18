"""`all`: every benchmark that belongs on the card, in a quarter of an hour; and `ingest`."""

import resource
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from serving.cli.group import settings_of
from tests.bench.contender import spend
from tests.bench.group import Card, Dossiers, Runs, bench, tell
from tests.bench.latency import service_section
from tests.bench.matrix import drawn, growth_section, matrix_section
from tests.bench.scoring import prepared, scoring_section
from tests.bench.section import Figure, Section


@bench.command("ingest")
def ingest(card: Card = None, runs: Runs = 3, dossiers: Dossiers = 50_000) -> None:
    """Rows a second of a canonical delivery into a new record, beside a bare Parquet write of the same rows."""
    tell([ingest_section(dossiers, runs)], card)


def ingest_section(dossiers: int, runs: int) -> Section:
    """The drawn record as one delivery, once a run into a new record."""
    with drawn(dossiers) as folder, TemporaryDirectory(prefix="risk-ingest-") as out:
        here = "tests.bench.everything"
        taken = [spend(f"{here}:take", folder=str(folder), record=f"{out}/{run}") for run in range(runs)]
        bare = [spend(f"{here}:copy", folder=str(folder), out=f"{out}/{run}.parquet") for run in range(runs)]
    rows = taken[0].answer
    ours, theirs = ([one.answer / one.wall for one in many] for many in (taken, bare))
    ratio = Figure("", "", ours).median / Figure("", "", theirs).median
    figures = [
        Figure("rows", "", [rows]),
        Figure("ingest", "rows/s", ours, ratio),
        Figure("bare Parquet write (read, zstd, write)", "rows/s", theirs, 1.0),
        Figure("ingest, processor", "s", [one.cpu for one in taken]),
        Figure("ingest, greatest memory", "MB", [one.peak for one in taken], None, "under 1,000 MB",
               max(one.peak for one in taken) < 1_000),
    ]  # fmt: skip
    words = "Checked row by row, hashed, compared with the record and committed. Ratio: to the bare write."
    return Section("Ingest", words, figures)


def take(folder: str, record: str) -> int:
    """Takes the drawn tables in as one canonical delivery; gives the rows appended."""
    from datetime import UTC, datetime

    from features.record.record import Record
    from features.sources import SOURCES, FeedOptions

    (Path(folder) / "cases.parquet").unlink(missing_ok=True)
    chunks = SOURCES["canonical"].read(Path(folder), FeedOptions(zone="UTC"))
    return Record(record).append(chunks, source="canonical", arrived_at=datetime(2026, 6, 1, tzinfo=UTC)).appended


def copy(folder: str, out: str) -> int:
    """Reads the drawn tables and writes them again; gives the rows."""
    import pyarrow.parquet as pq

    rows = 0
    for name in ("dossier", "event"):
        table = pq.read_table(Path(folder) / f"{name}.parquet")
        pq.write_table(table, out, compression="zstd")
        rows += table.num_rows
    return rows


def _scoring(dossiers: int) -> Section:
    with prepared(dossiers) as (folder, model):
        return scoring_section(folder, model, 1)


@bench.command("all")
def everything(
    ctx: typer.Context,
    card: Card = None,
    small: Annotated[bool, typer.Option("--small", help="A tenth of everything, to see that it runs.")] = False,
) -> None:
    """Matrix beside polars and pandas, growth, scoring, ingest, service: all on one card, in a quarter of an hour."""
    part = 10 if small else 1
    begun = time.perf_counter()
    sections: list[Section] = []
    makers: tuple[Callable[[], Section], ...] = (
        lambda: matrix_section(200_000 // part, 1 if small else 3),
        lambda: growth_section(12_000 // part, 1 if small else 2),
        lambda: _scoring(470_000 // part),
        lambda: ingest_section(50_000 // part, 3),
        lambda: service_section(settings_of(ctx), 3, 5 / part, 3_000 // (3 if small else 1), 100 // part),
    )
    for make in makers:
        sections.append(make())
        typer.echo(sections[-1].markdown())
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    typer.echo(f"{time.perf_counter() - begun:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of processor", err=True)
    tell(sections, card)
