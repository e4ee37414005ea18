"""Rows of a CSV file as columns of text, in bounded memory, with the line of each.

A stray quote must not swallow the rest of a file: a record that runs over too many lines is given up, its
first line rejected, and reading goes on with the next line.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa

from features.record.delivery import Reject
from features.sources.lines import MAX_LINE, numbered_lines

MAX_RECORD_LINES = 200
csv.field_size_limit(MAX_LINE)


def csv_rows(
    file: BinaryIO, name: str, size: int, expected: Sequence[str] = ()
) -> Iterator[tuple[pa.Table, list[int], list[Reject]]]:
    """Yields (table of text columns named by the header, line of every row, rejects), `size` rows at most.

    Empty cells are null. `expected` names help to tell the separator; the header line decides.
    """
    rejects: list[Reject] = []
    records = _Records(numbered_lines(file, name, rejects), name, rejects)
    header = records.header(expected)
    if header is None:
        if not rejects:
            rejects.append(Reject(name, 1, "", "a header line", "an empty file"))
        yield pa.table({}), [], rejects
        return
    repeated = {column for column in header if column and header.count(column) > 1}
    if repeated:
        rejects.append(Reject(name, 1, min(repeated)[:80], "every column once", "a repeated column"))
    rows: list[list[str]] = []
    lines: list[int] = []
    for line, row in records:
        if len(row) != len(header):
            if any(row):
                rejects.append(Reject(name, line, "", f"{len(header)} cells", f"{len(row)} cells"))
            continue
        rows.append(row)
        lines.append(line)
        if len(rows) >= size:
            yield _columns(header, rows), lines, list(rejects)
            rows, lines = [], []
            rejects.clear()
    yield _columns(header, rows), lines, rejects


def _columns(header: list[str], rows: list[list[str]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in header)
    table: dict[str, pa.Array] = {}
    for name, cells in zip(header, columns, strict=True):
        if name:
            table.setdefault(name, pa.array(cells, pa.string()))
    return pa.table(table)


class _Records:
    """CSV records of numbered lines. Iterating yields (line of its first line, cells)."""

    def __init__(self, lines: Iterator[tuple[int, str]], name: str, rejects: list[Reject]) -> None:
        self._lines = lines
        self._again: deque[tuple[int, str]] = deque()
        self._taken: list[tuple[int, str]] = []
        self._name = name
        self._rejects = rejects
        self._separator = ","

    def header(self, expected: Sequence[str]) -> list[str] | None:
        """The column names, or None where there is no line at all; tells the separator."""
        for number, text in self._lines:
            if not text.strip():
                continue

            def score(separator: str, text: str = text) -> tuple[int, int]:
                cells = _cells(text, separator)
                return len(set(cells) & set(expected)), len(cells)

            self._separator = max(",;\t|", key=score)
            self._after = number
            return _cells(text, self._separator)
        return None

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        while True:
            reader = csv.reader(self._feed(), delimiter=self._separator, strict=False)
            try:
                for row in reader:
                    taken, self._taken = self._taken, []
                    yield taken[0][0], row
                if not self._taken:
                    return
            except csv.Error:
                pass
            first, *rest = self._taken
            self._taken = []
            self._rejects.append(Reject(self._name, first[0], "", "a CSV record", "one that does not end"))
            self._again.extendleft(reversed(rest))

    def _feed(self) -> Iterator[str]:
        while True:
            if self._again:
                line = self._again.popleft()
            else:
                following = next(self._lines, None)
                if following is None:
                    break
                line = following
            self._taken.append(line)
            if len(self._taken) > MAX_RECORD_LINES:
                raise csv.Error("a record of too many lines")
            yield line[1]
        if self._taken:
            raise csv.Error("the file ends inside a record")


def _cells(text: str, separator: str) -> list[str]:
    try:
        cells = next(csv.reader([text], delimiter=separator))
    except csv.Error:  # a carriage return amid a name: the columns whose names are whole can still be read
        cells = text.split(separator)
    return [cell.strip() for cell in cells]
