"""The analyst's month: go back a champion, train a run again, write the card; `risk fairness`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from models.targets import TARGETS
from serving.cli.group import settings_of
from serving.cli.learning import By, TargetName
from serving.cli.moments import moment
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


fairness = typer.Typer(no_args_is_help=True)
commands.add_typer(fairness, name="fairness", help="Fairness audits of scores.")


@fairness.command("conduct")
def conduct(
    ctx: typer.Context,
    as_of: Annotated[str, typer.Option(help="The moment of the scores; scored first where that is not done.")],
    card: Annotated[Path | None, typer.Option(help="Also write the report to this file.")] = None,
) -> None:
    """Officials' conduct scores and flags by level and region of the unit, sector, tenure, and these crossed.

    Where findings of the following year are in the record, who was found then is the truth.
    """
    import numpy as np
    import pyarrow as pa

    from features.record.record import Record
    from features.record.utc import naive_utc
    from models.official_events import DISCOVERED, labels
    from serving.cli import conduct as steps
    from serving.scoring import conduct_lists
    from training.conduct_fairness import audit, groups_of, table
    from training.official_forecast import probable

    settings = settings_of(ctx)
    at = moment(as_of, settings.zone)
    lines = conduct_lists.read(settings.scores, at, "official")
    if lines is None:
        steps.score(settings, at, lambda line: None)
        lines = conduct_lists.read(settings.scores, at, "official")
    assert lines is not None
    scored = [row for row in lines.to_pylist() if row["score"] is not None]
    ids = [row["official_id"] for row in scored]
    con = Record(settings.record_url).connect()
    # a finding that names nobody counts for whoever more likely than not had the dossier, as the forecast is judged
    cases = pa.table({"official_id": ids, "as_of": pa.array([naive_utc(at)] * len(ids), pa.timestamp("us"))})
    truth = probable(labels(con, cases, DISCOVERED, steps.HORIZON, at + steps.HORIZON))
    found = audit(
        np.array([row["score"] for row in scored]),
        np.array([row["flag"] for row in scored]),
        truth if truth.any() else None,
        groups_of(con, at, ids),
    )
    heading = [f"# Conduct scores by group, {at:%Y-%m-%d}", "", f"{len(ids)} officials with at least 20 dossiers.", ""]
    report = [*heading, *table(found)]
    typer.echo("\n".join(report))
    if card is not None:
        card.write_text("\n".join(report) + "\n", "utf-8")
