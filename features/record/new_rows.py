"""Which rows of a delivery are new, and their way into the tables of the record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from features.record.delta import Storage
from features.record.schema import TABLES
from features.record.staging import Staging

_ROWS_AHEAD = 8_192  # of one batch; the table's writer lets a queue of batches run ahead of it


@dataclass(frozen=True)
class Compared:
    """What comparing a delivery with the record would find, by canonical table.

    appended: how many rows are new. first: of the first rows in the delivery whether each is new. rejects: the rows
    set aside because another office gave their number to another dossier (columns of `reject`).
    """

    appended: dict[str, int]
    first: dict[str, tuple[bool, ...]]
    rejects: tuple[dict[str, Any], ...]


class NewRows:
    """One per record. in_folder: its files are at hand, so that a few rows are compared without a query."""

    def __init__(self, storage: Storage, in_folder: bool) -> None:
        self._storage = storage
        self._in_folder = in_folder
        self._ids: dict[str, RowIds] = {}
        self._numbers = RowIds("dossier_id")

    def append(self, staging: Staging, delivery_id: str, visible: set[str]) -> tuple[dict[str, int], int]:
        """Appends the staged rows that neither the delivery nor one in `visible` already has, and all rejects.

        Gives how many of each canonical table that rows came for, and how many rows were set aside because another
        office gave their number to another dossier. Raises deltalake's DeltaError, or the disk's OSError.
        """
        few = staging.few()
        if few is not None and self._all_new(few, visible) and not self._number_given(few, visible):
            return self._append_few(few, delivery_id), 0
        return self._append_compared(staging, delivery_id, visible)

    def compare(self, staging: Staging, visible: set[str], first: int) -> Compared:
        """What `append` would do with the staged rows, without doing it; whether each table's `first` rows are new."""
        appended: dict[str, int] = {}
        are_new: dict[str, tuple[bool, ...]] = {}
        rejects: list[dict[str, Any]] = []
        for con, name, aside in self._compared(staging, "", visible):
            if name in TABLES:
                appended[name] = con.sql(_NEW).fetchall()[0][0]
                are_new[name] = tuple(new for (new,) in con.sql(_FIRST.format(first)).fetchall())
                rejects += aside.to_pylist()
        return Compared(appended, are_new, tuple(rejects))

    def _number_given(self, few: dict[str, pa.Table], visible: set[str]) -> bool:
        """Whether a dossier's number came before, here or in the record: a correction, or two offices' number."""
        if "dossier" not in few:
            return False
        numbers = few["dossier"]["dossier_id"].to_pylist()
        table = self._storage.table("dossier")
        with table.opened() as seen:
            paths, _ = table.paths(visible, seen)
        return len(set(numbers)) < len(numbers) or self._numbers.any(paths, numbers)

    def _all_new(self, few: dict[str, pa.Table], visible: set[str]) -> bool:
        """Whether the ids alone show that no row repeats another one."""
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

    def _append_compared(self, staging: Staging, delivery_id: str, visible: set[str]) -> tuple[dict[str, int], int]:
        appended: dict[str, int] = {}
        set_aside = 0
        for con, name, aside in self._compared(staging, delivery_id, visible):
            if aside.num_rows:
                self._storage.table("reject").append(aside)
                set_aside += aside.num_rows
            if name in TABLES:
                appended[name] = con.sql(_NEW).fetchall()[0][0]
            if name not in TABLES or appended[name]:
                shown = con.sql(_REMAINING).project(f"'{delivery_id}' AS delivery_id, *")
                self._storage.table(name).append(shown.to_arrow_reader(_ROWS_AHEAD))
        return appended, set_aside

    def _compared(
        self, staging: Staging, delivery_id: str, visible: set[str]
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, str, pa.Table]]:
        """Table by table an engine with the rows `stage` and those of them to `skip`, and which are set aside."""
        with _engine(staging.folder) as con:
            con.execute("CREATE TEMP TABLE clash (dossier_id VARCHAR, unit_code VARCHAR, first_unit VARCHAR)")
            for name, files in sorted(staging.files().items(), key=lambda one: one[0] != "dossier"):
                stage = con.read_parquet([str(path) for path in files], union_by_name=True)
                stage.create_view("stage", replace=True)
                con.execute("CREATE OR REPLACE TEMP TABLE skip (nth BIGINT)")
                con.execute(_NO_CLASHING)
                if name in TABLES:
                    self._mark_known(con, name, visible)
                    self._set_aside(con, name)
                names = {"table": name, "delivery": delivery_id}
                yield con, name, con.sql(_CLASH_REJECTS, params=names).to_arrow_table()

    def _set_aside(self, con: duckdb.DuckDBPyConnection, name: str) -> None:
        """Adds to `skip` the rows whose number another office's dossier has; they are `clashing`."""
        if name not in _CLASHES:
            return
        con.execute(f"CREATE OR REPLACE TEMP TABLE clashing AS {_CLASHES[name]}")
        if name == "dossier":
            con.execute("INSERT INTO clash SELECT DISTINCT dossier_id, unit_code, first_unit FROM clashing")
        con.execute("INSERT INTO skip SELECT nth FROM clashing")

    def _mark_known(self, con: duckdb.DuckDBPyConnection, name: str, visible: set[str]) -> None:
        """Fills `skip` with the `nth` of staged rows that the record or the delivery already has."""
        held = self._storage.table(name).relation(con, visible)
        if held is None:
            con.execute("CREATE OR REPLACE VIEW held AS FROM stage WHERE false")
        else:
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


_OF_DOSSIER = ("dossier_id", "unit_code", "received_at", "applicant_id", "procedure_code")
_REMAINING = "SELECT * EXCLUDE (nth) FROM stage ANTI JOIN skip USING (nth)"
_NEW = "SELECT (SELECT count(*) FROM stage) - count(*) FROM skip"
_FIRST = "SELECT nth NOT IN (FROM skip) FROM (SELECT nth FROM stage ORDER BY nth LIMIT {}) ORDER BY nth"
_NO_CLASHING = """
    CREATE OR REPLACE TEMP TABLE clashing (nth BIGINT, dossier_id VARCHAR, unit_code VARCHAR, first_unit VARCHAR)"""
_SKIP_REPEATED = """
    INSERT INTO skip
    SELECT nth FROM stage JOIN (
        SELECT row_id, min(nth) AS first_nth FROM stage GROUP BY row_id HAVING count(*) > 1
    ) USING (row_id)
    WHERE nth <> first_nth AND nth NOT IN (SELECT nth FROM skip)
"""

_OTHER_OFFICES = """
    s.unit_code <> f.unit_code AND s.received_at <> f.received_at AND (
        s.applicant_id <> f.applicant_id OR (s.applicant_id IS NULL AND f.applicant_id IS NULL AND
        s.procedure_code <> f.procedure_code AND NOT regexp_matches(s.dossier_id, '-[0-9]{6}-')))
"""
"""SQL: row `s` is of another dossier than `f`, which has the same number. Another unit, applicant and receipt are no
correction; a number that names its own unit and day (Quyết định 20/2020) is given out once, whatever is corrected."""

_CLASHES = {
    "dossier": f"""
        WITH coming AS (
            SELECT nth, known_at, row_id, {", ".join(_OF_DOSSIER)} FROM stage ANTI JOIN skip USING (nth)
        ), standing AS (
            SELECT DISTINCT ON (dossier_id) {", ".join(_OF_DOSSIER)}
            FROM (
                SELECT {", ".join(_OF_DOSSIER)}, known_at, row_id, true AS there FROM held
                WHERE dossier_id IN (SELECT dossier_id FROM coming)
                UNION ALL
                SELECT {", ".join(_OF_DOSSIER)}, known_at, row_id, false FROM coming
            )
            ORDER BY dossier_id, there DESC, known_at, row_id
        )
        SELECT s.nth, s.dossier_id, s.unit_code, f.unit_code AS first_unit
        FROM coming s JOIN standing f USING (dossier_id) WHERE {_OTHER_OFFICES}
    """,
    "event": """
        SELECT s.nth, s.dossier_id, s.unit_code, c.first_unit
        FROM (SELECT nth, dossier_id, unit_code FROM stage ANTI JOIN skip USING (nth)) s
        JOIN (SELECT dossier_id, unit_code, min(first_unit) AS first_unit FROM clash GROUP BY ALL) c
          USING (dossier_id, unit_code)
    """,
}
"""Rows of two offices under one number, by table: the dossier that came first keeps it, the other is set aside. Of one
moment the lesser row_id is first: whatever the order of rows, the same delivery told again has the same first."""

_CLASH_REJECTS = """
    SELECT $delivery AS delivery_id, $table AS table_name, '' AS file, 0::BIGINT AS line,
           'dossier_id' AS column_name, 'a number that no other office gave to another dossier' AS wanted,
           substr(concat(dossier_id, ' of ', unit_code, ', given by ', first_unit), 1, 80) AS came
    FROM clashing ORDER BY nth
"""


LENGTH = 32
"""Hexadecimal digits of a `row_id`; the first half of them is stored, eight bytes a row."""

MOST_ROWS = 20_000_000
"""Of which a process keeps the ids, 160 MB; a greater table is asked by a query."""

Bits = npt.NDArray[np.uint64]


class RowIds:
    """Sorted halves of the row ids of one table's Parquet files, which never change; each file is read once.

    `column`: another column of text in their place, of whose values a process keeps the hashes. Safe to share between
    threads.
    """

    def __init__(self, column: str = "row_id") -> None:
        self._column = column
        self._held: dict[str, Bits] = {}

    def any(self, paths: Sequence[str], ids: Sequence[str]) -> bool:
        """False: none of `ids` is in the files at `paths`. True: one may be, and a query must decide.

        Two ids that differ share their first half once in 2⁶⁴ pairs. Files that are not named are forgotten.
        """
        held = {path: self._held[path] for path in self._held.keys() & set(paths)}
        for path in set(paths) - held.keys():
            file = pq.ParquetFile(path)
            if file.metadata.num_rows + sum(map(len, held.values())) > MOST_ROWS:
                return True
            held[path] = np.sort(self._bits(file.read(columns=[self._column])[self._column]))
        self._held = held
        wanted = self._bits(pa.chunked_array([pa.array(ids, pa.string())]))
        return any(_one_is_in(wanted, of_file) for of_file in held.values())

    def _bits(self, ids: pa.ChunkedArray) -> Bits:
        if self._column != "row_id":
            return np.array([hash(one) & 0xFFFF_FFFF_FFFF_FFFF for one in ids.to_pylist()], np.uint64)
        return np.concatenate([np.empty(0, np.uint64), *(halves(chunk) for chunk in ids.chunks)])


def halves(ids: pa.Array) -> Bits:
    """The first 64 bits of each id of `LENGTH` hexadecimal digits."""
    if not len(ids):
        return np.empty(0, np.uint64)
    text = pa.concat_arrays([ids]).cast(pa.binary()).cast(pa.binary(LENGTH))
    digits = text.buffers()[1].slice(text.offset * LENGTH, len(text) * LENGTH)
    return np.frombuffer(bytes.fromhex(str(digits, "ascii")), ">u8")[::2].astype(np.uint64)


def _one_is_in(wanted: Bits, held: Bits) -> bool:
    places = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
    return bool(len(held) and np.any(held[places] == wanted))
