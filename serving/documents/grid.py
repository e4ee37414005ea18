"""Tables of a filled document made fit to read: heads on every page, whole rows, widths by content, numbers right.

A template cannot know what will stand in its cells, so this happens after it is filled, on every table with a grid.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from docx.document import Document as Doc
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.table import CT_Tc
from docx.oxml.text.parfmt import CT_PPr
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.section import Section
from docx.shared import Length, Mm, Pt
from docx.table import Table

STYLE = "Table Grid"
NUMBER = "STT"
"""Head of the column that numbers the lines."""
_T = qn("w:t")
TOTAL = "Tổng"
"""What the line over all lines begins with."""
_NUMBER = re.compile(r"[-–−+]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?( ?%)?(–[\d.,]+| \([^)]*\))?|–?")
"""As it is written in Vietnam, with an interval behind it or as one; a code such as 1.990003 is none."""
_CHARACTER, _AVERAGE = 0.2, 0.175
"""Millimetres of a letter of Times New Roman a point of its size: in a word that may not be broken, in a long text."""
_PADDING = 4.5  # mm, of both sides of a cell
_LONGEST = 60
"""Letters of a cell beyond which its column asks for no more room: longer text is broken into lines."""
_SMALLEST, _FEW_LINES, _MANY_LINES = 10.0, 2, 8
"""Letters grow smaller, down to so many points, before cells take more than so many lines."""
_WHOLE = 12
"""Lines, the head among them, up to which a table is never broken over two pages."""


def room(section: Section) -> float:
    """Millimetres between the margins."""
    page, left, right = section.page_width, section.left_margin, section.right_margin
    return ((page or 0) - (left or 0) - (right or 0)) / Mm(1)


def least_width(rows: list[list[str]], size: float = 11.0) -> float:
    """Millimetres that a table needs so that no word is broken; rows: its cells, the head first."""
    return sum(_least(column, size) for column in zip(*rows, strict=True))


def fit(document: Doc) -> None:
    """Makes every table with a grid fit the page it stands on."""
    for section, table in _tables(document):
        if table.style is None or table.style.name != STYLE or not table.rows:
            continue
        _fit(table, room(section))


def _fit(table: Table, width: float) -> None:
    rows = [[(cell, _text(cell)) for cell in row.tc_lst] for row in table._tbl.tr_lst]
    columns = list(zip(*([text for _, text in row] for row in rows), strict=True))
    numbered = columns[0][0] == NUMBER
    size, widths = _laid_out(columns, width, numbered)
    sides = ["right" if _numeric(column[1:]) else "left" for column in columns]
    if numbered:
        sides[0] = "center"
    by_hand = numbered and all(columns[0]) and not all(any(column[1:]) for column in columns)
    table.autofit = False
    _grid_columns(table, widths)
    for number, (row, cells) in enumerate(zip(table._tbl.tr_lst, rows, strict=True)):
        properties = row.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if number == 0:
            properties.append(OxmlElement("w:tblHeader"))
        elif by_hand:
            _least_height(properties, Mm(9))
        bold = number == 0 or [text for _, text in cells[:2]] == ["", TOTAL]
        # the head never stands alone, nor the last line; a short table stays whole
        stays = number < len(rows) - 1 and (len(rows) <= _WHOLE or number == 0 or number == len(rows) - 2)
        for place, (cell, _) in enumerate(cells):
            cell.width = Mm(widths[place])
            if number == 0:
                _in_the_middle(cell)
            for paragraph in cell.p_lst:
                form = paragraph.get_or_add_pPr()
                _set(form, "center" if number == 0 else sides[place])
                if stays:
                    form.keepNext_val = True
                for run in paragraph.r_lst:
                    look = run.get_or_add_rPr()
                    look.sz_val = Pt(size)
                    if bold:
                        look._set_bool_val("b", True)


def _laid_out(columns: list[tuple[str, ...]], width: float, numbered: bool) -> tuple[float, list[float]]:
    """Size of the letters and millimetres of each column: the largest at which few cells are broken into many lines."""
    largest = 12.0 if len(columns) <= 6 else 11.0
    tried = [largest - half / 2 for half in range(int(2 * (largest - _SMALLEST)) + 1)]
    fits = [size for size in tried if sum(_least(column, size) for column in columns) <= width]
    if not fits:
        size = 9.0
        least = [_least(column, size) for column in columns]
        return size, [low * width / sum(least) for low in least]
    found = []
    for size in fits:
        lines, widths = _share(columns, width, size, numbered)
        found.append((lines, -size, widths))
        if lines <= _FEW_LINES:
            return size, widths
    _, size, widths = min(found)
    return -size, widths


def _numeric(cells: tuple[str, ...]) -> bool:
    """Whether a column holds numbers alone, one at least."""
    return any(any(sign.isdigit() for sign in text) for text in cells) and all(map(_NUMBER.fullmatch, cells))


def _least_height(properties: BaseOxmlElement, height: Length) -> None:
    element = OxmlElement("w:trHeight")
    element.set(qn("w:val"), str(height.twips))
    element.set(qn("w:hRule"), "atLeast")
    properties.append(element)


def _in_the_middle(cell: CT_Tc) -> None:
    cell.get_or_add_tcPr().vAlign_val = WD_CELL_VERTICAL_ALIGNMENT.CENTER


def _text(cell: CT_Tc) -> str:
    """What a cell shows, a line a paragraph."""
    return "\n".join("".join(one.text or "" for one in paragraph.iter(_T)) for paragraph in cell.p_lst)


def _set(properties: CT_PPr, side: str) -> None:
    """One point after a paragraph, and the side on which it stands."""
    properties.spacing_after = Pt(1)
    properties.jc_val = WD_ALIGN_PARAGRAPH.from_xml(side)


def _share(
    columns: list[tuple[str, ...]], width: float, size: float, numbered: bool
) -> tuple[int, list[float]]:  # fmt: skip
    """The fewest lines that a cell needs where every column has the room of its longest word; and the columns' widths.

    numbered: the first column is the number of the line, which likes no more than it needs.
    """
    least = [_least(column, size) for column in columns]
    for lines in range(1, _MANY_LINES):
        wish = [max(low, _in_lines(column, lines, size)) for low, column in zip(least, columns, strict=True)]
        if sum(wish) <= width:
            break
    else:
        wish = least
    spare = width - sum(wish)
    more = [max(0.0, _in_lines(column, 1, size) - one) for one, column in zip(wish, columns, strict=True)]
    if sum(more) < spare:  # no cell is broken any more: what is left is for all alike
        alike = (spare - sum(more)) / max(1, len(columns) - numbered)
        more = [one + (0 if numbered and place == 0 else alike) for place, one in enumerate(more)]
        return lines, [one + part for one, part in zip(wish, more, strict=True)]
    return lines, [one + spare * part / sum(more) for one, part in zip(wish, more, strict=True)]


def _in_lines(column: tuple[str, ...], lines: int, size: float) -> float:
    """Millimetres in which no cell takes more lines; the head may take two more."""
    longest = max(column[1:], key=len, default="")
    letters = [_broken(column[0], lines + 2, _letters), _broken(longest[:_LONGEST], lines, len)]
    return _millimetres(max(letters), size, _AVERAGE)


def _broken(text: str, lines: int, measure: Callable[[str], float]) -> float:
    """Letters of the widest of so many lines; a line ends where a word does, so up to half a word is lost in each."""
    lost = 0.5 * max(map(measure, text.split()), default=0.0) if lines > 1 else 0.0
    return measure(text) / lines + lost


def _least(column: tuple[str, ...], size: float) -> float:
    """Room for the longest word, so that none is broken; the head's words are bold, and capitals wide."""
    head = max((_letters(word) for word in column[0].split()), default=1.0)
    return _millimetres(max([head, _longest_word(column[1:])]), size)


@lru_cache(maxsize=256)
def _longest_word(cells: tuple[str, ...]) -> int:
    return max((len(word) for text in cells for word in text.split()), default=0)


def _letters(word: str) -> float:
    return 1.12 * sum(1.4 if one.isupper() else 1.0 for one in word)


def _millimetres(letters: float, size: float, each: float = _CHARACTER) -> float:
    return letters * size * each + _PADDING


def _grid_columns(table: Table, widths: list[float]) -> None:
    grid = table._tbl.tblGrid
    for old in list(grid):
        grid.remove(old)
    for width in widths:
        column = OxmlElement("w:gridCol")
        column.set(qn("w:w"), str(round(width * 56.7)))  # twentieths of a point
        grid.append(column)


def _tables(document: Doc) -> Iterator[tuple[Section, Table]]:
    """Every table of the body with the section that it stands in."""
    sections = list(document.sections)
    place = 0
    for block in document.element.body:
        if block.tag == qn("w:tbl"):
            yield sections[place], Table(block, document)
        elif block.tag == qn("w:p") and block.find(f"{qn('w:pPr')}/{qn('w:sectPr')}") is not None:
            place += 1
