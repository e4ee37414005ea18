"""`warnings`: kill -9 and two schedulers at once; each warning, escalation and message has one effect."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from tests.bench.group import Card, bench, tell
from tests.bench.section import Figure, Section


@bench.command("warnings")
def warnings(
    rounds: Annotated[int, typer.Option(help="Working days with two schedulers, one or both killed.", min=3)] = 300,
    database: Annotated[
        str | None, typer.Option(help="URL of an empty PostgreSQL database; SQLite where left out.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws lists and moments of killing.")] = 1,
    card: Card = None,
) -> None:
    """Kill schedulers of warnings at random and count effects against an oracle; exit 1 where one is not one."""
    from tests.bench.warning_kills import campaign

    with TemporaryDirectory() as scratch:
        url = database or f"sqlite:///{Path(scratch) / 'state.db'}"
        found = campaign(Path(scratch), url, rounds, seed, lambda line: typer.echo(line, err=True))
    engine = "PostgreSQL" if database else "SQLite"
    for line in found.wrong:
        typer.echo(line, err=True)
    figures = [
        Figure("warnings fired", "", [found.warnings]),
        Figure("escalations", "", [found.escalations]),
        Figure("messages that arrived, by key", "", [found.messages]),
        Figure("processes killed", "", [found.kills]),
        Figure("handed over once more, same key", "", [found.repeated]),
        Figure("differences from the oracle", "", [len(found.wrong)], wanted="0", holds=not found.wrong),
    ]
    words = (
        f"{found.rounds} rounds on {engine}: two schedulers at once, one or both killed with SIGKILL at a random "
        "moment, then one more. The oracle runs the same lists in memory. A message that was handed over once more "
        "after a kill between sending and noting carries the same key, by which its receiver drops it."
    )
    tell([Section(f"Warnings under kill -9, {engine}", words, figures)], card)
