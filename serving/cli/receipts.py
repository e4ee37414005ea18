"""`risk receipts`: check the chain of receipts, sign its daily head."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.group import settings_of

if TYPE_CHECKING:
    from serving.work.receipts import Receipts

commands = typer.Typer()
receipts = typer.Typer(no_args_is_help=True)
commands.add_typer(receipts, name="receipts", help="Who saw and decided what: verify the chain, sign its head.")


@receipts.command()
def verify(
    ctx: typer.Context,
    head: Annotated[list[Path] | None, typer.Option(help="A signed head kept elsewhere; may be repeated.")] = None,
) -> None:
    """Walk the whole chain; exit 1 where anything was edited, removed, inserted, swapped.

    Cut off or replayed.
    """
    from serving.work.chain_anchor import Head

    chain = _chain(ctx)
    faults = chain.verify([Head.from_json(path.read_text("utf-8")) for path in head or []])
    for fault in faults[:100]:
        typer.echo(f"receipt {fault.seq}: {fault.what}", err=True)
    newest = chain.latest(most=1)
    typer.echo(f"receipts={newest[0].seq if newest else 0} faults={len(faults)}")
    if faults:
        raise typer.Exit(1)


@receipts.command("head")
def sign(ctx: typer.Context) -> None:
    """Sign the end of the chain for today and print it: keep the line somewhere else, on paper if need be."""
    typer.echo(_chain(ctx).sign_head(now=datetime.now(UTC)).as_json())


def _chain(ctx: typer.Context) -> "Receipts":
    from serving.state import open_state
    from serving.work.chain_anchor import Witness
    from serving.work.receipts import Receipts

    settings = settings_of(ctx)
    state = open_state(settings.database_url)
    return Receipts(state, Witness(settings.keys, settings.home / "receipts"))
