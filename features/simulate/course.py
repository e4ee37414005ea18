"""The course of every dossier through its office: desks, queues, supplements, consultations, signature.

All moments are working seconds (see worktime). Delay comes from four places that the record shows: the
queue at the specialist's desk, how the specialist and the procedure dawdle, other offices that are
consulted, and the citizen who has to bring papers (which stops the clock).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from features.simulate.arrivals import COUNTER, Arrivals
from features.simulate.catalogue import PROCEDURES
from features.simulate.queue import first_come_first_served
from features.simulate.worktime import DAY, WORKDAY, WorkTime
from features.simulate.world import SPECIALIST, Floats, Ints, World

Flags = npt.NDArray[np.bool_]
ROUNDS = 3
"""Supplement rounds a dossier can have."""
DECIDED, REFUSED, WITHDRAWN = 0, 1, 2
HOUR = 3600.0
EXPRESS = 3.0 * WORKDAY
"""Legal time (working seconds) up to which a dossier takes the fast lane."""


@dataclass
class Habits:
    """What an official or a culprit adds to the lawful course; every array has one entry a dossier.

    `rounds` supplement requests; `ask_late` those asked shortly before due; `dawdle` multiplies the time on
    the desk; `jump` skips the queue; `push` handovers to and fro between offices.
    """

    rounds: Ints
    ask_late: Flags
    dawdle: Floats
    jump: Flags
    push: Ints


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
    pace: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def late(self) -> Flags:
        """Processing ended after the last promise."""
        return self.ended > self.due


def ordinary_habits(rng: np.random.Generator, arrivals: Arrivals, world: World) -> Habits:
    """What honest officials do: most supplement requests are one, early and for a reason."""
    n = len(arrivals)
    chance = np.array([p.supplement for p in PROCEDURES])[arrivals.procedure]
    person = rng.lognormal(0.0, 0.3, len(world.official_id))[arrivals.specialist]
    first = rng.random(n) < np.clip(chance * person * 0.8, 0.0, 0.6)
    second = first & (rng.random(n) < 0.09)
    third = second & (rng.random(n) < 0.1)
    return Habits(
        rounds=first.astype(np.int64) + second + third,
        ask_late=rng.random(n) < 0.06,
        dawdle=np.ones(n),
        jump=np.zeros(n, bool),
        push=(rng.random(n) < 0.015).astype(np.int64),
    )


def run_course(
    rng: np.random.Generator, world: World, time: WorkTime, arrivals: Arrivals, habits: Habits,
    closures: list[tuple[int, float, float]],
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
    service, backlog = _specialist_queue(rng, world, time, arrivals, assigned, habits, closures)
    started = assigned + backlog + 60
    crowding = (1.0 + backlog / (0.15 * legal + HOUR)) ** 0.6
    procedure_pace = np.exp(rng.normal(0, 0.45, (len(world.share), len(PROCEDURES))))
    person_pace = np.exp(rng.normal(0, 0.35, len(world.official_id)))
    noise = rng.lognormal(0.0, 0.62, n)
    desk = (
        0.22 * legal * procedure_pace[arrivals.unit, arrivals.procedure] * person_pace[arrivals.specialist]
        * crowding * noise * habits.dawdle
    )
    asked, supplied, promised, now, due = _supplements(rng, time, arrivals, habits, started, received + legal)
    consulted, answered, other, answer_due, now = _consultations(rng, world, arrivals, now)
    pushed, now = _pushes(rng, habits, now)
    sign = rng.exponential(1.0, n) * np.minimum(0.04 * legal, 6 * HOUR) + 600
    hurry = rng.random(n)
    early = rng.uniform(0.02, 1.0, n) * np.minimum(4 * HOUR, 0.15 * legal)

    def finish(pace: Floats) -> Floats:
        end = now + service + desk * pace + sign
        over = end - due
        pulled = (over > 0) & (over < 0.2 * legal) & (hurry < 0.45)
        return np.where(pulled, np.maximum(due - early, now + 0.25 * service + 300), end)

    pace = _calibrate(world, arrivals.unit, due, finish)
    submitted_to_head = finish(pace[arrivals.unit])
    ended = _signing(rng, submitted_to_head, due, legal <= EXPRESS)
    end_kind = rng.choice(3, n, p=[0.962, 0.024, 0.014])
    ended = np.where(end_kind == WITHDRAWN, now + rng.random(n) * np.maximum(ended - now, 60) + 30, ended)
    settled = np.maximum(started, np.maximum.reduce(supplied))
    extended, due_last = _extensions(rng, world, arrivals.unit, settled, ended, due, legal)
    late = ended > due_last
    apologising = rng.beta(1.2, 1.4, len(world.share))[arrivals.unit]
    sorry = np.where(
        late & (rng.random(n) < apologising) & (extended < 0),
        due_last + rng.normal(2 * HOUR, 6 * HOUR, n), -1.0,
    )
    sorry = np.where(sorry > ended, -1.0, np.where(sorry > 0, np.maximum(sorry, started + 60), -1.0))
    delivered = _delivery(rng, time, arrivals, ended, end_kind)
    drafted = started + (submitted_to_head - started) * rng.uniform(0.7, 0.95, n)
    drafted = np.clip(drafted, now + 60, np.maximum(now + 60, submitted_to_head - 60))
    submitted = np.clip(submitted_to_head - sign, drafted + 30, np.maximum(drafted + 30, ended - 60))
    return Course(
        received, forwarded, assigned, started, asked, supplied, promised, consulted, answered, other,
        answer_due, pushed, drafted, submitted, ended, end_kind, delivered, received + legal, due_last,
        extended, sorry, pace,
    )


def _specialist_queue(
    rng: np.random.Generator, world: World, time: WorkTime, arrivals: Arrivals, assigned: Floats,
    habits: Habits, closures: list[tuple[int, float, float]],
) -> tuple[Floats, Floats]:
    """Pure working time each dossier needs, and how long it waits for its specialist."""
    n, people = len(arrivals), len(world.official_id)
    load = np.bincount(arrivals.specialist, minlength=people)
    span = float(assigned.max() - assigned.min())
    busy = np.clip(rng.normal(0.74, 0.08, people) + 0.25 * world.late[world.official_unit], 0.4, 0.93)
    mean = busy * span / np.maximum(load, 1)
    work = rng.lognormal(-0.245, 0.7, n) * mean[arrivals.specialist] * np.sqrt(arrivals.legal / (5 * WORKDAY))
    scale = np.bincount(arrivals.specialist, weights=work, minlength=people) / np.maximum(busy * span, 1.0)
    service = np.minimum(work / scale[arrivals.specialist], 0.3 * arrivals.legal)
    leave_desk, leave_at, leave_length = _leave(rng, world, float(assigned.min()), span, closures)
    # what is due within three days has a queue of its own, which colleagues keep moving in times of leave
    express = arrivals.legal <= EXPRESS
    service = np.where(express, 0.35 * service, service)
    desk = np.concatenate([leave_desk, np.where(express, people, 0) + arrivals.specialist])
    begin = first_come_first_served(
        desk, np.concatenate([leave_at, assigned]), np.concatenate([leave_length, service])
    )[len(leave_desk) :]
    wait = begin - assigned
    return service, np.where(habits.jump, np.minimum(wait, 1800.0), wait)


def _leave(
    rng: np.random.Generator, world: World, begin: float, span: float,
    closures: list[tuple[int, float, float]],
) -> tuple[Ints, Floats, Floats]:
    """Holidays and sick days of specialists, and outages, as jobs that keep the desk busy."""
    people = np.flatnonzero(world.official_role == SPECIALIST)
    count = rng.poisson(2.0 * span / (250 * WORKDAY), len(people))
    desk = np.repeat(people, count)
    at = begin + rng.random(len(desk)) * span
    length = rng.gamma(2.0, 1.6, len(desk)) * WORKDAY
    for unit, start, duration in closures:
        members = world.members(unit, SPECIALIST)
        desk = np.concatenate([desk, members])
        at = np.concatenate([at, np.full(len(members), start)])
        length = np.concatenate([length, np.full(len(members), duration)])
    return desk, at, length


def _supplements(
    rng: np.random.Generator, time: WorkTime, arrivals: Arrivals, habits: Habits, started: Floats, due: Floats
) -> tuple[list[Floats], list[Floats], list[Floats], Floats, Floats]:
    """Rounds of papers asked for and brought; while the citizen must act the clock stops and the promise moves."""
    n, now = len(arrivals), started
    asked, supplied, promised = [], [], []
    for k in range(ROUNDS):
        does = habits.rounds > k
        soon = now + rng.exponential(0.06, n) * arrivals.legal + 300
        last_hours = due - rng.uniform(0.2, 3.5, n) * HOUR
        ask = np.where(habits.ask_late & (last_hours > soon), last_hours, soon)
        wall = time.wall(ask) + (rng.lognormal(1.1, 0.8, n).clip(0.1, 40) * DAY).astype(np.int64)
        back = time.work(wall) + rng.uniform(300, 2 * HOUR, n)
        asked.append(np.where(does, ask, -1.0))
        supplied.append(np.where(does, back, -1.0))
        due = np.where(does, due + (back - ask), due)
        promised.append(np.where(does, due, -1.0))
        now = np.where(does, back + 600, now)
    return asked, supplied, promised, now, due


def _consultations(
    rng: np.random.Generator, world: World, arrivals: Arrivals, now: Floats
) -> tuple[Floats, Floats, Ints, Floats, Floats]:
    """Opinions asked of other departments, each as slow as it is."""
    n = len(arrivals)
    does = rng.random(n) < np.array([p.consult for p in PROCEDURES])[arrivals.procedure]
    departments = np.flatnonzero((world.share > 0) & (np.array(world.unit_level) == "department"))
    usual = departments[rng.integers(0, len(departments), len(PROCEDURES))][arrivals.procedure]
    other = np.where(rng.random(n) < 0.75, usual, rng.choice(departments, n))
    other = np.where(other == arrivals.unit, np.roll(departments, 1)[np.searchsorted(departments, other)], other)
    ask = now + rng.exponential(2 * HOUR, n) + 300
    allowed = np.maximum(WORKDAY, np.round(0.25 * arrivals.legal / WORKDAY) * WORKDAY)
    slowness = np.exp(rng.normal(-0.45, 0.35, len(world.share)))[other]
    reply = ask + allowed * slowness * rng.lognormal(0.0, 0.6, n)
    return (
        np.where(does, ask, -1.0), np.where(does, reply, -1.0), np.where(does, other, -1),
        np.where(does, ask + allowed, -1.0), np.where(does, reply + 600, now),
    )


def _pushes(rng: np.random.Generator, habits: Habits, now: Floats) -> tuple[list[Floats], Floats]:
    """Dossiers pushed to another desk and back; each leg costs time."""
    legs = []
    for k in range(2 * int(habits.push.max(initial=0))):
        does = habits.push * 2 > k
        moment = now + rng.exponential(3 * HOUR, len(now)) + 600
        legs.append(np.where(does, moment, -1.0))
        now = np.where(does, moment + 300, now)
    return legs, now


def _calibrate(world: World, unit: Ints, due: Floats, finish: Callable[[Floats], Floats]) -> Floats:
    """The pace of each office's desks at which its share of late dossiers is the one aimed at (bisection)."""
    count = np.maximum(np.bincount(unit, minlength=len(world.late)), 1)
    low, high = np.full(len(world.late), -5.0), np.full(len(world.late), 3.0)
    for _ in range(18):
        middle = (low + high) / 2
        rate = np.bincount(unit, weights=finish(np.exp(middle)[unit]) > due, minlength=len(count)) / count
        too_late = rate > world.late
        high, low = np.where(too_late, middle, high), np.where(too_late, low, middle)
    return np.exp((low + high) / 2)


def _signing(rng: np.random.Generator, ready: Floats, due: Floats, express: Flags) -> Floats:
    """Heads sign in batches (short procedures every half hour), unless that would break the promise."""
    every = np.where(express, 0.5, 2.0) * HOUR
    batch = np.ceil(ready / every) * every + rng.uniform(60, 0.2 * every)
    return np.where((batch > due) & (ready <= due), ready, batch)


def _extensions(
    rng: np.random.Generator, world: World, unit: Ints, settled: Floats, ended: Floats, due: Floats, legal: Floats
) -> tuple[Floats, Floats]:
    """A second appointment with an apology, at most once and before the first is missed, where a delay is seen."""
    habit = rng.beta(1.0, 7.0, len(world.share))[unit]
    ahead = due - rng.uniform(0.5, 10.0, len(due)) * HOUR
    does = (ended > due + 2 * HOUR) & (ahead > settled + 300) & (rng.random(len(due)) < habit)
    further = np.ceil(rng.uniform(0.2, 0.5, len(due)) * legal / WORKDAY) * WORKDAY
    return np.where(does, ahead, -1.0), np.where(does, due + further, due)


def _delivery(
    rng: np.random.Generator, time: WorkTime, arrivals: Arrivals, ended: Floats, end_kind: Ints
) -> Floats:
    """When the citizen has the result: online at once, at the counter when they come; a few never come."""
    n = len(ended)
    online = rng.random(n) < np.where(arrivals.channel == COUNTER, 0.1, 0.7)
    visit = time.work(time.wall(ended) + (rng.exponential(1.6, n) * DAY).astype(np.int64)) + rng.uniform(600, 9000, n)
    at = np.where(online, ended + rng.uniform(600, 5400, n), np.maximum(visit, ended + 900))
    return np.where((end_kind == DECIDED) & (rng.random(n) > 0.02), at, -1.0)
