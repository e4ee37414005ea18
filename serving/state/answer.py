"""What people answer: contests, decisions, explanations, apologies, marks, who was given what; rows are only added."""

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
