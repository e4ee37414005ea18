"""Reports that were made, so that they can be made again alike; their text as written; packs for publication."""

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


class ReportText(Base):
    """The text of a made report as a person left it; the latest of a report stands.

    drafted, text: JSON lists of [part, sentence, key of rows], as drafted from the figures and as written.
    """

    __tablename__ = "report_text"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    month: Mapped[str] = mapped_column(String(7), index=True)
    unit_code: Mapped[str] = mapped_column(String(120))
    as_of: Mapped[datetime]
    drafted: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime]
    written_by: Mapped[int] = mapped_column(ForeignKey("account.id"))


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
