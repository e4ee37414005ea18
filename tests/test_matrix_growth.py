"""What the matrix of all weekly landmarks costs, as the record grows: no more than in proportion; and beside others."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from features.matrix import batch as matrix
from tests.bench import matrix_duckdb, matrix_numpy, matrix_pandas, matrix_polars
from tests.bench.drawn_record import cases, draw, views
from tests.bench.matrix import same_cells
from tests.bench.matrix_whole import build


def test_the_references_give_the_cells_of_the_matrix(tmp_path: Path) -> None:
    """The references of `python -m tests.bench matrix` are written apart from the matrix, so they also check it."""
    draw(tmp_path, 1_500)
    rows = build(str(tmp_path), str(tmp_path / "matrix.out.parquet"))
    assert rows > 2_000
    references = {"polars": matrix_polars.build, "pandas": matrix_pandas.build, "duckdb": matrix_duckdb.build,
                  "plain": matrix_pandas.build_plainly, "numpy": matrix_numpy.build}  # fmt: skip
    for name, reference in references.items():
        assert reference(str(tmp_path), str(tmp_path / f"{name}.out.parquet")) == rows
        same_cells(tmp_path / "matrix.out.parquet", tmp_path / f"{name}.out.parquet")


@pytest.mark.slow
def test_cost_grows_in_proportion(tmp_path: Path) -> None:
    spent = []
    for dossiers in (3_000, 12_000, 48_000):
        draw(tmp_path / str(dossiers), dossiers)
        con = views(tmp_path / str(dossiers))
        asked = cases(con, tmp_path / str(dossiers))
        start = time.process_time()
        assert matrix.build(con, asked).num_rows == asked.num_rows
        spent.append(time.process_time() - start)
    exponent = math.log(spent[2] / spent[0]) / math.log(16)
    assert exponent <= 1.1, f"CPU seconds {spent} over 1x, 4x, 16x: exponent {exponent:.2f}"
