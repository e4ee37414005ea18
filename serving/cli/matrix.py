"""`risk matrix build`: the matrix of all landmarks on disk, brought up to a day."""

from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import settings_of
from serving.cli.moments import moment, span

commands = typer.Typer()
matrix = typer.Typer(no_args_is_help=True)
commands.add_typer(matrix, name="matrix", help="The matrix of all landmarks, kept on disk.")


@matrix.command("build")
def build(
    ctx: typer.Context,
    to: Annotated[str, typer.Option(help="Up to the last landmark at or before this moment.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the parts (RISK_HOME/matrix).")] = None,
    every: Annotated[str, typer.Option(help="Whole days between landmarks, such as 1d or 7d.")] = "7d",
) -> None:
    """Extend the Parquet parts by the landmarks that are new; those that a late delivery made void are made again."""
    from features.record.record import Record
    from serving.cli.dossier_targets import CALENDAR
    from training.landmark_parts import extend

    settings = settings_of(ctx)
    folder = out or settings.home / "matrix"
    done = extend(
        Record(settings.record_url),
        folder,
        moment(to, settings.zone),
        every=span(every),
        calendar=CALENDAR,
        say=lambda line: typer.echo(line, err=True),
    )
    typer.echo(f"{folder}: landmarks={done.made} again={done.again} rows={done.rows} dossiers={done.dossiers}")
