"""The lawful clock of one dossier, replayed from its events: who had it, how long, and what was promised.

Received, promised, paused (supplement, financial duty), resumed, extended, reset, ended, reopened. Times are working
hours of a calendar. The words are those of `features.case_state.history`: the end is the first of refused, decided,
withdrawn, else the first delivered; a reopening takes it back (a dossier reopened within 30 days is the same
case, service.md), and the next end counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from features.calendar.working_time import Calendar
from features.case_state.kinds import ENDS, RUNS, STOPS

SAME_CASE = timedelta(days=30)
"""Reopened within this time after the end, a dossier goes on with its old clock."""


@dataclass(frozen=True)
class Happening:
    """One event as the clock sees it. `claims_end`: its source told it as an end, whatever it is read as."""

    kind: str
    at: datetime
    due_at: datetime | None = None
    claims_end: bool = False


@dataclass(frozen=True)
class Promise:
    """A due moment, when it was given, and by which kind of event (`received` for the first)."""

    given_at: datetime
    due_at: datetime
    how: str


@dataclass(frozen=True)
class Clock:
    """How a dossier stands at a moment.

    citizen_hours, own_hours, other_hours: working hours since receipt with the citizen, the office itself, the
    offices it consulted; they add up to `elapsed_hours`. remaining_hours: to the promise in force, negative once
    past, None without a promise or after the end; it stands still in a pause. `late`: the promise in force passed
    while the clock ran, or before the end came.
    """

    as_of: datetime
    received_at: datetime
    promises: tuple[Promise, ...]
    ended_at: datetime | None
    claimed_end_at: datetime | None
    paused_since: datetime | None
    citizen_hours: float
    own_hours: float
    other_hours: float
    remaining_hours: float | None
    requests: int
    reopened: int
    supplement_hours: float
    waiting_for_papers: bool
    ends: tuple[tuple[str, datetime], ...] = field(repr=False)

    @property
    def elapsed_hours(self) -> float:
        """Working hours from receipt to the end, or to `as_of`."""
        return self.citizen_hours + self.own_hours + self.other_hours

    @property
    def due_at(self) -> datetime | None:
        """The promise in force."""
        return self.promises[-1].due_at if self.promises else None

    @property
    def resets(self) -> int:
        """How often the promise was set anew without more ado."""
        return sum(promise.how == "reset" for promise in self.promises)

    @property
    def late(self) -> bool:
        """Whether the promise in force was missed, by the events."""
        if self.due_at is None:
            return False
        return self.due_at < (self.ended_at or self.paused_since or self.as_of)


def replay(
    received_at: datetime,
    due_at: datetime | None,
    events: Iterable[Happening],
    as_of: datetime,
    calendar: Calendar,
) -> Clock:
    """The clock at `as_of` of a dossier received and first promised as given; `events` known then, in any order.

    Events of one moment count in the order in which they come. Those before receipt or after `as_of` don't count.
    """
    told = sorted((one for one in events if received_at <= one.at <= as_of), key=lambda one: one.at)
    promises = [Promise(received_at, due_at, "received")] if due_at else []
    hours = {"citizen": 0.0, "own": 0.0, "other": 0.0}
    last, stopped_by, asked = received_at, "", 0
    paused_since: datetime | None = None
    ended_at: datetime | None = None
    requests: set[datetime] = set()
    reopened, supplement = 0, 0.0

    def book(until: datetime) -> None:
        nonlocal last, supplement
        if ended_at is None:
            worked = calendar.working_hours(last, until)
            hours["citizen" if stopped_by else "other" if asked > 0 else "own"] += worked
            supplement += worked if stopped_by == "papers_requested" else 0.0
        last = until

    for one in told:
        book(one.at)
        if one.kind in STOPS:
            requests |= {one.at} if one.kind == "papers_requested" else set()
            stopped_by, paused_since = stopped_by or one.kind, paused_since or one.at
        elif one.kind in RUNS or one.kind == "reopened":
            stopped_by, paused_since = "", None
        if one.kind == "consulted":
            asked += 1
        elif one.kind == "consultation_answered":
            asked = max(0, asked - 1)
        if one.kind == "reopened" and ended_at is not None:
            reopened += one.at - ended_at <= SAME_CASE
            ended_at = None
        elif (one.kind in ENDS and ended_at is None) or (
            one.kind == "delivered" and ended_at is None and not _ends_later(told, one.at)
        ):
            ended_at = one.at
        if one.due_at is not None:
            promises.append(Promise(one.at, one.due_at, one.kind))
    if ended_at is None:
        book(as_of)
    ends = tuple((one.kind, one.at) for one in told if one.kind in ENDS or one.kind == "delivered")
    claimed = [one.at for one in told if one.claims_end or one.kind in ENDS]
    remaining = None
    if promises and ended_at is None:
        remaining = calendar.working_hours(paused_since or as_of, promises[-1].due_at)
    return Clock(
        as_of, received_at, tuple(promises), ended_at, min(claimed, default=None),
        paused_since if ended_at is None else None, hours["citizen"], hours["own"], hours["other"], remaining,
        len(requests), reopened, supplement, ended_at is None and stopped_by == "papers_requested", ends,
    )  # fmt: skip


def _ends_later(told: list[Happening], after: datetime) -> bool:
    """Whether an end of processing follows the delivery: then that one counts, as the history has it."""
    return any(one.kind in ENDS and one.at > after for one in told)
