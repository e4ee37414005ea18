"""`risk receipts`: check the chain of receipts, sign its head; the receipts of what is done by command."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.group import settings_of, state_of
from serving.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from serving.state import State
    from serving.work.receipts import Receipts

commands = typer.Typer()
receipts = typer.Typer(no_args_is_help=True)
commands.add_typer(receipts, name="receipts", help="Who saw and decided what: verify the chain, sign its head.")


@receipts.command()
def verify(
    ctx: typer.Context,
    head: Annotated[
        list[Path] | None, typer.Option(help="A signed head kept elsewhere, or a folder of them; may be repeated.")
    ] = None,
    stopped: Annotated[
        list[str] | None, typer.Option(help="FROM..UNTIL, a stretch in which the service is known to have stood still.")
    ] = None,
) -> None:
    """Walk the whole chain; exit 1 where anything was edited, removed, inserted, swapped, cut off or replayed.

    Where a row, a list or a line of the plans' ledger is not what its receipt told; where signed heads are wanting, or
    were not carried outside.
    """
    from serving.jobs.chain_heads import uncarried
    from serving.plan.ledger import PlanLedger
    from serving.plan.verify import ledger_faults
    from serving.work.chain_anchor import ChainHead
    from serving.work.receipts import Fault
    from serving.work.witnessed_files import file_faults

    settings, chain = settings_of(ctx), _chain(ctx)
    outside = [*(head or []), *([] if settings.heads.folder is None else [settings.heads.folder])]
    paths = [one for path in outside for one in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    found = [ChainHead.from_json(path.read_text("utf-8")) for path in paths]
    faults = chain.verify(found, now=datetime.now(UTC), stopped=[_stretch(one) for one in stopped or []])
    faults += [Fault(0, what) for what in ledger_faults(PlanLedger(settings.home / "plans"), chain)]
    faults += file_faults(settings.home, chain)
    faults += [Fault(0, what) for what in uncarried(settings, chain.witness)]
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


@contextmanager
def receipted(
    settings: Settings, action: str, detail: dict[str, Any], *, now: datetime, subjects: Iterable[str] = ()
) -> Iterator["Session"]:
    """A transaction over the working state whose act leaves a receipt, as the same act on a page does.

    detail: of the receipt; the caller may fill it in inside. The actor is who runs the command on this machine.
    """
    from serving.work.receipts import command_actor

    state, chain = open_chain(settings)
    with state:
        with state.writing() as session:
            yield session
            link = chain.append(session, command_actor(), action, detail, now=now, subjects=subjects)
        chain.anchor(link)


def note(
    settings: Settings, action: str, detail: dict[str, Any], *, now: datetime, subjects: Iterable[str] = ()
) -> None:
    """The receipt of what was only looked at, or done outside the working state."""
    with receipted(settings, action, detail, now=now, subjects=subjects):
        pass


def open_chain(settings: Settings) -> "tuple[State, Receipts]":
    """The working state of an installation, and its chain of receipts."""
    from serving.work.chain_anchor import Witness
    from serving.work.receipts import Receipts

    state = state_of(settings)
    return state, Receipts(state, Witness(settings.keys, settings.home / "receipts"))


def _chain(ctx: typer.Context) -> "Receipts":
    return open_chain(settings_of(ctx))[1]


def _stretch(text: str) -> tuple[datetime, datetime]:
    start, _, end = text.partition("..")
    try:
        found = datetime.fromisoformat(start), datetime.fromisoformat(end)
        if None not in (found[0].tzinfo, found[1].tzinfo):
            return found
    except ValueError:
        pass
    raise ValueError(f"wanted FROM..UNTIL, each such as 2026-11-21T08:00+07:00, got {text[:60]!r}")
