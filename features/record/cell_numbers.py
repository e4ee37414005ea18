"""What a cell means as a number: Vietnamese points and commas, blanks around it, nothing where it is no number.

Apart from the other rules of cells because a packaged model reads cells by it where nothing of the record is installed
(`tests/test_artefact.py` names all that a model may need).
"""

from typing import cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

_VIETNAMESE = r"^[-+]?\d{1,3}(\.\d{3})+,\d+$"  # 1.250,5
_THOUSANDS = r"^[-+]?\d{1,3}(\.\d{3}){2,}$"  # 1.250.000
_COMMA = r"^[-+]?\d+,(\d{1,2}|\d{4,})$"  # 12,5 and not 1,250, which may be either
_DECIMAL = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"


def decimals(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Text in which Vietnamese numbers that can be nothing else (1.250,5) are written with a point."""
    if not is_text(column) or not pc.any(pc.match_substring_regex(column, r"\d,\d|\.\d{3}\.\d{3}")).as_py():
        return column
    bare = pc.utf8_trim_whitespace(column)
    dotted = pc.match_substring_regex(bare, f"{_VIETNAMESE}|{_THOUSANDS}")
    column = pc.if_else(pc.fill_null(dotted, False), pc.replace_substring(bare, ".", ""), column)
    comma = pc.match_substring_regex(pc.utf8_trim_whitespace(column), rf"{_COMMA}|^[-+]?\d+,\d+$")
    comma = pc.and_(comma, pc.or_(dotted, pc.match_substring_regex(bare, _COMMA)))
    return pc.if_else(pc.fill_null(comma, False), pc.replace_substring(column, ",", "."), column)


def doubtful_thousands(column: pa.ChunkedArray | pa.Array) -> int:
    """How many cells such as 1.250 stand beside such as 1.250,5: they are read as 1.25, and may be thousands."""
    if not is_text(column):
        return 0
    bare = pc.utf8_trim_whitespace(column)
    if not pc.any(pc.match_substring_regex(bare, f"{_VIETNAMESE}|{_THOUSANDS}|{_COMMA}")).as_py():
        return 0
    return pc.sum(pc.match_substring_regex(bare, r"^[-+]?[1-9]\d{0,2}\.\d{3}$")).as_py() or 0


def numbers(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """The column as float64; a cell that is no number is unknown."""
    if pt.is_null(column.type) or not is_text(column):
        return column.cast(pa.float64())
    text = pc.utf8_trim_whitespace(decimals(column))
    return without(text, pc.invert(pc.match_substring_regex(text, _DECIMAL))).cast(pa.float64())


def number(cell: object) -> float | None:
    """One cell as `numbers` reads it."""
    if isinstance(cell, int | float):
        return float(cell)
    return None if cell is None else cast(float | None, numbers(pa.array([str(cell)]))[0].as_py())


def is_text(column: pa.ChunkedArray | pa.Array) -> bool:
    """Whether the column holds text."""
    return bool(pt.is_string(column.type) or pt.is_large_string(column.type))


def without(column: pa.ChunkedArray | pa.Array, gone: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """The column, null where `gone`."""
    gone = pc.fill_null(gone, False)
    return pc.if_else(gone, pa.scalar(None, column.type), column) if pc.any(gone).as_py() else column
