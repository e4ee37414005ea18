"""The states of many dossiers, event after event: the rules of `features.case_state.state` over columns.

What `features.case_state.replay` works out for one dossier is worked out here for all at once: the first event of
every dossier, then the second of all that have two, and so on. So a state costs a few microseconds, and whoever wants
to know how each dossier stood after each of its events (the matrix) listens while the fold goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.calendar.working_time import Calendar, Instants
from features.case_state.kinds import RUNS, STOPS, SUPPLIES
from features.case_state.state import A_DAY_W, SAME_CASE, Flag
from features.record.schema import ALL_ENDS, ENDS, EVENT_KINDS, SKEW

Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Listener = Callable[["CaseFold", Places, int], None]
"""Called after each round of events: the fold, their places among the events, of how many dossiers they are."""

NONE = int(np.iinfo(np.int64).min)
"""Stands for a moment that is not there."""
MICROSECOND = 1_000_000
_SKEW, _SAME_CASE = (round(span.total_seconds()) * MICROSECOND for span in (SKEW, SAME_CASE))
FLAGS = (Flag.MOVED_AFTER_MISSED, Flag.MOVED_LAST_MINUTE, Flag.EXTENDED_TWICE, Flag.MOVED_BEYOND_PAUSE)


def _kinds(*named: str) -> Mask:
    """By code of a kind: whether it is one of those named."""
    return np.isin(EVENT_KINDS, named)


def _code(kind: str) -> int:
    return EVENT_KINDS.index(kind)


_STOP = np.where(_kinds("papers_requested"), 1, np.where(_kinds(*STOPS), 2, 0)).astype(np.int8)
_RUN, _END, _ANY_END = _kinds(*RUNS, "reopened"), _kinds(*ENDS), _kinds(*ALL_ENDS)
_SUPPLY = _kinds(*SUPPLIES)
_BY_OFFICE = ~_kinds("received", "stated", *SUPPLIES)
_ASKS = (_kinds("consulted").astype(np.int8) - _kinds("consultation_answered")).astype(np.int8)
_REOPENED, _RESET, _EXTENDED, _DELIVERED = (_code(kind) for kind in ("reopened", "reset", "extended", "delivered"))
_PAPERS = _code("papers_requested")


def kind_codes(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.int8]:
    """Kinds of event as their places in `EVENT_KINDS`."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    named = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    code = np.array([_code(kind) for kind in named.dictionary.to_pylist()] or [0], np.int8)
    found: npt.NDArray[np.int8] = code[named.indices.to_numpy(zero_copy_only=False)]
    return found


def instants(column: pa.ChunkedArray | pa.Array) -> Instants:
    """An integer column [n] with `NONE` where it is null."""
    filled: Instants = pc.fill_null(column, NONE).to_numpy().astype(np.int64, copy=False)
    return filled


@dataclass(frozen=True)
class Courses:
    """Dossiers and their events in order, as columns; moments are microseconds since 1970, `NONE` where unknown.

    Of each dossier [n]: received_us, due_us the first promise, stated_us the due moment that its row gives now, legal_w
    microseconds worked of the published term, calendar the place of its calendar; first [n + 1] where its events begin.
    Of each event [m]: kind its code, happened_us, given_us the due moment it gives, reasoned whether with a reason.
    """

    received_us: Instants
    due_us: Instants
    stated_us: Instants
    legal_w: Instants
    calendar: Places
    first: Places
    kind: npt.NDArray[np.int8]
    happened_us: Instants
    given_us: Instants
    reasoned: Mask


class CaseFold:
    """The rules, applied forward in time: after `run` every array [n] holds how a dossier stands after its last event.

    Dossiers stand in `order`, those with the most events first; `[order]` of a column of `Courses` puts it beside them.
    """

    def __init__(self, courses: Courses, calendars: Sequence[Calendar]) -> None:
        self.courses, self.calendars = courses, calendars
        length = np.diff(courses.first)
        self.order = np.argsort(-length, kind="stable")
        self._length, self._begin = length[self.order], courses.first[:-1][self.order]
        self._of_event = np.repeat(np.arange(len(length)), length)
        received = courses.received_us[self._of_event]
        self.at_us = np.maximum(courses.happened_us, received)
        late_clock = _ANY_END[courses.kind] & (courses.happened_us >= received - _SKEW)
        self._counts: Mask = (courses.happened_us >= received) | late_clock
        self.early: Mask = _ANY_END[courses.kind] & ~self._counts
        self._rounds()
        self.at_w = self.worked(self.at_us, courses.calendar[self._of_event])
        self._given_w = np.zeros(len(self.at_us), np.int64)
        given = np.flatnonzero(courses.given_us != NONE)
        self._given_w[given] = self.worked(courses.given_us[given], courses.calendar[self._of_event[given]])
        self._start()

    def worked(self, moments: Instants, calendar: Places) -> Instants:
        """Working time of moments, each by its own calendar."""
        found = np.zeros(len(moments), np.int64)
        for place, one in enumerate(self.calendars):
            mine = slice(None) if len(self.calendars) == 1 else calendar == place
            found[mine] = one.worked_each(moments[mine])
        return found

    def _rounds(self) -> None:
        """Which events count in their round, between reopenings: those up to the first end, else the first delivery."""
        kind, places = self.courses.kind, np.arange(len(self.at_us))
        begins = (kind == _REOPENED) & self._counts
        begins[self.courses.first[:-1][np.diff(self.courses.first) > 0]] = True
        heads, beyond = np.flatnonzero(begins), len(kind)
        of_round = np.cumsum(begins) - 1

        def first(wanted: Mask) -> Places:
            if not len(heads):
                return np.zeros(0, np.int64)
            found: Places = np.minimum.reduceat(np.where(wanted & self._counts, places, beyond), heads)[of_round]
            return found

        self.end_at, self.delivered_at = first(_END[kind]), first(kind == _DELIVERED)
        last = np.where(self.end_at < beyond, self.end_at, self.delivered_at)
        self.in_round: Mask = self._counts & (places <= last)
        self._ends: Mask = places == last

    def _start(self) -> None:
        courses, order, n = self.courses, self.order, len(self.order)

        def none() -> Instants:
            return np.full(n, NONE)

        def zero() -> Instants:
            return np.zeros(n, np.int64)

        received, due, legal = courses.received_us[order], courses.due_us[order], courses.legal_w[order]
        self.last_us, self.last_w = received.copy(), self.worked(received, courses.calendar[order])
        self.received_w = self.last_w.copy()
        promised = due != NONE
        self.has_base, self.term_only = promised | (legal != NONE), ~promised & (legal != NONE)
        self.base_us, self.base_added = due.copy(), zero()
        self.base_w = np.where(promised, self.worked(np.where(promised, due, 0), courses.calendar[order]),
                               np.where(legal != NONE, self.received_w + legal, 0))  # fmt: skip
        self.has_source, self.source_us, self.source_w, self.source_added = np.zeros(n, bool), none(), zero(), zero()
        self.first_us, stated = due.copy(), courses.stated_us[order]
        self.in_force_us = np.where(promised & (stated != NONE), stated, due)
        self.added_w, self.lost_us, self.lost_w, self.missed = zero(), none(), zero(), np.zeros(n, bool)
        self.stopped, self.paused_us, self.asked = np.zeros(n, np.int8), none(), zero()
        self.paused_w, self.paused_added_w = zero(), zero()
        self.ended_us, self.ended_kind = none(), np.zeros(n, np.int8)
        self.citizen_w, self.suspended_w, self.other_w, self.own_w = zero(), zero(), zero(), zero()
        self.requests, self._requested_us, self.reopened = zero(), none(), zero()
        self.extensions, self.resets = zero(), zero()
        self.moved_by_office = np.zeros(n, bool)
        self.begun_us, self.extended_us = received.copy(), none()
        self.flags = np.zeros((len(FLAGS), n), bool)

    def run(self, after: Listener | None = None) -> None:
        """Tells every event; `after` is called with each round of them."""
        longest = int(self._length[0]) if len(self._length) else 0
        ending = np.searchsorted(-self._length, -np.arange(longest), side="left")  # how many have more than so many
        for place in range(longest):
            n = int(ending[place])
            events = self._begin[:n] + place
            self._tell(events, n)
            if after is not None:
                after(self, events, n)

    def _tell(self, events: Places, n: int) -> None:
        kind, at, w = self.courses.kind[events], self.at_us[events], self.at_w[events]
        in_round = self.in_round[events]
        ended = self.ended_us[:n] != NONE
        back = in_round & ended & (kind == _REOPENED)
        anew = back & (at - np.where(ended, self.ended_us[:n], 0) > _SAME_CASE)
        acts = in_round & ~anew & (~ended | back)
        self._pass(acts, ended, at, w)
        again = np.flatnonzero(back & ~anew)
        self.reopened[again] += 1
        self.ended_us[again] = NONE
        if anew.any():
            self._begin_anew(np.flatnonzero(anew), events[anew])
        stop = np.where(acts, _STOP[kind], 0)
        fresh = (stop > 0) & (self.stopped[:n] == 0)
        self.stopped[:n][fresh], self.paused_us[:n][fresh], self.paused_w[:n][fresh] = stop[fresh], at[fresh], w[fresh]
        self.paused_added_w[:n][fresh] = self.added_w[:n][fresh]
        asks = acts & (kind == _PAPERS) & (at != self._requested_us[:n])
        self.requests[:n] += asks
        self._requested_us[:n][asks] = at[asks]
        runs = acts & _RUN[kind]
        self.stopped[:n][runs], self.paused_us[:n][runs] = 0, NONE
        self.asked[:n] = np.maximum(self.asked[:n] + np.where(acts, _ASKS[kind], 0), 0)
        given = np.flatnonzero(acts & (self.courses.given_us[events] != NONE))
        if len(given):
            self._promise(given, events[given])
        over = np.flatnonzero(acts & self._ends[events])
        self.ended_us[over], self.ended_kind[over], self.stopped[over] = at[over], kind[over], 0

    def _pass(self, acts: Mask, ended: Mask, at: Instants, w: Instants) -> None:
        """Books the time since the last event, and whether the lawful promise ran out in it."""
        n = len(acts)
        spent = np.where(acts & ~ended, w - self.last_w[:n], 0)
        stopped = self.stopped[:n]
        stands = acts & ~ended & (stopped > 0)
        free = stopped == 0
        asked = self.asked[:n] > 0
        for hours, where in ((self.citizen_w, stopped == 1), (self.suspended_w, stopped == 2),
                             (self.other_w, free & asked), (self.own_w, free & ~asked)):  # fmt: skip
            hours[:n] += np.where(where, spent, 0)
        missed = self.missed[:n]
        self.added_w[:n] += np.where(stands & ~missed, spent, 0)
        due_us, due_w, _ = self.lawful(n)
        beyond = np.where(due_us != NONE, at > due_us, w > due_w)
        lost = acts & ~stands & ~missed & self.has_base[:n] & beyond
        self.lost_us[:n][lost], self.lost_w[:n][lost] = due_us[lost], due_w[lost]
        missed[lost] = True
        self.last_us[:n][acts], self.last_w[:n][acts] = at[acts], w[acts]

    def pass_to(self, until_us: Instants) -> None:
        """Books the time of all that have not ended up to a moment each [n], in `order`."""
        until_w = self.worked(until_us, self.courses.calendar[self.order])
        ended = self.ended_us != NONE
        self._pass(~ended, ended, until_us, until_w)

    def _anchor(self, which: Places | slice) -> tuple[Instants, Instants, Instants]:
        """Moment, working time without what is added, and what had been added at the promise that counts."""
        base = self.base_w[which] - self.base_added[which]
        source = self.source_w[which] - self.source_added[which]
        ahead = source - base
        by_source = self.has_source[which] & (ahead >= 0) & (ahead <= A_DAY_W)
        return (np.where(by_source, self.source_us[which], self.base_us[which]), np.where(by_source, source, base),
                np.where(by_source, self.source_added[which], self.base_added[which]))  # fmt: skip

    def lawful(self, n: int) -> tuple[Instants, Instants, Instants]:
        """Of the first `n`: the lawful promise where a source gave it as a moment (else `NONE`), its working time, and
        that without the time added to it; what was missed stays where it was."""
        us, start_w, added_w = self._anchor(slice(0, n))
        us = np.where(added_w == self.added_w[:n], us, NONE)
        missed = self.missed[:n]
        return (np.where(missed, self.lost_us[:n], us),
                np.where(missed, self.lost_w[:n], start_w + self.added_w[:n]), start_w)  # fmt: skip

    def settled(self, n: int) -> tuple[Instants, Instants]:
        """As the first two of `lawful`, of those whose clock stands: as far as time had been added when it stopped."""
        us, start_w, added_w = self._anchor(slice(0, n))
        then_w = self.paused_added_w[:n]
        return np.where(added_w == then_w, us, NONE), start_w + then_w

    def _begin_anew(self, who: Places, events: Places) -> None:
        """A clock begins at a reopening long after the end."""
        due = self.courses.given_us[events]
        self.last_us[who], self.last_w[who] = self.at_us[events], self.at_w[events]
        self.ended_us[who] = NONE
        self.first_us[who] = self.in_force_us[who] = self.base_us[who] = due
        self.base_w[who] = self._given_w[events]
        self.has_base[who], self.term_only[who], self.has_source[who] = due != NONE, False, False
        self.source_us[who] = self.lost_us[who] = self.paused_us[who] = self.extended_us[who] = NONE
        self.begun_us[who] = self.at_us[events]
        for one in (self.base_added, self.added_w, self.extensions, self.resets, self.asked):
            one[who] = 0
        self.missed[who], self.stopped[who], self.flags[:, who] = False, 0, False
        self.moved_by_office[who] = False

    def _promise(self, who: Places, events: Places) -> None:
        """Due moments are given."""
        due, due_w, kind = self.courses.given_us[events], self._given_w[events], self.courses.kind[events]
        in_force, added = self.in_force_us[who], self.added_w[who]
        moved = (in_force != NONE) & (due > in_force)
        self.moved_by_office[who] |= moved & _BY_OFFICE[kind]
        bare = self.first_us[who] == NONE
        self.first_us[who[bare]] = due[bare]
        self.in_force_us[who] = due
        opens = ~self.has_base[who] | self.term_only[who]
        books = ~opens & _SUPPLY[kind]
        shifts = ~opens & ~books
        _, start_w, _ = self._anchor(who)
        missed, ahead = self.missed[who], start_w + added - self.at_w[events]
        self.resets[who] += shifts & (kind == _RESET)
        extends = shifts & (kind == _EXTENDED)
        self.extensions[who] += extends
        base = self.base_w[who] - self.base_added[who]
        self.flags[0, who] |= shifts & moved & missed
        self.flags[1, who] |= shifts & moved & ~missed & (ahead < A_DAY_W)
        self.flags[2, who] |= extends & (self.extensions[who] > 1)
        self.flags[3, who] |= books & ~missed & (due_w - added - base > A_DAY_W)
        reasoned = self.courses.reasoned[events]
        lawful = extends & (self.extensions[who] == 1) & reasoned & ~missed & (ahead >= A_DAY_W)
        rests = opens | lawful
        one = who[rests]
        self.base_us[one], self.base_w[one], self.base_added[one] = due[rests], due_w[rests], added[rests]
        self.has_base[one], self.term_only[who[opens]] = True, False
        self.has_source[who[lawful]] = False
        self.extended_us[who[lawful]] = self.at_us[events[lawful]]
        one = who[books]
        self.source_us[one], self.source_w[one], self.source_added[one] = due[books], due_w[books], added[books]
        self.has_source[one] = True

    def moments(self, due_us: Instants, due_w: Instants, calendar: Places, *, last: bool = False) -> Instants:
        """Lawful promises (`lawful`) as moments: the first at which the time allowed is worked, or (`last`) the last at
        which no more is; `NONE` where the calendar ends before."""
        found = due_us.copy()
        open_ = due_us == NONE
        for place, one in enumerate(self.calendars):
            mine = np.flatnonzero(open_ & (calendar == place))
            found[mine] = one.when_worked_each(due_w[mine], last=last, none=NONE)
        return found
