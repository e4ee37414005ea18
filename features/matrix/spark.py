"""The same matrix on Spark, for a record that one machine does not hold: the declarations carried over by sqlglot.

Nothing is declared twice. The relations of `features.matrix.source_relations` and `features.matrix.matrix_sql` are
DuckDB's dialect within what sqlglot writes for Spark; here they become views of a Spark session, and those that several
others read are worked out once and cached on the executors. The lawful clock is the one rule without SQL: the
executors tell it in Python over Arrow, whole dossiers at a time, and so need this package. Needs the extra `spark`.
The record's tables come as DataFrames (`features.matrix.spark_record`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlglot

from features.calendar.working_time import PLAIN_WEEK, Calendar
from features.case_state.history import STRANDS
from features.matrix.batch import FEATURES, features_of_attributes, working_days
from features.matrix.declaration import Feature
from features.matrix.group import ASKED_DAY
from features.matrix.lawful_promise import COURSE, ORDER, SCHEMA, lawful_rows
from features.matrix.matrix_sql import dossier_relations, groups_of, matrix_relations, timed
from features.matrix.source_relations import ASKED, KIND, MICROS, codes, record_relations
from features.record.temp_tables import names_in

TABLES = ("dossier", "event", "procedure")


def spark_sql(sql: str) -> str:
    """A relation's SQL in Spark's dialect."""
    plain = sql.replace(f"{MICROS}(", "UNIX_MICROS(").replace(f"AS {KIND})", "AS TEXT)")
    return sqlglot.transpile(plain, read="duckdb", write="spark", identify=True)[0]


def build(
    spark: Any,
    tables: Mapping[str, Any],
    cases: pa.Table,
    features: Sequence[Feature] | None = None,
    calendar: Calendar = PLAIN_WEEK,
) -> pa.Table:
    """`features.matrix.batch.build` on a Spark session: the same rows, columns and cells, gathered on this machine.

    `tables`: DataFrames by name (dossier, event, procedure) with the columns of the feed contract, `known_at`,
    `row_id` and moments as TIMESTAMP. KeyError names a table that is missing.
    """
    asked = pa.table(
        {
            "case_no": pa.array(range(cases.num_rows), pa.int64()),
            "dossier_id": cases["dossier_id"],
            "as_of_us": pc.cast(cases["as_of"].cast(pa.timestamp("us", "UTC")), pa.int64()),
        }
    )
    matrix = frame(spark, tables, spark.createDataFrame(asked), features, calendar)
    table: pa.Table = matrix.orderBy("case_no").toArrow()
    return pa.table(
        {name: cases[name] for name in ("dossier_id", "as_of")}
        | {name: table[name] for name in table.column_names if name != "case_no"}
    )


def frame(
    spark: Any,
    tables: Mapping[str, Any],
    asked: Any,
    features: Sequence[Feature] | None = None,
    calendar: Calendar = PLAIN_WEEK,
) -> Any:
    """The matrix as a DataFrame that stays on the cluster: `case_no`, the keys, the features, in no order.

    `asked`: DataFrame of the cases: `case_no` (BIGINT, unique), `dossier_id`, `as_of_us` (µs since 1970).
    """
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    for name in TABLES:
        tables[name].createOrReplaceTempView(name)
    named = {name: kind == "string" for name, kind in tables["dossier"].dtypes if name.startswith("x_")}
    wanted = [*FEATURES, *features_of_attributes(named)] if features is None else list(features)
    texts = [name for name, text in named.items() if text]
    working = working_days([calendar])
    spans = sum(name.startswith("end_") for name in working.column_names)
    for name, rows in {
        "working_day": working,
        "unit_calendar": pa.table({"unit_code": pa.array([], pa.string()), "calendar_no": pa.array([], pa.int64())}),
    }.items():
        spark.createDataFrame(rows).createOrReplaceTempView(name)
    asked.createOrReplaceTempView("asked_in")
    groups = groups_of(wanted)
    relations = {"asked": timed("asked", ASKED, spans), "asked_day": ASKED_DAY, **codes(texts)}
    before = record_relations(list(named), texts) | STRANDS
    relations |= {name: timed(name, sql, spans) for name, sql in before.items()} | {"course": COURSE}
    relations |= dossier_relations(wanted, groups, spans)
    relations |= matrix_relations(wanted, groups)
    for name, sql in relations.items():
        made = spark.sql(spark_sql(sql))
        if sum(name in names_in(other) for other in relations.values()) > 1:
            made = made.localCheckpoint()  # a plan that holds all its readers' plans would grow without bound
        made.createOrReplaceTempView(name)
        if name == "course":
            _lawful(made, calendar).createOrReplaceTempView("lawful")
    return spark.table("matrix")


def _lawful(course: Any, calendar: Calendar) -> Any:
    """The relation `lawful`, worked out where the dossiers lie, part by part."""

    def of_part(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = list(batches)
        if rows:
            yield from lawful_rows(pa.Table.from_batches(rows), [calendar]).to_batches()

    types = {pa.int64(): "bigint", pa.int32(): "int"}
    schema = ", ".join(f"{field.name} {types[field.type]}" for field in SCHEMA)
    parts = course.repartition("header_no").sortWithinPartitions(*ORDER)
    return parts.mapInArrow(of_part, schema).localCheckpoint()
