"""`risk rolling`: the backtest at rolling origins, with a bar that shows the time left."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.group import settings_of
from serving.cli.learning import TargetName
from serving.cli.moments import moment
from serving.cli.targets import main_alone

if TYPE_CHECKING:
    from training.origin import Origin

commands = typer.Typer()
ROLLING_FILE = "rolling.json"
"""Beside the models of a target: the latest backtest, for the analyst's page."""


@commands.command()
def rolling(
    ctx: typer.Context,
    target: TargetName,
    last: Annotated[str, typer.Option(help="End of the last period judged.")],
    out: Annotated[Path, typer.Option(help="HTML page to write.")],
    origins: Annotated[int, typer.Option(help="How many origins.", min=1)] = 6,
    days: Annotated[int, typer.Option(help="Days judged after each origin.", min=7)] = 30,
    ripen: Annotated[int | None, typer.Option(help="Days until labels are read (default: twice as many).")] = None,
    embargo: Annotated[int, typer.Option(help="Days between what is learnt and what is judged.", min=0)] = 0,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    most: Annotated[int, typer.Option(help="Landmarks learnt at an origin at most; dossiers drawn.")] = 300_000,
    seed: Annotated[int, typer.Option(help="Of all draws; kept with the report.")] = 0,
    mlflow: Annotated[bool, typer.Option(help="Log page, plots and figures as a run of MLflow.")] = True,
) -> None:
    """Backtest TARGET at rolling origins: refit at each, judge what came after, beside the rules, with intervals."""
    from features.calendar.vietnam import VIETNAM
    from serving.cli.dossier_targets import quiet_mlflow
    from training.rolling import STEPS, BacktestData, rolling_backtest, windows
    from training.rolling_page import as_page

    settings = settings_of(ctx)
    main_alone(target)
    asked = windows(
        moment(last, settings.zone),
        origins,
        timedelta(days=days),
        ripen=None if ripen is None else timedelta(days=ripen),
        embargo=timedelta(days=embargo),
        most_learnt=most,
        seed=seed,
    )
    place = BacktestData(settings.record_url, VIETNAM, settings.models / target)
    with bar(STEPS * len(asked)) as step:
        found = rolling_backtest(place, asked, jobs=jobs, say=step)
    if not found:
        raise ValueError("no origin could be judged; take an earlier --last or a longer record")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(as_page(found), encoding="utf-8")
    keep(found, settings.models / target / ROLLING_FILE)
    for one in found:
        product, rule = one.figures["product"]["auc"], one.figures["best rule"]["auc"]
        typer.echo(f"{one.cutoff:%Y-%m-%d}: AUC {product}, rule {rule}, n={one.n:,}")
    typer.echo(f"{out}: {len(found)} origins")
    if mlflow:
        from training.rolling import log_report

        with quiet_mlflow():
            typer.echo(f"MLflow run {log_report(found, asked, settings.mlflow_url, out)}")


def keep(found: "Sequence[Origin]", path: Path) -> None:
    """Keeps the origins; a reader sees the former backtest or this one."""
    from features.atomic_file import replace_text
    from training.rolling import as_json

    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, json.dumps([as_json(one) for one in found]))


@contextmanager
def bar(total: int) -> Iterator[Callable[[str], None]]:
    """A bar on the error stream that moves with every reported step and shows the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        speed_estimate_period=600,
    ) as progress:
        task = progress.add_task("", total=total)

        def step(line: str) -> None:
            if "left out" in line:
                progress.console.print(line, highlight=False, markup=False)
            progress.update(task, advance=1, description=line[:40])

        yield step
