"""`risk backup` and `risk restore`: the whole installation in one archive, and back."""

from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import settings_of

commands = typer.Typer()


@commands.command()
def backup(
    ctx: typer.Context, archive: Annotated[Path, typer.Argument(help="File to write: .tar or .tar.gz.")]
) -> None:
    """Copy the whole installation, keys included, to one archive; may run while it serves."""
    from serving.jobs.backup import back_up

    kept = back_up(settings_of(ctx).home, archive)
    typer.echo(f"{archive}: {kept.files} files, {kept.size / 1e6:.1f} MB")


@commands.command()
def restore(ctx: typer.Context, archive: Annotated[Path, typer.Argument(help="Archive of risk backup.")]) -> None:
    """Unpack a backup into an empty --home, every file checked."""
    from serving.jobs.backup import restore as unpack

    home = settings_of(ctx).home
    kept = unpack(archive, home)
    typer.echo(f"{home}: {kept.files} files, {kept.size / 1e6:.1f} MB")
