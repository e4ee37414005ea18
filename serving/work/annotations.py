"""Marks: a person's judgement on something tracked; a hint of the software never takes its place."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.state import Mark

FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "return": {"fault": ("official", "citizen", "law", "system")},
    "consultation": {"quality": ("vague", "clear"), "need": ("needless", "needed")},
    "complaint": {
        "refused": ("done",), "asked": ("done",), "handled": ("done",), "published": ("done",),
        "quality": ("vague", "clear"),
    },
}  # fmt: skip
"""Kind of subject → field → admitted values. A complaint's steps are fields, for each has its own term."""
LONGEST_NOTE = 2_000


def add_mark(
    session: Session, subject: str, unit_code: str, field: str, value: str, note: str, *, now: datetime,
    by: int | None = None,
) -> Mark:  # fmt: skip
    """Adds a mark beside those before it. ValueError for an unknown field or value, or without a note."""
    admitted = FIELDS.get(subject.partition(":")[0], {}).get(field, ())
    if value not in admitted:
        raise ValueError(f"wanted for {field[:20]!r} one of {', '.join(admitted) or 'no value'}, got {value[:20]!r}")
    if not 5 <= len(note.strip()) <= LONGEST_NOTE:
        raise ValueError(f"a mark says why, in 5 to {LONGEST_NOTE} characters")
    row = Mark(
        subject=subject, unit_code=unit_code, field=field, value=value, note=note.strip(), marked_at=now, marked_by=by
    )
    session.add(row)
    session.flush()
    return row


def marks_of(session: Session, kind: str, before: datetime) -> dict[str, dict[str, Mark]]:
    """subject → field → the mark that held before a moment, for subjects of one kind."""
    found: dict[str, dict[str, Mark]] = {}
    query = select(Mark).where(Mark.subject.startswith(f"{kind}:"), Mark.marked_at < before)
    for mark in session.scalars(query.order_by(Mark.marked_at, Mark.id)):
        found.setdefault(mark.subject, {})[mark.field] = mark
    return found
