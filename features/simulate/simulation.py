"""The simulation itself: draws the world, runs every dossier, lets people misbehave, complain and inspect."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from features.calendar.vietnam import VIETNAM
from features.simulate.arrivals import Arrivals, draw_arrivals
from features.simulate.catalogue import OUTSIDE_PAPERS, PROCEDURES
from features.simulate.complaints import Complaints, complaint_tables, draw_complaints
from features.simulate.conduct import (
    REPEATED,
    Conduct,
    Harm,
    favour_agents,
    misuse,
    outside_papers,
    plant,
    submit_again,
)
from features.simulate.course import Course, run_course
from features.simulate.delays import Closure
from features.simulate.evasion import Evasion, look_alike, silenced, under_others
from features.simulate.events import Events, event_table
from features.simulate.habits import ROUNDS, Habits, ordinary_habits
from features.simulate.inspection import Policy, every_unit_monthly
from features.simulate.province import Province
from features.simulate.reform import Reform, draw_reform, under_reform
from features.simulate.steps import lay_out
from features.simulate.tables import dossier_codes, dossier_table, outage_table, reference_tables
from features.simulate.tampering import rewrite, tamper
from features.simulate.truth import inspect, survey, truth_tables
from features.simulate.voices import explanation_table, rating_table
from features.simulate.worktime import WORKDAY, WorkTime, local_midnight
from features.simulate.world import Ints, World, build_world

WARM_UP = 60
"""Days simulated before `start` and thrown away, so that desks are not empty on the first day."""
CHANGED_SECTORS = ("G99-NMT01", "G99-XD01")
PRACTICE = every_unit_monthly()


@dataclass
class History:
    """Everything that was drawn, the future included; one entry a dossier in `arrivals`, `course`, `harm`."""

    world: World
    time: WorkTime
    arrivals: Arrivals
    course: Course
    events: Events
    harm: Harm
    conduct: Conduct
    complaints: Complaints
    closures: list[Closure]
    papers: list[str]
    reform: Reform | None


def stream(seed: int, name: str) -> np.random.Generator:
    """Random numbers of one part of the world: what one part draws does not move the others."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def simulate(
    seed: int = 1,
    dossiers: int = 20_000,
    start: date = date(2025, 7, 1),
    end: date = date(2026, 10, 1),
    *,
    culprits: int | Mapping[str, int] | None = None,
    hard: int | None = None,
    flooded: int | None = None,
    policy: Policy | None = PRACTICE,
    reform: date | None = None,
    change: date | None = None,
    evasion: Evasion | None = None,
) -> Province:
    """The history of a made-up province from `start` until `end` (local days, half-open).

    `dossiers` are submitted in that time; what is not finished by `end` stays open, its later events are not
    in the tables. The same arguments give the same tables, byte for byte.

    `culprits`: how many officials harass or tamper, or how many of each kind (conduct.KINDS); None plants
    3 %, 0 nobody. `hard`, `flooded`: honest officials with hard cases, and under a flood of false complaints
    (None: about 2 % each, none where there are no culprits). `policy` chooses the monthly inspections, None
    holds none. `reform`: the day districts end and communes take over. `change`: the day from which land
    and construction are handled much more slowly (a planted change of process). `evasion`: how what is done
    is hidden, and how often honest acts look alike. ValueError for impossible numbers.
    """
    if dossiers < 1 or end <= start:
        raise ValueError(f"wanted dossiers ≥ 1 and start < end, came {dossiers}, {start}, {end}")
    first, last = start - timedelta(days=WARM_UP), end + timedelta(days=900)
    time = WorkTime.of(VIETNAM, first, last)
    length = (end - start).days
    world = build_world(stream(seed, "world"), dossiers, length / 365.25)
    arrivals = draw_arrivals(
        stream(seed, "arrivals"), world, time, first, end, round(dossiers * (1 + WARM_UP / length))
    )
    conduct = plant(stream(seed, "conduct"), world, arrivals, culprits, hard, flooded)
    history = _history(seed, world, time, arrivals, conduct, reform, change, evasion, local_midnight(end))
    return _deliver(seed, start, end, history, policy)


def _history(
    seed: int, world: World, time: WorkTime, arrivals: Arrivals, conduct: Conduct,
    reform: date | None, change: date | None, evasion: Evasion | None, end: int,
) -> History:  # fmt: skip
    arrivals = favour_agents(stream(seed, "agents"), arrivals, conduct)
    habits = ordinary_habits(stream(seed, "habits"), arrivals, world)
    if change is not None:
        habits = _changed(habits, arrivals, change)
    habits, harm = misuse(stream(seed, "misuse"), arrivals, conduct, habits)
    closures = _closures(stream(seed, "outages"), world, time, arrivals)
    course = run_course(stream(seed, "course"), world, time, arrivals, habits, closures)
    worn_down = habits.give_up & (harm.kind == REPEATED)
    arrivals = submit_again(arrivals, time.wall(np.maximum(course.ended, 0)), worn_down)
    harm, closed, renewed = tamper(stream(seed, "tampering"), arrivals, course, conduct, harm)
    paper_rng = stream(seed, "papers")
    papers, paper_sets = _papers(paper_rng, arrivals)
    papers, paper_sets = outside_papers(paper_rng, papers, harm.outside, paper_sets)
    events = lay_out(stream(seed, "events"), world, time, arrivals, course, papers)
    events = rewrite(time, events, arrivals, course, closed, renewed)
    complaints = draw_complaints(stream(seed, "complaints"), world, time, arrivals, course, harm, conduct)
    if evasion is not None:
        outside = len(paper_sets) - len(OUTSIDE_PAPERS), len(paper_sets) - 1
        events = look_alike(stream(seed, "look alike"), time, events, arrivals, course, harm, evasion.honest, outside)
        events = under_others(stream(seed, "accounts"), world, events, arrivals, harm, conduct, evasion)
        complaints = silenced(stream(seed, "silence"), complaints, conduct, evasion, end)
    reformed = None
    if reform is not None:
        world, reformed = draw_reform(stream(seed, "reform"), world, conduct, reform)
        events = under_reform(events, reformed, arrivals.received)
        complaints = replace(complaints, unit=reformed.units(complaints.unit, complaints.filed))
    return History(world, time, arrivals, course, events, harm, conduct, complaints, closures, paper_sets, reformed)


def _changed(habits: Habits, arrivals: Arrivals, change: date) -> Habits:
    slower = np.array([p.sector in CHANGED_SECTORS for p in PROCEDURES])[arrivals.procedure]
    after = slower & (arrivals.received >= local_midnight(change))
    return replace(habits, dawdle=np.where(after, 2.2, 1.0) * habits.dawdle, consult=habits.consult | after)


def _closures(rng: np.random.Generator, world: World, time: WorkTime, arrivals: Arrivals) -> list[Closure]:
    """Outages of the one-stop system: about three a year and office-wide, half a day to three days long."""
    begin, until = (float(time.work(arrivals.received[k])) for k in (0, -1))
    count = rng.poisson(3.0 * (until - begin) / (250 * WORKDAY))
    closures = []
    for _ in range(count):
        at, length = rng.uniform(begin, until), rng.uniform(0.5, 3.0) * WORKDAY
        everywhere = rng.random() < 0.3
        units = np.flatnonzero(world.share > 0)
        chosen = units if everywhere else rng.choice(units, max(1, len(units) // 10), replace=False)
        closures += [(int(u), at, length) for u in chosen]
    return closures


def _papers(rng: np.random.Generator, arrivals: Arrivals) -> tuple[Ints, list[str]]:
    """What is asked for in each supplement round: one of the procedure's published papers."""
    sets = [paper for procedure in PROCEDURES for paper in procedure.papers]
    counts = np.array([len(p.papers) for p in PROCEDURES])
    base = np.concatenate([[0], np.cumsum(counts)[:-1]])[arrivals.procedure]
    drawn = rng.random((len(arrivals), ROUNDS)) * counts[arrivals.procedure][:, None]
    return base[:, None] + drawn.astype(np.int64), sets


def _deliver(seed: int, start: date, end: date, h: History, policy: Policy | None) -> Province:
    """The tables of what was known before `end`, and the truth."""
    begin, cut = local_midnight(start), local_midnight(end)
    delivered = np.flatnonzero((h.arrivals.submitted >= begin) & (h.arrivals.received < cut))
    shown = np.full(len(h.arrivals), -1, np.int64)
    shown[delivered] = np.arange(len(delivered))
    a = Arrivals(**{name: column[delivered] for name, column in vars(h.arrivals).items()})
    c = h.course.of(delivered)
    harm = Harm(h.harm.kind[delivered], h.harm.outside[delivered])
    units = a.unit if h.reform is None else h.reform.units(a.unit, a.received)
    rooms = h.world.receiver[a.unit]
    rooms = rooms if h.reform is None else h.reform.units(rooms, a.received)
    codes = dossier_codes(h.world, units, a.received)
    past = h.events.keep((shown[h.events.dossier] >= 0) & (h.events.moment < cut))
    past = replace(past, dossier=shown[past.dossier])
    desk = a.specialist if h.reform is None else h.reform.officials(a.specialist, a.received)
    head = a.head if h.reform is None else h.reform.officials(a.head, a.received)
    a = replace(a, specialist=desk, head=head)
    tables = reference_tables(h.world, start - timedelta(days=3650), h.reform)
    tables["dossier"] = dossier_table(a, units, rooms, h.time.wall(c.due_first), codes, h.world)
    tables["event"] = event_table(past, codes, h.world, h.papers)
    rng = stream(seed, "voices")
    tables["rating"] = rating_table(rng, h.world, h.time, a, c, harm, codes, cut)
    tables["explanation"] = explanation_table(rng, h.world, h.time, a, c, harm, codes, cut)
    tables["outage"] = outage_table(h.world, h.time, h.closures, cut)
    tables["complaint"], complaint_truth = complaint_tables(h.complaints, h.world, codes, shown, cut)
    ground = survey(stream(seed, "ground"), h.world, h.time, start, end, a, c, harm, h.reform, codes)
    if policy is not None:
        tables |= inspect(stream(seed, "policy"), ground, policy, cut)
    truth = truth_tables(h.world, h.time, a, c, harm, h.conduct, ground)
    return Province(seed, start, end, tables, truth | {"complaint": complaint_truth}, ground)
