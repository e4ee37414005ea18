"""The record as DuckDB sees it: one view a table, complete in its columns, restricted to what was known.

Beside each stands `<table>_latest`, its rows in the version that counts (`features.record.latest`). Rows of a
back-fill that cover several moments are split into what was known at each.
"""

import json
from collections.abc import Iterable
from datetime import datetime

import duckdb
import pyarrow as pa

from features.record.delta import Storage
from features.record.event_reconciliation import PORTAL_SOURCES, RAW, TABLES_OF_DOSSIERS, create_reconciled_views
from features.record.latest import SUFFIX, latest
from features.record.schema import TABLES, RecordTable
from features.record.utc import naive_utc

_VIEW_TYPE = {
    "text": "VARCHAR", "time": "TIMESTAMP", "date": "DATE", "number": "DOUBLE", "integer": "BIGINT",
    "boolean": "BOOLEAN",
}  # fmt: skip
OWN = ("known_by", "row_id", "delivery_id")
"""Columns that every view has beside those of the feed contract."""


def create_views(con: duckdb.DuckDBPyConnection, storage: Storage, lines: pa.Table, cutoff: datetime | None) -> None:
    """Creates the views of `features.record.record.Record.connect` for the deliveries in `lines`."""
    visible = set(lines["delivery_id"].to_pylist())
    numeric = numeric_attributes(lines)
    portal = has_portal_rows(lines)
    for table in TABLES.values():
        name = table.name + RAW if portal and table.name in TABLES_OF_DOSSIERS else table.name
        rows = storage.table(table.name).relation(con, visible)
        if rows is None:
            con.execute(f"CREATE VIEW {name} AS SELECT {_nothing(table)} WHERE false")
        if table.name in STORED_TABLES:
            stored = con.table(name) if rows is None else rows.project(_columns(table, rows.columns, numeric))
            stored.create_view(table.name + STORED)
        if rows is None:
            continue
        if table.name in UNFOLDED:
            _known(con.sql(UNFOLDED[table.name]), cutoff and naive_utc(cutoff)).create_view(name)
        else:
            _known(rows, cutoff).project(_columns(table, rows.columns, numeric)).create_view(name)
    if portal:
        create_reconciled_views(con)
    for name in TABLES:
        con.execute(f"CREATE VIEW {name}{SUFFIX} AS FROM {latest(name)}")
    con.from_arrow(lines).project("* REPLACE (timezone('UTC', arrived_at) AS arrived_at)").create_view("delivery")
    rejects = storage.table("reject").relation(con, visible)
    if rejects is None:
        con.execute(
            "CREATE VIEW reject AS SELECT NULL::VARCHAR AS delivery_id, NULL::VARCHAR AS table_name, "
            "NULL::VARCHAR AS file, NULL::BIGINT AS line, NULL::VARCHAR AS column_name, "
            "NULL::VARCHAR AS wanted, NULL::VARCHAR AS came WHERE false"
        )
    else:
        rejects.create_view("reject")
    con.execute(f"CREATE VIEW conflict AS {' UNION ALL '.join(map(_conflicts, TABLES.values()))}")


def copy_views(con: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> None:
    """Copies views of canonical tables, and their standing versions, into tables of the same names on `con`.

    For readers of many statements: the views are long, and each statement that names one plans and reads it anew.
    """
    for table in tables:
        for name in (table, table + SUFFIX):
            con.execute(f"CREATE TABLE {name}_copy AS FROM {name}")
            con.execute(f"DROP VIEW {name}")
            con.execute(f"ALTER TABLE {name}_copy RENAME TO {name}")


def _known(rows: duckdb.DuckDBPyRelation, cutoff: datetime | None) -> duckdb.DuckDBPyRelation:
    if cutoff is None:
        return rows
    return rows.filter(duckdb.ColumnExpression("known_at") < duckdb.ConstantExpression(cutoff))


def _columns(table: RecordTable, present: list[str], numeric: dict[str, bool]) -> str:
    parts = []
    for column in table.columns:
        if column.name not in present:
            parts.append(f"NULL::{_VIEW_TYPE[column.type]} AS {column.name}")
        elif column.type == "time":
            parts.append(f"timezone('UTC', {column.name}) AS {column.name}")
        else:
            parts.append(column.name)
    parts += OWN
    for name in sorted(name for name in present if name.startswith("x_")):
        if name in numeric:  # an attribute of a later version is not there yet
            parts.append(f"TRY_CAST({name} AS DOUBLE) AS {name}" if numeric[name] else name)
    return ", ".join(parts)


def _nothing(table: RecordTable) -> str:
    parts = [f"NULL::{_VIEW_TYPE[column.type]} AS {column.name}" for column in table.columns]
    return ", ".join([*parts, *(f"NULL::VARCHAR AS {name}" for name in OWN)])


def numeric_attributes(lines: pa.Table) -> dict[str, bool]:
    """Of every attribute that had a value: whether it is a number, as most of its values so far were.

    One cell never turns a column: what does not fit a column of numbers is unknown there.
    """
    counts: dict[str, list[int]] = {}
    alike = lines.group_by(["numeric_attributes", "read"], use_threads=False).aggregate([([], "count_all")])
    for line in alike.to_pylist():  # small deliveries are many, and most of them alike
        read = max(line["read"], 1)
        for name, count in json.loads(line["numeric_attributes"]).items():
            if isinstance(count, bool):  # the form before values were counted
                count = [read, 0] if count else [0, read]
            so_far = counts.setdefault(name, [0, 0])
            so_far[0] += count[0] * line["count_all"]
            so_far[1] += count[1] * line["count_all"]
    return {name: numbers > others for name, (numbers, others) in counts.items()}


def has_portal_rows(lines: pa.Table) -> bool:
    """Whether a one-stop source was delivered, whose rows are read as `features.record.event_reconciliation` says."""
    return bool(PORTAL_SOURCES & set(lines["source"].to_pylist()))


def _conflicts(table: RecordTable) -> str:
    """Keys with two contradicting rows of one moment: both remain, and somebody should ask the source."""
    key = ", ".join(table.key)
    identified = " AND ".join(f"{name} IS NOT NULL" for name in table.key)
    return (
        f"SELECT '{table.name}' AS table_name, concat_ws(' ', {key}) AS id, known_at, count(*) AS versions "
        f"FROM {table.name} WHERE {identified} GROUP BY {key}, known_at HAVING count(*) > 1"
    )


UNFOLDED = {
    "complaint": """
        SELECT * FROM complaint_kept
        UNION ALL BY NAME
        SELECT * REPLACE (filed_at AS known_at, NULL AS answered_at, NULL AS verdict, NULL AS verdict_at,
                          split_part(text, chr(10) || '[trả lời] ', 1) AS text, row_id || '/filed' AS row_id)
        FROM complaint_kept WHERE known_by = 'clock' AND known_at > filed_at
    """,
    "finding": """
        WITH visit AS (
            SELECT inspection_id, min(coalesce(visited_at, planned_at)) AS found_at
            FROM inspection_kept GROUP BY inspection_id
        ), told AS (
            SELECT f.*, v.found_at FROM finding_kept f LEFT JOIN visit v USING (inspection_id)
            WHERE known_by = 'clock'
        )
        SELECT * FROM finding_kept WHERE known_by <> 'clock'
        UNION ALL BY NAME
        SELECT * EXCLUDE (found_at) REPLACE (coalesce(greatest(found_at, confirmed_at), known_at) AS known_at)
        FROM told
        UNION ALL BY NAME
        SELECT * EXCLUDE (found_at) REPLACE (found_at AS known_at, NULL AS confirmed, NULL AS confirmed_at,
                                             row_id || '/found' AS row_id)
        FROM told WHERE confirmed_at > found_at
    """,
}
"""By table: the view over `<table>_kept`, the rows as the record keeps them."""

STORED = "_kept"
"""Suffix of the views that hold rows as the record keeps them, whenever known."""

STORED_TABLES = frozenset({*UNFOLDED, "inspection"})
