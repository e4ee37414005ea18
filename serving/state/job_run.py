"""Runs of the jobs that the service does by itself: what was due when, who did it, how it ended."""

from datetime import datetime

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.state.base import Base


class JobRun(Base):
    """One attempt at one run of a job. slot: the moment it was due, which names the run.

    outcome: running, done, failed, or killed (found running by nobody). holder: machine and process. result: the result
    or the trouble in a line, counts and kinds alone.
    """

    __tablename__ = "job_run"
    __table_args__ = (
        UniqueConstraint("job", "slot", "attempt", name="uq_job_run_attempt"),
        Index("ix_job_run_job", "job", "started_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(String(40))
    slot: Mapped[datetime]
    attempt: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(10))
    holder: Mapped[str] = mapped_column(String(120))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seconds: Mapped[float | None]
    result: Mapped[str] = mapped_column("told", Text)
