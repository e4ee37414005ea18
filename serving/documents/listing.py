"""A list as a Word document.

The layout of Nghị định 30/2020/NĐ-CP, Phụ lục I, over the template beside this file.

The template may be replaced by an office's own; its fields are those of `Listing`. It is rendered in a
sandbox with escaping on, so that neither a template nor a value can do more than show text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from docxtpl import DocxTemplate
from jinja2.sandbox import SandboxedEnvironment

TEMPLATE = Path(__file__).with_name("listing.docx")
MIME = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(frozen=True)
class Listing:
    """What the document shows: who issues it, its place and day, title, a table, and what it rests on."""

    issuer: str
    place_and_day: str
    title: str
    subject: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    basis: str
    disclaimer: str
    signer: str


def write_listing(listing: Listing) -> bytes:
    """The .docx file."""
    document = DocxTemplate(TEMPLATE)
    environment = SandboxedEnvironment(autoescape=True)
    fields = {
        "issuer": listing.issuer,
        "place_and_day": listing.place_and_day,
        "title": listing.title,
        "subject": listing.subject,
        "basis": listing.basis,
        "disclaimer": listing.disclaimer,
        "signer": listing.signer,
        "head": [_text(cell) for cell in listing.head],
        "rows": [{"cells": [_text(cell) for cell in row]} for row in listing.rows],
    }
    document.render(fields, environment, autoescape=True)
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _text(cell: str) -> str:
    """The cell without characters that XML cannot hold."""
    return "".join(sign for sign in cell if sign >= " " or sign in "\t\n")
