"""The course of every dossier through its office: desks, queues, supplements, consultations, signature.

All moments are working seconds (see worktime). Delay comes from four places that the record shows: the
queue at the specialist's desk, how the specialist and the procedure dawdle, other offices that are
consulted, and the citizen who has to bring papers (which stops the clock).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.simulate.arrivals import COUNTER, Arrivals
from features.simulate.catalogue import PROCEDURES
from features.simulate.delays import (
    DECIDED,
    EXPRESS,
    HOUR,
    REFUSED,
    WITHDRAWN,
    Closure,
    Flags,
    consultations,
    delivery,
    extensions,
    pushes,
    signing,
    specialist_queue,
    supplements,
)
from features.simulate.habits import Habits
from features.simulate.worktime import WorkTime
from features.simulate.world import Floats, Ints, World


@dataclass
class Course:
    """Moments of one run, in working seconds, one entry a dossier; −1 where the thing does not happen.

    `asked[k]`, `supplied[k]` are the k-th supplement round, `promised[k]` the promise after it.
    `due_first` is the first promise, `due` the last one; `extended` when the office moved it with an apology.
    """

    received: Floats
    forwarded: Floats
    assigned: Floats
    started: Floats
    asked: list[Floats]
    supplied: list[Floats]
    promised: list[Floats]
    consulted: Floats
    answered: Floats
    consulted_unit: Ints
    answer_due: Floats
    pushed: list[Floats]
    drafted: Floats
    submitted: Floats
    ended: Floats
    end_kind: Ints
    delivered: Floats
    due_first: Floats
    due: Floats
    extended: Floats
    apologised: Floats

    def of(self, rows: Ints) -> Course:
        """The courses of some dossiers."""
        chosen: dict[str, Any] = {
            name: [column[rows] for column in value] if isinstance(value, list) else value[rows]
            for name, value in vars(self).items()
        }
        return Course(**chosen)

    @property
    def late(self) -> Flags:
        """Processing ended after the last promise."""
        return self.ended > self.due


def run_course(
    rng: np.random.Generator,
    world: World,
    time: WorkTime,
    arrivals: Arrivals,
    habits: Habits,
    closures: list[Closure],
) -> Course:
    """Carry every dossier from receipt to delivery.

    `closures`: (unit, from, length) in working seconds during which no desk of the unit works (an outage).
    """
    n = len(arrivals)
    received = time.work(arrivals.received)
    local = arrivals.channel == COUNTER
    forwarded = received + np.where(local, rng.exponential(0.6 * HOUR, n), rng.exponential(0.3 * HOUR, n)) + 120
    assigned = forwarded + np.minimum(rng.exponential(1.5 * HOUR, n), 0.05 * arrivals.legal) + 60
    legal = arrivals.legal
    service, backlog = specialist_queue(rng, world, time, arrivals, assigned, habits, closures)
    started = assigned + backlog + 60
    crowding = (1.0 + backlog / (0.15 * legal + HOUR)) ** 0.6
    procedure_pace = np.exp(rng.normal(0, 0.45, (len(world.share), len(PROCEDURES))))
    person_pace = np.exp(rng.normal(0, 0.35, len(world.official_id)))
    noise = rng.lognormal(0.0, 0.85, n)
    desk = (
        0.22
        * legal
        * procedure_pace[arrivals.unit, arrivals.procedure]
        * person_pace[arrivals.specialist]
        * crowding
        * noise
        * habits.dawdle
    )
    asked, supplied, promised, now, due = supplements(rng, time, arrivals, habits, started, received + legal)
    consulted, answered, other, answer_due, now = consultations(rng, world, arrivals, habits, now)
    pushed, now = pushes(rng, habits, now)
    sign = rng.exponential(1.0, n) * np.minimum(0.04 * legal, 6 * HOUR) + 600
    # now and then the head is away, and what looked finished lies for days
    sign = np.where(rng.random(n) < 0.1, sign + rng.exponential(0.25, n) * legal, sign)
    hurry = rng.random(n)
    early = rng.uniform(0.02, 1.0, n) * np.minimum(4 * HOUR, 0.15 * legal)

    def finish(pace: Floats) -> Floats:
        end = now + service + desk * pace + sign
        over = end - due
        pulled = (over > 0) & (over < 0.2 * legal) & (hurry < 0.45)
        return np.where(pulled, np.maximum(due - early, now + 0.25 * service + 300), end)

    pace = _calibrate(world, arrivals.unit, due, finish)
    submitted_to_head = finish(pace[arrivals.unit])
    ended = signing(rng, submitted_to_head, due, legal <= EXPRESS)
    end_kind = np.where(habits.give_up, WITHDRAWN, np.where(rng.random(n) < 0.024, REFUSED, DECIDED))
    ended = np.where(end_kind == WITHDRAWN, now + rng.random(n) * np.maximum(ended - now, 60) + 30, ended)
    settled = np.maximum(started, np.maximum.reduce(supplied))
    extended, due_last = extensions(rng, world, arrivals.unit, settled, ended, due, legal)
    late = ended > due_last
    apologising = rng.beta(1.2, 1.4, len(world.share))[arrivals.unit]
    sorry = np.where(
        late & (rng.random(n) < apologising) & (extended < 0),
        due_last + rng.normal(2 * HOUR, 6 * HOUR, n),
        -1.0,
    )
    sorry = np.where(sorry > ended, -1.0, np.where(sorry > 0, np.maximum(sorry, started + 60), -1.0))
    delivered = delivery(rng, time, arrivals, ended, end_kind)
    drafted = started + (submitted_to_head - started) * rng.uniform(0.7, 0.95, n)
    drafted = np.clip(drafted, now + 60, np.maximum(now + 60, submitted_to_head - 60))
    submitted = np.clip(submitted_to_head - sign, drafted + 30, np.maximum(drafted + 30, ended - 60))
    return Course(
        received,
        forwarded,
        assigned,
        started,
        asked,
        supplied,
        promised,
        consulted,
        answered,
        other,
        answer_due,
        pushed,
        drafted,
        submitted,
        ended,
        end_kind,
        delivered,
        received + legal,
        due_last,
        extended,
        sorry,
    )


PROMISED_ANEW = 1.045
"""Some that would be late get a second promise or are withdrawn first: the pace aims that much higher."""


def _calibrate(world: World, unit: Ints, due: Floats, finish: Callable[[Floats], Floats]) -> Floats:
    """The pace of each office's desks at which its share of late dossiers is the one aimed at (bisection)."""
    count = np.maximum(np.bincount(unit, minlength=len(world.late)), 1)
    low, high = np.full(len(world.late), -5.0), np.full(len(world.late), 3.0)
    for _ in range(18):
        middle = (low + high) / 2
        rate = np.bincount(unit, weights=finish(np.exp(middle)[unit]) > due, minlength=len(count)) / count
        too_late = rate > world.late * PROMISED_ANEW
        high, low = np.where(too_late, middle, high), np.where(too_late, low, middle)
    pace: Floats = np.exp((low + high) / 2)
    return pace
