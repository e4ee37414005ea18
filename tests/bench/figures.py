"""`figures`: the product beside the rules on the reference data, with intervals."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from tests.bench.group import bench


@bench.command("figures")
def figures(
    data: Annotated[Path, typer.Option(help="Folder of the reference sets.")] = Path("../shared/data"),
    out: Annotated[
        Path | None, typer.Option(help="Markdown file to write, such as models/cards/lateness_figures.md.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Bootstrap draws behind each interval.")] = 500,
) -> None:
    """Print the product beside the rules on the reference data; exit 1 where it is worse than the best row."""
    from tests.bench.reference import as_markdown, benchmark

    with TemporaryDirectory() as scratch:
        lines = list(benchmark(data, Path(scratch), lambda line: typer.echo(line, err=True), draws))
    text = as_markdown(lines)
    typer.echo(text)
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if any(line.misses() for line in lines):
        raise typer.Exit(1)
