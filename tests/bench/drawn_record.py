"""A record drawn to any size in seconds: three years, ten events a dossier, 200 procedures, 150 units of ten officials.

Every row is known when it happens, no clock stands, no promise is moved, and the events of a dossier have officials
throughout; so a reference in polars or pandas may leave out late news, corrections and the lawful clock, which the
matrix never does.
"""

from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from features.record.schema import TABLES
from features.record.utc import naive_utc

DAY = 86_400_000_000
START = int(np.datetime64("2023-01-02", "us").astype("int64"))
_TYPES = {"text": "VARCHAR", "time": "TIMESTAMP", "number": "DOUBLE", "integer": "BIGINT"}
_KINDS = "['forwarded', 'note', 'assigned', 'returned', 'consulted', 'decided']"
_TABLES = ("dossier", "event", "procedure")


def draw(folder: Path | str, dossiers: int, seed: int = 7, days: int = 3 * 365) -> None:
    """Writes `dossier.parquet`, `event.parquet` and the weekly `cases.parquet` (dossier_id, as_of) to `folder`.

    days: over which dossiers are received; the fewer, the more of them are open at a time.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(seed)
    procedure, unit = chance.zipf(1.4, dossiers) % 200, chance.integers(0, 150, dossiers)
    term = np.array([3, 5, 10, 15, 20, 30])[procedure % 6]
    received = START + (chance.random(dossiers) * days * DAY).astype("int64")
    lasts = (chance.lognormal(np.log(term * 1.2), 0.5) * DAY).astype("int64")
    count = np.clip(chance.poisson(10, dossiers), 2, None)
    of = np.repeat(np.arange(dossiers), count)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    last = nth == count[of] - 1
    share = np.sort(of + chance.random(len(of)) * 0.999) - of
    share[nth == 0], share[last] = 0, 1
    kind = np.where(last, 5, chance.integers(0, 5, len(of)))
    numbers = {
        "dossier": {
            "d": np.arange(dossiers), "p": procedure, "u": unit, "moment": received,
            "due": received + term * 7 // 5 * DAY + DAY,
        },
        "event": {
            "d": of, "moment": received[of] + (share * lasts[of]).astype("int64"), "k": kind,
            "o": unit[of] * 10 + chance.integers(0, 10, len(of)),
            "s": np.minimum(nth, 9) * 3 + chance.integers(0, 3, len(of)), "n": np.arange(len(of)),
        },
    }  # fmt: skip
    con = _duckdb()
    for name, columns in numbers.items():
        con.register(name, pa.table(columns))
        con.execute(f"COPY ({_TOLD[name]}) TO '{folder / name}.parquet' (ROW_GROUP_SIZE 200000)")
    con = views(folder)
    con.execute(f"COPY ({WEEKLY}) TO '{folder / 'cases'}.parquet'")


_TOLD = {
    "dossier": """
        SELECT 'd' || d AS dossier_id, 'p' || p AS procedure_code, 'u' || u AS unit_code,
               make_timestamp(moment) AS received_at, make_timestamp(moment) AS known_at, make_timestamp(due) AS due_at,
               'd' || d AS row_id FROM dossier""",
    "event": f"""
        SELECT 'd' || d AS dossier_id, {_KINDS}[k + 1] AS kind, make_timestamp(moment) AS happened_at,
               make_timestamp(moment) AS known_at, 'o' || o AS official_id, 's' || s AS step, 'e' || n AS row_id
        FROM event""",
}

WEEKLY = """
    SELECT dossier_id, as_of
    FROM dossier, generate_series(TIMESTAMP '2023-01-09', TIMESTAMP '2026-01-05', INTERVAL 7 DAY) g(as_of)
    WHERE received_at < as_of AND as_of < due_at ORDER BY as_of, dossier_id"""
"""Every dossier in every week between its receipt and its promise."""


def views(folder: Path, cutoff: datetime | None = None) -> duckdb.DuckDBPyConnection:
    """A connection with the drawn tables as views, as `features.record.record.Record.connect` gives them."""
    con = _duckdb()
    for name in _TABLES:
        path = folder / f"{name}.parquet"
        present = con.read_parquet(str(path)).columns if path.exists() else []
        listed = [column.name if column.name in present else f"NULL::{_TYPES[column.type]} AS {column.name}"
                  for column in TABLES[name].columns]  # fmt: skip
        source = f"read_parquet('{path}')" if present else "(SELECT 1) WHERE false"
        row_id = "row_id" if present else "NULL::VARCHAR AS row_id"
        known = [] if "known_at" in TABLES[name].names else ["known_at" if present else "NULL::TIMESTAMP AS known_at"]
        if present and cutoff is not None:
            source += f" WHERE known_at < TIMESTAMP '{naive_utc(cutoff)}'"
        con.execute(f"CREATE VIEW {name} AS SELECT {', '.join([*listed, *known, row_id])} FROM {source}")
    return con


def cases(con: duckdb.DuckDBPyConnection, folder: Path) -> pa.Table:
    """The weekly landmarks of the record in `folder`."""
    path = folder / "cases.parquet"
    return con.sql(f"SELECT dossier_id, timezone('UTC', as_of) AS as_of FROM '{path}'").to_arrow_table()


def _duckdb() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'; SET threads = 2; SET enable_progress_bar = false")
    return con
