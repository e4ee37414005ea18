"""Each job as people see it: last, next, length, result, and whether its promise holds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from serving.jobs.run_log import DONE, RUNNING, RunLog
from serving.jobs.schedule import JobRules

_GRACE = 2
"""Slots that may pass without success before a promise is broken: one failed run is tried again by itself."""


@dataclass(frozen=True)
class JobStatus:
    """One job now. outcome: of the last run (running, done, failed, killed; None: never run).

    last_slot: the slot of that run; started_at, seconds: when it began and how long it took; told: its result in a
    line; last_done: when it last succeeded; next_slot; late: no success for over two of its paces.
    """

    job: str
    vi: str
    en: str
    cron: str
    outcome: str | None
    last_slot: datetime | None
    started_at: datetime | None
    seconds: float | None
    told: str
    attempt: int
    last_done: datetime | None
    next_slot: datetime | None
    late: bool


def job_statuses(rules: JobRules, log: RunLog, now: datetime) -> list[JobStatus]:
    """All jobs that are switched on, in their order. Without any run ever none is late: nobody promised."""
    done = log.last_done()
    found = []
    for job in rules.jobs:
        runs = log.latest(job.name)
        run = runs[0] if runs else None
        found.append(
            JobStatus(
                job=job.name,
                vi=job.vi,
                en=job.en,
                cron=job.cron,
                outcome=run.outcome if run else None,
                last_slot=run.slot if run else None,
                started_at=run.started_at if run else None,
                seconds=run.seconds if run else None,
                told=run.result if run else "",
                attempt=run.attempt if run else 0,
                last_done=done.get(job.name),
                next_slot=rules.next_slot(job, now),
                late=run is not None and _late(rules, job.name, done.get(job.name), run.outcome, now),
            )
        )
    return found


def _late(rules: JobRules, name: str, last_done: datetime | None, outcome: str, now: datetime) -> bool:
    job = rules.job(name)
    if last_done is None:
        return outcome not in (DONE, RUNNING)
    return now - last_done > _GRACE * rules.pace(job, now) + job.most + timedelta(minutes=15)
