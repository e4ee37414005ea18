"""A list as a Word document.

The layout of Nghị định 30/2020/NĐ-CP, Phụ lục I, over the template beside this file.

The template may be replaced by an office's own; its fields are those of `Listing`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from serving.documents.fill import MIME, clean, fill
from serving.documents.letterhead import Letterhead

__all__ = ["MIME", "TEMPLATE", "Listing", "write_listing"]

TEMPLATE = Path(__file__).with_name("listing.docx")


@dataclass(frozen=True)
class Listing:
    """What the document shows: who issues it, its day, title, a table, and what it rests on."""

    letterhead: Letterhead
    day: date
    title: str
    subject: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    basis: str
    disclaimer: str


def write_listing(listing: Listing) -> bytes:
    """The .docx file."""
    return fill(
        TEMPLATE,
        {
            **listing.letterhead.fields(listing.day),
            "title": listing.title,
            "subject": listing.subject,
            "basis": listing.basis,
            "disclaimer": listing.disclaimer,
            "head": [clean(cell) for cell in listing.head],
            "rows": [{"cells": [clean(cell) for cell in row]} for row in listing.rows],
        },
    )
