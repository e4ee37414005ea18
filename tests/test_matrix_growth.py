"""What the matrix of all weekly landmarks costs, as the record grows: no more than in proportion."""

from __future__ import annotations

import math
import time

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from features import matrix
from features.schema import TABLES

DAY = 86_400_000_000
START = int(np.datetime64("2023-01-02", "us").astype("int64"))


def grown(dossiers: int, seed: int = 7) -> duckdb.DuckDBPyConnection:
    """A record of three years with ten events a dossier, 200 procedures, 150 units of ten officials."""
    chance = np.random.default_rng(seed)
    procedure, unit = chance.zipf(1.4, dossiers) % 200, chance.integers(0, 150, dossiers)
    term = np.array([3, 5, 10, 15, 20, 30])[procedure % 6]
    received = START + (chance.random(dossiers) * 3 * 365 * DAY).astype("int64")
    lasts = (chance.lognormal(np.log(term * 1.2), 0.5) * DAY).astype("int64")
    count = np.clip(chance.poisson(10, dossiers), 2, None)
    of = np.repeat(np.arange(dossiers), count)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    share = np.sort(of + chance.random(len(of)) * 0.999) - of
    share[nth == 0], share[nth == count[of] - 1] = 0, 1
    kind = chance.choice(["forwarded", "note", "assigned", "papers_requested", "papers_supplied"], len(of))
    kind[nth == count[of] - 1] = "decided"
    at = pa.array(received[of] + (share * lasts[of]).astype("int64"), pa.timestamp("us"))
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'; SET threads = 2")
    moments = pa.array(received, pa.timestamp("us"))
    made = {
        "dossier": {
            "dossier_id": [f"d{n}" for n in range(dossiers)], "procedure_code": [f"p{n}" for n in procedure],
            "unit_code": [f"u{n}" for n in unit], "received_at": moments, "known_at": moments,
            "due_at": pa.array(received + term * 7 // 5 * DAY + DAY, pa.timestamp("us")),
        },
        "event": {
            "dossier_id": [f"d{n}" for n in of], "kind": kind.tolist(), "happened_at": at, "known_at": at,
            "official_id": [f"o{n}" for n in unit[of] * 10 + chance.integers(0, 10, len(of))],
            "step": [f"s{n}" for n in np.minimum(nth, 9) * 3 + chance.integers(0, 3, len(of))],
        },
        "procedure": {},
    }  # fmt: skip
    for name, columns in made.items():
        table = pa.table(columns)
        con.from_arrow(table.append_column("row_id", pa.array(map(str, range(table.num_rows)), pa.string()))).create(
            f"{name}_drawn"
        )
        types = {"text": "VARCHAR", "time": "TIMESTAMP", "number": "DOUBLE", "integer": "BIGINT"}
        listed = [column.name if column.name in columns else f"NULL::{types[column.type]} AS {column.name}"
                  for column in TABLES[name].columns]  # fmt: skip
        con.execute(f"CREATE VIEW {name} AS SELECT {', '.join([*listed, 'row_id'])} FROM {name}_drawn")
    return con


def weekly(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Every dossier in every week between its receipt and its promise."""
    return con.sql("""
        SELECT dossier_id, timezone('UTC', as_of) AS as_of
        FROM dossier, generate_series(TIMESTAMP '2023-01-09', TIMESTAMP '2026-01-05', INTERVAL 7 DAY) g(as_of)
        WHERE received_at < as_of AND as_of < due_at ORDER BY ALL""").to_arrow_table()


@pytest.mark.slow
def test_cost_grows_in_proportion() -> None:
    spent = []
    for dossiers in (3_000, 12_000, 48_000):
        con = grown(dossiers)
        asked = weekly(con)
        start = time.process_time()
        assert matrix.build(con, asked).num_rows == asked.num_rows
        spent.append(time.process_time() - start)
    exponent = math.log(spent[2] / spent[0]) / math.log(16)
    assert exponent <= 1.1, f"CPU seconds {spent} over 1x, 4x, 16x: exponent {exponent:.2f}"
