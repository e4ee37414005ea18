"""Documents about single matters in the forms of Nghị định 30/2020/NĐ-CP, Phụ lục III: one file each, or all in one.

Templates stand beside this file and are edited in Word: `letter.docx` (công văn, mẫu 1.5), `slip.docx` (phiếu, with two
signatures), `minutes.docx` (biên bản, mẫu 1.10), `apology.docx` (Mẫu 04 of Thông tư 03/2025/TT-VPCP).
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from serving.documents.fill import MIME, clean, fill
from serving.documents.fixed_zip import fixed_zip
from serving.documents.letterhead import Letterhead

__all__ = ["LETTER", "MIME", "MINUTES", "SLIP", "ZIP", "Letter", "in_many_files", "in_one_file"]

LETTER, SLIP, MINUTES = (Path(__file__).with_name(f"{name}.docx") for name in ("letter", "slip", "minutes"))
ZIP = "application/zip"
BLANK = "\t"
"""Dots to the end of the line, where somebody writes by hand (`serving.documents.layout.text_paragraph`)."""


@dataclass(frozen=True)
class Letter:
    """One document. file: its name without ending; fields: of its template, beside those of the letterhead."""

    file: str
    template: Path
    letterhead: Letterhead
    day: date
    fields: Mapping[str, Any]

    def content(self) -> bytes:
        """The .docx file; equal letters give equal bytes."""
        return fill(self.template, {**self.letterhead.fields(self.day), **_cleaned(self.fields)})


def in_one_file(letters: Sequence[Letter]) -> bytes:
    """All letters of one template as one .docx, each on a page of its own whose numbers begin anew.

    ValueError for none, and for letters of several templates, whose styles may differ.
    """
    from docx import Document  # of the extra `reports`

    from serving.documents.layout import hide

    if len({one.template for one in letters}) != 1:
        raise ValueError("wanted letters of one template, at least one")
    whole = Document(BytesIO(letters[0].content()))
    last = whole.element.body.sectPr
    _number_anew(last)
    for letter in letters[1:]:
        end = whole.add_paragraph()
        end._p.get_or_add_pPr().append(deepcopy(last))
        hide(end)
        for block in Document(BytesIO(letter.content())).element.body:
            if block.tag != last.tag:
                last.addprevious(deepcopy(block))
    out = BytesIO()
    whole.save(out)
    return fixed_zip(out.getvalue())


def in_many_files(letters: Sequence[Letter]) -> bytes:
    """A .zip with a .docx each; a name that comes twice gets a number."""
    out, names = BytesIO(), dict[str, int]()
    with ZipFile(out, "w") as packed:
        for one in letters:
            names[one.file] = names.get(one.file, 0) + 1
            number = f"-{names[one.file]}" if names[one.file] > 1 else ""
            packed.writestr(f"{one.file}{number}.docx", one.content())
    return fixed_zip(out.getvalue())


def _number_anew(section: Any) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    numbers = section.find(qn("w:pgNumType"))
    if numbers is None:
        numbers = OxmlElement("w:pgNumType")
        margins = section.find(qn("w:pgMar"))
        margins.addnext(numbers)
    numbers.set(qn("w:start"), "1")


def _cleaned(value: Any) -> Any:
    """Texts without characters that XML cannot hold, at any depth."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {name: _cleaned(one) for name, one in value.items()}
    return [_cleaned(one) for one in value] if isinstance(value, list | tuple) else value
