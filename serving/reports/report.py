"""A report as data: figures and tables, and for each figure the rows that it was counted from."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from serving.reports.period import Period

MOST_LINES = 50_000
"""Rows of one figure: a year of a large province has millions, which no workbook opens; a unit's report has fewer.
"""
Cell = str | int | float | date | datetime | None


@dataclass(frozen=True)
class Rows:
    """What figures were counted from: one row a dossier, finding or complaint. key: `R1`, `R2`, … in the report.

    listed: whether the Word document's annex lists them; all stand in the workbook. left: how many more were counted
    than are kept as lines (`MOST_LINES`).
    """

    key: str
    words: str
    head: tuple[str, ...]
    lines: tuple[tuple[Cell, ...], ...]
    listed: bool = False
    left: int = 0

    @property
    def number(self) -> int:
        """How many were counted."""
        return len(self.lines) + self.left


@dataclass(frozen=True)
class Figure:
    """One figure in two languages, and the key of its rows (empty where it is derived from figures beside it).

    before, year_before: the same figure of the period before and of the same period a year before, where asked.
    """

    vi: str
    en: str
    value: Cell
    rows: str = ""
    before: Cell = None
    year_before: Cell = None


@dataclass(frozen=True)
class Column:
    """One column of a table; rows: the key of the rows that its numbers were counted from."""

    words: str
    rows: str = ""


@dataclass(frozen=True)
class Table:
    """A table of figures, such as one line a unit; the first column names what the line is about.

    total: a last line over all of them, where adding up makes sense.
    """

    vi: str
    en: str
    columns: tuple[Column, ...]
    lines: tuple[tuple[Cell, ...], ...]
    note: str = ""
    total: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class Sentence:
    """One sentence of the text, drafted from figures. part: a key of `PARTS`; rows: what its figure stands on."""

    part: str
    vi: str
    rows: str = ""


PARTS = {"results": "TÌNH HÌNH, KẾT QUẢ", "causes": "TỒN TẠI, NGUYÊN NHÂN", "proposals": "ĐỀ XUẤT, KIẾN NGHỊ"}
"""The parts of a report's text, in their order (Nghị định 30/2020/NĐ-CP, Phụ lục III, mẫu báo cáo)."""


@dataclass(frozen=True)
class Report:
    """A whole report. scope: whose it is, in words. as_of, record_version: what it rests on."""

    kind: str
    vi: str
    en: str
    period: Period
    scope: str
    as_of: datetime
    record_version: int
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    rows: tuple[Rows, ...]
    notes: tuple[str, ...]
    sentences: tuple[Sentence, ...] = ()
    unit_code: str = ""
    subject: str = ""

    @cached_property
    def sha256(self) -> str:
        """Hash of the content: equal for equal reports, in whichever file they are written."""
        text = json.dumps(_fields(self), sort_keys=True, ensure_ascii=False, default=_plain)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Draft:
    """A report in the making: rows get their keys here, so that figures can point at them."""

    figures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)

    def stand_on(
        self, words: str, head: Sequence[str], lines: Iterable[Sequence[Cell]], *, listed: bool = False
    ) -> str:
        """Adds the rows of a figure; gives their key."""
        key = f"R{len(self.rows) + 1}"
        every = tuple(map(tuple, lines))
        left = max(0, len(every) - MOST_LINES)
        self.rows.append(Rows(key, words, tuple(head), every[:MOST_LINES], listed, left))
        return key

    def count(
        self, vi: str, en: str, head: Sequence[str], lines: Iterable[Sequence[Cell]], *, listed: bool = False,
        before: Cell = None, year_before: Cell = None,
    ) -> str:  # fmt: skip
        """Adds a figure that is the number of its rows; gives the rows' key."""
        key = self.stand_on(vi, head, lines, listed=listed)
        self.figures.append(Figure(vi, en, self.rows[-1].number, key, before, year_before))
        return key

    def compare(self, first: int, before: "Draft | None", year_before: "Draft | None") -> None:
        """Sets beside the figures from `first` on those of the period before and of the same a year before."""
        then, last_year = (
            {one.en: one.value for one in draft.figures} if draft else {} for draft in (before, year_before)
        )
        self.figures[first:] = [
            replace(one, before=then.get(one.en), year_before=last_year.get(one.en)) for one in self.figures[first:]
        ]

    def say(self, part: str, vi: str, rows: str = "") -> None:
        """Adds a sentence to a part of the text."""
        self.sentences.append(Sentence(part, vi, rows))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    return str(value.isoformat() if isinstance(value, date) else value)


def _fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass; rows of which none were left out are written as before, so that hashes stay."""
    found = {one.name: getattr(value, one.name) for one in fields(value)}
    if isinstance(value, Rows) and not value.left:
        del found["left"]
    return found
