"""What runs by itself, when, and how long a promise holds: the jobs, their calendars, and `RISK_HOME/jobs.toml`.

inbox = "/srv/drop"               # folder of `risk ingest --watch`; RISK_HOME/inbox where left out
backups = "/mnt/backup"           # another disk is best; RISK_HOME/backups where left out
least_free_gib = 2.0              # below this intake and backup stop before they fill the disk
keep_backups = 14                 # archives; older ones are removed by `retention`
keep_days = 400                   # of runs of jobs, ended sessions, failed logins
[jobs.score]                      # by name of job: cron (five fields, local time), off = true
cron = "30 1 * * *"
[promises]                        # spans after which /api/v1/ready says 503; data counts working days
data = "3d"
list = "4d"
backup = "3d"

A **slot** is the moment a run was due; it names the run. Of slots that were missed the last one is caught up, once.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

FILE = "jobs.toml"
_SPANS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True)
class Job:
    """One job: name, words, calendar (cron, local time), the longest it may take, and whose slot it waits for."""

    name: str
    vi: str
    en: str
    cron: str
    most: timedelta
    after: tuple[str, ...] = ()


JOBS = (
    Job("intake", "Nhận dữ liệu gửi đến", "take in what was dropped", "*/5 * * * *", timedelta(hours=2)),
    Job("score", "Chấm điểm hồ sơ đang mở", "score what is open", "30 1 * * *", timedelta(hours=4)),
    Job("monitor", "Theo dõi mô hình", "watch model and data", "15 2 * * *", timedelta(hours=2), ("score",)),
    Job("level", "Hiệu chỉnh mức điểm", "take scores to known outcomes' level", "0 1 * * mon", timedelta(hours=2)),
    Job("weekly", "Danh sách tuần", "lists of the week", "0 3 * * mon", timedelta(hours=1), ("score",)),
    Job("warnings", "Cảnh báo sớm", "early warnings", "*/5 * * * *", timedelta(minutes=30)),
    Job("monthly", "Bản thảo báo cáo tháng", "drafts of the month", "0 4 1 * *", timedelta(hours=3)),
    Job("heads", "Ký đầu chuỗi nhật ký", "sign the head of the receipts", "50 * * * *", timedelta(minutes=10)),
    Job("backup", "Sao lưu", "backup", "30 4 * * *", timedelta(hours=4)),
    Job("drill", "Thử khôi phục", "restore drill", "30 5 * * sun", timedelta(hours=4), ("backup",)),
    Job("retention", "Dọn theo thời hạn lưu", "retention", "0 6 * * *", timedelta(hours=1)),
)
"""Every job, in the order in which those that are due together begin."""

NAMES = tuple(job.name for job in JOBS)
FRESH = timedelta(days=4)
"""A list older than this (a long weekend) says nothing any more of the time left."""


@dataclass(frozen=True)
class Promises:
    """How old things may be before the service says that it does not keep its word; `data` in working days."""

    data: timedelta = timedelta(days=3)
    list: timedelta = FRESH
    backup: timedelta = timedelta(days=3)


@dataclass(frozen=True)
class JobRules:
    """Jobs of an installation and where they work. inbox, backups: folders."""

    zone: ZoneInfo
    inbox: Path
    backups: Path
    jobs: tuple[Job, ...] = JOBS
    least_free: int = 2 << 30
    keep_backups: int = 14
    keep: timedelta = timedelta(days=400)
    promises: Promises = field(default_factory=Promises)

    @classmethod
    def of(cls, home: Path, zone: ZoneInfo) -> "JobRules":
        """The rules of `home/jobs.toml`, the defaults where it is not there. ValueError names what is wrong in it."""
        path = home / FILE
        try:
            values = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
            return cls._read(values, home, zone)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
            raise ValueError(f"{FILE}: {error}") from error

    @classmethod
    def _read(cls, values: dict[str, Any], home: Path, zone: ZoneInfo) -> "JobRules":
        allowed = {"inbox", "backups", "least_free_gib", "keep_backups", "keep_days", "jobs", "promises"}
        _refuse_unknown("key", values, allowed)
        overrides: dict[str, dict[str, Any]] = values.get("jobs", {})
        _refuse_unknown("job", overrides, set(NAMES))
        jobs = []
        for job in JOBS:
            of = overrides.get(job.name, {})
            _refuse_unknown(f"jobs.{job.name}", of, {"cron", "off"})
            if not of.get("off", False):
                jobs.append(replace(job, cron=str(of.get("cron", job.cron))))
                _trigger(jobs[-1], zone)
        _refuse_unknown("promises", values.get("promises", {}), set(Promises.__dataclass_fields__))
        return cls(
            zone=zone,
            inbox=Path(values.get("inbox", home / "inbox")),
            backups=Path(values.get("backups", home / "backups")),
            jobs=tuple(jobs),
            least_free=int(float(values.get("least_free_gib", 2)) * 2**30),
            keep_backups=max(1, int(values.get("keep_backups", 14))),
            keep=timedelta(days=int(values.get("keep_days", 400))),
            promises=Promises(**{name: _span(text) for name, text in values.get("promises", {}).items()}),
        )

    def job(self, name: str) -> Job:
        """The job of a name; ValueError where there is none, or it is switched off."""
        for job in self.jobs:
            if job.name == name:
                return job
        raise ValueError(f"job: wanted one of {', '.join(one.name for one in self.jobs)}, got {name[:40]!r}")

    def last_slot(self, job: Job, now: datetime) -> datetime | None:
        """The latest moment up to `now` at which the job was due; None where there was none in the last year."""
        trigger = _trigger(job, self.zone)
        for back in (timedelta(hours=2), timedelta(days=2), timedelta(days=8), timedelta(days=32), timedelta(days=367)):
            found: datetime | None = None
            one: datetime | None = trigger.get_next_fire_time(None, now - back)
            while one is not None and one <= now:
                found, one = one, trigger.get_next_fire_time(one, one)
            if found is not None:
                return found.astimezone(UTC)
        return None

    def next_slot(self, job: Job, now: datetime) -> datetime | None:
        """The first moment after `now` at which the job is due."""
        found: datetime | None = _trigger(job, self.zone).get_next_fire_time(None, now + timedelta(microseconds=1))
        return None if found is None else found.astimezone(UTC)

    def pace(self, job: Job, now: datetime) -> timedelta:
        """The time between the next two slots: how often somebody may expect the job."""
        first = self.next_slot(job, now)
        second = self.next_slot(job, first) if first else None
        return second - first if first and second else timedelta(days=367)


def _trigger(job: Job, zone: ZoneInfo) -> Any:
    from apscheduler.triggers.cron import CronTrigger

    try:
        return CronTrigger.from_crontab(job.cron, timezone=zone)
    except ValueError as error:
        raise ValueError(f"jobs.{job.name}.cron: wanted five fields such as '30 1 * * *': {error}") from error


def _refuse_unknown(what: str, values: Mapping[str, Any], allowed: set[str]) -> None:
    if unknown := sorted(set(values) - allowed):
        raise ValueError(f"unknown {what} {unknown[0][:40]!r}; wanted one of {', '.join(sorted(allowed))}")


def _span(text: Any) -> timedelta:
    span = str(text)
    if span[-1:] not in _SPANS or not span[:-1].isdigit() or int(span[:-1]) < 1:
        raise ValueError(f"promises: wanted a span such as 36h or 3d, got {span[:20]!r}")
    return int(span[:-1]) * _SPANS[span[-1]]
