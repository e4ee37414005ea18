"""What people say to a score: contests by the official concerned, decisions by those who act on it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from serving.state.base import Base


class Contest(Base):
    """An official disputes a fact or a reason under a score; the score stands frozen until it is answered.

    `about` is `fact` or `reason`; `reason_code` names the reason or fact group. `outcome` is null while open,
    then `upheld` or `rejected`; `recomputed_score` is filled when a corrected record has been scored again.
    """

    __tablename__ = "contest"
    __table_args__ = (
        Index("ix_contest_dossier_id", "dossier_id"),
        Index("ix_contest_unit_code", "unit_code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[str] = mapped_column(String(200))
    official_id: Mapped[str] = mapped_column(String(200), index=True)
    unit_code: Mapped[str] = mapped_column(String(120))
    target: Mapped[str] = mapped_column(String(60))
    as_of: Mapped[datetime]
    model_version: Mapped[str] = mapped_column(String(120))
    frozen_score: Mapped[float]
    about: Mapped[str] = mapped_column(String(10))
    reason_code: Mapped[str] = mapped_column(String(120))
    claim: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime]
    opened_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    outcome: Mapped[str | None] = mapped_column(String(10))
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    recomputed_score: Mapped[float | None]


class Decision(Base):
    """What a person did with a score, and why: picked it for the plan, set it aside, put another first."""

    __tablename__ = "decision"
    __table_args__ = (
        Index("ix_decision_dossier_id", "dossier_id"),
        Index("ix_decision_unit_code", "unit_code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dossier_id: Mapped[str] = mapped_column(String(200))
    unit_code: Mapped[str] = mapped_column(String(120))
    target: Mapped[str] = mapped_column(String(60))
    as_of: Mapped[datetime]
    score: Mapped[float | None]  # none of a dossier that has ended
    track: Mapped[str] = mapped_column(String(20))  # inspection, unit
    kind: Mapped[str] = mapped_column(String(20))  # pick, dismiss, override, undo
    reason: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime]
    decided_by: Mapped[int] = mapped_column(ForeignKey("account.id"))


class Submission(Base):
    """The key of a form once sent: sending it again finds it here and has no second effect."""

    __tablename__ = "submission"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    sent_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(500))  # where the first sending led
