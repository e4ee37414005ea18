"""`risk backup` and `risk restore`: the whole installation in one archive, and back; `risk upgrade`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import asked, settings_of

commands = typer.Typer()


@commands.command()
def backup(
    ctx: typer.Context,
    archive: Annotated[Path, typer.Argument(help="File to write: .tar or .tar.gz.")],
    keys: Annotated[
        Path | None, typer.Option(help="Also write the keys to this file, closed by a word that is asked for.")
    ] = None,
) -> None:
    """Copy the whole installation to one signed archive, wherever record and database lie; may run while it serves.

    Keys are not in it. They change seldom: close them once into a file of their own (--keys), and keep it elsewhere.
    """
    from serving.jobs.backup import back_up
    from serving.jobs.key_copy import close_keys

    settings = settings_of(ctx)
    written = back_up(settings, archive, now=datetime.now(UTC))
    if keys is not None:
        typer.echo(f"{keys}: {close_keys(settings.keys, keys, asked('Word', twice=True))} keys")
    typer.echo(f"{archive}: {written}")


@commands.command()
def restore(
    ctx: typer.Context,
    archive: Annotated[Path, typer.Argument(help="Archive of risk backup.")],
    keys: Annotated[Path, typer.Option(help="File of risk backup --keys; its word is asked for.")],
) -> None:
    """Unpack a backup into an empty --home (and record and database of the settings), signature and files checked."""
    from serving.jobs.backup import restore as unpack
    from serving.jobs.key_copy import open_keys

    settings = settings_of(ctx)
    restored = unpack(archive, settings, open_keys(keys, asked("Word")))
    typer.echo(f"{settings.home}: {restored}")


@commands.command("restore-keys")
def restore_keys(
    ctx: typer.Context,
    keys: Annotated[Path, typer.Argument(help="File of risk backup --keys; its word is asked for.")],
) -> None:
    """Put back the keys that are missing in --home; those that are there stay."""
    from serving.jobs.key_copy import open_keys, put_missing

    settings = settings_of(ctx)
    back = put_missing(settings.keys, open_keys(keys, asked("Word")))
    typer.echo(f"{settings.keys}: {', '.join(back) or 'no key was missing'}")


@commands.command()
def upgrade(
    ctx: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Say what stands and what would change; exits 1 where it is newer.")
    ] = False,
) -> None:
    """Bring tables and record to this version; make a backup first. A home of a newer version is refused."""
    from features.record.record import Record
    from features.record.schema_version import SCHEMA_VERSION, mark, schema_version
    from serving.jobs.mlflow_paths import relocate
    from serving.state import NewerDatabase, State, head, revision_of
    from serving.state import upgrade as migrate

    settings = settings_of(ctx)
    delivery = Record(settings.record_url).table("delivery").open()
    stands = schema_version(delivery) if delivery else 0
    with State(settings.database_url) as state:
        before = revision_of(state)
        newer = stands > SCHEMA_VERSION or (before is not None and before > head())
        typer.echo(f"database: revision {before or '–'}, this version {head()}")
        typer.echo(f"record: schema {stands or '–'}, this version {SCHEMA_VERSION}")
        if newer:
            raise NewerDatabase("this home is of a newer version: install that one, or restore the backup made before")
        if check:
            done = before == head() and stands in (0, SCHEMA_VERSION)
            typer.echo("nothing to do" if done else "to do: risk backup FILE, then risk upgrade")
            return
        migrate(state)
        if delivery is not None:
            mark(delivery)
        moved = relocate(settings.home)
        typer.echo(f"upgraded: database {before or '–'} → {head()}; {moved} paths of MLflow mended")
