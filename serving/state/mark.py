"""Marks: what a person established about something that is tracked; added, never changed."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from serving.state.base import Base


class Mark(Base):
    """One mark on one subject. Of several marks in one `field` the latest holds.

    subject: `return:<dossier>`, `consultation:<dossier>/<unit>/<moment>` or `complaint:<id>`. field and value:
    `serving.work.annotations.FIELDS`.
    """

    __tablename__ = "mark"
    __table_args__ = (Index("ix_mark_subject", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(400))
    unit_code: Mapped[str] = mapped_column(String(120), index=True)
    field: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(Text)
    marked_at: Mapped[datetime]
    marked_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))  # null: from the command line
