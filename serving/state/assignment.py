"""Who was given what to do: pieces of a unit's work, and the visits of a team; added, never changed."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from serving.state.base import Base


class CaseAssignment(Base):
    """One piece of a unit's work given to an official. Of several on one subject the latest holds.

    subject: as `serving.use_cases.cases.UnitCase.subject`. official_id: None where it was taken back.
    """

    __tablename__ = "case_assignment"
    __table_args__ = (Index("ix_case_assignment_subject", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(400))
    unit_code: Mapped[str] = mapped_column(String(120), index=True)
    official_id: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text)
    assigned_at: Mapped[datetime]
    assigned_by: Mapped[int] = mapped_column(ForeignKey("account.id"))


class TeamLead(Base):
    """Who leads an inspection team. Of several for one team the latest holds; None: nobody any more."""

    __tablename__ = "team_lead"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[str] = mapped_column(String(120), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    set_at: Mapped[datetime]
    set_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
