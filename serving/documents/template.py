"""Makes `listing.docx` anew: `python -m serving.documents.template`. Run after a change of the layout.

Nghị định 30/2020/NĐ-CP, Phụ lục I: A4; margins 20 mm above and below, 30 mm left, 15 mm right; Times New
Roman 13–14; quốc hiệu and tiêu ngữ on the right, issuer on the left, each underlined; page numbers at the top
middle from page 2; place and day in italics; signature at the bottom right.
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

from serving.documents.listing import TEMPLATE


def make_template() -> Doc:
    """The template as a document: A4 across, for tables are wide."""
    document = Document()
    style = document.styles["Normal"]
    style.font.name, style.font.size = "Times New Roman", Pt(13)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "Times New Roman")
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.top_margin = section.bottom_margin = Mm(20)
    section.left_margin, section.right_margin = Mm(30), Mm(15)
    section.different_first_page_header_footer = True
    _page_number(section.header.paragraphs[0])
    top = document.add_table(rows=2, cols=2)
    _say(top.cell(0, 0).paragraphs[0], "{{ issuer }}", bold=True)
    nation = top.cell(0, 1)
    _say(nation.paragraphs[0], "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", bold=True)
    _say(nation.add_paragraph(), "Độc lập - Tự do - Hạnh phúc", bold=True, underline=True)
    _say(top.cell(1, 0).paragraphs[0], "Số: ……/DS")
    _say(top.cell(1, 1).paragraphs[0], "{{ place_and_day }}", italic=True)
    _say(document.add_paragraph(), "")
    _say(document.add_paragraph(), "{{ title }}", bold=True)
    _say(document.add_paragraph(), "{{ subject }}", bold=True)
    table = document.add_table(rows=4, cols=2)
    table.style = "Table Grid"
    _row(table.rows[0].cells, "{%tc for cell in head %}", "{%tc endfor %}", "{{ cell }}")
    table.rows[1].cells[0].text = "{%tr for row in rows %}"
    _row(table.rows[2].cells, "{%tc for cell in row.cells %}", "{%tc endfor %}", "{{ cell }}")
    table.rows[3].cells[0].text = "{%tr endfor %}"
    for text in ("{{ disclaimer }}", "{{ basis }}"):
        line = document.add_paragraph()
        _say(line, text, italic=True)
        line.alignment = WD_ALIGN_PARAGRAPH.LEFT
    signed = document.add_paragraph()
    _say(signed, "{{ signer }}", bold=True)
    signed.paragraph_format.left_indent = Mm(150)
    return document


def _row(cells: tuple[_Cell, ...], start: str, end: str, field: str) -> None:
    """docxtpl repeats the cells between a `tc for` and a `tc endfor`.

    Each tag takes a cell of its own away.
    """
    cells[0].text = start
    middle = OxmlElement("w:tc")
    middle.append(OxmlElement("w:p"))
    cells[0]._tc.addnext(middle)
    _Cell(middle, cells[0]._parent).text = field  # type: ignore[arg-type]
    cells[1].text = end


def _say(paragraph: Paragraph, text: str, *, bold: bool = False, italic: bool = False, underline: bool = False) -> None:
    run = paragraph.add_run(text)
    run.bold, run.italic, run.underline = bold, italic, underline
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.space_after = Pt(3)


def _page_number(paragraph: Paragraph) -> None:
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


if __name__ == "__main__":
    make_template().save(str(TEMPLATE))
