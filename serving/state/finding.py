"""What visits found, as it was concluded, and what was put right afterwards; rows are added, never
changed."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.state.base import Base


class Finding(Base):
    """One version of the conclusion on one pulled dossier; the greatest `version` of a `finding_id` holds.

    `kind` as in the feed contract, `none` included. `evidence`, `cause` and `step` stay here: the record
    takes the canonical columns only. `delivered_at` is when the version was handed to the record.
    """

    __tablename__ = "finding"
    __table_args__ = (
        UniqueConstraint("finding_id", "version", name="uq_finding_version"),
        Index("ix_finding_inspection_id", "inspection_id"),
        Index("ix_finding_dossier_id", "dossier_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    finding_id: Mapped[str] = mapped_column(String(300))
    version: Mapped[int]
    inspection_id: Mapped[str] = mapped_column(String(200))
    unit_code: Mapped[str] = mapped_column(String(120), index=True)
    team_id: Mapped[str | None] = mapped_column(String(120))
    planned_at: Mapped[datetime | None]
    visited_at: Mapped[datetime]
    unit_chosen_by: Mapped[str] = mapped_column(String(20))
    unit_probability: Mapped[float | None]
    dossier_id: Mapped[str] = mapped_column(String(200))
    official_id: Mapped[str | None] = mapped_column(String(200))
    chosen_by: Mapped[str] = mapped_column(String(20))
    probability: Mapped[float | None]
    kind: Mapped[str] = mapped_column(String(20))
    severity: Mapped[int | None]
    confirmed: Mapped[bool | None]
    evidence: Mapped[str] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(String(20))
    step: Mapped[str | None] = mapped_column(String(200))
    because: Mapped[str] = mapped_column(Text)  # why it replaces the version before; empty for the first
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))  # null: from the command line
    delivered_at: Mapped[datetime | None]


class Remediation(Base):
    """Something to be put right after a finding, and until when."""

    __tablename__ = "remediation"

    id: Mapped[int] = mapped_column(primary_key=True)
    finding_id: Mapped[str] = mapped_column(String(300), index=True)
    unit_code: Mapped[str] = mapped_column(String(120), index=True)
    what: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date]
    opened_at: Mapped[datetime]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))


class RemediationAct(Base):
    """What happened to a remediation: `reported` by the unit, `accepted` or `refused` by the inspector,
    `extended`."""

    __tablename__ = "remediation_act"

    id: Mapped[int] = mapped_column(primary_key=True)
    remediation_id: Mapped[int] = mapped_column(ForeignKey("remediation.id"), index=True)
    act: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date | None]  # the new date of `extended`
    acted_at: Mapped[datetime]
    acted_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))


class FindingPhoto(Base):
    """A photo that was taken for one dossier at one visit; `finding_id` as in `Finding`, which may follow later.

    content: the bytes, which `sha256` witnesses. withdrawn_at: when it was taken back; it stays stored.
    """

    __tablename__ = "finding_photo"

    id: Mapped[int] = mapped_column(primary_key=True)
    finding_id: Mapped[str] = mapped_column(String(300), index=True)
    unit_code: Mapped[str] = mapped_column(String(120), index=True)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    added_at: Mapped[datetime]
    added_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
