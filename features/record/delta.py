"""Delta Lake tables as the record uses them: appended to, and read through their list of Parquet files."""

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import DeltaError, TableNotFoundError

_PARQUET = WriterProperties(compression="ZSTD", compression_level=1, max_row_group_size=122_880)

_OS_ERROR = re.compile(r"\(os error (\d+)\)")
"""How deltalake reports a full or closed disk."""

_MANY = ((16, 2**16), (32, 2**21), (32, 2**25))
"""How many files of less than so many bytes are merged; the smallest sooner, since every posted event makes one, and
for themselves: who follows the news reads what they became.
"""
_PATIENCE = {"max_retries": "3", "retry_timeout": "5s"}
"""For an object store, whose client asks again for three minutes else; how long it waits for one answer is said by
AWS_TIMEOUT (`serving.settings.STORE_PATIENCE`)."""
_ANSI = re.compile(r"\x1b\[\d*m|[\u21b3]")
_MOST_IDLE = 4
_ANYTIME = nullcontext()
_LATER = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
"""Who posts one row does not wait until the log of all before it is written anew: `tidy` sees to that."""
_STATISTICS = ("path", "size_bytes", "min.delivery_id", "max.delivery_id", "max.version")
"""The statistics that are read of a file: those of all its columns would take longer with every file."""

MayHave = Callable[[dict[str, Any]], bool]
"""What the statistics of a file say."""

TableVersion = tuple[int, int, int]
"""Identifies the content of a table in a folder: its version, and the file of its commit."""


class RecordUnreachable(OSError):
    """The object store of the record does not answer, or not as it should."""


@dataclass(frozen=True)
class Storage:
    """Where the tables lie: `url` is a folder or an object-store URL without a closing slash."""

    url: str
    options: dict[str, str] | None = field(default=None, repr=False)
    idle: dict[str, list[tuple[TableVersion, DeltaTable]]] = field(default_factory=dict, repr=False, compare=False)
    """Tables of a folder that were open before, each for one user at a time: to see what was committed since costs a
    tenth of reading the log anew."""

    def __post_init__(self) -> None:
        if "://" in self.url:
            object.__setattr__(self, "options", _PATIENCE | (self.options or {}))

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

    @property
    def _log(self) -> Path:
        """Where Delta logs its commits, of a table in a folder."""
        return Path(self.url, "_delta_log")

    def append(self, rows: pa.Table | pa.RecordBatchReader) -> None:
        """Appends `rows` in one commit; columns that are new are added.

        Raises deltalake's DeltaError, or the disk's OSError.
        """
        with self.opened() as table:
            self._write(self.url if table is None else table, rows, "append")

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
        try:
            write_deltalake(
                table, rows, mode=mode, schema_mode="merge" if mode == "append" else None,
                storage_options=self.storage.options, writer_properties=_PARQUET, commit_properties=commit,
                post_commithook_properties=_LATER if isinstance(rows, pa.Table) else None,
            )  # fmt: skip
        except DeltaError as error:
            number = int(match[1]) if (match := _OS_ERROR.search(str(error))) else errno.EEXIST
            if number == errno.EEXIST:  # somebody else was faster
                raise
            raise OSError(number, os.strerror(number), self.url) from error

    def latest(self, column: str) -> int:
        """The greatest value of an integer column, from the files' statistics; 0 for an empty table."""
        with self.opened() as table:
            return max((action[f"max.{column}"] for action in _actions(table)), default=0) if table else 0

    def relation(self, con: duckdb.DuckDBPyConnection, visible: set[str] | None) -> duckdb.DuckDBPyRelation | None:
        """Its rows, of the deliveries in `visible` (None: all); None while the table has no such rows."""
        with self.opened() as table:
            return None if table is None else self._relation(con, visible, table)

    def _relation(
        self, con: duckdb.DuckDBPyConnection, visible: set[str] | None, table: DeltaTable
    ) -> duckdb.DuckDBPyRelation | None:
        paths, mixed = self.paths(visible, table)
        if not paths:
            return None
        if "://" in self.url:  # DuckDB's own readers of object stores are not bundled: through Arrow
            rows, mixed = con.from_arrow(table.to_pyarrow_dataset()), visible is not None
        else:
            rows = con.read_parquet(paths, union_by_name=True)
        if visible is None or not mixed:
            return rows
        wanted = con.from_arrow(pa.table({"delivery_id": sorted(visible)}))
        return rows.join(wanted, "delivery_id", how="semi")

    def paths(self, visible: set[str] | None, seen: DeltaTable | None = None) -> tuple[list[str], bool]:
        """The Parquet files that hold rows of the deliveries in `visible` (None: all), and whether others' rows too."""
        table = seen or self.open()
        actions = _actions(table) if table else []
        if visible is not None:  # a file of one delivery is in or out; a merged file is filtered row by row
            actions = [a for a in actions if mixed(a) or a["min.delivery_id"] in visible]
        return [f"{self.url}/{a['path']}" for a in actions], any(map(mixed, actions))

    def read(self, seen: DeltaTable, wanted: pc.Expression, may_have: MayHave, count: int | None = None) -> pa.Table:
        """The `wanted` rows, without an engine; from files that `may_have` some, by their statistics.

        Smallest files first, no more of them once `count` rows were found.
        """
        if "://" in self.url:
            return seen.to_pyarrow_dataset().to_table(filter=wanted)
        found = [pa.schema(seen.schema().to_arrow()).empty_table()]
        for action in sorted(_actions(seen), key=lambda action: int(action["size_bytes"])):
            if count is not None and sum(rows.num_rows for rows in found) >= count:
                break
            if may_have(action):
                found.append(pq.ParquetFile(f"{self.url}/{action['path']}").read().filter(wanted))
        return pa.concat_tables(found, promote_options="default")

    def tidy(self, writing: AbstractContextManager[object] = _ANYTIME) -> None:
        """Merges the table's small files where they are many (inside of `writing`), and its log; no row changes.

        Files that were merged stay for those who still read them and are removed after a week. Another writer's
        commit in the meantime makes the merge void, which the next one repeats.
        """
        with self.opened() as table, suppress(DeltaError):
            if table is not None and (small := _many_below(table)):
                with writing:
                    table.optimize.compact(target_size=2 * small, max_concurrent_tasks=1, writer_properties=_PARQUET)
                table.vacuum(retention_hours=7 * 24, dry_run=False)
                table.create_checkpoint()
                table.cleanup_metadata()

    def open(self) -> DeltaTable | None:
        """The table as it is now, or None where there is none yet. RecordUnreachable where its store is away."""
        try:
            return DeltaTable(self.url, storage_options=self.storage.options)
        except TableNotFoundError:
            return None
        except OSError as error:
            if "://" not in self.url:
                raise
            raise RecordUnreachable(f"{self.url}: {' '.join(_ANSI.sub('', str(error)).split())}") from error

    @contextmanager
    def opened(self) -> Iterator[DeltaTable | None]:
        """The table as it is now, which nobody else moves on meanwhile; None where there is none yet."""
        idle = self.storage.idle.setdefault(self.name, [])
        standing, table = idle.pop() if idle else (None, None)
        if table is None or self.standing(table) != standing:  # another table lies there by now: restored, made anew
            table = self.open()
        elif (self._log / f"{table.version() + 1:020}.json").exists():  # to ask the table itself costs 50 times as much
            table.update_incremental()
        yield table
        standing = None if table is None else self.standing(table)
        if table is not None and standing is not None and len(idle) < _MOST_IDLE:
            idle.append((standing, table))

    def standing(self, table: DeltaTable) -> TableVersion | None:
        """Identifies what `table` holds; None where that takes reading: in an object store."""
        return self._standing(table.version())

    def once_stood(self, so: TableVersion) -> bool:
        """Whether the table that lies here held what `so` names, and has only grown since."""
        return self._standing(so[0]) == so

    def _standing(self, version: int) -> TableVersion | None:
        if "://" in self.url:
            return None
        try:
            status = (self._log / f"{version:020}.json").stat()
        except OSError:
            return None
        return version, status.st_ino, status.st_mtime_ns


def _many_below(table: DeltaTable) -> int:
    """The size in bytes below which files are many; 0 where they are few of any size."""
    sizes = pa.table(table.get_add_actions(flatten=True))["size_bytes"].to_pylist()
    return max((small for many, small in _MANY if sum(size < small for size in sizes) >= many), default=0)


def _actions(table: DeltaTable) -> list[dict[str, Any]]:
    """The table's files with what of their sizes and statistics is asked for."""
    files = pa.table(table.get_add_actions(flatten=True))
    actions: list[dict[str, Any]] = files.select(
        [name for name in _STATISTICS if name in files.column_names]
    ).to_pylist()
    return actions


def mixed(action: dict[str, Any]) -> bool:
    """Whether a file may hold rows of several deliveries."""
    low, high = action.get("min.delivery_id"), action.get("max.delivery_id")
    return low is None or low != high
