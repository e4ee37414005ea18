"""Cells as they come, from dicts or Arrow, brought to the few shapes that a check can read."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.types as pt

from features.record.cell_text import code_of_number

MAX_COLUMNS = 300
"""Columns of one table that are read; a dossier has some dozen attributes."""


def attribute_name(name: str) -> str:
    """The record's name of an unknown column: `x_` and its letters, digits and `_`, in lower case.

    >>> attribute_name("Land area (m²)"), attribute_name("x_ward")
    ('x_land_area_m²', 'x_ward')
    """
    plain = re.sub(r"\W+", "_", name.strip().lower()).strip("_")[:60] or "unnamed"
    return plain if plain.startswith("x_") else f"x_{plain}"


def shape(kind: pa.DataType) -> str:
    """What a check has to know of a type: text, number, boolean, moment (with zone), local or day."""
    if pt.is_timestamp(kind):
        return "moment" if kind.tz else "local"
    if pt.is_date(kind):
        return "day"
    if pt.is_boolean(kind):
        return "boolean"
    return "number" if pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind) else "text"


def raw_table(rows: list[dict[str, Any]] | pa.Table) -> pa.Table:
    """`rows` as an Arrow table of plain columns: text, numbers, booleans, days and moments.

    Columns of mixed or nested values become text (JSON where nested); repeated names lose the later column.
    """
    if isinstance(rows, pa.Table):
        columns: dict[str, pa.Array] = {}
        for name, column in zip(rows.column_names, rows.columns, strict=True):
            columns.setdefault(name, _plain(column))
        return pa.table(columns)
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({str(name): _array([row.get(name) for row in rows]) for name in names})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    if pt.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pt.is_null(kind):
        return column.cast(pa.string())
    if pt.is_string(kind) or pt.is_large_string(kind) or shape(kind) != "text":
        return column
    return _array(column.to_pylist())


def _array(values: Sequence[Any]) -> pa.Array:
    kinds = set(map(type, values)) - {type(None)}
    try:
        if kinds <= {str}:
            return pa.array(values, pa.string())
        if len(kinds) == 1 and kinds <= {int, float, bool, date}:
            return pa.array(values)
        if kinds == {datetime} and all(value is None or value.tzinfo for value in values):
            return pa.array(values, pa.timestamp("us", "UTC"))
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        pass  # a cell beyond its type: all become text, and the check says which one is wrong
    return pa.array([None if value is None else _text_of(value) for value in values], pa.string())


def _text_of(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (dict, list, tuple)):
        with suppress(TypeError):  # beyond JSON: a whole number of more than 64 bits
            return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()
    if isinstance(value, float):
        return code_of_number(value)
    return str(value).encode("utf-8", "replace").decode()
