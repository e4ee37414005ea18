"""What passes between a feed and the record: chunks of rows going in, rejects and a receipt coming out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

ALARM = "ALARM "
DEFAULT_ZONE = "Asia/Ho_Chi_Minh"

_SHOWABLE = re.compile(
    r"\d{1,4}[-/]\d{1,2}[-/]\d{1,4}([T ][\d:.,+Zz -]{1,25})?"  # something like a time
    r"|[-+]?\d{1,6}([.,]\d{1,6})?"  # a number too short for an identity or phone number
)
_SHOWABLE_WORD = re.compile(r"[a-z_]{1,20}")


class DeliveryError(ValueError):
    """A delivery that cannot be read at all: says what was wanted, what came and what to do."""


@dataclass(frozen=True)
class Reject:
    """One row, or one stretch of a file, that was rejected.

    `line` counts from 1 in the unpacked text (for binary formats: the row), 0 where the whole file is meant.
    `came` describes at most 80 characters and never shows what may be a person's data.
    """

    file: str
    line: int
    column: str
    wanted: str
    came: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place} {self.column or 'row'}: {self.wanted} was wanted, {self.came} came"


@dataclass(frozen=True)
class Chunk:
    """Rows of one canonical table, in the order of their source, and what was rejected on the way.

    `rows`: a list of dicts or an Arrow table with the column names of the feed contract. Cells may be text
    (read as `features.record.schema` tells), numbers, dates, datetimes; without offset a moment is local to `zone`.
    A missing `known_at` stays missing: the record fills it. `lines` holds the source line of every row, or
    the line of the first row where rows and lines run in step; 0 where unknown. `untyped`: the source knows
    no numbers (CSV), so an attribute that reads as one is one. `files`: the file of every row, where one chunk
    holds rows of many small files. `notes`: remarks of the feed beside rejects, each with the number of rows or cells.
    """

    table: str
    rows: list[dict[str, Any]] | pa.Table = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    file: str = ""
    lines: list[int] | int = 0
    zone: str = DEFAULT_ZONE
    untyped: bool = False
    files: list[str] = field(default_factory=list)
    notes: Mapping[str, int] = field(default_factory=dict)

    def source(self, row: int) -> str:
        """The file that the row with index `row` came from."""
        return self.files[row] if self.files else self.file

    def pieces(self, size: int) -> "Iterator[Chunk]":
        """The same rows in chunks of at most `size`; the first has the rejects."""
        count = self.rows.num_rows if isinstance(self.rows, pa.Table) else len(self.rows)
        if count <= size:
            yield self
            return
        for start in range(0, count, size):
            rows = self.rows.slice(start, size) if isinstance(self.rows, pa.Table) else self.rows[start : start + size]
            lines = self.lines[start : start + size] if isinstance(self.lines, list) else self.line(start)
            yield replace(self, rows=rows, rejects=[] if start else self.rejects, lines=lines,
                          notes={} if start else self.notes)  # fmt: skip

    def line(self, row: int) -> int:
        """The source line of the row with index `row`, 0 where unknown."""
        if isinstance(self.lines, int):
            return self.lines + row if self.lines else 0
        return self.lines[row]


Chunks = Iterator[Chunk]


@dataclass(frozen=True)
class DeliveryReceipt:
    """What became of one delivery; `read == appended + duplicates + rejected` always.

    duplicates: rows that were in the record before, or twice in this delivery. notes: what was read otherwise than it
    was written (columns left out, values outside a list), with the number of rows or cells in `counts`. A note that
    begins with `ALARM` is about a column that used to be filled and now comes empty.
    """

    read: int
    appended: int
    duplicates: int
    rejected: int
    delivery_id: str
    version: int = 0
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether nothing was appended and something was refused."""
        return self.rejected > 0 and not self.appended

    def __str__(self) -> str:
        return f"read={self.read} appended={self.appended} known={self.duplicates} rejected={self.rejected}"


def describe(value: object, *, personal: bool = False) -> str:
    """`value` in at most 80 characters that show no person's data.

    Times, short numbers and single lower-case words are shown as they came; of anything else, and of every
    cell that may be personal, only the shape.

    >>> describe("32/13/2024"), describe("Nguyễn Văn A"), describe(None), describe("kiosk", personal=True)
    ('32/13/2024', 'text of 12 characters', 'nothing', 'text of 5 characters')
    """
    if value is None or value == "":
        return "nothing"
    if isinstance(value, datetime):
        value = value.isoformat()
    text = str(value)
    if not personal and (_SHOWABLE.fullmatch(text) or _SHOWABLE_WORD.fullmatch(text)):
        return text
    if isinstance(value, str):
        return f"text of {len(text)} characters"
    return f"a {type(value).__name__}"
