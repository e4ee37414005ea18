"""Which rows of a delivery are new, and their way into the tables of the record."""

from pathlib import Path

import duckdb
import pyarrow as pa

from features.record.delta import Storage
from features.record.row_ids import RowIds
from features.record.schema import TABLES
from features.record.staging import Staging

_ROWS_AHEAD = 8_192  # of one batch; the table's writer lets a queue of batches run ahead of it


class NewRows:
    """One per record. in_folder: its files are at hand, so that a few rows are compared without a query."""

    def __init__(self, storage: Storage, in_folder: bool) -> None:
        self._storage = storage
        self._in_folder = in_folder
        self._ids: dict[str, RowIds] = {}

    def append(self, staging: Staging, delivery_id: str, visible: set[str]) -> dict[str, int]:
        """Appends the staged rows that neither the delivery nor one in `visible` already has, and all rejects.

        Gives how many of each canonical table that rows came for. Raises deltalake's DeltaError, or the disk's OSError.
        """
        few = staging.few()
        if few is not None and self._all_new(few, visible):
            return self._append_few(few, delivery_id)
        return self._append_compared(staging, delivery_id, visible)

    def _all_new(self, few: dict[str, pa.Table], visible: set[str]) -> bool:
        """Whether a glance at the ids tells that no row repeats another one."""
        if not self._in_folder:
            return False
        for name in few.keys() & TABLES.keys():
            ids = few[name]["row_id"].to_pylist()
            with self._storage.table(name).opened() as seen:
                paths, _ = self._storage.table(name).paths(visible, seen)
            if len(set(ids)) < len(ids) or self._ids.setdefault(name, RowIds()).any(paths, ids):
                return False
        return True

    def _append_few(self, few: dict[str, pa.Table], delivery_id: str) -> dict[str, int]:
        for name, rows in few.items():
            mine = pa.array([delivery_id] * rows.num_rows, pa.string())
            self._storage.table(name).append(rows.drop_columns(["nth"]).add_column(0, "delivery_id", mine))
        return {name: rows.num_rows for name, rows in few.items() if name in TABLES}

    def _append_compared(self, staging: Staging, delivery_id: str, visible: set[str]) -> dict[str, int]:
        appended: dict[str, int] = {}
        with _engine(staging.folder) as con:
            for name, files in staging.files().items():
                stage = con.read_parquet([str(path) for path in files], union_by_name=True)
                stage.create_view("stage", replace=True)
                if name in TABLES:
                    self._mark_known(con, name, visible)
                    kept = con.sql(_KEPT)
                    appended[name] = con.sql(_NEW).fetchall()[0][0]
                else:
                    kept = con.sql("SELECT * EXCLUDE (nth) FROM stage")
                if name not in TABLES or appended[name]:
                    shown = kept.project(f"'{delivery_id}' AS delivery_id, *")
                    self._storage.table(name).append(shown.to_arrow_reader(_ROWS_AHEAD))
        return appended

    def _mark_known(self, con: duckdb.DuckDBPyConnection, name: str, visible: set[str]) -> None:
        """Fills `skip` with the `nth` of staged rows that the record or the delivery already has."""
        held = self._storage.table(name).relation(con, visible)
        con.execute("CREATE OR REPLACE TEMP TABLE skip (nth BIGINT)")
        if held is not None:
            held.create_view("held", replace=True)
            con.execute("INSERT INTO skip SELECT nth FROM stage SEMI JOIN held USING (row_id)")
        con.execute(_SKIP_REPEATED)


def _engine(spill: Path) -> duckdb.DuckDBPyConnection:
    """An engine with bounded memory."""
    con = duckdb.connect(config={
        "autoinstall_known_extensions": False, "temp_directory": str(spill), "memory_limit": "256MB", "threads": 2,
        "preserve_insertion_order": False,
    })  # fmt: skip
    con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")  # the output is read by others
    return con


_KEPT = "SELECT * EXCLUDE (nth) FROM stage ANTI JOIN skip USING (nth)"
_NEW = "SELECT (SELECT count(*) FROM stage) - count(*) FROM skip"
_SKIP_REPEATED = """
    INSERT INTO skip
    SELECT nth FROM stage JOIN (
        SELECT row_id, min(nth) AS first_nth FROM stage GROUP BY row_id HAVING count(*) > 1
    ) USING (row_id)
    WHERE nth <> first_nth AND nth NOT IN (SELECT nth FROM skip)
"""
