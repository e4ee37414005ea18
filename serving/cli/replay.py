"""`risk replay`: what a way of choosing visits would have found, where the outcomes are known."""

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()
replay = typer.Typer(no_args_is_help=True)
commands.add_typer(replay, name="replay", help="Replay list policies over histories with known outcomes.")


@replay.command()
def chicago(
    data: Annotated[Path, typer.Option(help="Folder chicago_food with its three Parquet files.")],
    card: Annotated[Path | None, typer.Option(help="Also write the report to this file.")] = None,
) -> None:
    """Chicago's food inspections: AUC and days earlier, over all slots and inside groups."""
    from training.replay.chicago import replay as run
    from training.replay.chicago_report import report

    lines = report(run(data, say=lambda line: typer.echo(line, err=True)))
    typer.echo("\n".join(lines))
    if card is not None:
        card.write_text("\n".join(lines) + "\n", "utf-8")
