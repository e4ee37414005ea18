"""Heads who hide late dossiers: the end of a late dossier set to its due moment (T1), or a new promise (reset).

T1 as real systems write it (domain.md 1.9): a placeholder closes the dossier at the due second, the true
signature is not in the log, but the steps before it are, and the result is handed out long after. A reset
is a new promise without reason, set shortly before the old one passes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from features.simulate.arrivals import Arrivals
from features.simulate.conduct import TAMPERING, Conduct, Harm
from features.simulate.course import Course
from features.simulate.delays import DECIDED
from features.simulate.events import KINDS, Events, rows_of
from features.simulate.habits import Flags
from features.simulate.worktime import WorkTime


def tamper(
    rng: np.random.Generator, arrivals: Arrivals, course: Course, conduct: Conduct, harm: Harm
) -> tuple[Harm, Flags, Flags]:
    """Which late dossiers of a tampering head are closed on paper (T1), and which are reset."""
    n = len(arrivals)
    theirs = conduct.kind[arrivals.head] == TAMPERING
    share = rng.uniform(0.5, 0.9, len(conduct.kind))[arrivals.head]
    hidden = theirs & course.late & (course.end_kind == DECIDED) & (rng.random(n) < share)
    closed = hidden & (rng.random(n) < 0.6)
    settled = np.maximum(course.started, np.maximum.reduce(course.supplied))
    renewed = hidden & ~closed & (course.due - 1800 > settled)
    done = closed | renewed
    return replace(harm, kind=np.where(done & (harm.kind < 0), TAMPERING, harm.kind)), closed, renewed


def rewrite(
    time: WorkTime, events: Events, arrivals: Arrivals, course: Course, closed: Flags, renewed: Flags
) -> Events:
    """The event log as the tampering head leaves it."""
    signed = (events.kind == KINDS.index("decided")) & closed[events.dossier]
    ending = rows_of(time, closed, course.due, "decided", "Kết thúc xử lý hồ sơ")
    reset = rows_of(
        time, renewed, course.due - 1800, "reset", "Đặt lại hạn xử lý",
        official=arrivals.head, unit=arrivals.unit, due=course.ended + 3600,
    )  # fmt: skip
    # an apology would give the lie away: the office that resets its clock writes none
    silent = (events.kind == KINDS.index("apologised")) & (closed | renewed)[events.dossier]
    return events.keep(~silent & ~signed).merged(ending, reset)
