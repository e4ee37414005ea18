"""`risk ingest`, `receive`, `rejects`, `reconcile`, `simulate`: deliveries, by hand or from a watched folder, beside
the sources' own counters; and a made-up province to try with.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.group import settings_of
from serving.cli.moments import day, moment_or_now

if TYPE_CHECKING:
    from features.record.delivery import DeliveryReceipt
    from serving.work.intake import Preview

commands = typer.Typer()

LENGTH = timedelta(days=457)
"""Of a made-up history without a first day: fifteen months."""
CHANGED = 0.2
"""Share of rows by which a column has to be fuller or emptier than in the last delivery to be named in a preview."""
SHOWN = 10
"""How many rejects `risk ingest` prints; `risk rejects` prints all."""


@commands.command()
def ingest(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="Folder or file of the delivery.")],
    source: Annotated[str, typer.Option(help="Format: canonical, xes, table and others.")] = "canonical",
    mapping: Annotated[Path | None, typer.Option(help="Mapping file (TOML) for xes and table.")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Known from now on, where the delivery does not say since when.")
    ] = False,
    zone: Annotated[str | None, typer.Option(help="Zone of times without offset (default: settings).")] = None,
    encoding: Annotated[str, typer.Option(help="Of text that is not UTF-8: tcvn3, vni, cp1258.")] = "",
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would become of it; in a terminal, ask before taking it in.")
    ] = False,
) -> None:
    """Check a delivery row by row and append it to the record; the same delivery again changes nothing.

    Exit code 1 where nothing was appended and something was refused.
    """
    from features.record.record import Record
    from serving.work.intake import mappings_of, take_in
    from serving.work.intake import preview as preview_of
    from serving.work.mapping_store import slug

    settings = settings_of(ctx)
    arrived_at = datetime.now(UTC)
    if preview:
        found = preview_of(settings, path, source, arrived_at=arrived_at, live=live, mapping=mapping, zone=zone,
                           encoding=encoding)  # fmt: skip
        for line in preview_lines(found):
            typer.echo(line)
        if found.outcome is None:
            raise typer.Exit(1)
        if not sys.stdin.isatty() or not typer.confirm("Take it in?"):
            return
        if found.proposal:
            mapping = mappings_of(settings).keep(f"{source}-{slug(path.stem)}", found.mapping).path
    if mapping is not None and mapping.is_file() and mapping.suffix == ".toml":
        saved = mappings_of(settings).keep(slug(mapping.stem), mapping.read_text("utf-8")) if not preview else None
        if saved is not None:
            typer.echo(f"mapping {saved.name}, version {saved.version}", err=True)
    receipt = take_in(settings, path, source, arrived_at=arrived_at, live=live, mapping=mapping, zone=zone,
                      encoding=encoding)  # fmt: skip
    typer.echo(receipt)
    tell_notes(receipt)
    if receipt.rejected:
        rejects = Record(settings.record_url).rejects(receipt.delivery_id)
        for reject in rejects[:SHOWN]:
            typer.echo(f"rejected: {reject}", err=True)
        if len(rejects) > SHOWN:
            more = len(rejects) - SHOWN
            typer.echo(f"{more} more: risk rejects --delivery {receipt.delivery_id}", err=True)
    if receipt.refused:
        raise typer.Exit(1)


def preview_lines(found: "Preview") -> Iterator[str]:
    """A preview as lines: files, mapping and how sure it is, tables with first rows, refused, lost, changed."""
    yield f"source {found.source}: {', '.join(found.files) or 'no file'}"
    for one in found.proposal:
        form = f" as {one.format}" if one.format else ""
        yield f"mapping: {one.column} = {one.header!r}{form} ({one.confidence:.0%} sure)"
    if found.outcome is None:
        yield f"refused: {found.refused}"
        return
    outcome = found.outcome
    yield f"would read={outcome.read} take={outcome.good} known={outcome.known} reject={outcome.rejected}"
    for table in outcome.tables:
        yield f"{table.name}: {table.good} new rows, {table.known} known, {table.rejected} rejected"
        if table.rows:
            yield "  " + " | ".join(table.columns)
            marks = ("+" if new else "=" for new in table.new)  # new, or there already
            yield from (f"{mark} {' | '.join(row)}" for mark, row in zip(marks, table.rows, strict=True))
        for column in sorted({*table.filled, *(table.before or {})} if table.before is not None else ()):
            now, then = table.filled.get(column, 0.0), (table.before or {}).get(column, 0.0)
            if abs(now - then) >= CHANGED:
                yield f"  {column}: told in {now:.0%} of rows, {then:.0%} in the last delivery of this source"
    yield from (f"rejected: {reject}" for reject in outcome.rejects[:SHOWN])
    yield from (f"note: {note} ({count})" for note, count in outcome.notes.items())


def tell_notes(receipt: "DeliveryReceipt") -> None:
    """Prints the notes of a receipt beside its counts, alarms first."""
    from features.record.delivery import ALARM

    for note in sorted(receipt.notes, key=lambda note: not note.startswith(ALARM)):
        kind, words = ("alarm", note.removeprefix(ALARM)) if note.startswith(ALARM) else ("note", note)
        typer.echo(
            f"{kind}: {words} ({receipt.counts[note]})" if note in receipt.counts else f"{kind}: {words}", err=True
        )


@commands.command()
def rejects(
    ctx: typer.Context,
    delivery: Annotated[str | None, typer.Option(help="Id of the delivery (default: the last).")] = None,
) -> None:
    """Show what was kept aside of a delivery: file, line, column, what was wanted, what came."""
    from features.record.record import Record

    record = Record(settings_of(ctx).record_url)
    lines = record.connect().sql("SELECT delivery_id FROM delivery ORDER BY version").fetchall()
    if not lines:
        raise ValueError("rejects: a delivery was wanted, the record has none yet; risk ingest takes one in")
    if delivery is not None and (delivery,) not in lines:
        raise ValueError(f"rejects: the record has no delivery {delivery[:40]!r}")
    for reject in record.rejects(delivery or lines[-1][0]):
        typer.echo(reject)


@commands.command()
def simulate(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for the delivery.")],
    dossiers: Annotated[int, typer.Option(help="Dossiers received.", min=1, max=50_000_000)] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same province.")] = 1,
    start: Annotated[
        str | None, typer.Option(help="First day, YYYY-MM-DD (default: fifteen months before the end).")
    ] = None,
    end: Annotated[str | None, typer.Option(help="Day after the last, YYYY-MM-DD (default: today).")] = None,
    format: Annotated[
        str, typer.Option(help="canonical, or raw: a folder for each source, with the traps of real systems.")
    ] = "canonical",
    culprits: Annotated[int | None, typer.Option(help="Officials who do harm (default: 3 %).", min=0)] = None,
    reform: Annotated[str | None, typer.Option(help="Day on which communes take over from districts.")] = None,
) -> None:
    """Make up a province: units, officials, procedures and dossiers with queues, as deliveries."""
    from features.simulate import simulate as simulate_province

    last = day(end) if end else datetime.now(settings_of(ctx).zone).date()
    try:
        province = simulate_province(
            seed=seed, dossiers=dossiers, start=day(start) if start else last - LENGTH, end=last, culprits=culprits,
            reform=day(reform) if reform else None,
        )  # fmt: skip
        province.write(out, format=format)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    tables = ", ".join(f"{name} {table.num_rows}" for name, table in province.tables.items())
    typer.echo(f"{out}: {tables}")


@commands.command()
def reconcile(
    ctx: typer.Context,
    as_of: Annotated[str | None, typer.Option("--as-of", help="As known then (default: now).")] = None,
) -> None:
    """Compare what the record counts with what the portal's and one-stop systems' reports count."""
    from features.record.record import Record
    from features.sources.reconcile import reconcile as compare

    settings = settings_of(ctx)
    at = moment_or_now(as_of, settings.zone)
    lines = compare(Record(settings.record_url).connect(), at)
    typer.echo("source\tunit\tfrom\tto\tcount\ttheirs\tours\tgap\tunexplained\trules")
    for line in lines:
        rules = "; ".join(f"{words}: {count}" for words, count in line.rules)
        typer.echo(
            f"{line.source}\t{line.unit_code}\t{line.period_from}\t{line.period_to}\t{line.count}\t{line.theirs:g}"
            f"\t{line.ours}\t{line.gap:+g}\t{line.unexplained:+g}\t{rules}"
        )
    if not lines:
        typer.echo("no counters of a finished period: give the reports to `risk ingest --source api766|opencps`")


LOOK_MS = 2_000


@commands.command()
def receive(
    ctx: typer.Context,
    inbox: Annotated[Path, typer.Argument(help="Folder with one subfolder a source (dvcqg, opencps, …).")],
    once: Annotated[bool, typer.Option("--once", help="Take what lies there now, then stop.")] = False,
    back_fill: Annotated[
        bool, typer.Option("--back-fill", help="Files tell the past: known since it happened, not since they came.")
    ] = False,
) -> None:
    """Take every file dropped under INBOX/<source> into the record, then move it to done/ or refused/."""
    from watchfiles import watch

    from features.record.delivery import DeliveryReceipt
    from serving.jobs.folder_watcher import FolderWatcher
    from serving.work.intake import take_in

    settings = settings_of(ctx)

    def take(path: Path, source: str) -> DeliveryReceipt:
        return take_in(settings, path, source, arrived_at=datetime.now(UTC), live=not back_fill)

    box = FolderWatcher(inbox, take)

    def look() -> None:
        for taken in box.look(datetime.now(UTC)):
            typer.echo(f"{taken.source}/{taken.path.name}: {taken.receipt or 'refused: ' + taken.reason}")

    look()
    if once:
        look()  # the second look tells what has come to rest
        return
    for _ in watch(inbox, rust_timeout=LOOK_MS, yield_on_timeout=True, raise_interrupt=False):
        look()
