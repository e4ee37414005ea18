"""`risk upgrade`: bring an installation to this version, or say what that would do."""

from typing import Annotated

import typer

from serving.cli.group import settings_of

commands = typer.Typer()


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
    state = State(settings.database_url)
    try:
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
    finally:
        state.close()
