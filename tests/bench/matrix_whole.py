"""The matrix as a contender of the references, and at full size."""

from contextlib import ExitStack
from pathlib import Path

import pyarrow.parquet as pq

from features.matrix import batch as matrix
from tests.bench.drawn_record import cases, views
from tests.bench.part_of_matrix import NAMES

BATCH = 100_000  # landmarks told at once


def build(folder: str, out: str) -> int:
    """The features of the references, by the matrix; gives the number of rows."""
    con = views(Path(folder))
    wanted = [feature for feature in matrix.FEATURES if feature.name in NAMES]
    rows = 0
    with ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        for table in matrix.build_batches(con, cases(con, Path(folder)), wanted, rows=BATCH):
            shown = table.select(list(NAMES))
            writer = writer or stack.enter_context(pq.ParquetWriter(out, shown.schema, use_dictionary=False))
            writer.write_table(shown)
            rows += shown.num_rows
    return rows


def build_large(folder: str) -> int:
    """All features at all landmarks, table by table; gives the number of rows."""
    con = views(Path(folder))
    return sum(table.num_rows for table in matrix.build_batches(con, cases(con, Path(folder))))
