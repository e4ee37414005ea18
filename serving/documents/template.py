"""Makes the templates anew: `python -m serving.documents.template`. An office may edit them in Word instead."""

from collections.abc import Callable

from docx.document import Document as Doc
from docx.shared import Pt
from docx.table import Table

from serving.documents import apology, letter, listing
from serving.documents.fill import REPORT
from serving.documents.grid import STYLE
from serving.documents.layout import (
    across,
    addressee,
    hide,
    letterhead,
    page,
    repeated,
    say,
    signature,
    text_paragraph,
    two_signatures,
)


def make_listing() -> Doc:
    """A list: title, one table, what it rests on. Lies across, for lists are wide."""
    document = page(lying=True)
    letterhead(document, "DS", lying=True)
    say(document.add_paragraph(), "{{ title }}", bold=True)
    say(document.add_paragraph(), "{{ subject }}", bold=True)
    _grid(document, "head", "rows")
    for text in ("{{ disclaimer }}", "{{ basis }}"):
        text_paragraph(document, text, italic=True)
    signature(document, lying=True)
    return document


def make_report() -> Doc:
    """A report: form, subject, addressee, numbered parts of sentences and tables, signature; wide tables across."""
    document = page()
    letterhead(document, "BC")
    say(document.add_paragraph(), "{{ form }}", bold=True)
    say(document.add_paragraph(), "{{ subject }}", bold=True)
    addressee(document)

    def part() -> None:
        text_paragraph(document, "{{ part.words }}")
        document.paragraphs[-1].runs[0].bold = True
        document.paragraphs[-1].paragraph_format.space_before = Pt(8)
        document.paragraphs[-1].paragraph_format.keep_with_next = True
        _each(document, "text in part.texts", lambda: text_paragraph(document, "{{ text }}"))
        _each(document, "table in part.tables", lambda: _table(document))

    _each(document, "part in parts", part)
    _each(document, "note in notes", lambda: text_paragraph(document, "{{ note }}", italic=True))
    for paragraph in document.paragraphs[-3:]:  # the signature never stands on a page alone
        paragraph.paragraph_format.keep_with_next = True
    signature(document)
    across(document)  # left out by `fill` where nothing stands in it
    say(document.add_paragraph(), "{%p if annex %}")
    say(document.add_paragraph(), "PHỤ LỤC", bold=True)
    say(document.add_paragraph(), "(Kèm theo {{ form_words }} {{ subject_words }})", italic=True)
    _each(document, "table in annex", lambda: _table(document))
    say(document.add_paragraph(), "{%p endif %}")
    hide(document.add_paragraph())
    return document


def make_apology() -> Doc:
    """Mẫu 04 of Thông tư 03/2025/TT-VPCP: the letter of apology with a new appointment."""
    document = page()
    letterhead(document, "PXL")
    say(document.add_paragraph(), "PHIẾU XIN LỖI VÀ HẸN LẠI NGÀY TRẢ KẾT QUẢ", bold=True)
    for text in apology.LINES:
        text_paragraph(document, text, ragged=text.startswith("Địa chỉ"))
    signature(document)
    return document


def make_letter() -> Doc:
    """An official letter (công văn, mẫu 1.5): subject below the number, text, one table, recipients, signature."""
    document = page()
    letterhead(document, "")
    about = document.tables[0].cell(1, 0).add_paragraph()
    say(about, "V/v {{ about }}", size=12)
    addressee(document)
    _each(document, "text in opening", lambda: text_paragraph(document, "{{ text }}"))
    _grid(document, "table.head", "table.rows")
    say(document.add_paragraph(), "", size=6)
    _each(document, "text in closing", lambda: text_paragraph(document, "{{ text }}"))
    signature(document)
    return document


def make_slip() -> Doc:
    """A slip that somebody fills in and signs, and the head beside them."""
    document = page()
    letterhead(document, "{{ kind }}")
    say(document.add_paragraph(), "{{ title }}", bold=True)
    say(document.add_paragraph(), "{{ subject }}", bold=True)
    addressee(document)
    _each(document, "line in lines", lambda: text_paragraph(document, "{{ line }}", ragged=True))
    two_signatures(document, "{{ left }}")
    signature(document, signed=False)
    return document


def make_minutes() -> Doc:
    """Minutes (biên bản, mẫu 1.10): who, where, when, what was looked at in one table, two signatures, recipients."""
    document = page(size=13)
    letterhead(document, "BB")
    say(document.add_paragraph(), "BIÊN BẢN", bold=True)
    say(document.add_paragraph(), "{{ subject }}", bold=True)
    _each(document, "text in opening", lambda: text_paragraph(document, "{{ text }}", ragged=True))
    _grid(document, "table.head", "table.rows")
    say(document.add_paragraph(), "", size=6)
    _each(document, "text in closing", lambda: text_paragraph(document, "{{ text }}", ragged=True))
    for paragraph in document.paragraphs[-3:]:  # who signs never stands on a page alone
        paragraph.paragraph_format.keep_with_next = True
    two_signatures(document, "{{ left }}", "{{ right }}")
    signature(document, signed=False)
    return document


def _table(document: Doc) -> None:
    say(document.add_paragraph(), "{{ table.words }}", bold=True, left=True, size=13)
    document.paragraphs[-1].paragraph_format.space_before = Pt(6)
    document.paragraphs[-1].paragraph_format.keep_with_next = True
    _grid(document, "table.head", "table.rows")
    say(document.add_paragraph(), "{%p if table.note %}")
    say(document.add_paragraph(), "{{ table.note }}", italic=True, left=True, size=12)
    say(document.add_paragraph(), "{%p endif %}")


def _each(document: Doc, loop: str, body: Callable[[], object]) -> None:
    say(document.add_paragraph(), "{%p for " + loop + " %}")
    body()
    say(document.add_paragraph(), "{%p endfor %}")


def _grid(document: Doc, head: str, rows: str) -> Table:
    table: Table = document.add_table(rows=4, cols=2)
    table.style = STYLE
    repeated(table.rows[0].cells, "{%tc for cell in " + head + " %}", "{%tc endfor %}", "{{ cell }}")
    table.rows[1].cells[0].text = "{%tr for row in " + rows + " %}"
    repeated(table.rows[2].cells, "{%tc for cell in row.cells %}", "{%tc endfor %}", "{{ cell }}")
    table.rows[3].cells[0].text = "{%tr endfor %}"
    return table


if __name__ == "__main__":
    make_listing().save(str(listing.TEMPLATE))
    make_report().save(str(REPORT))
    make_apology().save(str(apology.TEMPLATE))
    make_letter().save(str(letter.LETTER))
    make_slip().save(str(letter.SLIP))
    make_minutes().save(str(letter.MINUTES))
