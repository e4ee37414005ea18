"""The record: everything that was ever delivered, and when it could be known. Appended to, never changed.

One Delta Lake table for each canonical table, one for what was rejected, and one of deliveries, under one
folder or object-store URL. A delivery writes its rows first and its line in `delivery` last. Rows whose
delivery has no line there are seen by nobody, so a process that dies at any point leaves its delivery wholly
out, and what it left behind is harmless. The line carries a number, the **version**, which the next line must
increase by one (Delta's application transactions, "Transaction Identifiers" in
https://github.com/delta-io/delta/blob/master/PROTOCOL.md): of two writers that compared their rows with the
same version one wins, the other compares again.
"""

import json
import secrets
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import unquote, urlparse

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError
from filelock import FileLock, Timeout

from features.record.cell_numbers import numbers
from features.record.comparison import compared
from features.record.delivery import Chunk, DeliveryError, DeliveryReceipt, Reject
from features.record.delta import DeltaFiles, Storage, TableVersion, mixed
from features.record.early_ends import early_ends
from features.record.new_rows import Compared, NewRows
from features.record.row_check import RowCheck
from features.record.schema import TABLES
from features.record.schema_version import insist_on_known
from features.record.staging import Staging
from features.record.views import copy_views, create_views, numeric_attributes

_REJECT = pa.schema([
    ("delivery_id", pa.string()), ("table_name", pa.string()), ("file", pa.string()), ("line", pa.int64()),
    ("column_name", pa.string()), ("wanted", pa.string()), ("came", pa.string()),
])  # fmt: skip
_DELIVERY = pa.schema([
    ("version", pa.int64()), ("delivery_id", pa.string()), ("source", pa.string()),
    ("arrived_at", pa.timestamp("us", "UTC")), ("live", pa.bool_()), ("read", pa.int64()),
    ("appended", pa.int64()), ("known", pa.int64()), ("rejected", pa.int64()),
    ("appended_by_table", pa.string()), ("numeric_attributes", pa.string()), ("notes", pa.string()),
    ("filled", pa.string()),
])  # fmt: skip
_ATTEMPTS = 50
TIDY_EVERY = 32  # deliveries
OFTEN_READ = ("dossier", "event")
COPIED = 1_000_000
"""Rows of these up to which a connection for many statements copies them: a quarter of a gigabyte. Up to there planning
their long views anew for every statement costs more than running it; beyond, memory is worth more."""
ROWS_AT_ONCE = 100_000
_MOST_CHUNKS = 100  # of the lines kept: each delivery adds one, and whatever reads them pays by the chunk


class Record:
    """The record at `url`: a folder, `file://…`, or an object store (`s3://…`, with `storage_options`)."""

    def __init__(self, url: str | Path, *, storage_options: dict[str, str] | None = None) -> None:
        self._folder = _local_folder(url)
        self._storage = Storage(str(self._folder or url).rstrip("/"), storage_options)
        self._kept_lines: tuple[TableVersion, pa.Table] | None = None  # of `delivery` as it stood then
        self._known_form = False
        self._new_rows = NewRows(self._storage, in_folder=self._folder is not None)

    def append(
        self, chunks: Iterable[Chunk], *, source: str, arrived_at: datetime, live: bool = False, tidy: bool = True
    ) -> DeliveryReceipt:
        """Takes one delivery in: all its good rows that the record lacks, or none if the process dies.

        A missing `known_at` becomes `arrived_at` when `live`, else the moment that the row itself gives. `tidy`: merges
        small files now and then, which somebody else has to do otherwise. Raises what reading `chunks` raises, with
        nothing appended.
        """
        read = rejected = 0
        with self.staging() as staging:
            with RowCheck(arrived_at, live=live, first=not self.deliveries().num_rows) as check:
                for chunk in (piece for part in chunks for piece in part.pieces(ROWS_AT_ONCE)):
                    rows, rejects = check(chunk)
                    staging.add(chunk.table, rows)
                    staging.add("reject", _reject_rows(chunk.table, rejects))
                    read += rows.num_rows + len(rejects)
                    rejected += len(rejects)
            pa.default_memory_pool().release_unused()  # what reading took is not added to what writing takes
            line = {
                "source": source, "arrived_at": arrived_at, "live": live, "read": read, "rejected": rejected,
                "numeric_attributes": json.dumps({name: two for name, two in check.numbers.items() if any(two)}),
                "filled": json.dumps(check.filled),
            }  # fmt: skip
            visible = set(self.deliveries()["delivery_id"].to_pylist())
            check.notes.update(early_ends(staging, self._storage.table("dossier"), visible, live=live))
            with self._writing():
                receipt = self._commit_once(staging, line, check.notes)
            if tidy and receipt.version % TIDY_EVERY == 0:  # looking costs a small delivery as much as writing
                self.tidy()
        return receipt

    def compare(self, staging: Staging, *, live: bool, first: int) -> tuple[Compared, dict[str, int]]:
        """What `append` would do with the rows of a delivery that passed, and what it would note; nothing is stored."""
        visible = set(self.deliveries()["delivery_id"].to_pylist())
        notes = early_ends(staging, self._storage.table("dossier"), visible, live=live)
        return self._new_rows.compare(staging, visible, first), notes

    def staging(self) -> Staging:
        """A place for the rows of one delivery while they are looked at."""
        return Staging(self._scratch())

    def tidy(self) -> None:
        """Merges the small files of tables that have many; worth a look every `TIDY_EVERY` deliveries."""
        with suppress(Timeout), self._lock("tidy", timeout=0):  # else somebody is at it
            for name in (*TABLES, "reject"):  # rows can be appended meanwhile
                self._storage.table(name).tidy()
            self._deliveries().tidy(self._writing())  # else a writer would have to compare its rows again

    def version(self) -> int:
        """The number of deliveries so far; names what the record held at this moment."""
        return self._deliveries().latest("version")

    def connect(
        self, *, version: int | None = None, cutoff: datetime | None = None, copied: bool = False
    ) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection in memory with one view for each canonical table, and nothing else to write to.

        Every view has all columns of `features.record.schema` (moments as TIMESTAMP in UTC), `known_at`, `known_by`
        (feed, clock or arrival), `row_id` and `delivery_id`; `dossier` also its attributes `x_…`, DOUBLE
        where every delivery gave numbers. Beside them `delivery`, `reject` and `conflict` (`features.record.views`).
        `version` shows the record as it was then; `cutoff` (aware) only rows with `known_at < cutoff`. `copied`: for
        many statements; dossiers and events are tables then, where they are at most `COPIED` rows.
        ValueError for a version that doesn't exist or a cutoff without offset.
        """
        if cutoff is not None and cutoff.tzinfo is None:
            raise ValueError("cutoff: an aware datetime was wanted, a naive one came")
        con = self._duckdb()
        with self._deliveries().opened() as seen:
            lines = self._lines(seen, version)
        create_views(con, self._storage, lines, cutoff)
        if copied:
            counts: Counter[str] = sum(map(Counter, map(json.loads, lines["appended_by_table"].to_pylist())), Counter())
            if sum(counts[name] for name in OFTEN_READ) <= COPIED:
                copy_views(con, OFTEN_READ)
        return con

    def deliveries(self, *, version: int | None = None) -> pa.Table:
        """The lines of `delivery` up to `version`, in order; rows of no line are invisible."""
        with self._deliveries().opened() as seen:
            return self._lines(seen, version)

    def arrived(self, lines: pa.Table) -> dict[str, pa.Table]:
        """The rows of a few deliveries (some `lines` of `deliveries`), by canonical table, read without an engine.

        As in the views of `connect`, but with moments aware, and without what a view fills in or unfolds.
        """
        counts: Counter[str] = sum(map(Counter, map(json.loads, lines["appended_by_table"].to_pylist())), Counter())
        found = {name: self._arrived(name, lines["delivery_id"].to_pylist(), count) for name, count in counts.items()}
        attributes = {column for rows in found.values() for column in rows.column_names if column.startswith("x_")}
        numeric = numeric_attributes(self.deliveries()) if attributes else {}
        for name, rows in found.items():
            for column in [column for column in rows.column_names if numeric.get(column)]:
                rows = rows.set_column(rows.column_names.index(column), column, numbers(rows[column]))
            found[name] = rows
        return found

    def _arrived(self, name: str, ids: list[str], count: int) -> pa.Table:
        table, mine = self._storage.table(name), pc.field("delivery_id").isin(ids)
        with table.opened() as seen:
            assert seen is not None, "a line tells of rows"
            return table.read(seen, mine, lambda file: mixed(file) or file["min.delivery_id"] in ids, count)

    def table(self, name: str) -> DeltaFiles:
        """A canonical table as it lies in storage; only rows of `deliveries` count."""
        return self._storage.table(name)

    def rejects(self, delivery_id: str) -> list[Reject]:
        """The rejects of one delivery, in the order of its files and lines."""
        con = self.connect()
        rows = con.execute(
            "SELECT file, line, column_name, wanted, came FROM reject WHERE delivery_id = ? ORDER BY ALL",
            [delivery_id],
        ).fetchall()
        return [Reject(*row) for row in rows]

    def _commit_once(self, staging: Staging, line: dict[str, object], notes: Counter[str]) -> DeliveryReceipt:
        """Commits; again, after comparing again, where somebody else was faster."""
        attempt = 0
        while True:
            attempt += 1
            seen_version = -1
            try:
                with self._deliveries().opened() as seen:
                    seen_version = -1 if seen is None else seen.version()
                    return self._commit(staging, line, notes, seen)
            except DeltaError as error:
                now = self._deliveries().open()
                beaten = isinstance(error, CommitFailedError) or (now and now.version() > seen_version)
                if attempt == _ATTEMPTS or not beaten:
                    raise
                time.sleep(secrets.randbelow(100 * attempt) / 1000)

    def _commit(
        self, staging: Staging, line: dict[str, object], notes: Counter[str], seen: DeltaTable | None
    ) -> DeliveryReceipt:
        lines = self._lines(seen)
        version, delivery_id = lines.num_rows + 1, secrets.token_hex(6)
        appended, aside = self._new_rows.append(staging, delivery_id, set(lines["delivery_id"].to_pylist()))
        read, rejected, total = int(str(line["read"])), int(str(line["rejected"])) + aside, sum(appended.values())
        duplicates = read - rejected - total
        all_notes = notes + compared(lines, line)
        row = {
            "version": version, "delivery_id": delivery_id, **line, "appended": total, "known": duplicates,
            "rejected": rejected,
            "appended_by_table": json.dumps(appended),
            "notes": json.dumps(dict(sorted(all_notes.items())), ensure_ascii=False),
        }  # fmt: skip
        mine = pa.Table.from_pylist([row], _DELIVERY)
        self._deliveries().append_next(mine, seen, version)
        if seen is not None:  # shows the new line by now
            self._keep(seen, pa.concat_tables([lines, mine]))
        return DeliveryReceipt(
            read, total, duplicates, rejected, delivery_id, version, tuple(all_notes), dict(all_notes)
        )

    def _lines(self, seen: DeltaTable | None, version: int | None = None) -> pa.Table:
        """The lines of `delivery`, as `seen`, up to `version`, in order."""
        if seen is not None and not self._known_form:
            insist_on_known(seen)
            self._known_form = True
        cached = self._kept_lines
        table = _DELIVERY.empty_table()
        if seen is not None:
            if cached is not None and (cached[0][0] > seen.version() or not self._deliveries().once_stood(cached[0])):
                cached = None  # somebody else looked later, or another table lies there
            if cached is not None:
                table = cached[1]
            if cached is None or cached[0] != self._deliveries().standing(seen):
                have = table.num_rows
                news = self._deliveries().read(
                    seen, pc.field("version") > have, lambda file: bool(file["max.version"] > have)
                )
                if "filled" not in news.column_names:  # a record from before there was this column
                    news = news.append_column("filled", pa.nulls(news.num_rows, pa.string()))
                news = news.sort_by("version").select(_DELIVERY.names)
                table = pa.concat_tables([table, news.cast(_DELIVERY)])
                self._keep(seen, table)
        if version is None:
            return table
        if not 0 <= version <= table.num_rows:
            raise ValueError(f"version: 0 to {table.num_rows} was wanted, {version} came")
        return table.slice(0, version)

    def _keep(self, seen: DeltaTable, lines: pa.Table) -> None:
        standing = self._deliveries().standing(seen)
        if lines["version"].num_chunks > _MOST_CHUNKS:
            lines = lines.combine_chunks()
        self._kept_lines = None if standing is None else (standing, lines)

    def _deliveries(self) -> DeltaFiles:
        return self._storage.table("delivery")

    def _scratch(self) -> Path:
        return (self._folder or Path(gettempdir()) / "dossier-risk") / "staging"

    def _writing(self) -> AbstractContextManager[object]:
        """In a folder writers take turns, which saves them from comparing twice; in a store they compete."""
        return self._lock("append")

    def _lock(self, name: str, timeout: float = -1) -> AbstractContextManager[object]:
        if self._folder is None:
            return nullcontext()
        return FileLock(self._folder / f"{name}.lock", timeout, poll_interval=0.005)

    def _duckdb(self) -> duckdb.DuckDBPyConnection:
        spill = str(self._scratch() / "spill")
        con = duckdb.connect(config={"autoinstall_known_extensions": False, "temp_directory": spill})
        con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")  # the output is read by others
        return con


def _reject_rows(table: str, rejects: list[Reject]) -> pa.Table:
    rows = [(table, r.file, r.line, r.column, r.wanted, r.came[:80]) for r in rejects]
    names = _REJECT.names[1:]
    return pa.table({n: [row[i] for row in rows] for i, n in enumerate(names)}, schema=pa.schema(list(_REJECT)[1:]))


def _local_folder(url: str | Path) -> Path | None:
    """The folder that `url` names, or None for an object store."""
    if isinstance(url, Path) or "://" not in url:
        return Path(url).absolute()
    parts = urlparse(url)
    if parts.scheme != "file":
        return None
    if parts.netloc not in ("", "localhost"):
        raise DeliveryError(f"record: file:///path was wanted, file://{parts.netloc}/… came")
    return Path(unquote(parts.path))
