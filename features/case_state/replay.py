"""The row-wise twin of `features.case_state.relation`: one dossier, its events followed one after the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from features.calendar.working_time import EPOCH, Calendar, microseconds
from features.case_state.kinds import RUNS, STOPS, SUPPLIES
from features.case_state.state import (
    A_DAY_W,
    SAME_CASE,
    WAITING,
    CaseState,
    Flag,
    LawfulClock,
    Phase,
    Promise,
    Stretch,
)
from features.record.schema import ALL_ENDS, ENDS, SKEW


@dataclass(frozen=True)
class Happening:
    """One event as the clock sees it. `claims_end`: its source calls it an end, whatever it is read as."""

    kind: str
    at: datetime
    due_at: datetime | None = None
    reason: str | None = None
    claims_end: bool = False


@dataclass
class Hands:
    """In whose hands a dossier is, as its events come: `phase` stands after those taken.

    stopped_by: the kind of event that stopped the clock, empty while it runs; asked: consultations not answered.
    """

    stopped_by: str = ""
    asked: int = 0

    def take(self, kind: str) -> None:
        """One event more."""
        if kind in STOPS:
            self.stopped_by = self.stopped_by or kind
        elif kind in RUNS or kind == "reopened":
            self.stopped_by = ""
        if kind == "consulted":
            self.asked += 1
        elif kind == "consultation_answered":
            self.asked = max(0, self.asked - 1)

    @property
    def phase(self) -> Phase:
        """The phase of an open dossier."""
        if self.stopped_by:
            return Phase.CITIZEN if self.stopped_by == "papers_requested" else Phase.SUSPENDED
        return Phase.OTHER_OFFICE if self.asked else Phase.RUNNING


@dataclass
class _Anchor:
    """A promise from which the lawful one is counted: its moment, its working time, and what had been added before."""

    us: int | None
    w: int
    added_w: int

    @property
    def start_w(self) -> int:
        return self.w - self.added_w


class _Fold:
    """The events of one dossier followed in order, up to `until`."""

    def __init__(self, received_at: datetime, due_at: datetime | None, calendar: Calendar, legal_days: float | None):
        self.calendar = calendar
        self.received_us = microseconds(received_at)
        self.legal_w = None if legal_days is None else round(legal_days * A_DAY_W)
        self.promises = [Promise(received_at, due_at, "received")] if due_at else []
        self.hours = dict.fromkeys(Phase, 0)
        self.requests: set[int] = set()
        self.reopened = 0
        self.last_us = self.received_us
        self.ended: tuple[str, datetime] | None = None
        self.stretches: list[tuple[int, int, Phase]] = []
        self.begin(received_at, due_at, era=0)

    def begin(self, at: datetime, due_at: datetime | None, *, era: int) -> None:
        """A clock begins: at receipt, or at a reopening long after the end."""
        self.begun_at, self.era = at, era
        self.base = self._anchor(due_at)
        if self.base is None and era == 0 and self.legal_w is not None:
            self.term_only = True
            self.base = _Anchor(None, self.worked(self.received_us) + self.legal_w, 0)
        else:
            self.term_only = False
        self.source: _Anchor | None = None
        self.added_w = 0
        self.missed = False
        self.lost: int | None = None
        self.flags: set[Flag] = set()
        self.extensions = self.resets = 0
        self.extended_at: datetime | None = None
        self.hands, self.paused_added_w = Hands(), 0
        self.paused_since: datetime | None = None

    def _anchor(self, due_at: datetime | None, added_w: int = 0) -> _Anchor | None:
        if due_at is None:
            return None
        us = microseconds(due_at)
        return _Anchor(us, self.worked(us), added_w)

    @property
    def phase(self) -> Phase:
        """In whose hands it is after the events taken."""
        return self.hands.phase if self.ended is None else Phase.ENDED

    def worked(self, us: int) -> int:
        return self.calendar.worked(us)

    def anchor(self) -> _Anchor | None:
        """The lawful promise is counted from the source's own where that lies within a day of what is due."""
        if self.base is None or self.source is None:
            return self.base
        ahead = self.source.start_w - self.base.start_w
        return self.source if 0 <= ahead <= A_DAY_W else self.base

    def exceeded(self, us: int) -> bool:
        anchor = self.anchor()
        if anchor is None:
            return False
        if anchor.us is not None and anchor.added_w == self.added_w:
            return us > anchor.us
        return self.worked(us) > anchor.start_w + self.added_w

    def pass_to(self, us: int) -> None:
        """Books the time since the last event, and whether the lawful promise ran out in it."""
        spent = self.worked(us) - self.worked(self.last_us)
        self.hours[self.phase] += spent
        if us > self.last_us:
            self.stretches.append((self.last_us, us, self.phase))
        if self.phase.waits:
            if not self.missed:
                self.added_w += spent
        elif not self.missed and self.exceeded(us):
            self.lost = self.lawful_us()
            self.missed = True
        self.last_us = us

    def take(self, one: Happening, at: datetime) -> None:
        """One event of an open dossier."""
        if one.kind in STOPS and not self.hands.stopped_by:
            self.paused_added_w = self.added_w
        self.hands.take(one.kind)
        self.paused_since = (self.paused_since or at) if self.hands.stopped_by else None
        if one.kind == "papers_requested":
            self.requests.add(microseconds(at))
        if one.due_at is not None:
            self.promise(one, at)

    def promise(self, one: Happening, at: datetime) -> None:
        """A due moment is given."""
        due_at = one.due_at
        assert due_at is not None
        given = Promise(at, due_at, one.kind, one.reason)
        first = self.base is None or self.term_only
        moved = bool(self.promises) and due_at > self.promises[-1].due_at
        self.promises.append(given)
        if first:
            self.base, self.term_only = self._anchor(due_at, self.added_w), False
            return
        if one.kind in SUPPLIES:
            self.source = self._anchor(due_at, self.added_w)
            assert self.source is not None
            assert self.base is not None
            if not self.missed and self.source.start_w - self.base.start_w > A_DAY_W:
                self.flags.add(Flag.MOVED_BEYOND_PAUSE)
            return
        anchor = self.anchor()
        assert anchor is not None
        ahead = anchor.start_w + self.added_w - self.worked(microseconds(at))
        if moved and self.missed:
            self.flags.add(Flag.MOVED_AFTER_MISSED)
        elif moved and ahead < A_DAY_W:
            self.flags.add(Flag.MOVED_LAST_MINUTE)
        self.resets += one.kind == "reset"
        if one.kind == "extended":
            self.extensions += 1
            if self.extensions > 1:
                self.flags.add(Flag.EXTENDED_TWICE)
            elif one.reason and not self.missed and ahead >= A_DAY_W:
                self.base, self.source = self._anchor(due_at, self.added_w), None
                self.extended_at = at

    def lawful_us(self) -> int | None:
        """The lawful promise as far as time has been added to it; what was missed stays where it was."""
        return self.lost if self.missed else self.with_added(self.added_w)

    def with_added(self, added_w: int) -> int | None:
        """The lawful promise with so much time added to it."""
        anchor = self.anchor()
        if anchor is None:
            return None
        if anchor.us is not None and added_w == anchor.added_w:
            return anchor.us
        return self.calendar.when_worked(anchor.start_w + added_w)

    def clock(self, *, stands: bool) -> LawfulClock | None:
        """What features count by."""
        anchor, due_us = self.anchor(), self.lawful_us()
        if anchor is None or due_us is None:
            return None
        left_us, since_us = due_us, None
        if stands and self.paused_since is not None:
            left_us, since_us = self.with_added(self.paused_added_w) or due_us, microseconds(self.paused_since)
        return LawfulClock(self.worked(due_us), anchor.start_w, left_us, since_us)


def replay(
    received_at: datetime,
    due_at: datetime | None,
    events: Iterable[Happening],
    until: datetime,
    calendar: Calendar,
    legal_days: float | None = None,
    stated_due_at: datetime | None = None,
) -> CaseState:
    """The state at `until` of a dossier received and first promised as given.

    events: those known, of each its version that stands, in any order; those of one moment count in the order in
    which they come. What happened at `until` or later does not count. legal_days: the procedure's published term, for a
    dossier without a promise. stated_due_at: the due moment that the dossier's row gives now, where it differs from
    the first promise `due_at`. All moments aware.
    """
    past = sorted((one for one in events if one.at < until), key=lambda one: one.at)
    early = [one for one in past if one.kind in ALL_ENDS and one.at < received_at - SKEW]
    counted = [one for one in past if _counts(one, received_at)]
    fold = _Fold(received_at, due_at, calendar, legal_days)
    if due_at is not None and stated_due_at is not None and stated_due_at != due_at:
        fold.promises.append(Promise(received_at, stated_due_at, "stated"))
    for part in _rounds(counted):
        end = _end_of(part)
        for one in part:
            at = max(one.at, received_at)
            if one.kind == "reopened" and fold.ended is not None:
                if at - fold.ended[1] > SAME_CASE:
                    fold.last_us = microseconds(at)
                    fold.ended = None
                    fold.promises = [] if one.due_at is None else [Promise(at, one.due_at, one.kind, one.reason)]
                    fold.begin(at, one.due_at, era=fold.era + 1)
                    continue
                fold.reopened += 1
                fold.pass_to(microseconds(at))
                fold.ended = None
                fold.take(one, at)
                continue
            if fold.ended is not None:
                continue
            fold.pass_to(microseconds(at))
            fold.take(one, at)
            if one is end:
                fold.ended = (one.kind, at)
                fold.hands.stopped_by = ""
    return _state(fold, received_at, counted, early, until)


def _counts(one: Happening, received_at: datetime) -> bool:
    """Whether an event belongs to the dossier's time: the clock that stamps an end may run a little behind."""
    return one.at >= received_at or (one.kind in ALL_ENDS and one.at >= received_at - SKEW)


def _rounds(events: Sequence[Happening]) -> list[list[Happening]]:
    """The events between reopenings."""
    rounds: list[list[Happening]] = [[]]
    for one in events:
        if one.kind == "reopened":
            rounds.append([])
        rounds[-1].append(one)
    return rounds


def _end_of(part: Sequence[Happening]) -> Happening | None:
    for kinds in (ENDS, ("delivered",)):
        for one in part:
            if one.kind in kinds:
                return one
    return None


def _state(
    fold: _Fold, received_at: datetime, events: Sequence[Happening], early: Sequence[Happening], until: datetime
) -> CaseState:
    ended_how, ended_at = fold.ended or (None, None)
    aside = bool(early) and fold.ended is None
    until_us = max(microseconds(until), fold.received_us)
    if fold.ended is None:
        fold.pass_to(until_us)
    phase = Phase.SET_ASIDE if aside else fold.phase
    clock = fold.clock(stands=phase in WAITING and not fold.missed)
    first = fold.promises[0].due_at if fold.promises else None
    lawful = fold.lawful_us()
    claimed = [max(one.at, received_at) for one in events if one.claims_end or one.kind in ENDS]
    return CaseState(
        until=until, received_at=received_at, phase=phase, promises=tuple(fold.promises),
        lawful_due_at=None if lawful is None else _moment(lawful), ended_at=ended_at, ended_how=ended_how,
        claimed_end_at=min(claimed, default=None),
        paused_since=fold.paused_since if phase in WAITING else None,
        late=fold.missed and not aside, late_first=first is not None and not aside and first < (ended_at or until),
        citizen_w=fold.hours[Phase.CITIZEN], suspended_w=fold.hours[Phase.SUSPENDED],
        other_w=fold.hours[Phase.OTHER_OFFICE], own_w=fold.hours[Phase.RUNNING], requests=len(fold.requests),
        extensions=fold.extensions, resets=fold.resets, reopened=fold.reopened,
        flags=frozenset(fold.flags | ({Flag.END_BEFORE_RECEIPT} if early else set())),
        ends=tuple((one.kind, max(one.at, received_at)) for one in events if one.kind in ALL_ENDS), clock=clock,
        begun_at=fold.begun_at, lawful_extension_at=fold.extended_at,
        stretches=tuple(Stretch(_moment(since), _moment(stop), held) for since, stop, held in fold.stretches),
    )  # fmt: skip


def _moment(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)
