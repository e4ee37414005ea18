"""The pieces that every document's template is put together from, as Nghị định 30/2020/NĐ-CP, Phụ lục I has them.

A4 upright; margins 20 mm above and below, 30 mm left, 15 mm right; Times New Roman 13–14; superior body and issuer on
the left, quốc hiệu and tiêu ngữ on the right; page numbers at the top middle from page 2; place and day in italics;
recipients at the bottom left, authority and name of the signer at the bottom right.
"""

from docx import Document
from docx.document import Document as Doc
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Mm, Pt
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

SHORT, LONG = Mm(210), Mm(297)  # A4


def page(*, lying: bool = False, size: float = 14) -> Doc:
    """An empty document with the decree's paper, margins, letters and page numbers.

    lying: across, for wide lists. size: of its letters, 13 or 14 points.
    """
    document = Document()
    style = document.styles["Normal"]
    style.font.name, style.font.size = "Times New Roman", Pt(size)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "Times New Roman")
    section = document.sections[0]
    _paper(section, across=lying)
    section.different_first_page_header_footer = True
    page_number(section.header.paragraphs[0])
    return document


def across(document: Doc) -> None:
    """What follows stands on pages lying across, for tables that upright paper does not hold."""
    section = document.add_section(WD_SECTION.NEW_PAGE)
    hide(document.paragraphs[-1])
    _paper(section, across=True)
    section.different_first_page_header_footer = False


def drop_empty_end(document: Doc) -> None:
    """Leaves out the pages after the last break where nothing is said on them: an annex with nothing to annex."""
    body = document.element.body
    empty = []
    for block in reversed(list(body)[:-1]):
        if block.tag != qn("w:p") or "".join(block.itertext()).strip():
            return
        empty.append(block)
        ends = block.find(f"{qn('w:pPr')}/{qn('w:sectPr')}")
        if ends is not None:
            body.replace(body.sectPr, ends)
            for one in empty:
                body.remove(one)
            return


def hide(paragraph: Paragraph) -> None:
    """Of one point, not shown. Word wants a paragraph after a table; one that shows fills a page after a full one."""
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(0)
    paragraph.paragraph_format.line_spacing = Pt(1)
    mark = OxmlElement("w:rPr")
    mark.append(OxmlElement("w:vanish"))
    properties = paragraph._p.get_or_add_pPr()
    section = properties.find(qn("w:sectPr"))
    properties.append(mark) if section is None else section.addprevious(mark)


def letterhead(document: Doc, kind: str, *, lying: bool = False) -> None:
    """Superior, issuer and number on the left, the nation's name and the day on the right.

    kind: such as `BC`; empty for an official letter, whose number has none.
    """
    top = document.add_table(rows=2, cols=2)
    _widths(top, (122, 130) if lying else (64, 101))
    left, right = top.rows[0].cells
    say(left.paragraphs[0], "{{ superior }}", size=12)
    say(left.add_paragraph(), "{{ issuer }}", bold=True, size=12)
    rule(left.add_paragraph(), 44 if lying else 20)
    say(right.paragraphs[0], "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", bold=True, size=12)
    say(right.add_paragraph(), "Độc lập - Tự do - Hạnh phúc", bold=True, underline=True, size=13)
    say(top.cell(1, 0).paragraphs[0], f"Số:          /{kind and kind + '-'}{{{{ symbol }}}}", size=13)
    say(top.cell(1, 1).paragraphs[0], "{{ place_and_day }}", italic=True, size=13)
    say(document.add_paragraph(), "", size=6)


def rule(paragraph: Paragraph, aside: float) -> None:
    """A line across a cell, under the issuer's name: a third to a half of its width; aside: millimetres left free."""
    form = paragraph.paragraph_format
    form.left_indent = form.right_indent = Mm(aside)
    form.space_before, form.space_after, form.line_spacing = Pt(0), Pt(3), Pt(2)
    edges, edge = OxmlElement("w:pBdr"), OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "auto")):
        edge.set(qn(f"w:{name}"), value)
    edges.append(edge)
    paragraph._p.get_or_add_pPr().insert_element_before(edges, "w:spacing", "w:ind", "w:jc")


def addressee(document: Doc) -> None:
    """Kính gửi, apart from what stands above and below it."""
    paragraph = document.add_paragraph()
    say(paragraph, "Kính gửi: {{ addressee }}")
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(6), Pt(10)


def two_signatures(document: Doc, left: str, right: str = "") -> None:
    """Two who sign side by side, with room for hand and name; right: who is second, else the letterhead's authority."""
    both = document.add_table(rows=1, cols=2)
    _widths(both, (82, 83))
    both.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    one, other = both.rows[0].cells
    say(one.paragraphs[0], left, bold=True)
    if right:
        say(other.paragraphs[0], right, bold=True)
    else:
        say(other.paragraphs[0], "{%p for one in authority %}", bold=True)
        say(other.add_paragraph(), "{{ one }}", bold=True)
        say(other.add_paragraph(), "{%p endfor %}", bold=True)
    for cell in (one, other):
        say(cell.add_paragraph(), "(ký, ghi rõ họ tên)", italic=True, size=12)
        for _ in range(3):
            say(cell.add_paragraph(), "")


def signature(document: Doc, *, lying: bool = False, signed: bool = True) -> None:
    """Nơi nhận at the left, the signer at the right unless others have signed above."""
    bottom = document.add_table(rows=1, cols=2)
    _widths(bottom, (137, 115) if lying else (80, 85))
    # the block stays whole: a page with no more than the room for the hand is no page
    bottom.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    left, right = bottom.rows[0].cells
    say(left.paragraphs[0], "Nơi nhận:", bold=True, italic=True, left=True, size=12)
    say(left.add_paragraph(), "{%p for one in recipients %}", left=True, size=11)
    say(left.add_paragraph(), "- {{ one }}{{ '.' if loop.last else ';' }}", left=True, size=11)
    say(left.add_paragraph(), "{%p endfor %}", left=True, size=11)
    if not signed:
        return
    say(right.paragraphs[0], "{%p for one in authority %}", bold=True)
    say(right.add_paragraph(), "{{ one }}", bold=True)
    say(right.add_paragraph(), "{%p endfor %}", bold=True)
    for _ in range(3):  # room for hand and seal
        say(right.add_paragraph(), "")
    say(right.add_paragraph(), "{{ signer }}", bold=True)


def repeated(cells: tuple[_Cell, ...], start: str, end: str, value: str) -> None:
    """Two cells that docxtpl makes into as many as there are: it repeats what stands between two `tc` tags.

    Each tag takes a cell of its own away.
    """
    cells[0].text = start
    middle = OxmlElement("w:tc")
    middle.append(OxmlElement("w:p"))
    cells[0]._tc.addnext(middle)
    _Cell(middle, cells[0]._parent).text = value  # type: ignore[arg-type]
    cells[1].text = end


def say(
    paragraph: Paragraph, text: str, *, bold: bool = False, italic: bool = False, underline: bool = False,
    left: bool = False, size: float | None = None,
) -> None:  # fmt: skip
    """Adds text to a paragraph, in the middle unless it stands left; size in points."""
    run = paragraph.add_run(text)
    run.bold, run.italic, run.underline = bold, italic, underline
    run.font.size = None if size is None else Pt(size)
    paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT if left else WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.space_after = Pt(3)


def text_paragraph(document: Doc, text: str, *, italic: bool = False, ragged: bool = False) -> None:
    """A paragraph of the text: first line 10 mm in, both edges straight; ragged: where blanks are filled in by hand."""
    paragraph = document.add_paragraph()
    say(paragraph, text, italic=italic, left=True)
    if not ragged:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    else:  # a tab in the text is dots up to the right edge
        stops = paragraph.paragraph_format.tab_stops
        stops.add_tab_stop(Mm(165), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
    paragraph.paragraph_format.first_line_indent = Mm(10)
    paragraph.paragraph_format.space_after = Pt(6)


def page_number(paragraph: Paragraph) -> None:
    """Puts the page's number into a header's paragraph."""
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        run = paragraph.add_run()
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.text = text
        run._r.append(mark)


def _paper(section: Section, *, across: bool) -> None:
    section.orientation = WD_ORIENT.LANDSCAPE if across else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (LONG, SHORT) if across else (SHORT, LONG)
    section.top_margin = section.bottom_margin = Mm(20)
    section.left_margin, section.right_margin = Mm(30), Mm(15)


def _widths(table: Table, millimetres: tuple[int, ...]) -> None:
    table.autofit = False
    for column, width in zip(table.columns, millimetres, strict=True):
        column.width = Mm(width)  # of the grid, which LibreOffice goes by
    for row in table.rows:
        for cell, width in zip(row.cells, millimetres, strict=True):
            cell.width = Mm(width)
