"""Makes the templates anew: `python -m serving.documents.template`. Run after a change of the layout."""

from collections.abc import Callable

from docx.document import Document as Doc
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.table import Table
from docx.text.paragraph import Paragraph

from serving.documents import apology, listing, report
from serving.documents.layout import letterhead, page, repeated, say, signature


def make_listing() -> Doc:
    """A list: title, one table, what it rests on. A4 across, for tables are wide."""
    document = page(across=True)
    letterhead(document, "Số: ……/DS")
    say(document.add_paragraph(), "{{ title }}", bold=True)
    say(document.add_paragraph(), "{{ subject }}", bold=True)
    _grid(document, "head", "rows")
    for text in ("{{ disclaimer }}", "{{ basis }}"):
        say(document.add_paragraph(), text, italic=True, left=True)
    signature(document, 150)
    return document


def make_report() -> Doc:
    """A report: notes, figures, tables, and an annex of rows to which the figures point."""
    document = page(across=True)
    letterhead(document, "Số: ……/BC")
    say(document.add_paragraph(), "{{ title }}", bold=True)
    say(document.add_paragraph(), "{{ subject }}", bold=True)
    _each(document, "note in notes", lambda: say(document.add_paragraph(), "{{ note }}", italic=True, left=True))
    figures = document.add_table(rows=4, cols=3)
    figures.style = "Table Grid"
    for cell, text in zip(figures.rows[0].cells, ("Chỉ tiêu", "Số liệu", "Căn cứ"), strict=True):
        say(cell.paragraphs[0], text, bold=True)
    figures.rows[1].cells[0].text = "{%tr for figure in figures %}"
    figures.rows[2].cells[0].text, figures.rows[2].cells[1].text = "{{ figure.words }}", "{{ figure.value }}"
    _link(figures.rows[2].cells[2].paragraphs[0], "{{ figure.rows }}")
    figures.rows[3].cells[0].text = "{%tr endfor %}"

    def table() -> None:
        say(document.add_paragraph(), "{{ table.words }}", bold=True, left=True)
        _grid(document, "table.head", "table.rows")
        say(document.add_paragraph(), "{{ table.note }}", italic=True, left=True)

    def annex() -> None:
        _place(document.add_paragraph(), "{{ rows.key }}", "{{ rows.words }}")
        _grid(document, "rows.head", "rows.rows", small=True)
        say(document.add_paragraph(), "{{ rows.note }}", italic=True, left=True)

    _each(document, "table in tables", table)
    say(document.add_paragraph(), "{{ basis }}", italic=True, left=True)
    signature(document, 150)
    say(document.add_paragraph(), "PHỤ LỤC: CĂN CỨ CỦA TỪNG SỐ LIỆU", bold=True)
    _each(document, "rows in annex", annex)
    return document


def make_apology() -> Doc:
    """Mẫu 04 of Thông tư 03/2025/TT-VPCP: the letter of apology with a new appointment."""
    document = page(across=False)
    letterhead(document, "Số: ……/PXL")
    say(document.add_paragraph(), "PHIẾU XIN LỖI VÀ HẸN LẠI NGÀY TRẢ KẾT QUẢ", bold=True)
    for text in apology.LINES:
        say(document.add_paragraph(), text, left=True)
    signature(document, 85)
    return document


def _each(document: Doc, loop: str, body: Callable[[], object]) -> None:
    say(document.add_paragraph(), "{%p for " + loop + " %}")
    body()
    say(document.add_paragraph(), "{%p endfor %}")


def _grid(document: Doc, head: str, rows: str, *, small: bool = False) -> Table:
    table: Table = document.add_table(rows=4, cols=2)
    table.style = "Table Grid"
    repeated(table.rows[0].cells, "{%tc for cell in " + head + " %}", "{%tc endfor %}", "{{ cell }}")
    table.rows[1].cells[0].text = "{%tr for row in " + rows + " %}"
    repeated(table.rows[2].cells, "{%tc for cell in row.cells %}", "{%tc endfor %}", "{{ cell }}")
    table.rows[3].cells[0].text = "{%tr endfor %}"
    for run in (run for row in table.rows for cell in row.cells for one in cell.paragraphs for run in one.runs):
        run.font.size = Pt(9) if small else None
    return table


def _link(paragraph: Paragraph, anchor: str) -> None:
    """A link to a bookmark of the same document, shown by the bookmark's name."""
    link = OxmlElement("w:hyperlink")
    link.set(qn("w:anchor"), anchor)
    run = paragraph.add_run(anchor)
    link.append(run._r)
    paragraph._p.append(link)


def _place(paragraph: Paragraph, name: str, text: str) -> None:
    """A heading with a bookmark that links lead to; inside a loop, whose number makes the bookmark's id."""
    for tag in ("w:bookmarkStart", "w:bookmarkEnd"):
        mark = OxmlElement(tag)
        mark.set(qn("w:id"), "{{ loop.index }}")
        if tag == "w:bookmarkStart":
            mark.set(qn("w:name"), name)
        paragraph._p.append(mark)
    say(paragraph, text, bold=True, left=True)


if __name__ == "__main__":
    make_listing().save(str(listing.TEMPLATE))
    make_report().save(str(report.TEMPLATE))
    make_apology().save(str(apology.TEMPLATE))
