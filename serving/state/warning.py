"""Early warnings: what fired, who was warned, who answered; and the outbox that carries messages to the heads."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.state.base import Base


class WarningScoring(Base):
    """A scored list that warnings were fired from: the row is the claim, so that each list counts once."""

    __tablename__ = "warning_scoring"

    target: Mapped[str] = mapped_column(String(60), primary_key=True)
    as_of: Mapped[datetime] = mapped_column(primary_key=True)
    fired_at: Mapped[datetime]
    threshold: Mapped[float]
    n_open: Mapped[int]
    n_over: Mapped[int]
    n_fired: Mapped[int]


class WarningStreak(Base):
    """Over how many scorings in a row an open dossier has stood above the threshold, under one promise."""

    __tablename__ = "warning_streak"

    target: Mapped[str] = mapped_column(String(60), primary_key=True)
    dossier_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    due_at: Mapped[datetime]
    over: Mapped[int]


class EarlyWarning(Base):
    """One dossier crossed its threshold under one promise; `key` names the two, so that it fires once.

    `head_unit` is the unit whose head is warned. `arm` is `told` or `held_out` by a draw: `draw` in [0, 1) lies
    below `held_out_share` for those held out. `manner` is `single`, `digest`, or null where held out; `told_at`
    is when the head was (or is to be) told, null while a digest waits. `week` is the ISO week of that moment.
    """

    __tablename__ = "early_warning"
    __table_args__ = (
        Index("ix_early_warning_dossier_id", "dossier_id"),
        Index("ix_early_warning_head_unit_week", "head_unit", "week"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    target: Mapped[str] = mapped_column(String(60))
    dossier_id: Mapped[str] = mapped_column(String(200))
    procedure_code: Mapped[str | None] = mapped_column(String(200))
    unit_code: Mapped[str] = mapped_column(String(120), index=True)
    official_id: Mapped[str | None] = mapped_column(String(200))
    head_unit: Mapped[str] = mapped_column(String(120))
    due_at: Mapped[datetime]
    as_of: Mapped[datetime]
    fired_at: Mapped[datetime]
    model_version: Mapped[str] = mapped_column(String(120))
    score: Mapped[float]
    threshold: Mapped[float]
    left_hours: Mapped[float]
    step: Mapped[str | None] = mapped_column(String(200))
    help_step: Mapped[str | None] = mapped_column(String(200))
    help_holder: Mapped[str | None] = mapped_column(String(20))
    help_hours: Mapped[float | None]
    reasons: Mapped[str] = mapped_column(Text)  # JSON, as in the scored list
    arm: Mapped[str] = mapped_column(String(10))
    draw: Mapped[float]
    held_out_share: Mapped[float]
    manner: Mapped[str | None] = mapped_column(String(10))
    week: Mapped[str | None] = mapped_column(String(10))
    told_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    note: Mapped[str] = mapped_column(Text, default="")


class WarningEscalation(Base):
    """A warning that nobody answered went to the head above; once a level."""

    __tablename__ = "warning_escalation"
    __table_args__ = (UniqueConstraint("warning_id", "level", name="uq_warning_escalation_level"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    warning_id: Mapped[int] = mapped_column(ForeignKey("early_warning.id"))
    level: Mapped[int]
    to_unit: Mapped[str] = mapped_column(String(120), index=True)
    escalated_at: Mapped[datetime]


class OutboxMessage(Base):
    """A message to a head, or to those who inspect a unit, over one channel. `key` marks a repetition.

    Sent when `sent_at` is set; given up on when `dead_at` is. `leased_until` keeps other senders away meanwhile.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (Index("ix_outbox_message_waiting", "sent_at", "dead_at", "not_before"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(20))  # warning, digest, escalation, conduct
    channel: Mapped[str] = mapped_column(String(10))  # mail, webhook, chat
    to_unit: Mapped[str] = mapped_column(String(120), index=True)
    address: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    not_before: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(String(200), default="")


class WarningRuleSet(Base):
    """The rules of warning as somebody set them; the latest row holds over the installation's file.

    policy: JSON object, the fields of `serving.warnings.policy.Policy`, its costs among them. hours: as the file
    writes them, empty where the file's stay.
    """

    __tablename__ = "warning_rule_set"

    id: Mapped[int] = mapped_column(primary_key=True)
    policy: Mapped[str] = mapped_column(Text)
    hours: Mapped[str] = mapped_column(String(200))
    because: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime]
    set_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
