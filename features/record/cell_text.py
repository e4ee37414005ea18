"""What the text of a cell means before it is read as its column's type: nothing, a code, a day, a number.

Offices write "N/A" where they know nothing, spreadsheets put invisible characters and `.0` into codes, and a promise
is often a day alone. Every source is read by these rules, columns of a table at once.
"""

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from features.calendar.vietnam import VIETNAM
from features.record.cell_numbers import is_text, without
from features.spelling.codes import padded_procedure
from features.spelling.vietnamese_text import LEGACY, suspect

_BLANKS = "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_INVISIBLE = "[\\x00-\\x08\\x0e-\\x1f\\x7f\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
_DASHES = "[\u2010-\u2015\u2212]"

_NOTHING = r"#?N/A!?|#(REF|VALUE|DIV/0|NUM|NULL|NAME)[!?]?|\(?null\)?|-{1,3}|–|—|\.{2,4}|…"
_NOTHING_TYPED = r"|na|none|nil|\?+|/|x|không|khong|không có|khong co|không rõ|chưa có|chua co|chưa|trống"
"""More words for nothing in a column of numbers, moments or days; as text they may be a category."""

_MEANT = r"^[-+]?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$"
LOST_DIGITS = r"[-+]?\d([.,]\d+)?[eE]\+?\d+"
"""A code that a spreadsheet printed as a rounded number: 2.02603E+13, in Vietnam 2,02603E+13."""

_DAY = r"^\s*\d{4}-\d{2}-\d{2}\s*$"


def visible(text: str) -> str:
    """The text in NFC without invisible characters, every kind of blank as one.

    >>> visible("H99.13\\u200b\\u00a0x")
    'H99.13 x'
    """
    plain = re.sub(_BLANKS, " ", re.sub(_INVISIBLE, "", text))
    return " ".join(unicodedata.normalize("NFC", plain).split())


@lru_cache(maxsize=4096)
def heading(name: str) -> str:
    """The form in which two headers are one: as cells are compared, in lower case.

    >>> heading("Mã\\u00a0hồ sơ ") == heading("MÃ HỒ SƠ")
    True
    """
    return visible(name).casefold()


def cleaned(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Text without invisible characters and with plain blanks; other columns as they are."""
    if not is_text(column) or not pc.any(pc.match_substring_regex(column, f"{_BLANKS}|{_INVISIBLE}")).as_py():
        return column
    return pc.replace_substring_regex(pc.replace_substring_regex(column, _INVISIBLE, ""), _BLANKS, " ")


def nothing_as_null(column: pa.ChunkedArray | pa.Array, *, typed: bool) -> pa.ChunkedArray | pa.Array:
    """Text in which the usual words for nothing are unknown; `typed`: more words, in a column that is no text."""
    if not is_text(column):
        return column
    words = _NOTHING + _NOTHING_TYPED if typed else _NOTHING
    return without(column, pc.match_substring_regex(column, rf"^\s*({words})\s*$", ignore_case=True))


def reads_as_number(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """For every cell of text whether it is meant as a number, so without leading zeros; null where the cell is."""
    return pc.match_substring_regex(pc.utf8_trim_whitespace(column), _MEANT)


def codes(column: pa.ChunkedArray | pa.Array, name: str) -> pa.ChunkedArray | pa.Array:
    """Codes as text in one form: 5.0 as 5, `="007"` as 007, dashes as `-`, those of procedures as published."""
    if pt.is_boolean(column.type) or pt.is_temporal(column.type):
        return column
    texts = column if is_text(column) else _each(column, code_of_number)
    if pc.any(pc.match_substring_regex(texts, rf"^\s*(=\"|')|{_DASHES}")).as_py():
        texts = pc.replace_substring_regex(texts, r'^\s*(="([^"]*)"|\'(.*))$', r"\2\3")
        texts = pc.replace_substring_regex(texts, _DASHES, "-")
    if name == "procedure_code":
        return _each(texts, padded_procedure)
    if pc.any(pc.match_substring_regex(texts, r"^\s*\d+\.0+\s*$")).as_py():
        texts = pc.replace_substring_regex(texts, r"^\s*(\d+)\.0+\s*$", r"\1")
    return texts


def code_of_number(value: object) -> str:
    """A code that came as a number: whole ones without `.0`; beyond 15 digits as `LOST_DIGITS`, for they are lost.

    NaN is an empty cell, as data frames write it.

    >>> code_of_number(20260001.0), code_of_number(2.00052), code_of_number(1234567890123456.0)
    ('20260001', '2.00052', '1.234568e+15')
    >>> code_of_number(float("nan"))
    ''
    """
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return ""
    if abs(value) >= 1e15:
        return f"{value:e}"
    return str(int(value)) if value == int(value) else str(value)


def promises(column: pa.ChunkedArray | pa.Array, zone: str) -> tuple[pa.ChunkedArray | pa.Array, int]:
    """A column of promises, in which a day alone is the closing of its working time; and how many were days.

    Decree 118/2025: kept on or before the appointed date, so the day counts until its end.
    """
    if pt.is_date(column.type):
        closings = pa.array([None if day is None else closing(_day(day), zone) for day in column.to_pylist()],
                        pa.timestamp("us", "UTC"))  # fmt: skip
        return closings, len(closings) - closings.null_count
    if not is_text(column):
        return column, 0
    days = pc.fill_null(pc.match_substring_regex(column, _DAY), False)
    count = pc.sum(days).as_py() or 0
    if not count:
        return column, 0
    closed = _each(pc.if_else(days, column, None), lambda text: _closing_text(str(text), zone))
    return pc.if_else(days, closed, column), count


def _closing_text(text: str, zone: str) -> str:
    try:
        return closing(date.fromisoformat(text.strip()), zone).isoformat()
    except ValueError:  # no day of any month: the check says so
        return text


@lru_cache(maxsize=8192)
def closing(day: date, zone: str) -> datetime:
    """When the working time of `day` closes, by the wall clock of `zone`, in UTC; of a day off its last second.

    By the packaged calendar and never by what a delivery says of holidays: the same cell is the same moment whenever
    it comes.
    """
    hours = VIETNAM.hours(day)
    last = hours[-1][1] if hours else time(23, 59, 59)
    return datetime.combine(day, last, ZoneInfo(zone)).astimezone(UTC)


def midnights(column: pa.ChunkedArray | pa.Array, zone: str) -> int:
    """How many moments of the column are local midnights: a promise that may mean the day."""
    if is_text(column):
        return pc.sum(pc.match_substring_regex(column, r"[T ]00:00(:00(\.0+)?)?([-+]\d{2}:?\d{2})?\s*$")).as_py() or 0
    if not pt.is_timestamp(column.type):
        return 0
    local = column if column.type.tz is None else pc.local_timestamp(column.cast(pa.timestamp("us", zone)))
    return pc.sum(pc.equal(local, pc.floor_temporal(local, unit="day"))).as_py() or 0


def _day(value: object) -> date:
    return value.date() if isinstance(value, datetime) else cast(date, value)


def legacy_rows(column: pa.ChunkedArray | pa.Array) -> list[tuple[int, str]]:
    """Rows of text in letters from before Unicode, with the name of the encoding that it shows the marks of."""
    if not is_text(column) or not pc.any(pc.match_substring_regex(column, LEGACY)).as_py():
        return []
    marked = pc.fill_null(pc.match_substring_regex(column, LEGACY), False)
    rows = pc.indices_nonzero(marked).to_pylist()
    encodings = ((row, suspect(str(column[row].as_py()))) for row in rows)
    return [(row, legacy) for row, legacy in encodings if legacy]


def turned_rows(codes: pa.ChunkedArray, days: pa.ChunkedArray) -> list[int]:
    """Rows whose day (`yymmdd`) is that of the dossier's code with day and month exchanged, as 03/02 read by a
    spreadsheet that is set to another country."""
    if not len(codes) or not pc.any(pc.match_substring_regex(codes, r"-\d{6}-")).as_py():
        return []
    part = pc.extract_regex(codes, r"-(?P<day>\d{6})-")
    code = pc.struct_field(part, "day")
    year, month, day = (pc.utf8_slice_codeunits(days, start, start + 2) for start in (0, 2, 4))
    turned = pc.binary_join_element_wise(year, day, month, "")
    both = pc.and_(pc.equal(code, turned), pc.not_equal(code, days))
    return list(pc.indices_nonzero(pc.fill_null(both, False)).to_pylist())


def _each(column: pa.ChunkedArray | pa.Array, function: Callable[[object], str]) -> pa.ChunkedArray | pa.Array:
    """The function's text for every value, asked once for values that are equal."""
    coded = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(coded, pa.ChunkedArray):
        coded = pa.concat_arrays(coded.chunks) if coded.num_chunks else pa.array([], column.type)
    coded = coded.dictionary_encode()
    values = coded.dictionary.to_pylist()
    words = pa.array([None if value is None else function(value) for value in values], pa.string())
    return words.take(coded.indices)
