"""Moments on their way into DuckDB and out again: whatever zone they are told in, they stay the same moment."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.record.utc import aware_table, aware_utc, naive_column, naive_utc

ZONES = ["UTC", "Asia/Ho_Chi_Minh", "America/New_York"]  # Vietnam stood at +08 in 1970, New York has summer time


@given(st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)), st.sampled_from(ZONES))  # noqa: DTZ001
def test_there_and_back_is_the_same_moment_in_every_zone(wall: datetime, zone: str) -> None:
    moment = wall.replace(tzinfo=ZoneInfo(zone))
    assert aware_utc(naive_utc(moment)) == moment.astimezone(UTC)


def test_a_moment_without_a_zone_is_refused_and_none_stays_none() -> None:
    with pytest.raises(ValueError, match="wanted an aware moment"):
        naive_utc(datetime(2026, 9, 7, 8))  # noqa: DTZ001
    assert aware_utc(None) is None


def test_columns_and_tables_tell_the_same_moments() -> None:
    column = pa.chunked_array([pa.array([datetime(2026, 9, 7, 8, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")), None])])
    naive = naive_column(column)
    assert naive.to_pylist() == [datetime(2026, 9, 7, 1), None]  # noqa: DTZ001
    back = aware_table(pa.table({"n": [1, 2], "as_of": naive}))
    assert back["as_of"].to_pylist() == [datetime(2026, 9, 7, 1, tzinfo=UTC), None]
    assert back["n"].to_pylist() == [1, 2]
