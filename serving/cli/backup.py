"""`risk backup` and `risk restore`: the whole installation in one archive, and back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import settings_of

commands = typer.Typer()


@commands.command()
def backup(
    ctx: typer.Context, archive: Annotated[Path, typer.Argument(help="File to write: .tar or .tar.gz.")]
) -> None:
    """Copy the whole installation to one archive, wherever record and database lie; may run while it serves."""
    from serving.jobs.backup import back_up

    kept = back_up(settings_of(ctx), archive, now=datetime.now(UTC))
    typer.echo(f"{archive}: {kept.files} files, {kept.size / 1e6:.1f} MB")


@commands.command()
def restore(ctx: typer.Context, archive: Annotated[Path, typer.Argument(help="Archive of risk backup.")]) -> None:
    """Unpack a backup into an empty --home (and record and database of the settings), every file checked."""
    from serving.jobs.backup import restore as unpack

    settings = settings_of(ctx)
    kept = unpack(archive, settings)
    typer.echo(f"{settings.home}: {kept.files} files, {kept.size / 1e6:.1f} MB")
