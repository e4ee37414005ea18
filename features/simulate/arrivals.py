"""What comes in: the dossiers of the made-up province, when, where, from whom and to whose desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from features.simulate.catalogue import PROCEDURES
from features.simulate.worktime import DAY, Seconds, WorkTime, local_midnight
from features.simulate.world import CLERK, HEAD, SPECIALIST, Floats, Ints, World

COUNTER, ONLINE, POST = 0, 1, 2
CHANNELS = ("counter", "online", "post")
CITIZEN, BUSINESS, AGENCY, OTHER = 0, 1, 2, 3
APPLICANT_KINDS = ("citizen", "business", "agency", "other")
_BUSINESS_SECTORS = {"G99-DT01", "G99-DN01", "G99-CP01", "G99-XD01"}


@dataclass
class Arrivals:
    """One entry a dossier, in order of submission. `agent` is −1 where the applicant comes alone.

    `submitted`, `received` are wall-clock seconds; `legal` the legal time in working seconds.
    """

    submitted: Seconds
    received: Seconds
    unit: Ints
    procedure: Ints
    channel: Ints
    applicant: Ints
    applicant_kind: Ints
    agent: Ints
    clerk: Ints
    specialist: Ints
    head: Ints
    legal: Floats

    def __len__(self) -> int:
        return len(self.unit)


def draw_arrivals(rng: np.random.Generator, world: World, time: WorkTime, first: date, last: date, n: int) -> Arrivals:
    """`n` dossiers submitted in [first, last): more on Mondays and before Tết, online also at night."""
    submitted, online_hint = _moments(rng, first, last, time, n)
    unit = rng.choice(len(world.share), n, p=world.share / world.share.sum())
    cumulative = np.cumsum(world.demand, axis=1)
    procedure = (rng.random(n)[:, None] > cumulative[unit]).sum(axis=1).clip(0, len(PROCEDURES) - 1)
    post = ~online_hint & (rng.random(n) < 0.04)
    channel = np.where(online_hint, ONLINE, np.where(post, POST, COUNTER))
    wait = np.where(channel == COUNTER, rng.uniform(60, 1500, n), np.minimum(rng.lognormal(8.9, 0.9, n), 10 * DAY))
    work_received = time.work(submitted) + wait
    received = np.maximum(time.wall(work_received), submitted + 60)
    sector = np.array([p.sector in _BUSINESS_SECTORS for p in PROCEDURES])[procedure]
    kind = np.where(rng.random(n) < np.where(sector, 0.7, 0.03), BUSINESS, CITIZEN)
    kind = np.where(rng.random(n) < 0.01, rng.integers(AGENCY, OTHER + 1, n), kind)
    agent_share = np.array([p.agent for p in PROCEDURES])[procedure]
    agents_per_unit = 6
    agent = np.where(rng.random(n) < agent_share, unit * agents_per_unit + rng.integers(0, agents_per_unit, n), -1)
    applicant = rng.integers(0, max(1, int(n * 0.8)), n)
    clerk, specialist, head = _desks(rng, world, unit, procedure)
    legal = np.array([p.days for p in PROCEDURES])[procedure] * 8 * 3600.0
    return Arrivals(
        submitted, received, unit, procedure, channel, applicant, kind, agent, clerk, specialist, head, legal
    )


def _moments(rng: np.random.Generator, first: date, last: date, time: WorkTime, n: int) -> tuple[Seconds, np.ndarray]:
    """Sorted submission moments, and which of them come online."""
    days = [first + timedelta(days=i) for i in range((last - first).days)]
    midnight = np.array([local_midnight(day) for day in days])
    working = time.work(midnight + DAY) - time.work(midnight) > 0
    weekday = np.array([1.25, 1.05, 1.0, 0.95, 0.9, 1.0, 1.0])[[day.weekday() for day in days]]
    season = 1.0 + 0.12 * np.sin(2 * np.pi * (np.array([day.timetuple().tm_yday for day in days]) - 60) / 365)
    break_ahead = np.array([not working[i + 1 : i + 8].any() and bool(working[i]) for i in range(len(days))])
    rush = 1.0 + 0.5 * np.convolve(break_ahead, np.ones(10), mode="full")[9:]
    surge = np.exp(np.convolve(rng.normal(0, 0.14, len(days) + 14), np.ones(15) / np.sqrt(15), mode="valid"))
    weight = np.where(working, weekday, 0.06) * season * rush * surge
    index = np.sort(rng.choice(len(days), n, p=weight / weight.sum()))
    online = (rng.random(n) < 0.55) | ~working[index]
    shift = np.where(rng.random(n) < 0.58, rng.triangular(8.0, 8.8, 11.9, n), rng.triangular(13.5, 14.5, 17.4, n))
    hour = np.where(online & (rng.random(n) < 0.35), rng.uniform(6.0, 23.0, n), shift)
    second = (hour * 3600).astype(np.int64)
    moment = midnight[index] + second
    order = np.argsort(moment, kind="stable")
    return moment[order], online[order]


def _desks(rng: np.random.Generator, world: World, unit: Ints, procedure: Ints) -> tuple[Ints, Ints, Ints]:
    """The clerk, specialist and head of each dossier. Each specialist has a field."""
    clerk, specialist, head = (np.zeros(len(unit), np.int64) for _ in range(3))
    order = np.argsort(unit, kind="stable")
    bounds = np.searchsorted(unit[order], np.arange(len(world.share) + 1))
    for u in range(len(world.share)):
        rows = order[bounds[u] : bounds[u + 1]]
        if not len(rows):
            continue
        clerks = world.members(int(world.receiver[u]), CLERK)
        clerk[rows] = rng.choice(clerks, len(rows))
        head[rows] = rng.choice(world.members(u, HEAD), len(rows))
        people = world.members(u, SPECIALIST)
        weights = rng.gamma(0.5, 1.0, (len(PROCEDURES), len(people))) + 0.05
        edges = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
        pick = (rng.random(len(rows))[:, None] > edges[procedure[rows]]).sum(axis=1).clip(0, len(people) - 1)
        specialist[rows] = people[pick]
    return clerk, specialist, head
