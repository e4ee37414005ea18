"""Apologies for late dossiers: drafted, sent, and the new day that was promised in them."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from serving.state.base import Base


class Apology(Base):
    """One letter of apology with a new appointment (Mẫu 04); what it says of the citizen is filled in by hand."""

    __tablename__ = "apology"

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[str] = mapped_column(String(200), index=True)
    unit_code: Mapped[str] = mapped_column(String(120), index=True)
    old_due_at: Mapped[datetime | None]
    new_due_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)
    drafted_at: Mapped[datetime]
    drafted_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    sent_at: Mapped[datetime | None]
    sent_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
