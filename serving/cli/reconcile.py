"""`risk reconcile`: the sources' own counters beside the record's, by unit and period."""

from typing import Annotated

import typer

from serving.cli.group import settings_of
from serving.cli.moments import moment_or_now

commands = typer.Typer()


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
