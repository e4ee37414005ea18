"""The log of runs: who does which slot, how it ended, and what may be tried again when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from serving.state import JobRun, State

MOST_ATTEMPTS = 6
"""At one slot; the next slot begins anew."""

RUNNING, DONE, FAILED, KILLED = "running", "done", "failed", "killed"
_WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
_LONGEST_RESULT = 500
ENDED_SILENTLY = "ended without a word: killed, or the machine stopped"


@dataclass(frozen=True)
class SlotState:
    """How far one slot of a job has come. attempts: begun so far; retry_at: not before this moment."""

    done: bool
    running: bool
    attempts: int
    retry_at: datetime | None

    @property
    def settled(self) -> bool:
        """Whether nobody will try it again: those that wait for it may begin."""
        return self.done or (not self.running and self.attempts >= MOST_ATTEMPTS)


class RunLog:
    """The runs of jobs in the working state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def slot(self, job: str, slot: datetime) -> SlotState:
        """How far a slot has come."""
        with self._state.reading() as session:
            runs = _runs(session, job, slot)
        failed = [run for run in runs if run.outcome == FAILED]
        last = failed[-1].ended_at if failed and runs[-1].outcome == FAILED else None
        wait = _WAITS[min(len(failed), len(_WAITS)) - 1] if failed else timedelta(0)
        return SlotState(
            done=any(run.outcome == DONE for run in runs),
            running=bool(runs) and runs[-1].outcome == RUNNING,
            attempts=len(runs),
            retry_at=last + wait if last else None,
        )

    def begin(self, job: str, slot: datetime, holder: str, now: datetime) -> int | None:
        """Notes that a run begins and gives its number; None where the slot is done already.

        Called by whoever holds the job's lock: a run that still stands as running was killed.
        """
        with self._state.writing() as session:
            runs = _runs(session, job, slot)
            if any(run.outcome == DONE for run in runs):
                return None
            left = session.scalars(select(JobRun).where(JobRun.job == job, JobRun.outcome == RUNNING))
            for run in left:
                run.outcome, run.ended_at, run.result = (
                    KILLED,
                    now,
                    "ended without a word: killed, or the machine stopped",
                )
            made = JobRun(
                job=job, slot=slot, attempt=len(runs) + 1, outcome=RUNNING, holder=holder[:120], started_at=now,
                ended_at=None, seconds=None, result="",
            )  # fmt: skip
            session.add(made)
            session.flush()
            return made.id

    def end(self, run_id: int, outcome: str, result: str, now: datetime, seconds: float) -> None:
        """Notes how a run ended. seconds: its length by a clock that nobody sets."""
        with self._state.writing() as session:
            run = session.get_one(JobRun, run_id)
            run.outcome, run.result, run.ended_at, run.seconds = outcome, result[:_LONGEST_RESULT], now, seconds

    def latest(self, job: str, most: int = 1) -> Sequence[JobRun]:
        """The latest runs of a job, the last begun first."""
        with self._state.reading() as session:
            return session.scalars(
                select(JobRun).where(JobRun.job == job).order_by(JobRun.id.desc()).limit(most)
            ).all()  # fmt: skip

    def last_done(self) -> dict[str, datetime]:
        """The end of each job's last run that succeeded."""
        with self._state.reading() as session:
            rows = session.execute(
                select(JobRun.job, func.max(JobRun.ended_at)).where(JobRun.outcome == DONE).group_by(JobRun.job)
            )
            return {job: at for job, at in rows.all() if at is not None}

    def forget(self, before: datetime) -> int:
        """Removes ended runs that began before a moment, each job's latest excepted; how many."""
        with self._state.writing() as session:
            latest = select(func.max(JobRun.id)).group_by(JobRun.job, JobRun.outcome)
            gone = session.execute(
                delete(JobRun).where(JobRun.started_at < before, JobRun.outcome != RUNNING, JobRun.id.not_in(latest))
            )
            return int(getattr(gone, "rowcount", 0))


def _runs(session: Session, job: str, slot: datetime) -> Sequence[JobRun]:
    return session.scalars(select(JobRun).where(JobRun.job == job, JobRun.slot == slot).order_by(JobRun.attempt)).all()
