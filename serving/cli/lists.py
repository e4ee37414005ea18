"""`risk score`, `list`, `export`, `weekly`: score what is open, show it, share the list of a week out among teams."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from models.targets import MAIN
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


@commands.command("weekly")
def weekly(
    ctx: typer.Context,
    grain: Annotated[str, typer.Argument(help="dossier, official or unit.")],
    target: Annotated[str, typer.Option(help="Which target's scores.")] = MAIN.name,
    week: Annotated[
        str | None, typer.Option(help="ISO week such as 2026-W49; that of the scores where left out.")
    ] = None,
    size: Annotated[int, typer.Option(help="How many lines.", min=1, max=10_000)] = 50,
    per_unit: Annotated[int, typer.Option(help="At most so many lines of one unit; 0 for any.", min=0)] = 0,
    per_official: Annotated[int, typer.Option(help="At most so many of one official; 0 for any.", min=0)] = 0,
    team: Annotated[str | None, typer.Option(help="Show the lines of one team alone.")] = None,
    rules_file: Annotated[Path | None, typer.Option("--rules", help="TOML of rules and teams.")] = None,
    jitter: Annotated[bool, typer.Option(help="Draw the order inside bands of like risk anew each week.")] = True,
) -> None:
    """Make the week's list from the latest scores and show it: why each line stands, sector weight apart."""
    from features.sources.vietnamese_number import decimal
    from serving.plan.rules import Rules
    from serving.plan.weekly_list import GRAINS, LEAST_DOSSIERS, Caps, make_week, week_of
    from serving.scoring.score_files import latest_path, read_scores

    settings = settings_of(ctx)
    known_grain = next((one for one in GRAINS if one == grain), None)
    if known_grain is None:
        raise typer.BadParameter(f"wanted one of {', '.join(GRAINS)}, got {grain[:20]!r}")
    scores, meta = read_scores(latest_path(settings.scores, target))
    when = week or week_of(meta.as_of.astimezone(settings.zone).date())
    made = make_week(
        settings, scores, meta, known_grain, week=when, now=datetime.now(UTC), target=target, size=size,
        caps=Caps(per_unit, per_official), rules=Rules.from_toml(rules_file) if rules_file else None, jitter=jitter,
    )  # fmt: skip
    lines = made.lines
    for line in lines:
        if team in (None, line.team_id):
            one = line.entry
            typer.echo(
                f"{line.rank:4d}  {one.key}  kỳ vọng {decimal(one.expected, 2)} / {one.n} hồ sơ  "
                f"trọng số lĩnh vực {decimal(one.prior, 2)}  {line.team_id or '–'}{'  mới' if line.new else ''}"
            )
    new = "–" if made.new_share is None else f"{decimal(100 * made.new_share, 0)} %"
    if grain == "official" and not lines:
        typer.echo(f"chưa đủ dữ liệu / not enough data: nobody holds {LEAST_DOSSIERS} open dossiers")
    typer.echo(f"week={when} lines={len(lines)} mới / new: {new}")
