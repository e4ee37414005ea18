"""Where in a sheet or a text file the table stands, and which of its lines are no rows of it.

Offices put titles above the header, merge cells of a group, repeat the header on every printed page, and close with
totals and signatures. All that is told by the same rules for CSV, Excel and Parquet.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from features.record.cell_text import heading, visible
from features.record.delivery import Reject
from features.spelling.names import plain

WITHIN = 30
"""Lines that are not empty, among which the header is looked for."""

_TOTALS = re.compile(r"(tong|tong cong|tong so|tong hop|cong|cong don|luy ke|total|subtotal|grand total|sum)\b[^-]*")
_SIGNED = re.compile(
    r"(nguoi (lap|ky|tong hop)|lap bieu|thu truong|(pho )?giam doc|(pho )?chu tich|truong phong|ke toan|xac nhan|"
    r"ghi chu|noi nhan|ky ten|\(ky|tm\.|kt\.|.*ngay .{1,6} thang .{1,6} nam)\b.*"
)


@dataclass(frozen=True)
class Header:
    """The header of a table: the name of every column ('' where it has none), and the lines it stands on.

    `first` and `last` count among the lines looked at, from 0. A name that was wanted is spelt as it was wanted.
    """

    names: tuple[str, ...]
    first: int
    last: int

    def wanted(self, names: Collection[str]) -> list[int]:
        """Places of the columns that are among `names`."""
        return [place for place, name in enumerate(self.names) if name in names]


def find_header(lines: Sequence[Sequence[str]], wanted: Collection[str], nth: int = 0) -> Header | None:
    """The header among the first lines: the one with most of the names that are wanted, or the two that share them.

    nth: the line that it is, from 1, where somebody said so. None where no line has any of the names.
    """
    if nth:
        return Header(_spelt(lines[nth - 1], wanted), nth - 1, nth - 1) if nth <= len(lines) else None
    best, most = None, 0
    for place, line in enumerate(lines[:WITHIN]):
        names = _spelt(line, wanted)
        found = _count(names, wanted)
        if found > most:
            best, most = Header(names, place, place), found
        if place and found > 0 and (above := _spelt(lines[place - 1], wanted)) and _count(above, wanted):
            both = _both(above, names)  # a group's name above the names of its columns
            if _count(both, wanted) > most:
                best, most = Header(both, place - 1, place), _count(both, wanted)
    return best


def oddity(cells: Sequence[str], header: Header, wanted: Collection[str], *, sparse: bool) -> str | None:
    """What a line is that is no row of the table: totals, signatures, the header again; None for a row.

    sparse: whether a line that fills hardly any of several wanted columns is none either.
    """
    mine = [(place, cells[place]) for place in header.wanted(wanted) if place < len(cells)]
    if mine and all(heading(cell) == heading(header.names[place]) for place, cell in mine):
        return "the header again"
    total, filled = len(header.wanted(wanted)), sum(bool(cell.strip()) for _, cell in mine)
    if total < 2 or filled == total:
        return None
    first = _first_words(next((cell for cell in cells if cell.strip()), ""))
    if _TOTALS.fullmatch(first) and 4 * filled <= 3 * total:
        return "a line of totals"
    if _SIGNED.fullmatch(first) and 2 * filled <= total:
        return "a line of signatures or remarks"
    return "a line with hardly a cell" if sparse and total >= 3 and filled <= 1 else None


class OddLines:
    """Tells of one line of a table after the other what it is that is no row (`oddity`), None of a row.

    Where a header comes that has the wanted names in other places, as where two lists were pasted one below the other,
    no line below it is a row until the table's own header comes again: cells would be read as those of other columns.
    """

    def __init__(self, header: Header, wanted: Collection[str], *, sparse: bool) -> None:
        self._header, self._wanted, self._sparse = header, wanted, sparse
        self._headings = {heading(name) for name in wanted}
        self._first = header.wanted(wanted)[:2]
        self._below_another = False

    def __call__(self, cells: Sequence[str]) -> str | None:
        """What the line is."""
        came = oddity(cells, self._header, self._wanted, sparse=self._sparse)
        if came == "the header again":
            self._below_another = False
        elif self._is_another_header(cells):
            self._below_another = True
            return "a header with other columns; split the file"
        return "a line below another header" if self._below_another else came

    def _is_another_header(self, cells: Sequence[str]) -> bool:
        if not any(heading(cells[place]) in self._headings for place in self._first if place < len(cells)):
            return False
        names, mine = _spelt(cells, self._wanted), self._header.names
        moved = any(name in self._wanted and mine[place : place + 1] != (name,) for place, name in enumerate(names))
        return moved and 2 * _count(names, self._wanted) >= max(4, len(self._header.wanted(self._wanted)))


def once_each(names: Sequence[str], file: str, line: int) -> tuple[list[str], list[Reject]]:
    """The columns' names, with "" in place of one that stood before; and the reject that says so, if any did."""
    first = ["" if name in names[:place] else name for place, name in enumerate(names)]
    repeated = sorted({name for name, once in zip(names, first, strict=True) if name and not once})
    return first, [Reject(file, line, name[:80], "every column once", "a repeated column") for name in repeated[:1]]


@lru_cache(maxsize=4096)
def _first_words(cell: str) -> str:
    return plain(visible(cell)).strip(" :.*-")


def _spelt(line: Sequence[str], wanted: Collection[str]) -> tuple[str, ...]:
    alike = {heading(name): name for name in wanted}
    names = [visible(cell) for cell in line]
    return tuple(alike.get(heading(name), name) for name in names)


def _count(names: Sequence[str], wanted: Collection[str]) -> int:
    return len(set(names) & set(wanted))


def _both(above: Sequence[str], below: Sequence[str]) -> tuple[str, ...]:
    width = max(len(above), len(below))
    upper, lower = [*above, *[""] * (width - len(above))], [*below, *[""] * (width - len(below))]
    return tuple(two or one for one, two in zip(upper, lower, strict=True))
