"""The record as Spark sees it: the Parquet files that its Delta logs list, with the views of `features.record.views`.

`deltalake` reads the logs, so no Delta plug-in for Spark is needed; the executors read the files themselves and
must reach them by the same path or URL. Needs the extra `spark`.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from features.matrix.spark import TABLES as OF_MATRIX
from features.record.event_reconciliation import RAW, TABLES_OF_DOSSIERS, reconciled_views
from features.record.record import Record
from features.record.schema import TABLES, RecordTable
from features.record.views import OWN, has_portal_rows, numeric_attributes

_TYPE = {
    "text": "STRING", "time": "TIMESTAMP", "date": "DATE", "number": "DOUBLE", "integer": "BIGINT",
    "boolean": "BOOLEAN",
}  # fmt: skip


def tables(spark: Any, record: Record, *, version: int | None = None) -> dict[str, Any]:
    """DataFrames of the tables that `spark.build` reads, as `Record.connect` shows them at `version`."""
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    lines = record.deliveries(version=version)
    portal = has_portal_rows(lines)
    frames = {}
    for name in (*OF_MATRIX, *(("alias",) if portal else ())):
        rows = _rows(spark, record, name, lines)
        frames[name] = rows.selectExpr(*_columns(TABLES[name], rows.columns, numeric_attributes(lines)))
    return _reconciled(spark, frames) if portal else frames


def _rows(spark: Any, record: Record, name: str, lines: pa.Table) -> Any:
    """The rows of a table that the deliveries in `lines` brought."""
    visible = lines["delivery_id"].to_pylist()
    paths, mixed = record.table(name).paths(set(visible))
    if not paths:
        return spark.createDataFrame([], "delivery_id STRING")
    local = [path if "://" in path else f"file://{path}" for path in paths]
    rows = spark.read.option("mergeSchema", "true").parquet(*local)
    if mixed:  # a merged file also holds what a delivery that died left behind
        rows = rows.join(
            spark.createDataFrame([(one,) for one in visible], "delivery_id STRING"), "delivery_id", "semi"
        )
    return rows


def _columns(table: RecordTable, present: list[str], numeric: dict[str, bool]) -> list[str]:
    """The columns of the view: all of the feed contract, our own, and the attributes."""
    parts = [
        column.name if column.name in present else f"CAST(NULL AS {_TYPE[column.type]}) AS {column.name}"
        for column in table.columns
    ]
    parts += [name if name in present else f"CAST(NULL AS STRING) AS {name}" for name in OWN]
    for name in sorted(name for name in present if name.startswith("x_") and name in numeric):
        parts.append(f"TRY_CAST(`{name}` AS DOUBLE) AS `{name}`" if numeric[name] else f"`{name}`")
    return parts


def _reconciled(spark: Any, frames: dict[str, Any]) -> dict[str, Any]:
    """The frames as `event_reconciliation` reads rows of one-stop sources, its SQL carried over by sqlglot."""
    found = dict(frames)
    columns: dict[str, object] = {}
    reconciled = [name for name in frames if name in TABLES_OF_DOSSIERS]
    for name, frame in frames.items():
        view = f"{name}{RAW}" if name in reconciled else name
        frame.createOrReplaceTempView(view)
        columns[view] = dict.fromkeys(frame.columns, "TEXT")
    for name, sql in reconciled_views(reconciled).items():
        # stars are written out, for Spark has no REPLACE; the sides of each UNION then agree by place
        tree = qualify(sqlglot.parse_one(sql, read="duckdb"), schema=columns, dialect="duckdb")
        for union in tree.find_all(exp.Union):
            union.set("by_name", False)
        found[name] = spark.sql(tree.sql(dialect="spark"))
        found[name].createOrReplaceTempView(name)
        columns[name] = dict.fromkeys(found[name].columns, "TEXT")
    return {name: found[name] for name in OF_MATRIX}
