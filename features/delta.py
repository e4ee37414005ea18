"""Delta Lake tables as the record uses them: appended to, and read through their list of Parquet files."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import TableNotFoundError

_PARQUET = WriterProperties(compression="ZSTD", compression_level=1, max_row_group_size=122_880)


@dataclass(frozen=True)
class Storage:
    """Where the tables lie: `url` is a folder or an object-store URL without a closing slash."""

    url: str
    options: dict[str, str] | None = field(default=None, repr=False)

    def table(self, name: str) -> "DeltaFiles":
        """The table called `name`, whether it exists yet or not."""
        return DeltaFiles(self, name)


@dataclass(frozen=True)
class DeltaFiles:
    """One Delta table."""

    storage: Storage
    name: str

    @property
    def url(self) -> str:
        """Its folder or URL."""
        return f"{self.storage.url}/{self.name}"

    def append(self, rows: pa.Table | pa.RecordBatchReader) -> None:
        """Appends `rows` in one commit; columns that are new are added. Raises deltalake's DeltaError."""
        self._write(self.url, rows, "append")

    def append_next(self, rows: pa.Table, seen: DeltaTable | None, number: int) -> None:
        """Appends `rows` as number `number`, unless somebody did since `seen` was opened: then DeltaError."""
        commit = CommitProperties(app_transactions=[Transaction(self.name, number)], max_commit_retries=0)
        if seen is None:  # creating fails where the table exists by now
            self._write(self.url, rows, "error", commit)
        else:
            self._write(seen, rows, "append", commit)

    def _write(
        self,
        table: str | DeltaTable,
        rows: pa.Table | pa.RecordBatchReader,
        mode: Literal["append", "error"],
        commit: CommitProperties | None = None,
    ) -> None:
        if "://" not in self.url:
            Path(self.url).mkdir(parents=True, exist_ok=True)
        write_deltalake(
            table, rows, mode=mode, schema_mode="merge" if mode == "append" else None,
            storage_options=self.storage.options, writer_properties=_PARQUET, commit_properties=commit,
        )  # fmt: skip

    def latest(self, column: str) -> int:
        """The greatest value of an integer column, from the files' statistics; 0 for an empty table."""
        return max((actions[f"max.{column}"] for actions in self._actions()), default=0)

    def relation(
        self, con: duckdb.DuckDBPyConnection, visible: set[str] | None, seen: DeltaTable | None = None
    ) -> duckdb.DuckDBPyRelation | None:
        """Its rows, of the deliveries in `visible` (None: all); None while the table has no such rows.

        `seen` shows the table as it was when that was opened.
        """
        table = seen or self.open()
        if table is None:
            return None
        actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
        if visible is not None:  # a file of one delivery is in or out; a merged file is filtered row by row
            actions = [a for a in actions if _mixed(a) or a["min.delivery_id"] in visible]
        if not actions:
            return None
        if "://" in self.url:  # DuckDB's own readers of object stores are not bundled: through Arrow
            rows, mixed = con.from_arrow(table.to_pyarrow_dataset()), visible is not None
        else:
            paths = [f"{self.url}/{a['path']}" for a in actions]
            rows, mixed = con.read_parquet(paths, union_by_name=True), any(map(_mixed, actions))
        if visible is None or not mixed:
            return rows
        wanted = [duckdb.ConstantExpression(one) for one in sorted(visible)]
        return rows.filter(duckdb.ColumnExpression("delivery_id").isin(*wanted))

    def open(self) -> DeltaTable | None:
        """The table as it is now, or None where there is none yet."""
        try:
            return DeltaTable(self.url, storage_options=self.storage.options)
        except TableNotFoundError:
            return None

    def _actions(self) -> list[dict[str, Any]]:
        table = self.open()
        return [] if table is None else pa.table(table.get_add_actions(flatten=True)).to_pylist()


def _mixed(action: dict[str, Any]) -> bool:
    """Whether a file may hold rows of several deliveries."""
    low, high = action.get("min.delivery_id"), action.get("max.delivery_id")
    return low is None or low != high
