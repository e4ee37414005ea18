"""`faults`: kills over the write paths, immediate stops of PostgreSQL; nothing lost, doubled or torn."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from tests.bench.group import Card, bench, tell
from tests.bench.section import Figure, Section


@bench.command("faults")
def faults(
    card: Card = None,
    rounds: Annotated[int, typer.Option(help="Kills over all paths together.", min=6)] = 200,
    stops: Annotated[int, typer.Option(help="Immediate stops of PostgreSQL; 0 where it is not installed.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the moments.")] = 1,
) -> None:
    """Kill -9 during ingest, score, draw, finding, migration, promotion; PostgreSQL stopped at once under load."""
    sections = [kill_section(rounds, seed)] + ([stop_section(stops)] if stops else [])
    tell(sections, card)


def kill_section(rounds: int, seed: int) -> Section:
    """The campaign of kills."""
    from tests.bench.kills import campaign

    with TemporaryDirectory(prefix="risk-kills-") as folder:
        found = campaign(Path(folder), rounds, seed, lambda line: typer.echo(line, err=True))
    for wrong in (line for one in found for line in one.broken):
        typer.echo(wrong, err=True)
    figures = [
        Figure(f"{one.path}: kills that hit a living writer, of {one.rounds}", "", [one.struck],
               None, "nothing lost, doubled or torn", not one.broken)
        for one in found
    ]  # fmt: skip
    words = (
        f"{rounds} writers killed with SIGKILL at random moments of their usual time; after each the next run writes."
    )
    return Section("Kills", words, figures)


def stop_section(stops: int) -> Section:
    """The campaign of stops."""
    from tests.bench.postgres_stops import WRITERS, stop_under_load

    with TemporaryDirectory(prefix="risk-stops-") as folder:
        found = stop_under_load(Path(folder), stops)
    figures = [
        Figure("confirmed writes", "", [found.confirmed]),
        Figure("confirmed and lost", "", [found.lost], None, "0", found.lost == 0),
        Figure("doubled", "", [found.doubled], None, "0", found.doubled == 0),
        Figure("faults of the chain of receipts", "", [found.faults], None, "0", found.faults == 0),
        Figure("back after the start", "s", found.back, None, "within 15 s", max(found.back) <= 15),
    ]
    words = f"{stops} immediate stops of PostgreSQL while {WRITERS} processes write receipts."
    return Section("PostgreSQL stopped under load", words, figures)
