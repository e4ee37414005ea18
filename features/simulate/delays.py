"""Where a dossier loses time: queue, citizen, other offices, handovers, signature."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.simulate.arrivals import COUNTER, Arrivals
from features.simulate.catalogue import PROCEDURES
from features.simulate.habits import ROUNDS, Habits
from features.simulate.queue import first_come_first_served
from features.simulate.worktime import DAY, WORKDAY, WorkTime
from features.simulate.world import SPECIALIST, Floats, Ints, World

Flags = npt.NDArray[np.bool_]
Closure = tuple[int, float, float]
"""(unit, from, length) in working seconds during which no desk of the unit works."""
DECIDED, REFUSED, WITHDRAWN = 0, 1, 2
HOUR = 3600.0
EXPRESS = 3.0 * WORKDAY
"""Legal time (working seconds) up to which a dossier takes the fast lane."""


def specialist_queue(
    rng: np.random.Generator,
    world: World,
    time: WorkTime,
    arrivals: Arrivals,
    assigned: Floats,
    habits: Habits,
    closures: list[Closure],
) -> tuple[Floats, Floats]:
    """Pure working time each dossier needs, and how long it waits for its specialist."""
    n, people = len(arrivals), len(world.official_id)
    load = np.bincount(arrivals.specialist, minlength=people)
    span = float(assigned.max() - assigned.min())
    busy = np.clip(rng.normal(0.62, 0.08, people) + 0.25 * world.late[world.official_unit], 0.4, 0.93)
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
    rng: np.random.Generator,
    world: World,
    begin: float,
    span: float,
    closures: list[Closure],
) -> tuple[Ints, Floats, Floats]:
    """Holidays and sick days of specialists, and outages, as jobs that keep the desk busy."""
    people = np.flatnonzero(world.official_role == SPECIALIST)
    count = rng.poisson(2.0 * span / (250 * WORKDAY), len(people))
    desk = np.repeat(people, count)
    at = begin + rng.random(len(desk)) * span
    length = rng.gamma(2.0, 1.0, len(desk)) * WORKDAY
    for unit, start, duration in closures:
        members = world.members(unit, SPECIALIST)
        desk = np.concatenate([desk, members])
        at = np.concatenate([at, np.full(len(members), start)])
        length = np.concatenate([length, np.full(len(members), duration)])
    return desk, at, length


def supplements(
    rng: np.random.Generator, time: WorkTime, arrivals: Arrivals, habits: Habits, started: Floats, due: Floats
) -> tuple[list[Floats], list[Floats], list[Floats], Floats, Floats]:
    """Rounds of papers asked for and brought; the clock stops until they come."""
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


def consultations(
    rng: np.random.Generator, world: World, arrivals: Arrivals, habits: Habits, now: Floats
) -> tuple[Floats, Floats, Ints, Floats, Floats]:
    """Opinions asked of other departments, each as slow as it is."""
    n = len(arrivals)
    does = (rng.random(n) < np.array([p.consult for p in PROCEDURES])[arrivals.procedure]) | habits.consult
    departments = np.flatnonzero((world.share > 0) & (np.array(world.unit_level) == "department"))
    usual = departments[rng.integers(0, len(departments), len(PROCEDURES))][arrivals.procedure]
    other = np.where(rng.random(n) < 0.75, usual, rng.choice(departments, n))
    other = np.where(other == arrivals.unit, np.roll(departments, 1)[np.searchsorted(departments, other)], other)
    ask = now + rng.exponential(2 * HOUR, n) + 300
    allowed = np.maximum(WORKDAY, np.round(0.25 * arrivals.legal / WORKDAY) * WORKDAY)
    slowness = np.exp(rng.normal(-0.45, 0.35, len(world.share)))[other]
    reply = ask + allowed * slowness * rng.lognormal(0.0, 0.6, n)
    return (
        np.where(does, ask, -1.0),
        np.where(does, reply, -1.0),
        np.where(does, other, -1),
        np.where(does, ask + allowed, -1.0),
        np.where(does, reply + 600, now),
    )


def pushes(rng: np.random.Generator, habits: Habits, now: Floats) -> tuple[list[Floats], Floats]:
    """Dossiers pushed to another desk and back; each leg costs time."""
    legs = []
    for k in range(2 * int(habits.push.max(initial=0))):
        does = habits.push * 2 > k
        moment = now + rng.exponential(3 * HOUR, len(now)) + 600
        legs.append(np.where(does, moment, -1.0))
        now = np.where(does, moment + 300, now)
    return legs, now


def signing(rng: np.random.Generator, ready: Floats, due: Floats, express: Flags) -> Floats:
    """Heads sign in batches (short procedures every half hour), unless that would break the promise."""
    every = np.where(express, 0.5, 2.0) * HOUR
    batch = np.ceil(ready / every) * every + rng.uniform(60, 0.2 * every)
    return np.where((batch > due) & (ready <= due), ready, batch)


def extensions(
    rng: np.random.Generator,
    world: World,
    unit: Ints,
    settled: Floats,
    ended: Floats,
    due: Floats,
    legal: Floats,
) -> tuple[Floats, Floats]:
    """A second appointment with an apology, at most once and before the first is missed."""
    habit = rng.beta(1.0, 7.0, len(world.share))[unit]
    ahead = due - rng.uniform(0.5, 10.0, len(due)) * HOUR
    does = (ended > due + 2 * HOUR) & (ahead > settled + 300) & (rng.random(len(due)) < habit)
    further = np.ceil(rng.uniform(0.2, 0.5, len(due)) * legal / WORKDAY) * WORKDAY
    return np.where(does, ahead, -1.0), np.where(does, due + further, due)


def delivery(rng: np.random.Generator, time: WorkTime, arrivals: Arrivals, ended: Floats, end_kind: Ints) -> Floats:
    """When the citizen has the result: online at once, at the counter when they come; a few never come."""
    n = len(ended)
    online = rng.random(n) < np.where(arrivals.channel == COUNTER, 0.1, 0.7)
    visit = time.work(time.wall(ended) + (rng.exponential(1.6, n) * DAY).astype(np.int64)) + rng.uniform(600, 9000, n)
    at = np.where(online, ended + rng.uniform(600, 5400, n), np.maximum(visit, ended + 900))
    return np.where((end_kind == DECIDED) & (rng.random(n) > 0.02), at, -1.0)
