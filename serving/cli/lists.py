"""`risk score`, `risk list`, `risk export`: score what is open and show it."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import settings_of
from serving.cli.moments import moment
from serving.cli.targets import ready_targets, steps
from serving.cli.watching import TARGET, watched
from serving.settings import Settings

commands = typer.Typer()
exports = typer.Typer(no_args_is_help=True)
commands.add_typer(exports, name="export", help="Write results to a file: CSV, Parquet or Excel.")


@commands.command()
def score(
    ctx: typer.Context,
    as_of: Annotated[str, typer.Option(help="Score what was open and known at this moment.")],
    target: Annotated[str | None, typer.Option(help="One target alone; otherwise all with a champion.")] = None,
    watch: Annotated[bool, typer.Option(help="Afterwards look for drift and silence, as risk watch.")] = True,
) -> None:
    """Score every open dossier, with reasons, make it the latest list, and watch whether the model still fits."""
    settings = settings_of(ctx)
    when = moment(as_of, settings.zone)
    chosen = [target] if target else ready_targets(settings)
    if not chosen:
        raise typer.BadParameter(
            f"no target has a champion yet; run: risk train {TARGET} --cutoff T, then risk promote"
        )
    for name in chosen:
        typer.echo(steps(name).score(settings, when, lambda line: typer.echo(line, err=True)))
    if watch and TARGET in chosen:
        _watch(settings, when)


def _watch(settings: Settings, when: datetime) -> None:
    """Tells what the watch found, on the error stream: the list stands, whatever becomes of the watch."""
    try:
        for line in watched(settings, when):
            typer.echo(line, err=True)
    except Exception as error:
        typer.echo(f"watch: not done ({type(error).__name__}); RISK_DEBUG=1 risk watch {TARGET} says more", err=True)


@commands.command("list")
def show(
    ctx: typer.Context,
    target: Annotated[str, typer.Option(help="Which target's list.")] = TARGET,
    unit: Annotated[str | None, typer.Option(help="Only this unit_code.")] = None,
    sector: Annotated[str | None, typer.Option(help="Only this sector_code.")] = None,
    official: Annotated[str | None, typer.Option(help="Only this official_id.")] = None,
    least_score: Annotated[float, typer.Option(help="Only scores of at least this (0 to 1).", min=0, max=1)] = 0.0,
    ahead: Annotated[bool, typer.Option("--ahead", help="Only promises that can still be kept.")] = False,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only dossiers that wait for the citizen or stand still.")
    ] = False,
    rows: Annotated[int, typer.Option(help="How many rows.", min=1, max=200)] = 20,
) -> None:
    """Show the top of the latest list with its reasons."""
    from rich.console import Console

    from serving.cli.drawing import list_table
    from serving.scoring.risk_list import Filters, latest_list

    risk_list = latest_list(settings_of(ctx).scores, target)
    page = risk_list.page(
        Filters(sector=sector, unit=unit, official=official, least_score=least_score, ahead=ahead, waiting=waiting),
        size=rows,
    )
    Console().print(list_table(page, risk_list.meta, settings_of(ctx).zone))


@exports.command("scores")
def export_scores(
    ctx: typer.Context,
    as_of: Annotated[str, typer.Option(help="The moment of the scores; scored first where that is not done.")],
    out: Annotated[Path, typer.Option(help="File to write: .csv, .parquet or .xlsx.")],
    target: Annotated[str, typer.Option(help="Which target's scores.")] = TARGET,
    grain: Annotated[str, typer.Option(help="dossier, official or unit.")] = "dossier",
) -> None:
    """Write the scores and reasons of one moment to a file."""
    settings = settings_of(ctx)
    typer.echo(steps(target).export(settings, moment(as_of, settings.zone), grain, out))
