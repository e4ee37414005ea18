"""The pieces that every document's template is put together from, as Nghị định 30/2020/NĐ-CP, Phụ lục I has them.

A4; margins 20 mm above and below, 30 mm left, 15 mm right; Times New Roman 13–14; quốc hiệu and tiêu ngữ on the
right, issuer on the left; page numbers at the top middle from page 2; place and day in italics.
"""

from docx import Document
from docx.document import Document as Doc
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.table import _Cell
from docx.text.paragraph import Paragraph


def page(*, across: bool) -> Doc:
    """An empty document with the decree's paper, margins, letters and page numbers; across: wide tables."""
    document = Document()
    style = document.styles["Normal"]
    style.font.name, style.font.size = "Times New Roman", Pt(13)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "Times New Roman")
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE if across else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (Mm(297), Mm(210)) if across else (Mm(210), Mm(297))
    section.top_margin = section.bottom_margin = Mm(20)
    section.left_margin, section.right_margin = Mm(30), Mm(15)
    section.different_first_page_header_footer = True
    page_number(section.header.paragraphs[0])
    return document


def letterhead(document: Doc, number: str) -> None:
    """Issuer and number on the left, the nation's name and the day on the right."""
    top = document.add_table(rows=2, cols=2)
    say(top.cell(0, 0).paragraphs[0], "{{ issuer }}", bold=True)
    nation = top.cell(0, 1)
    say(nation.paragraphs[0], "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", bold=True)
    say(nation.add_paragraph(), "Độc lập - Tự do - Hạnh phúc", bold=True, underline=True)
    say(top.cell(1, 0).paragraphs[0], number)
    say(top.cell(1, 1).paragraphs[0], "{{ place_and_day }}", italic=True)
    say(document.add_paragraph(), "")


def signature(document: Doc, left: int) -> None:
    """The signer at the bottom right, `left` mm in."""
    signed = document.add_paragraph()
    say(signed, "{{ signer }}", bold=True)
    signed.paragraph_format.left_indent = Mm(left)


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
    left: bool = False,
) -> None:  # fmt: skip
    """Adds text to a paragraph, in the middle unless it stands left."""
    run = paragraph.add_run(text)
    run.bold, run.italic, run.underline = bold, italic, underline
    paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT if left else WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.space_after = Pt(3)


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
