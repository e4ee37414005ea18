"""Rows of a CSV file as columns of text, in bounded memory, with the line of each.

A stray quote must not swallow the rest of a file: a record that runs over too many lines is given up, its
first line rejected, and reading goes on with the next line.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa

from features.record.cell_text import visible
from features.record.delivery import Reject
from features.sources.layout import WITHIN, Header, OddLines, find_header, once_each
from features.sources.lines import MAX_LINE, UNREADABLE, damage, numbered_lines
from features.sources.text_encoding import EncodingRefused, in_utf8
from features.spelling.vietnamese_text import ENCODINGS

MAX_RECORD_LINES = 200
_DECLARED = re.compile(r"sep=(.)")
"""Excel's own way to name the separator, on a first line."""
csv.field_size_limit(MAX_LINE)


def csv_rows(
    file: BinaryIO,
    name: str,
    size: int,
    expected: Sequence[str] = (),
    *,
    encoding: str = "",
    nth: int = 0,
    sparse: bool = False,
) -> Iterator[tuple[pa.Table, list[int], list[Reject]]]:
    """Yields (table of text columns named by the header, line of every row, rejects), `size` rows at most.

    Empty cells are null. `expected` names tell the header (`nth`: its line among those that are not empty) and the
    separator; without any of them the first line is the header. `encoding`: asked for where the file is not UTF-8.
    Lines that are no rows are rejected with what they are; `sparse` as in `layout.oddity`.
    """
    rejects: list[Reject] = []
    try:
        text = in_utf8(file, encoding)
    except EncodingRefused as refused:
        named = f"{refused}; convert it, or say encoding = one of {', '.join(ENCODINGS)}"
        rejects.append(Reject(name, 0, "", "text in UTF-8", named[:80]))
        yield pa.table({}), [], rejects
        return
    except UNREADABLE as error:
        rejects.append(Reject(name, 0, "", "a whole file", f"damaged from the start ({damage(error)})"))
        yield pa.table({}), [], rejects
        return
    records = _Records(numbered_lines(text, name, rejects), name, rejects)
    found = records.header(expected, nth)
    if found is None:
        if not rejects:
            rejects.append(Reject(name, 1, "", "a header line", "an empty file"))
        yield pa.table({}), [], rejects
        return
    header = list(found.names)
    while header and not header[-1]:
        header.pop()
    header, repeated = once_each(header, name, 1)
    rejects += repeated
    oddity = OddLines(found, expected, sparse=sparse)
    rows: list[list[str]] = []
    lines: list[int] = []
    for line, row in records:
        if not any(cell.strip() for cell in row):
            continue
        if came := oddity(row):
            rejects.append(Reject(name, line, "", "a row of the table", came))
            continue
        while len(row) > len(header) and not row[-1].strip():
            row.pop()
        if len(row) != len(header):
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
            table[name] = pa.array(cells, pa.string())
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
        self._separators = ",;\t|"

    def header(self, expected: Sequence[str], nth: int) -> Header | None:
        """The header, None in an empty file. Finds the separator; the file is then read up to the end of the header."""
        first: list[tuple[int, str]] = []
        for number, text in self._lines:
            if declared := _DECLARED.fullmatch(text.strip()):
                self._separators = declared[1]
            elif text.strip():
                first.append((number, text))
            if len(first) >= WITHIN:
                break
        if not first:
            return None
        if len(first) == 1 and "\r" in first[0][1].strip():  # all rows stand in the header
            wanted, came = "lines that end in a line feed", "carriage returns alone"
            self._rejects.append(Reject(self._name, first[0][0], "", wanted, came))
        found: Header | None = None
        most = (-1, -1)
        for separator in self._separators:
            cells = [_cells(text, separator) for _, text in first]
            header = find_header(cells, expected, nth)
            plain = header or Header(tuple(map(visible, cells[0])), 0, 0)
            score = (len(plain.wanted(expected)) if header else 0, len([name for name in plain.names if name]))
            if score > most:
                most, found, self._separator = score, plain, separator
        assert found is not None, "there is a separator"
        self._again.extend(first[found.last + 1 :])
        return found

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
