"""`risk tune` and `risk ablate`: better recipes inside the training period, what each block of features is worth."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.group import settings_of
from serving.cli.learning import TargetName
from serving.cli.moments import moment
from serving.cli.targets import main_alone

if TYPE_CHECKING:
    from training.tune import Trial

commands = typer.Typer()
Most = Annotated[int, typer.Option(help="Landmarks learnt at most; whole dossiers are drawn.", min=1000)]


@commands.command()
def tune(
    ctx: typer.Context,
    target: TargetName,
    cutoff: Annotated[str, typer.Option(help="Tune only on what was known before this moment.")],
    minutes: Annotated[float, typer.Option(help="How long; the standing recipes are always tried.", min=0)] = 30.0,
    trials: Annotated[int, typer.Option(help="Recipes at most.", min=2)] = 1000,
    most: Most = 60_000,
    seed: Annotated[int, typer.Option(help="Of the search and of the dossiers drawn.")] = 0,
    mlflow: Annotated[bool, typer.Option(help="Log one run, and each recipe as a run under it.")] = True,
) -> None:
    """Search for a better recipe of TARGET inside the training period; the next training takes it up if it is one."""
    from features.calendar.vietnam import VIETNAM
    from features.record.record import Record
    from serving.cli.dossier_targets import quiet_mlflow
    from training.training_set import gather
    from training.tune import keep, logged, stored_recipes
    from training.tune import tune as search

    settings = settings_of(ctx)
    main_alone(target)
    folder, at, record = settings.models / target, moment(cutoff, settings.zone), Record(settings.record_url)
    version = record.version()
    sample = gather(record.connect(version=version, cutoff=at), at, VIETNAM, most=most, seed=seed)
    until = time.monotonic() + 60 * minutes
    with (
        quiet_mlflow(),
        logged(settings.mlflow_url, at, version) if mlflow else nullcontext((None, None)) as (log, end),
        _clock(minutes) as step,
    ):
        best = [float("inf")]

        def tell(number: int, trial: "Trial") -> None:
            best[0] = min(best[0], trial.loss)
            step(f"{number} recipes, best loss {best[0]:.4f}")
            if log is not None:
                log(number, trial)

        found = search(
            sample, lambda: time.monotonic() > until, before=stored_recipes(folder), most=trials, seed=seed, tell=tell
        )
        if end is not None:
            end(found)
    keep(folder, found, at.astimezone(UTC))
    gained = found.gained
    typer.echo(
        f"{len(found.trials)} recipes tried; the best gains {gained.value:+.4f} [{gained.low:+.4f}, {gained.high:+.4f}]"
        f" log-loss over {found.standing} on the latest slice; the next training weighs it against the standing ones"
    )


@commands.command()
def ablate(
    ctx: typer.Context,
    target: TargetName,
    cutoff: Annotated[str, typer.Option(help="Judge only on what was known before this moment.")],
    recipe: Annotated[str, typer.Option(help="small, large, or tuned.")] = "large",
    most: Most = 60_000,
    name: Annotated[str, typer.Option(help="What the record is called on the card.")] = "This record",
    card: Annotated[
        Path | None, typer.Option(help="Also put the table on this card, such as models/cards/ablation.md.")
    ] = None,
) -> None:
    """Leave each block of features out once and tell what it costs, on this record."""
    from features.calendar.vietnam import VIETNAM
    from features.record.record import Record
    from training.ablate import ablate as leave_out
    from training.ablate import as_section, put_on_card
    from training.training_set import gather
    from training.tune import recipes_of

    settings = settings_of(ctx)
    main_alone(target)
    recipes = recipes_of(settings.models / target)
    if recipe not in recipes:
        raise ValueError(f"wanted a recipe of {', '.join(recipes)}, came {recipe!r:.40}")
    record, at = Record(settings.record_url), moment(cutoff, settings.zone)
    sample = gather(record.connect(cutoff=at), at, VIETNAM, most=most)
    blocks, n = leave_out(sample, recipes[recipe], say=lambda line: typer.echo(line, err=True))
    dossiers = int(sample.dossier.max()) + 1
    text = as_section(blocks, n, name, f"Recipe {recipe}, cutoff {at:%Y-%m-%d}, {dossiers:,} dossiers learnt from")
    typer.echo(text)
    if card is not None:
        put_on_card(card, text)


@contextmanager
def _clock(minutes: float) -> Iterator[Callable[[str], None]]:
    """A bar on the error stream that fills with the minutes given."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    began = time.monotonic()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("recipes", total=max(60 * minutes, 1e-9))
        yield lambda line: progress.update(task, description=line, completed=time.monotonic() - began)
