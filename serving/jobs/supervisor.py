"""The process behind `risk run`: looks every few seconds what is due, and starts each run as a process of its own.

APScheduler's cron triggers say when a job is due; its scheduler is not used: it sleeps by the wall clock, so a clock
that is set back stops it for as long, and it does not know what other machines did. What was done stands in the
database (`serving.jobs.run_log`). A run that hangs, eats all memory or is killed takes nothing else with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from serving.jobs.run_log import MOST_ATTEMPTS, RunLog
from serving.jobs.schedule import Job, JobRules

JUMP = timedelta(minutes=30)
"""A clock that went further ahead than time passed was set: it may be set back again at once."""

SETTLE = 600.0
"""Seconds for which nothing is begun after the clock was set ahead: a list of next year would stand for a year."""


class Child(Protocol):
    """A started run, as `subprocess.Popen` gives it."""

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""

    def kill(self) -> None:
        """Ends it at once."""


Start = Callable[[Job, datetime], Child]
"""Starts the run of a slot in a process of its own."""


@dataclass
class _Running:
    child: Child
    slot: datetime
    until: float


@dataclass
class Supervisor:
    """One per `risk run`. say: takes an event and its fields, one log line each."""

    rules: JobRules
    log: RunLog
    start: Start
    say: Callable[[str, Mapping[str, object]], None]
    _running: dict[str, _Running] = field(default_factory=dict)
    _seen: tuple[datetime, float] | None = None
    _settled_at: float = 0.0

    def look(self, now: datetime, elapsed: float) -> list[str]:
        """One look at wall clock `now`, `elapsed` seconds by a clock that nobody sets; names of the jobs begun.

        Raises OperationalError while the database is away; children go on, and the next look tries again.
        """
        self._end(elapsed)
        if self._jumped(now, elapsed):
            return []
        begun = []
        for job in self.rules.jobs:
            slot = None if job.name in self._running else self.due(job, now)
            if slot is not None:
                self._running[job.name] = _Running(self.start(job, slot), slot, elapsed + job.most.total_seconds())
                self.say("begun", {"job": job.name, "slot": slot.isoformat()})
                begun.append(job.name)
        return begun

    def due(self, job: Job, now: datetime) -> datetime | None:
        """The slot of `job` that should be run now: its last one, unless done, tried too often, or waiting."""
        slot = self.rules.last_slot(job, now)
        if slot is None:
            return None
        state = self.log.slot(job.name, slot)
        if state.done or state.attempts >= MOST_ATTEMPTS or (state.retry_at is not None and now < state.retry_at):
            return None
        return slot if all(self._settled(name, now) for name in job.after) else None

    def stop(self) -> None:
        """Ends what runs: each is done again at the next start."""
        for one in self._running.values():
            one.child.kill()

    @property
    def busy(self) -> bool:
        """Whether a run of ours is under way."""
        return bool(self._running)

    def _settled(self, name: str, now: datetime) -> bool:
        before = next((one for one in self.rules.jobs if one.name == name), None)
        slot = self.rules.last_slot(before, now) if before else None
        return before is None or slot is None or self.log.slot(name, slot).settled

    def _end(self, elapsed: float) -> None:
        for name, one in list(self._running.items()):
            code = one.child.poll()
            if code is None and elapsed > one.until:
                one.child.kill()
                self.say("killed", {"job": name, "slot": one.slot.isoformat(), "because": "took longer than it may"})
            elif code is not None:
                del self._running[name]
                self.say("ended", {"job": name, "slot": one.slot.isoformat(), "exit": code})

    def _jumped(self, now: datetime, elapsed: float) -> bool:
        before, self._seen = self._seen, (now, elapsed)
        if before is not None:
            ahead = (now - before[0]) - timedelta(seconds=elapsed - before[1])
            if abs(ahead) > JUMP:
                self.say("clock", {"seconds": round(ahead.total_seconds())})
                self._settled_at = elapsed + SETTLE if ahead > JUMP else elapsed
        return elapsed < self._settled_at
