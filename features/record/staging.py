"""Checked rows of one delivery on their way into the record, on disk, so that memory stays bounded."""

import shutil
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

ROWS_A_FILE = 100_000
FEW_ROWS = 10_000


class Staging:
    """A folder of Parquet files, one or more a table, that lives as long as one append; none for few rows.

    The folder is locked while its process lives; what a killed process left is removed by the next one.
    Every row gets `nth`, its place in the delivery.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._waiting: dict[str, list[pa.Table]] = {}
        self._files: dict[str, list[Path]] = {}
        self._nth = 0
        self._made: tuple[Path, FileLock] | None = None

    def __enter__(self) -> "Staging":
        for left in self._root.glob("*.lock"):
            self._remove_if_dead(left)
        return self

    def __exit__(self, *_: object) -> None:
        if self._made is None:
            return
        folder, lock = self._made
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        folder.with_suffix(".lock").unlink(missing_ok=True)

    @property
    def folder(self) -> Path:
        """The folder, made and locked when it is first wanted."""
        if self._made is None:
            self._root.mkdir(parents=True, exist_ok=True)
            folder = self._root / uuid.uuid4().hex
            lock = FileLock(folder.with_suffix(".lock"))
            lock.acquire()
            self._made = folder, lock
            folder.mkdir()
        return self._made[0]

    @staticmethod
    def _remove_if_dead(path: Path) -> None:
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)
        lock.release()
        path.unlink(missing_ok=True)

    def add(self, table: str, rows: pa.Table) -> None:
        """Keeps `rows` of `table`; writes them out as soon as there are many."""
        if not rows.num_rows:
            return
        nth = pa.array(range(self._nth, self._nth + rows.num_rows), pa.int64())
        self._nth += rows.num_rows
        waiting = self._waiting.setdefault(table, [])
        waiting.append(rows.append_column("nth", nth))
        if sum(part.num_rows for part in waiting) >= ROWS_A_FILE:
            self._write(table)

    def few(self) -> dict[str, pa.Table] | None:
        """The rows of every table that got some, where there are few and none was written out; else None."""
        if self._files or self._nth > FEW_ROWS:
            return None
        return {name: pa.concat_tables(rows, promote_options="default") for name, rows in self._waiting.items()}

    def files(self) -> dict[str, list[Path]]:
        """The files of every table that got rows, after writing out what still waits."""
        for table in list(self._waiting):
            self._write(table)
        return self._files

    def _write(self, table: str) -> None:
        rows = pa.concat_tables(self._waiting.pop(table), promote_options="default")
        files = self._files.setdefault(table, [])
        path = self.folder / f"{table}-{len(files):05d}.parquet"
        pq.write_table(rows, path, compression="lz4")
        files.append(path)
