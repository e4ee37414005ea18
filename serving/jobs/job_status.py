"""Each job as people see it, and what the service promises of its own state: whether it holds, and if not, why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from features.calendar.working_time import HOURS_A_DAY, Calendar
from serving.jobs.run_log import DONE, RUNNING, RunLog
from serving.jobs.schedule import JobRules
from serving.state import State, head, revision_of

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


@dataclass(frozen=True)
class ServiceLevel:
    """One promise. at: of what it speaks; age_seconds; holds: None where nothing was promised yet; cause: in words."""

    name: str
    at: datetime | None
    age_seconds: float | None
    holds: bool | None
    cause: str


def data_promise(rules: JobRules, known_until: datetime | None, calendar: Calendar, now: datetime) -> ServiceLevel:
    """Data come: the newest news are not older than so many working days."""
    if known_until is None:
        return ServiceLevel("data", None, None, None, "nothing was ever delivered")
    days = calendar.working_hours(known_until, now) / HOURS_A_DAY if known_until < now else 0.0
    most = rules.promises.data / timedelta(days=1)
    cause = "" if days <= most else f"no news for {days:.1f} working days, promised {most:.0f}: is the source sending?"
    return ServiceLevel("data", known_until, (now - known_until).total_seconds(), not cause, cause)


def list_promise(rules: JobRules, as_of: datetime | None, now: datetime) -> ServiceLevel:
    """The list is fresh."""
    if as_of is None:
        return ServiceLevel("list", None, None, False, "nothing was ever scored: risk score --as-of T")
    cause = _too_old("the list", now - as_of, rules.promises.list, "risk jobs shows why")
    return ServiceLevel("list", as_of, (now - as_of).total_seconds(), not cause, cause)


def job_promises(rules: JobRules, statuses: Sequence[JobStatus], now: datetime) -> list[ServiceLevel]:
    """The jobs run, and there is a fresh backup; nothing is promised where none ever ran."""
    ran = [one for one in statuses if one.outcome]
    if not ran:
        nobody = "risk run has never run here"
        return [ServiceLevel("jobs", None, None, None, nobody), ServiceLevel("backup", None, None, None, nobody)]
    late = [one.job for one in statuses if one.late]
    last = max((one.last_done for one in statuses if one.last_done), default=None)
    age = (now - last).total_seconds() if last else None
    cause = f"late: {', '.join(late)}; risk jobs shows why" if late else ""
    found = [ServiceLevel("jobs", last, age, not late, cause)]
    backup = next((one for one in statuses if one.job == "backup"), None)
    if backup is None:
        return [*found, ServiceLevel("backup", None, None, None, "switched off in jobs.toml")]
    if backup.last_done is None:
        holds = None if backup.outcome is None else backup.outcome == "running"
        return [*found, ServiceLevel("backup", None, None, holds, "no backup was ever made")]
    cause = _too_old("the backup", now - backup.last_done, rules.promises.backup, "risk jobs shows why")
    return [
        *found,
        ServiceLevel("backup", backup.last_done, (now - backup.last_done).total_seconds(), not cause, cause),
    ]


def database_promise(state: State) -> ServiceLevel:
    """The database answers, with the tables of this version."""
    try:
        stands = revision_of(state)
    except SQLAlchemyError as error:
        return ServiceLevel("database", None, None, False, f"does not answer ({type(error).__name__})")
    cause = "" if stands == head() else f"its tables are at {stands}, this version wants {head()}: risk upgrade"
    return ServiceLevel("database", None, None, not cause, cause)


def _too_old(what: str, age: timedelta, most: timedelta, hint: str) -> str:
    if age <= most:
        return ""
    return f"{what} is {age / timedelta(hours=1):.0f} hours old, promised {most / timedelta(hours=1):.0f}: {hint}"
