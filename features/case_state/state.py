"""Where a dossier stands at a moment: the rules in words, and the state that comes of them.

**The first promise.** The due moment of the dossier's first row: portals send a row anew with whatever date
now stands in it (domain.md 1.9, T8: keep every version; samples/20), so a later row is a promise moved by its source.
A row that comes within a day of the first corrects the slip; where rows of one moment differ, the earliest due moment
counts. **In force** is the due moment of the last event that gives one, else that of the row that stands.

**The lawful promise.** The first promise (without one, the first that an event gives; without any, the procedure's
published term), moved by two things alone:

* the working time in which the citizen had to act or processing was suspended, where it began before the promise ran
  out, whether or not the source moves its due date (QĐ 766/QĐ-TTg, rule 5). A due moment that the source gives with
  the papers supplied stands for that time where it lies at most one working day beyond it: sources round to the
  closing of a day (domain.md 1.9, T9 tells when more was added);
* one extension with a reason, given at least one working day (8 working hours) before the promise ran out (Nghị định
  61/2018/NĐ-CP Đ.19 as amended, now 118/2025/NĐ-CP: apology at the latest a day before, a new appointment once).

A reset, a second extension and one given late never move it; they move the promise in force and leave a flag.

**Late.** The lawful promise ran out while the clock ran: at the moment itself where no time was added to it (rule 1:
`NgayKetThucXuLy ≤ NgayHenTra`), else once more working time has passed than it allows. What was missed stays missed.
While the clock stands, a dossier is not late that was not late when it stopped. A consultation does not stop it.

**End.** The first of refused, decided, withdrawn, else the first delivered. A dossier reopened within 30 days is the
same case: the final end counts, and so does the time between (service.md, abuse). Reopened later, it begins anew: only
what is promised from then on counts. An end told up to 15 minutes before receipt is a clock's error and counts at
receipt; one told earlier leaves the dossier set aside, neither open nor late, where no other end is known.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from features.calendar.working_time import HOUR, HOURS_A_DAY
from features.case_state.kinds import SUPPLIES

SAME_CASE = timedelta(days=30)
"""Reopened within this time after its end, a dossier goes on with its old clock."""
A_DAY_W = HOURS_A_DAY * HOUR
"""One working day in microseconds worked: how early an extension comes, how far a source may round."""


class Phase(StrEnum):
    """In whose hands the dossier is."""

    RUNNING = "running"
    CITIZEN = "citizen"
    SUSPENDED = "suspended"
    OTHER_OFFICE = "other_office"
    ENDED = "ended"
    SET_ASIDE = "set_aside"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act on it."""
        return self not in (Phase.ENDED, Phase.SET_ASIDE)

    @property
    def waits(self) -> bool:
        """Whether its clock stands: the citizen has to act, or processing is suspended."""
        return self in WAITING


WAITING = (Phase.CITIZEN, Phase.SUSPENDED)
"""Phases in which the clock stands."""


class Flag(StrEnum):
    """What of the promises and ends should be looked into; never a verdict."""

    MOVED_AFTER_MISSED = "moved_after_missed"
    MOVED_LAST_MINUTE = "moved_last_minute"
    EXTENDED_TWICE = "extended_twice"
    MOVED_BEYOND_PAUSE = "moved_beyond_pause"
    END_BEFORE_RECEIPT = "end_before_receipt"


@dataclass(frozen=True)
class Promise:
    """A due moment, when it was given, by which kind of event, and why. `received`: the slip; `stated`: a later row."""

    given_at: datetime
    due_at: datetime
    how: str
    reason: str | None = None

    @property
    def by_office(self) -> bool:
        """Whether the office moved the promise of its own accord: neither the first nor the citizen's time."""
        return self.how not in ("received", "stated", *SUPPLIES)


@dataclass(frozen=True)
class LawfulClock:
    """The lawful promise as time that features count by, at the moment of a state.

    lawful_w: microseconds worked (`Calendar.worked`) at which it runs out; start_w: without the time that was added to
    it. due_us: as a moment (microseconds since 1970), while the clock stands as far as time had been added when it
    stopped, at stands_us (None: no time is being added).
    """

    lawful_w: int
    start_w: int
    due_us: int
    stands_us: int | None

    def left_us(self, now_us: int) -> int:
        """Calendar time left at a moment; while the clock stands, when it stopped."""
        return self.due_us - (now_us if self.stands_us is None else self.stands_us)


@dataclass(frozen=True)
class Stretch:
    """Half-open time in which a dossier stayed in one phase; `ENDED`: between an end and its reopening."""

    since: datetime
    until: datetime
    phase: Phase


@dataclass(frozen=True)
class CaseState:
    """How a dossier stands at `until`, by what happened before it.

    first_due_at: the first promise; due_at: the one in force; lawful_due_at: the lawful one, as far as time had been
    added to it by then. late: by the lawful clock; late_first: the first promise passed before the end or `until`.
    citizen_w, suspended_w, other_w, own_w: microseconds worked since receipt with the citizen, suspended, with a
    consulted office, with the office itself; time between an end and a reopening is in none of them. clock_since:
    since when the clock stands. reopened: how often within 30 days of an end. ends: all ends. clock: the lawful
    promise as working time; None without any. stretches: the phases from receipt to the end or to `until`, in order; a
    dossier begun anew has none between its end and that. begun_at: when its clock began, at receipt or at a reopening
    long after the end. lawful_extension_at: when the one extension was given that moved the lawful promise.
    """

    until: datetime
    received_at: datetime
    begun_at: datetime
    phase: Phase
    promises: tuple[Promise, ...]
    lawful_due_at: datetime | None
    ended_at: datetime | None
    ended_how: str | None
    claimed_end_at: datetime | None
    paused_since: datetime | None
    late: bool
    late_first: bool
    citizen_w: int
    suspended_w: int
    other_w: int
    own_w: int
    requests: int
    extensions: int
    resets: int
    reopened: int
    flags: frozenset[Flag]
    ends: tuple[tuple[str, datetime], ...]
    clock: LawfulClock | None = None
    stretches: tuple[Stretch, ...] = ()
    lawful_extension_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """`Phase.is_open`."""
        return self.phase.is_open

    @property
    def waits(self) -> bool:
        """`Phase.waits`."""
        return self.phase.waits

    @property
    def overdue(self) -> bool:
        """Open, the clock running, the lawful promise missed."""
        return self.is_open and self.late and not self.waits

    @property
    def first_due_at(self) -> datetime | None:
        """The first promise."""
        return self.promises[0].due_at if self.promises else None

    @property
    def due_at(self) -> datetime | None:
        """The promise in force."""
        return self.promises[-1].due_at if self.promises else None

    @property
    def citizen_hours(self) -> float:
        """Working hours in which the clock stood: with the citizen, or suspended."""
        return (self.citizen_w + self.suspended_w) / HOUR

    @property
    def supplement_hours(self) -> float:
        """Working hours with the citizen for papers alone (QĐ 766, rule 5)."""
        return self.citizen_w / HOUR

    @property
    def own_hours(self) -> float:
        """Working hours with the office itself."""
        return self.own_w / HOUR

    @property
    def other_hours(self) -> float:
        """Working hours with offices that were consulted."""
        return self.other_w / HOUR

    @property
    def elapsed_hours(self) -> float:
        """Working hours from receipt to the end, or to `until`."""
        return self.citizen_hours + self.own_hours + self.other_hours

    @property
    def waiting_for_papers(self) -> bool:
        """Whether the citizen has been asked for papers and has not brought them."""
        return self.phase is Phase.CITIZEN
