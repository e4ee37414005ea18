"""`risk doctor`: is this machine fit, and is this installation whole? Says what is missing and what to do."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from models.targets import MAIN
from serving.cli.group import settings_of, state_of
from serving.cli.moments import moment_or_now
from serving.extras import EXTRA_OF, advice
from serving.settings import Settings

commands = typer.Typer()

MOST_SHOWN = 50
"""Differences between readers that are printed; all are counted."""
LEAST_PYTHON = (3, 11)
LEAST_MEMORY = 4 << 30
LEAST_DISK = 5 << 30


@dataclass(frozen=True)
class Diagnosis:
    """One thing looked at. `holds` None: not there yet, which is no fault."""

    name: str
    holds: bool | None
    words: str


@commands.command()
def doctor(
    ctx: typer.Context,
    agreement: Annotated[
        bool, typer.Option("--agreement", help="Compare every reader on the record, dossier by dossier.")
    ] = False,
    as_of: Annotated[str | None, typer.Option(help="Compared as known then; now where left out.")] = None,
) -> None:
    """Check this machine and this installation; exits 1 where something must be mended."""
    settings = settings_of(ctx)
    if agreement:
        _compare(settings, moment_or_now(as_of, settings.zone))
        return
    checks = [check for look in LOOKS for check in _looked(look, settings)]
    for check in checks:
        typer.echo(f"{'✓' if check.holds else '–' if check.holds is None else '✗'} {check.name}: {check.words}")
    if any(check.holds is False for check in checks):
        raise typer.Exit(1)


def _compare(settings: Settings, now: datetime) -> None:
    """Prints where readers differ; exits 1 where they do."""
    from features.calendar.vietnam import VIETNAM
    from features.record.record import Record
    from serving.use_cases.agreement import differences

    found = 0
    for found, one in enumerate(differences(Record(settings.record_url), settings.scores, now, VIETNAM), 1):
        if found <= MOST_SHOWN:
            typer.echo(f"✗ {one.reader}: {one.key}: {one.what}: {one.shown} shown, {one.state} by its state")
    typer.echo(f"differences={found}")
    if found:
        raise typer.Exit(1)


def _looked(look: Callable[[Settings], Iterator[Diagnosis]], settings: Settings) -> Iterator[Diagnosis]:
    try:
        yield from look(settings)
    except Exception as error:  # whatever is wrong with one part, the others are still looked at
        yield Diagnosis(look.__name__.strip("_"), False, f"{type(error).__name__}: {error}")


def _machine(settings: Settings) -> Iterator[Diagnosis]:
    yield Diagnosis("python", sys.version_info >= LEAST_PYTHON, sys.version.split()[0])
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield Diagnosis("memory", memory >= LEAST_MEMORY, f"{memory / 2**30:.1f} GiB, wanted {LEAST_MEMORY >> 30} or more")
    folder = next(one for one in (settings.home, *settings.home.parents) if one.exists())
    free = shutil.disk_usage(folder).free
    yield Diagnosis("disk", free >= LEAST_DISK, f"{free / 2**30:.1f} GiB free at {folder}, wanted {LEAST_DISK >> 30}")
    writable = os.access(folder, os.W_OK)
    yield Diagnosis("home", writable, f"{settings.home} {'can' if writable else 'can NOT'} be written")


def _libraries(settings: Settings) -> Iterator[Diagnosis]:
    import importlib.metadata as metadata

    for name in ("duckdb", "deltalake", "lightgbm", "mlflow", "fastapi", "sqlalchemy"):
        extra = EXTRA_OF.get(name)
        try:
            yield Diagnosis(name, True, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Diagnosis(name, None if extra else False, advice(extra) if extra else "not installed; run: uv sync")


def _record(settings: Settings) -> Iterator[Diagnosis]:
    from features.record.claimed_knowledge import claimed_knowledge
    from features.record.record import Record

    record = Record(settings.record_url)
    version = record.version()
    if not version:
        yield Diagnosis("record", None, "empty; run: risk ingest PATH --source canonical")
        return
    with record.connect() as con:
        rows = con.execute("SELECT (SELECT count(*) FROM dossier), (SELECT count(*) FROM event)").fetchall()[0]
        claimed = claimed_knowledge(con)
    yield Diagnosis("record", True, f"{version} deliveries, {rows[0]} dossier rows, {rows[1]} event rows")
    yield Diagnosis("moments of knowing", None if claimed.events else True, str(claimed))


def _model(settings: Settings) -> Iterator[Diagnosis]:
    from serving.scoring.champion import champion

    try:
        found = champion(settings.models, MAIN.name)
    except FileNotFoundError as error:
        yield Diagnosis("model", None, str(error))
        return
    version = f"{found.version}{' (quy tắc)' if found.rule else ''}"
    yield Diagnosis("model", found.trouble is None, version + (f"; {found.trouble}" if found.trouble else ""))


def _list(settings: Settings) -> Iterator[Diagnosis]:
    from serving.scoring.score_files import latest_path, read_scores

    try:
        _, meta = read_scores(latest_path(settings.scores, MAIN.name))
    except FileNotFoundError as error:
        yield Diagnosis("list", None, str(error))
        return
    yield Diagnosis("list", True, f"{meta.n} dossiers as of {meta.as_of.isoformat()}")


def _database(settings: Settings) -> Iterator[Diagnosis]:
    from sqlalchemy import inspect

    from serving.state import Base

    with state_of(settings) as state:
        found = inspect(state.engine)
        lacking = [
            f"{table.name}.{column.name}"
            for table in Base.metadata.sorted_tables
            for column in table.columns
            if not found.has_table(table.name)
            or column.name not in {one["name"] for one in found.get_columns(table.name)}
        ]
        engine = settings.database_url.split("://")[0]
        finding = f"lacks {', '.join(lacking[:3])}; restore it from a backup" if lacking else "answers"
        yield Diagnosis("database", not lacking, f"{engine} {finding}")


def _keys(settings: Settings) -> Iterator[Diagnosis]:
    if not settings.keys.is_dir():
        yield Diagnosis("keys", None, "none made yet")
        return
    loose = [path.name for path in settings.keys.iterdir() if path.is_file() and path.stat().st_mode & 0o077]
    answer = f"readable by others: {', '.join(loose)}; run: chmod 600" if loose else "readable by their owner alone"
    yield Diagnosis("keys", not loose, answer)


LOOKS = (_machine, _libraries, _record, _model, _list, _database, _keys)
