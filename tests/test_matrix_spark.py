"""The matrix on a local Spark of two workers: the same cells as DuckDB's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import matrix
from features.schema import TABLES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    sql = pytest.importorskip("pyspark.sql", reason="needs the extra spark")
    builder = sql.SparkSession.builder.master("local[2]").appName("matrix")
    for key, value in {
        "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.driver.memory": "3g",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
        "spark.sql.adaptive.enabled": "false",
    }.items():  # fmt: skip
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    yield spark
    spark.stop()


@pytest.mark.filterwarnings("default")
def test_spark_gives_the_cells_of_duckdb(session: Any, tmp_path: Path) -> None:
    from datetime import timedelta

    from drawn_history import START
    from drawn_views import every_case, views

    from features import spark

    dossiers, events = drawn(24)
    con = views(dossier=dossiers, event=events, procedure=[
        {"procedure_code": "p1", "sector_code": "land", "legal_working_days": 5.0}])  # fmt: skip
    asked = every_case(con, [START + timedelta(days=days) for days in (10, 33)])
    tables = {}
    for name in spark.TABLES:
        rows = con.sql(f"SELECT * FROM {name}").to_arrow_table()
        for column in TABLES[name].columns:
            if column.type == "time":
                at = rows.column_names.index(column.name)
                rows = rows.set_column(at, column.name, rows[column.name].cast(pa.timestamp("us", "UTC")))
        pq.write_table(rows, tmp_path / f"{name}.parquet")
        tables[name] = session.read.parquet(str(tmp_path / f"{name}.parquet"))
    there = spark.build(session, tables, asked)
    here = matrix.build(con, asked)
    assert there.column_names == here.column_names
    assert sum(map(bool, here["unit_known"].to_pylist())) > 5
    for name in here.column_names:
        told, expected = there[name].to_pylist(), here[name].to_pylist()
        assert [cell is None for cell in told] == [cell is None for cell in expected], name
        for one, other in zip(told, expected, strict=True):
            assert one == (pytest.approx(other, rel=1e-9) if isinstance(other, float) else other), name


def drawn(count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Dossiers with late news, pauses and corrections, by arithmetic instead of chance."""
    from datetime import timedelta

    from drawn_history import START

    dossiers, events = [], []
    for n in range(count):
        received = START + timedelta(hours=7 * n)
        dossiers.append({
            "dossier_id": f"d{n}", "procedure_code": f"p{n % 3}", "unit_code": f"u{n % 2}", "received_at": received,
            "due_at": received + timedelta(days=2 + n % 9), "x_form": "AB"[n % 2],
        })  # fmt: skip
        kinds = ["assigned", "papers_requested", "forwarded", "extended", "note", "decided"][: 2 + n % 5]
        for k, kind in enumerate(kinds):
            at = received + timedelta(hours=5 * k * (1 + n % 4))
            events.append({
                "dossier_id": f"d{n}", "kind": kind, "happened_at": at, "official_id": f"o{(n + k) % 4}",
                "known_at": at + timedelta(hours=50 if (n + k) % 7 == 0 else 0), "step": f"s{k % 3}",
                "due_at": at + timedelta(days=5) if kind == "extended" else None, "row_id": f"{n}-{k}",
            })  # fmt: skip
    return dossiers, events
