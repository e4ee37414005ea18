"""`risk weekly`: the list of a week for dossiers, officials or units, shared out among teams."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from models.targets import MAIN
from serving.cli.group import settings_of

commands = typer.Typer()


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
    from serving.plan.list_choice import Caps
    from serving.plan.list_entry import GRAINS, LEAST_DOSSIERS
    from serving.plan.rules import Rules
    from serving.plan.weekly_list import make_week, week_of
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
