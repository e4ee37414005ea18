"""Moments in and out of DuckDB: the record's views give them in UTC without a zone; everywhere else they are aware."""

from datetime import UTC, datetime
from typing import overload

import pyarrow as pa

MOMENT = pa.timestamp("us", "UTC")


def naive_utc(moment: datetime) -> datetime:
    """An aware moment in the form of the views. ValueError for one without a zone: whose would it be?"""
    if moment.tzinfo is None:
        raise ValueError(f"wanted an aware moment, came {moment.isoformat()} without a zone")
    return moment.astimezone(UTC).replace(tzinfo=None)


@overload
def aware_utc(moment: datetime) -> datetime: ...
@overload
def aware_utc(moment: datetime | None) -> datetime | None: ...
def aware_utc(moment: datetime | None) -> datetime | None:
    """A moment of the views, marked as UTC; None stays None."""
    return None if moment is None else moment.replace(tzinfo=UTC)


def naive_column(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of aware moments in the form of the views, at microseconds."""
    return moments.cast(MOMENT).cast(pa.timestamp("us"))


def aware_table(table: pa.Table) -> pa.Table:
    """The table with all moments of the views marked as UTC, at microseconds."""
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(place, field.name, table[place].cast(MOMENT))
    return table
