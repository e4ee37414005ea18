"""The matrix on a Spark of two worker processes, from the record's own Delta files: the same cells as DuckDB's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from features.calendar.vietnam import VIETNAM
from features.matrix import batch as matrix
from features.record.delivery import Chunk
from features.record.record import Record
from features.record.schema import TABLES
from features.record.utc import aware_table
from features.simulate import simulate
from features.sources import SOURCES, FeedOptions
from tests.drawn_history import START

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    pytest.importorskip("pyspark.sql", reason="needs the extra spark")
    from tests.bench.spark_cluster import spark_cluster

    with spark_cluster() as spark:
        yield spark


def check(session: Any, record: Record, asked: pa.Table) -> pa.Table:
    """Both engines on the same record; gives DuckDB's matrix."""
    from features.matrix import spark
    from features.matrix.spark_record import tables

    there = spark.build(session, tables(session, record), asked, calendar=VIETNAM)
    here = matrix.build(record.connect(), asked, calendar=VIETNAM)
    assert there.column_names == here.column_names
    for name in here.column_names:
        told, expected = there[name].to_pylist(), here[name].to_pylist()
        assert [cell is None for cell in told] == [cell is None for cell in expected], name
        whole = all(cell is None or not isinstance(cell, float) or cell.is_integer() for cell in expected)
        for one, other in zip(told, expected, strict=True):
            exact = not isinstance(other, float) or whole  # counts to the last bit, rates to 1e-9
            assert one == (other if exact else pytest.approx(other, rel=1e-9, abs=1e-12)), name
    return here


@pytest.mark.filterwarnings("default")
def test_spark_of_two_workers_gives_the_cells_of_duckdb(session: Any, tmp_path: Path) -> None:
    from tests.bench.spark_cluster import executors

    dossiers, events = drawn(24)
    record = Record(tmp_path / "record")
    procedures = [{"procedure_code": "p1", "sector_code": "land", "legal_working_days": 5.0}]
    for rows in (slice(None, 12), slice(12, None)):  # in two deliveries, so in several files
        chunks = [Chunk("procedure", procedures), Chunk("dossier", dossiers[rows]), Chunk("event", events[rows])]
        record.append(chunks, source="canonical", arrived_at=START)
    record.append([Chunk("event", events)], source="canonical", arrived_at=START)
    dying = [{**dossiers[0], "dossier_id": "nobody", "delivery_id": "died", "row_id": "x"}]
    record.table("dossier").append(pa.Table.from_pylist(dying))  # rows whose delivery has no line
    moments = [START + timedelta(days=days) for days in (10, 33)]
    asked = pa.table({
        "dossier_id": [row["dossier_id"] for row in dossiers] * 2,
        "as_of": pa.array([at for at in moments for _ in dossiers], pa.timestamp("us", "UTC")),
    })  # fmt: skip
    here = check(session, record, asked)
    assert sum(map(bool, here["unit_known"].to_pylist())) > 5
    assert executors(session) == 2


@pytest.mark.filterwarnings("default")
def test_spark_reads_rows_of_one_stop_sources_as_duckdb_does(session: Any, tmp_path: Path) -> None:
    from features.matrix.spark_record import tables

    province = simulate(seed=5, dossiers=120, start=date(2026, 1, 5), end=date(2026, 3, 1))
    province.write(tmp_path / "raw", format="raw")
    record = Record(tmp_path / "record")
    at = datetime(2026, 3, 2, tzinfo=UTC)
    for source in ("opencps", "dvcqg"):
        chunks = SOURCES[source].read(tmp_path / "raw" / source, FeedOptions(key=b"k" * 32))
        kept = (chunk for chunk in chunks if chunk.table in TABLES)  # names of persons never go to the record
        record.append(kept, source=source, arrived_at=at)
    con, there = record.connect(), tables(session, record)
    for name in ("dossier", "event"):
        told = aware_table(there[name].toArrow())
        here = aware_table(con.sql(f"SELECT * FROM {name}").to_arrow_table())
        assert there[name].columns == here.column_names
        assert told.sort_by("row_id").to_pylist() == here.sort_by("row_id").to_pylist()
    kinds = set(here["kind"].to_pylist())
    assert "note" in kinds  # one telling of two gave way


def drawn(count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Dossiers with late news, pauses and corrections, by arithmetic instead of chance."""
    dossiers, events = [], []
    for n in range(count):
        received = START + timedelta(hours=7 * n)
        dossiers.append({
            "dossier_id": f"d{n}", "procedure_code": f"p{n % 3}", "unit_code": f"u{n % 2}", "received_at": received,
            "due_at": received + timedelta(days=2 + n % 9), "x_form": "AB"[n % 2], "x_area": float(n),
        })  # fmt: skip
        kinds = ["assigned", "papers_requested", "forwarded", "extended", "note", "decided"][: 2 + n % 5]
        for k, kind in enumerate(kinds):
            at = received + timedelta(hours=5 * k * (1 + n % 4))
            events.append({
                "dossier_id": f"d{n}", "kind": kind, "happened_at": at, "official_id": f"o{(n + k) % 4}",
                "known_at": at + timedelta(hours=50 if (n + k) % 7 == 0 else 0), "step": f"s{k % 3}",
                "due_at": at + timedelta(days=5) if kind == "extended" else None,
            })  # fmt: skip
    return dossiers, events
