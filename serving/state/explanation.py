"""Explanations: one slip a late dossier, and the answers to it; acts are added, never changed."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from serving.state.base import Base


class ExplanationSlip(Base):
    """Somebody is asked why a dossier missed its promise.

    official_id: in whose hands it last was, null where nobody was named. missed_due_at: the promise missed.
    over_hours, outage_hours: working hours past it when the slip was opened, and those of them and of the term in
    which a system was down. answer_due_at: until when the official explains.
    """

    __tablename__ = "explanation_slip"

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[str] = mapped_column(String(200), unique=True)
    unit_code: Mapped[str] = mapped_column(String(120), index=True)
    official_id: Mapped[str | None] = mapped_column(String(200), index=True)
    step: Mapped[str | None] = mapped_column(String(200))
    missed_due_at: Mapped[datetime]
    over_hours: Mapped[float]
    outage_hours: Mapped[float]
    opened_at: Mapped[datetime]
    answer_due_at: Mapped[datetime]


class ExplanationAct(Base):
    """One act on a slip: `explained`, `returned`, `accepted` (by the head), `refused`, `closed` (by the level above).

    cause and text belong to `explained`; the others carry a text where they say no. delivered_at: when it was handed
    to the record, for acts that settle an explanation.
    """

    __tablename__ = "explanation_act"
    __table_args__ = (Index("ix_explanation_act_slip_id", "slip_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slip_id: Mapped[int] = mapped_column(ForeignKey("explanation_slip.id"))
    act: Mapped[str] = mapped_column(String(20))
    cause: Mapped[str | None] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)
    acted_at: Mapped[datetime]
    acted_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))  # null: from the command line
    delivered_at: Mapped[datetime | None]
