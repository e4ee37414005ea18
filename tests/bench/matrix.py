"""`matrix`, `matrix-large`, `growth`: the matrix beside references by hand, at full size, and as it grows."""

import math
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer

from tests.bench.contender import Spent, spend
from tests.bench.group import Card, Dossiers, Runs, bench, tell
from tests.bench.section import Figure, Section

TENTH = 200_000
_HERE = "tests.bench"
_CONTENDERS = {
    "matrix": f"{_HERE}.matrix_whole:build",
    "polars": f"{_HERE}.matrix_polars:build",
    "pandas": f"{_HERE}.matrix_pandas:build",
    "DuckDB by hand": f"{_HERE}.matrix_duckdb:build",
    "numpy": f"{_HERE}.matrix_numpy:build",
    "plain pandas": f"{_HERE}.matrix_pandas:build_plainly",
}
_ONCE = "plain pandas"  # takes longer than all others together
_MOST = {("cpu", "polars"): 1.0, ("cpu", "pandas"): 0.6, ("cpu", "numpy"): 3.0, ("peak", "polars"): 0.5,
         ("peak", "pandas"): 0.5}  # fmt: skip
"""Of the matrix to a contender."""


@bench.command("matrix")
def against_others(card: Card = None, runs: Runs = 3, dossiers: Dossiers = TENTH) -> None:
    """The same 40 features by the matrix, polars, pandas, DuckDB's SQL and numpy by hand, equal cell by cell."""
    tell([matrix_section(dossiers, runs)], card)


@bench.command("growth")
def growth(card: Card = None, runs: Runs = 2, dossiers: Dossiers = 12_000) -> None:
    """The whole matrix over 1×, 4× and 16× the dossiers, and the exponent of its processor time."""
    tell([growth_section(dossiers, runs)], card)


@bench.command("matrix-large")
def large(card: Card = None, dossiers: Annotated[int, typer.Option(help="Ten events each.")] = 2_000_000) -> None:
    """The whole matrix of all weekly landmarks of three years: 2 million dossiers, 20 million events."""
    with drawn(dossiers) as folder:
        spent = spend(f"{_HERE}.matrix_whole:build_large", folder=str(folder))
    figures = [
        Figure("landmarks", "rows", [spent.answer]),
        Figure("wall", "s", [spent.wall], wanted="under 600 s", holds=spent.wall < 600),
        Figure("processor", "s", [spent.cpu]),
        Figure("greatest memory", "MB", [spent.peak], wanted="under 12,000 MB", holds=spent.peak < 12_000),
    ]
    words = f"All features at every weekly landmark of {dossiers:,} dossiers with ten events each, over three years."
    tell([Section("Matrix at full size", words, figures)], card)


def matrix_section(dossiers: int, runs: int) -> Section:
    """The matrix against its references. ValueError where a cell differs."""
    spent: dict[str, list[Spent]] = {name: [] for name in _CONTENDERS}
    with drawn(dossiers) as folder:
        for name, function in [*_CONTENDERS.items()] * runs:
            if name != _ONCE or not spent[name]:
                spent[name].append(spend(function, folder=str(folder), out=str(folder / f"{name}.out.parquet")))
        for name in _CONTENDERS.keys() - {"matrix"}:
            same_cells(folder / "matrix.out.parquet", folder / f"{name}.out.parquet")
        rows = spent["matrix"][0].answer
        shares = spend(f"{_HERE}.matrix_whole:shares", folder=str(folder), out=str(folder / "shares.parquet")).answer
    figures = [
        Figure(f"{words}, {name}", unit, [getattr(one, kind) for one in many], *_judged(kind, name, spent))
        for kind, words, unit in (("cpu", "processor", "s"), ("wall", "wall", "s"), ("peak", "greatest memory", "MB"))
        for name, many in spent.items()
    ]
    figures += [Figure(f"of the matrix, once more: {name}", "s", [cost]) for name, cost in shares.items()]
    words = (
        f"The same 40 features of {rows:,} weekly landmarks of {dossiers:,} dossiers, ten events each, from Parquet "
        "to Parquet, by the matrix, hand-tuned polars and pandas, SQL for DuckDB by hand, numpy over pyarrow's reading "
        "(all 40 too), once by pandas with totals taken anew a day; "
        "every cell equal (1e-9). Ratio: the matrix to the contender of the line. The drawn record holds no pause, "
        "extension or reopening, since the references do not know the lawful clock: that is a fold over the events of "
        "every dossier, with working time both ways, which nobody writes again in five dialects. The matrix runs it "
        "all the same, so its figures hold work that theirs lack."
    )
    return Section("Matrix beside polars and pandas", words, figures)


def _judged(kind: str, name: str, spent: dict[str, list[Spent]]) -> tuple[float | None, str, bool | None]:
    """The ratio of the matrix to one contender, what is wanted of it, and whether it holds."""
    if name == "matrix":
        return None, "", None
    ours, theirs = (statistics.median(getattr(one, kind) for one in spent[who]) for who in ("matrix", name))
    most = _MOST.get((kind, name))
    return ours / theirs, f"at most {most:.2f} ×" if most else "", ours <= most * theirs if most else None


def growth_section(dossiers: int, runs: int) -> Section:
    """Processor seconds of the whole matrix over 1×, 4×, 16×; the exponent between the first and the last."""
    spent: list[list[float]] = []
    for times in (1, 4, 16):
        with drawn(dossiers * times) as folder:
            spent.append([spend(f"{_HERE}.matrix_whole:build_large", folder=str(folder)).cpu for _ in range(runs)])
    exponents = [math.log(last / first) / math.log(16) for first, last in zip(spent[0], spent[2], strict=True)]
    figures = [
        Figure(f"{dossiers * times:,} dossiers", "s", values) for times, values in zip((1, 4, 16), spent, strict=True)
    ]
    exponent = Figure("exponent", "", exponents, wanted="at most 1.1", holds=statistics.median(exponents) <= 1.1)
    return Section("Growth of the matrix", "Processor seconds, all features, weekly landmarks.", [*figures, exponent])


def same_cells(one: Path, other: Path) -> None:
    """ValueError names the first column in which two matrices differ by more than 1e-9 of the value."""
    import numpy as np
    import pyarrow.parquet as pq

    ours, theirs = pq.read_table(one), pq.read_table(other)
    for name in theirs.column_names:
        a, b = (np.array(table[name].to_numpy(), dtype=float) for table in (ours, theirs))
        if not np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True):
            raise ValueError(f"{name}: {other.stem} gives other cells than the matrix")


@contextmanager
def drawn(dossiers: int, days: int = 3 * 365) -> Iterator[Path]:
    """A folder with a drawn record of so many dossiers, removed at the end."""
    folder = Path(mkdtemp(prefix="risk-bench-"))
    try:
        spend(f"{_HERE}.drawn_record:draw", folder=str(folder), dossiers=dossiers, days=days)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
