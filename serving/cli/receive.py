"""`risk receive`: watches a folder and takes in what systems drop there."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import settings_of

commands = typer.Typer()
LOOK_MS = 2_000


@commands.command()
def receive(
    ctx: typer.Context,
    inbox: Annotated[Path, typer.Argument(help="Folder with one subfolder a source (dvcqg, opencps, …).")],
    once: Annotated[bool, typer.Option("--once", help="Take what lies there now, then stop.")] = False,
    back_fill: Annotated[
        bool, typer.Option("--back-fill", help="Files tell the past: known since it happened, not since they came.")
    ] = False,
) -> None:
    """Take every file dropped under INBOX/<source> into the record, then move it to done/ or refused/."""
    from watchfiles import watch

    from features.record.delivery import DeliveryReceipt
    from serving.jobs.folder_watcher import FolderWatcher
    from serving.work.intake import take_in

    settings = settings_of(ctx)

    def take(path: Path, source: str) -> DeliveryReceipt:
        return take_in(settings, path, source, arrived_at=datetime.now(UTC), live=not back_fill)

    box = FolderWatcher(inbox, take)

    def look() -> None:
        for taken in box.look(datetime.now(UTC)):
            typer.echo(f"{taken.source}/{taken.path.name}: {taken.receipt or 'refused: ' + taken.reason}")

    look()
    if once:
        look()  # the second look tells what has come to rest
        return
    for _ in watch(inbox, rust_timeout=LOOK_MS, yield_on_timeout=True, raise_interrupt=False):
        look()
