"""`cluster`: the matrix on DuckDB and on a Spark of two workers, and from which size Spark would pay."""

import math
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from tests.bench.contender import spend
from tests.bench.group import Card, bench, tell
from tests.bench.matrix import drawn
from tests.bench.section import Figure, Section
from tests.bench.spark_cluster import WORKERS, spark_cluster

_HERE = "tests.bench.cluster"
NODES = (4, 16, 64)
"""Clusters of so many two-core machines for which the crossing is told."""


@bench.command("cluster")
def cluster(
    card: Card = None,
    dossiers: Annotated[
        int, typer.Option(help="Of the smallest record; then 4 and 16 times as many.", min=100)
    ] = 5_000,
) -> None:
    """The same matrix from the same Delta files by both engines over 1×, 4× and 16× the dossiers."""
    tell([cluster_section([dossiers * times for times in (1, 4, 16)])], card)


def cluster_section(sizes: list[int]) -> Section:
    """Wall seconds of both engines on this machine, their growth, and what follows for larger clusters."""
    ours: list[float] = []
    theirs: list[float] = []
    with spark_cluster(megabytes=2048) as session:
        for number, size in enumerate(sizes):
            with drawn(size) as folder, TemporaryDirectory(prefix="risk-cluster-") as out:
                record = f"{out}/record"
                spend("tests.bench.everything:take", folder=str(folder), record=record)
                ours.append(spend(f"{_HERE}:by_duckdb", record=record, out=f"{out}/duckdb.parquet").wall)
                if not number:  # a JVM is slow until it has compiled what it does
                    by_spark(session, Path(record), Path(out, "warm"))
                begun = time.perf_counter()
                by_spark(session, Path(record), Path(out, "spark"))
                theirs.append(time.perf_counter() - begun)
    fixed, each = line(sizes, ours)
    fixed_there, each_there = line(sizes, theirs)
    figures = [
        *(Figure(f"{size:,} dossiers, DuckDB", "s", [value], 1.0) for size, value in zip(sizes, ours, strict=True)),
        *(Figure(f"{size:,} dossiers, Spark", "s", [there], there / here)
          for size, here, there in zip(sizes, ours, theirs, strict=True)),
        Figure("DuckDB, a further million dossiers", "s", [1e6 * each], 1.0),
        Figure("Spark, a further million dossiers", "s", [1e6 * each_there], each_there / each if each else None),
        Figure("machines of this kind at which Spark is as fast", "", [max(1, math.ceil(each_there / each))]),
        *(crossing_figure(nodes, (fixed, each), (fixed_there, each_there)) for nodes in NODES),
    ]  # fmt: skip
    words = (
        f"Weekly landmarks of three years from the record's Delta files to Parquet; Spark with {WORKERS} worker "
        "processes, both on this machine's cores. The crossings are drawn out of straight lines through these sizes, "
        "as if Spark's work were shared by its machines without loss: real ones lie higher. -1: never."
    )
    return Section("Matrix on a cluster", words, figures)


def by_duckdb(record: str, out: str) -> int:
    """The matrix by DuckDB; gives the number of rows."""
    import pyarrow.parquet as pq

    from features.matrix import batch as matrix
    from features.record.record import Record

    con = Record(record).connect()
    writer, rows = None, 0
    for table in matrix.build_batches(con, _cases(con)):
        writer = writer or pq.ParquetWriter(out, table.schema)
        writer.write_table(table)
        rows += table.num_rows
    if writer is not None:
        writer.close()
    return rows


def by_spark(session: Any, record: Path, out: Path) -> None:
    """The same by Spark, each executor writing its rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from features.matrix import spark
    from features.matrix.spark_record import tables
    from features.record.record import Record

    found = Record(record)
    cases = _cases(found.connect())
    asked = session.createDataFrame(pa.table({
        "case_no": pa.array(range(cases.num_rows), pa.int64()), "dossier_id": cases["dossier_id"],
        "as_of_us": pc.cast(cases["as_of"], pa.int64()),
    }))  # fmt: skip
    spark.frame(session, tables(session, found), asked).write.parquet(str(out))


def line(sizes: list[int], seconds: list[float]) -> tuple[float, float]:
    """Seconds at no dossier and seconds a further dossier, through the least and the greatest size."""
    each = max(0.0, (seconds[-1] - seconds[0]) / (sizes[-1] - sizes[0]))
    return seconds[0] - each * sizes[0], each


def crossing(ours: tuple[float, float], theirs: tuple[float, float], nodes: int) -> float:
    """Dossiers from which `nodes` machines beat one; infinite where they never do.

    >>> crossing((1.0, 1e-3), (31.0, 4e-3), 16)
    40000.0
    """
    gain = ours[1] - theirs[1] / nodes
    return max(0.0, (theirs[0] - ours[0]) / gain) if gain > 0 else math.inf


def crossing_figure(nodes: int, ours: tuple[float, float], theirs: tuple[float, float]) -> Figure:
    """The crossing as a line of the card."""
    found = crossing(ours, theirs, nodes)
    return Figure(f"{nodes} machines are faster from", "dossiers", [-1 if math.isinf(found) else found])


def _cases(con: Any) -> Any:
    from tests.bench.drawn_record import WEEKLY

    table = con.sql(f"SELECT dossier_id, timezone('UTC', as_of) AS as_of FROM ({WEEKLY})")
    return table.to_arrow_table()
