"""`risk train`, `risk backtest`, `risk promote`: learn a target, judge it, let it ship."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import settings_of
from serving.cli.moments import moment, span
from serving.cli.receipts import note
from serving.cli.target_steps import Backtest
from serving.cli.targets import NAMES, main_alone, steps

commands = typer.Typer()

TargetName = Annotated[str, typer.Argument(help=f"What is predicted: one of {', '.join(NAMES)}.", metavar="TARGET")]

By = Annotated[
    str | None, typer.Option("--by", envvar="RISK_PERSON", help="Who does it; another trains than promotes.")
]


@commands.command()
def train(
    ctx: typer.Context,
    target: TargetName,
    cutoff: Annotated[str, typer.Option(help="Learn only from what was known before this moment.")],
    by: By = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Dask scheduler (tcp://host:8786, or local) that learns the trees of the main target from all "
            "landmarks of `risk matrix build`, not from a sample."
        ),
    ] = None,
) -> None:
    """Learn TARGET from what was known at the cutoff; the result stands as candidate."""
    settings = settings_of(ctx)
    if cluster is not None:
        from serving.cli.dossier_targets import train_on_cluster

        main_alone(target)
        typer.echo(train_on_cluster(settings, moment(cutoff, settings.zone), cluster, _say, by=by))
        return
    typer.echo(steps(target).train(settings, moment(cutoff, settings.zone), _say, by=by))


@commands.command("log")
def log_run(ctx: typer.Context, target: TargetName) -> None:
    """Tell MLflow of trainings of TARGET that it could not be told of when they were made, and where aliases stand."""
    runs = steps(target).log_later(settings_of(ctx))
    typer.echo("\n".join(f"MLflow run {run}" for run in runs) or "nothing waits: MLflow was told of every training")


@commands.command()
def backtest(
    ctx: typer.Context,
    target: TargetName,
    cutoff: Annotated[str, typer.Option(help="Train on what was known before this moment.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    until: Annotated[str | None, typer.Option(help="Last moment scored and judged.")] = None,
    every: Annotated[str | None, typer.Option(help="Distance of landmarks, such as 7d.")] = None,
    at_arrival: Annotated[bool, typer.Option("--at-arrival", help="At each dossier's arrival instead.")] = False,
    grain: Annotated[str | None, typer.Option(help="official, unit or dossier, where the target has them.")] = None,
    tier: Annotated[str | None, typer.Option(help="reported, upheld or discovered events.")] = None,
    horizon: Annotated[str | None, typer.Option(help="How far ahead labels are read, such as 365d.")] = None,
) -> None:
    """Train as of the cutoff, score what came later, and write scores beside labels."""
    settings = settings_of(ctx)
    asked = Backtest(
        cutoff=moment(cutoff, settings.zone),
        out=out,
        until=moment(until, settings.zone) if until else None,
        every=span(every) if every else None,
        at_arrival=at_arrival,
        grain=grain,
        tier=tier,
        horizon=span(horizon) if horizon else None,
    )
    typer.echo(steps(target).backtest(settings, asked, _say))


@commands.command()
def promote(
    ctx: typer.Context,
    target: TargetName,
    because: Annotated[
        str | None, typer.Option(help="Ship although a gate refuses; the reason is kept with the model.")
    ] = None,
    by: By = None,
) -> None:
    """Make the candidate of TARGET the champion, when its gates hold and a second person does it."""
    from serving.work.witnessed_files import champions

    settings = settings_of(ctx)
    champion = steps(target).promote(settings, because, _say, by=by)
    detail = {"promoted": champion, "by": by or "", "reason": because or ""}
    note(settings, "model.promote", {**detail, "files": champions(settings.home)}, now=datetime.now(UTC))
    typer.echo(champion)


def _say(line: str) -> None:
    typer.echo(line, err=True)
