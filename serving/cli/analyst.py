"""The analyst's month: go back a champion, train a run again, write the card, watch for drift."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import settings_of
from serving.cli.learning import By, TargetName
from serving.cli.moments import moment

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
    from training.promote import rollback as run

    settings = settings_of(ctx)
    url = settings.mlflow_url if mlflow else None
    version = run(settings.models, target, at=datetime.now(UTC), because=because, by=by, mlflow_url=url)
    typer.echo(f"champion {target} {version}")


@commands.command()
def reproduce(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(help="MLflow run id, or the version of a packaged model.")],
) -> None:
    """Train RUN again from what it says of itself; exit 0 when every prediction is the same to the bit."""
    from features.record import Record
    from features.vietnam_calendar import VIETNAM
    from training.reproduce import folder_of_run
    from training.reproduce import reproduce as again

    settings = settings_of(ctx)
    folder = settings.models / "lateness" / Path(run).name
    if not folder.is_dir():
        folder = folder_of_run(run, settings.mlflow_url, settings.models)
    found = again(Record(settings.record_url), folder, calendar=VIETNAM, say=lambda line: typer.echo(line, err=True))
    typer.echo(str(found))
    if not found.identical:
        raise typer.Exit(1)


@commands.command()
def card(
    ctx: typer.Context,
    target: TargetName,
    out: Annotated[Path | None, typer.Option(help="Markdown file to write, such as models/cards/lateness.md.")] = None,
    pointer: Annotated[str, typer.Option(help="champion, candidate or previous.")] = "candidate",
) -> None:
    """Write the model card of TARGET."""
    from models.artefact import load
    from training import pointers
    from training.card import card as written
    from training.gates import gates_of

    folder = settings_of(ctx).models / target
    said = pointers.read(folder, pointer)
    if said is None:
        raise FileNotFoundError(f"no {pointer} of {target}; run: risk train {target} --cutoff T")
    model = load(folder / said["version"], sha256=said["sha256"])
    text = written(model, said["sha256"], gates_of(model.about), model.about.get("groups"))
    if out is None:
        typer.echo(text)
    else:
        out.write_text(text, encoding="utf-8")
        typer.echo(f"{out}: card of {target} {said['version']}")


@commands.command()
def watch(
    ctx: typer.Context,
    target: TargetName,
    as_of: Annotated[str, typer.Option(help="Look at what was open at this moment.")],
) -> None:
    """Warn where what is scored, the scores or the reasons drifted from what the champion learnt; changes nothing."""
    from features.matrix import build
    from features.record import Record
    from features.vietnam_calendar import VIETNAM
    from models.lateness import cohort
    from serving.champion import champion
    from training.drift import watch as compare

    settings = settings_of(ctx)
    at = moment(as_of, settings.zone)
    model = champion(settings.models, target).model
    if "background" not in model.about:
        raise ValueError("wanted a champion that knows its training window; train and promote again")
    con = Record(settings.record_url).connect(cutoff=at)
    found = compare(model, build(con, cohort(con, at), calendar=VIETNAM), model.about["background"])
    for drift in found:
        if drift.warns:
            typer.echo(f"warning: {drift.name} moved by {drift.value:.2f}, more than {drift.threshold:.2f}")
    warned = sum(drift.warns for drift in found)
    typer.echo(f"{warned} of {len(found)} warn" + ("; consider: risk train " + target if warned else ""))
