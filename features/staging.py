"""Checked rows of one delivery on their way into the record, on disk, so that memory stays bounded."""

import shutil
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

ROWS_A_FILE = 100_000


class Staging:
    """A folder of Parquet files, one or more a table, that lives as long as one append.

    The folder is locked while its process lives; what a killed process left is removed by the next one.
    Every row gets `nth`, its place in the delivery.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._waiting: dict[str, list[pa.Table]] = {}
        self._files: dict[str, list[Path]] = {}
        self._nth = 0

    def __enter__(self) -> "Staging":
        self._root.mkdir(parents=True, exist_ok=True)
        for left in self._root.glob("*.lock"):
            self._remove_if_dead(left)
        self.folder = self._root / uuid.uuid4().hex
        self._lock = FileLock(self.folder.with_suffix(".lock"))
        self._lock.acquire()
        self.folder.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()
        self.folder.with_suffix(".lock").unlink(missing_ok=True)

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
