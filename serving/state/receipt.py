"""Receipts: who saw which score when, who decided what; rows are only ever added."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from serving.state.base import Base


class Receipt(Base):
    """One link of the chain. `mac` covers every other column and the `mac` before it (see `serving.work.receipts`)."""

    __tablename__ = "receipt"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(120), index=True)
    action: Mapped[str] = mapped_column(String(60))
    detail: Mapped[str] = mapped_column(Text)  # canonical JSON
    mac: Mapped[str] = mapped_column(String(64))


class ReceiptSubject(Base):
    """Which receipts speak of a dossier, an official, a plan: an index of `Receipt.detail`."""

    __tablename__ = "receipt_subject"
    __table_args__ = (Index("ix_receipt_subject_seq", "seq"),)

    subject: Mapped[str] = mapped_column(String(240), primary_key=True)  # kind:id
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class ReceiptTail(Base):
    """The one row that knows the last link; locking it puts writers in line."""

    __tablename__ = "receipt_tail"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    mac: Mapped[str] = mapped_column(String(64))
