"""Reports that were made, so that they can be made again alike, and packs for publication with their approval."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.state.base import Base


class ReportMade(Base):
    """A report of a period as known at a moment, and the record version that it was first made from.

    Made again, it is made from that version: what was back-filled later does not change it. sha256: of its content.
    """

    __tablename__ = "report_made"
    __table_args__ = (UniqueConstraint("kind", "month", "unit_code", "as_of", name="uq_report_made_of"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    month: Mapped[str] = mapped_column(String(7))
    unit_code: Mapped[str] = mapped_column(String(120))  # empty: the province
    as_of: Mapped[datetime]
    record_version: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))  # null: from the command line


class PublicationPack(Base):
    """What one person proposes to publish of a month, bound by hash, and what a second person decided."""

    __tablename__ = "publication_pack"

    id: Mapped[int] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(String(7), index=True)
    as_of: Mapped[datetime]
    record_version: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime]
    proposed_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    approved: Mapped[bool | None]
    because: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
