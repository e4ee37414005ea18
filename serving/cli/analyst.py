"""The analyst's month: go back a champion, train a run again, write the card."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from models.targets import TARGETS
from serving.cli.group import settings_of
from serving.cli.learning import By, TargetName
from serving.cli.receipts import note
from serving.cli.targets import steps

commands = typer.Typer()


@commands.command()
def rollback(
    ctx: typer.Context,
    target: TargetName,
    because: Annotated[str | None, typer.Option(help="Why; kept in the history of models.")] = None,
    by: By = None,
    mlflow: Annotated[
        bool, typer.Option(help="Also move MLflow's aliases; without, it works while MLflow is away.")
    ] = True,
) -> None:
    """Make the previous champion of TARGET the champion again."""
    from serving.work.witnessed_files import champions

    settings = settings_of(ctx)
    champion = steps(target).rollback(settings, because, lambda line: typer.echo(line, err=True), by, mlflow)
    detail = {"rolled_back": champion, "target": target, "by": by or "", "reason": because or ""}
    note(settings, "model.promote", {**detail, "files": champions(settings.home)}, now=datetime.now(UTC))
    typer.echo(champion)


@commands.command()
def reproduce(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(help="MLflow run id, or the version of a packaged model.")],
) -> None:
    """Train RUN again from what it says of itself; exit 0 when every prediction is the same to the bit."""
    from features.calendar.vietnam import VIETNAM
    from features.record.record import Record
    from training.reproduce import folder_of_run
    from training.reproduce import reproduce as again

    settings = settings_of(ctx)
    folders = [settings.models / target / Path(run).name for target in TARGETS]
    folder = next((path for path in folders if path.is_dir()), None)
    if folder is None:
        folder = folder_of_run(run, settings.mlflow_url, settings.models)
    found = again(Record(settings.record_url), folder, calendar=VIETNAM, say=lambda line: typer.echo(line, err=True))
    typer.echo(str(found))
    if not found.identical:
        raise typer.Exit(1)


@commands.command()
def card(
    ctx: typer.Context,
    target: TargetName,
    out: Annotated[Path | None, typer.Option(help="Markdown file to write, such as card.md.")] = None,
    pointer: Annotated[str, typer.Option(help="champion, candidate or previous.")] = "candidate",
) -> None:
    """Write the model card of TARGET."""
    from models import pointers
    from models.artefact import load
    from training.card import card as written
    from training.gates import gates_of

    folder = settings_of(ctx).models / target
    model_pointer = pointers.read(folder, pointer)
    if model_pointer is None:
        raise FileNotFoundError(f"no {pointer} of {target}; run: risk train {target} --cutoff T")
    model = load(folder / model_pointer["version"], sha256=model_pointer["sha256"])
    text = written(model, model_pointer["sha256"], gates_of(model.about), model.about.get("groups"))
    if out is None:
        typer.echo(text)
    else:
        out.write_text(text, encoding="utf-8")
        typer.echo(f"{out}: card of {target} {model_pointer['version']}")
