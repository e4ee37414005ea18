"""The command group that the modules of this package join, and what its commands share."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tests.bench.section import Section, write_card

bench = typer.Typer(no_args_is_help=True)

Card = Annotated[Path | None, typer.Option(help="Markdown file to put it on, such as models/cards/benchmarks.md.")]
Runs = Annotated[int, typer.Option(help="Runs; median, least and greatest are told.", min=1)]
Dossiers = Annotated[int, typer.Option(help="Size of the made-up record.", min=100)]


def tell(sections: Sequence[Section], card: Path | None) -> None:
    """Prints the sections, puts them on the card, and exits 1 where something that must hold does not."""
    for section in sections:
        typer.echo(section.markdown())
    if card is not None:
        write_card(card, sections, datetime.now(UTC))
    if any(figure.holds is False for section in sections for figure in section.figures):
        raise typer.Exit(1)
