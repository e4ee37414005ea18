"""A list as a Word document.

The layout of Nghị định 30/2020/NĐ-CP, Phụ lục I, over the template beside this file.

The template may be replaced by an office's own; its fields are those of `Listing`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.documents.fill import MIME, clean, fill

__all__ = ["MIME", "TEMPLATE", "Listing", "write_listing"]

TEMPLATE = Path(__file__).with_name("listing.docx")


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
    return fill(
        TEMPLATE,
        {
            "issuer": listing.issuer,
            "place_and_day": listing.place_and_day,
            "title": listing.title,
            "subject": listing.subject,
            "basis": listing.basis,
            "disclaimer": listing.disclaimer,
            "signer": listing.signer,
            "head": [clean(cell) for cell in listing.head],
            "rows": [{"cells": [clean(cell) for cell in row]} for row in listing.rows],
        },
    )
