"""The matrix as a contender of the references, and at full size."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

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


def shares(folder: str, out: str) -> dict[str, float]:
    """Processor seconds of `build` by what they go to."""
    from features.record.temp_tables import TempTablePipeline

    spent = dict.fromkeys([*_STAGES, _LAST], 0.0)

    def timed(call: Callable[..., Any], stage: Callable[..., str]) -> Callable[..., Any]:
        def run(*asked: Any, **how: Any) -> Any:
            begun = time.process_time()
            try:
                return call(*asked, **how)
            finally:
                spent[stage(*asked)] += time.process_time() - begun

        return run

    usual = TempTablePipeline.make, vars(matrix)["lawful_rows"]
    TempTablePipeline.make = timed(usual[0], lambda _, name, sql: _stage(name))  # type: ignore[method-assign]
    vars(matrix)["lawful_rows"] = timed(usual[1], lambda *_: _stage("lawful"))
    begun = time.process_time()
    try:
        build(folder, out)
    finally:
        TempTablePipeline.make, vars(matrix)["lawful_rows"] = usual  # type: ignore[method-assign]
    spent[_LAST] = time.process_time() - begun - sum(spent.values())
    return spent


_STAGES = {
    "rows read, coded, timed": ("event_in", "version", "dossier_code", "case_in", "asked"),
    "events in their order, first visits": ("lasting", "ordered", "stranded", "first_", "visit", "suspect", "news"),
    "the lawful clock": ("lawful",),
    "how each case stood": ("history", "spell", "standing"),
    "totals of groups": ("by_", "record_past"),
    "what changed in groups, day by day": ("",),
}
"""By beginnings of the names of relations, the first that fits."""
_LAST = "cells put together and written, the record opened"


def _stage(name: str) -> str:
    if name.endswith("_daily"):
        name = ""
    return next(stage for stage, begins in _STAGES.items() if name.startswith(begins) or begins == ("",))


def build_large(folder: str) -> int:
    """All features at all landmarks, table by table; gives the number of rows."""
    con = views(Path(folder))
    return sum(table.num_rows for table in matrix.build_batches(con, cases(con, Path(folder))))
