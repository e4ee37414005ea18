"""Tables of a filled document made fit to read: heads on every page, whole rows, widths by content, numbers right.

A template cannot know what will stand in its cells, so this happens after it is filled, on every table with a grid.
"""

import re
from collections.abc import Iterator

from docx.document import Document as Doc
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.table import CT_Tc
from docx.oxml.text.parfmt import CT_PPr
from docx.section import Section
from docx.shared import Mm, Pt
from docx.table import Table

STYLE = "Table Grid"
NUMBER = "STT"
"""Head of the column that numbers the lines."""
_T = qn("w:t")
_NUMBER = re.compile(r"[-–+]?[\d.,]*( ?%)?( \([^)]*\))?|–?")
_CHARACTER = 0.2
"""Millimetres of an average letter of Times New Roman a point of its size."""
_PADDING = 4.5  # mm, of both sides of a cell
_LONGEST = 60
"""Letters of a cell beyond which its column asks for no more room: longer text is broken into lines."""


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
    size = 12.0 if len(columns) <= 6 else 11.0
    while size > 9 and sum(_least(column, size) for column in columns) > width:
        size -= 0.5
    numbered = columns[0][0] == NUMBER
    widths = _share(columns, width, size, numbered)
    sides = ["right" if all(_NUMBER.fullmatch(text) for text in column[1:]) else "left" for column in columns]
    if numbered:
        sides[0] = "center"
    table.autofit = False
    _grid_columns(table, widths)
    for number, (row, cells) in enumerate(zip(table._tbl.tr_lst, rows, strict=True)):
        properties = row.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if number == 0:
            properties.append(OxmlElement("w:tblHeader"))
        for place, (cell, _) in enumerate(cells):
            cell.width = Mm(widths[place])
            for paragraph in cell.p_lst:
                _set(paragraph.get_or_add_pPr(), "center" if number == 0 else sides[place])
                for run in paragraph.r_lst:
                    look = run.get_or_add_rPr()
                    look.sz_val = Pt(size)
                    if number == 0:
                        look._set_bool_val("b", True)


def _text(cell: CT_Tc) -> str:
    """What a cell shows, a line a paragraph."""
    return "\n".join("".join(one.text or "" for one in paragraph.iter(_T)) for paragraph in cell.p_lst)


def _set(properties: CT_PPr, side: str) -> None:
    """One point after a paragraph, and the side on which it stands."""
    properties.spacing_after = Pt(1)
    properties.jc_val = WD_ALIGN_PARAGRAPH.from_xml(side)


def _share(columns: list[tuple[str, ...]], width: float, size: float, numbered: bool = False) -> list[float]:
    """Every column the room of its longest word, what is left by how much more its text would like.

    numbered: the first column is the number of the line, which likes no more.
    """
    least = [_least(column, size) for column in columns]
    wish = [max(low, _millimetres(_wanted(column), size)) for low, column in zip(least, columns, strict=True)]
    left = width - sum(least)
    more = [one - low for one, low in zip(wish, least, strict=True)]
    if left <= 0:
        return [low * width / sum(least) for low in least]
    if sum(more) <= left:
        spare = (left - sum(more)) / max(1, len(columns) - numbered)
        return [one if numbered and place == 0 else one + spare for place, one in enumerate(wish)]
    return [low + left * part / sum(more) for low, part in zip(least, more, strict=True)]


def _least(column: tuple[str, ...], size: float) -> float:
    """Room for the longest word, so that none is broken; the head's words are bold, and capitals wide."""
    head = max((_letters(word) for word in column[0].split()), default=1.0)
    return _millimetres(max([head, *(len(word) for text in column[1:] for word in text.split())]), size)


def _letters(word: str) -> float:
    return 1.12 * sum(1.4 if one.isupper() else 1.0 for one in word)


def _wanted(column: tuple[str, ...]) -> int:
    return min(_LONGEST, max((len(text) for text in column[1:]), default=1))


def _millimetres(letters: float, size: float) -> float:
    return letters * size * _CHARACTER + _PADDING


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
