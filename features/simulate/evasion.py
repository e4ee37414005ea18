"""What makes a province harder to read: acts under other accounts, silenced complaints, honest acts that look alike.

Culprits enter their acts under a colleague of the same office, whole offices work under one desk account, complaints
about those most complained of stop arriving; and honest officials suspend, set a promise anew and ask for a paper
beyond the list now and then, each with a reason (domain.md 4.4, false friends).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from features.case_state.kinds import ENTERED
from features.simulate.arrivals import Arrivals
from features.simulate.complaints import STAFF_TOPICS, Complaints
from features.simulate.conduct import Conduct, Harm
from features.simulate.course import Course
from features.simulate.events import KINDS, Events, rows_of
from features.simulate.worktime import DAY, WorkTime
from features.simulate.world import SPECIALIST, Ints, World


@dataclass(frozen=True)
class Evasion:
    """How a province hides what is done in it; all shares from 0 to 1, all 0 hides nothing.

    colleague: of the culprits' acts, entered under another specialist of the same office. shared: of the offices, whose
    specialists enter all such acts under the account of their desk. suppressed: of the complaints on culprits, never
    arriving in the last `silent_days` days. honest: of honest dossiers, that show each of: a suspension, a promise set
    anew, a paper outside the list.
    """

    colleague: float = 0.0
    shared: float = 0.0
    suppressed: float = 0.0
    honest: float = 0.0
    silent_days: int = 120

    def __post_init__(self) -> None:
        """Refuses what is no share."""
        for one in fields(self):
            if one.name != "silent_days" and not 0 <= getattr(self, one.name) <= 1:
                raise ValueError(f"{one.name}: wanted a share from 0 to 1, came {getattr(self, one.name)}")


def look_alike(
    rng: np.random.Generator, time: WorkTime, events: Events, a: Arrivals, c: Course, harm: Harm, share: float,
    outside: tuple[int, int],
) -> Events:  # fmt: skip
    """Events with honest acts that look like harassment. `outside`: first and last code of papers on no list."""
    n = len(a)
    honest = harm.kind < 0
    room = (c.ended - c.started) > 4 * 3600
    at = c.started + (c.ended - c.started) * rng.uniform(0.2, 0.6, n)
    pause = honest & room & (rng.random(n) < share)
    anew = honest & room & (rng.random(n) < share) & (c.due - 1800 > c.started)
    reason = rng.integers(1, 4, n)
    added = [
        rows_of(time, pause, at, "suspended", "Lấy ý kiến phối hợp", official=a.specialist, unit=a.unit, reason=reason),
        rows_of(time, pause, np.minimum(at + 3 * 3600, c.ended - 60), "resumed", "Đã có ý kiến phối hợp",
                official=a.specialist, unit=a.unit),
        rows_of(time, anew, np.minimum(at + 60, c.due - 900), "reset", "Đặt lại hạn xử lý", official=a.specialist,
                unit=a.unit, due=np.maximum(c.due, c.ended), reason=reason),
    ]  # fmt: skip
    asked = np.flatnonzero((events.kind == KINDS.index("papers_requested")) & honest[events.dossier])
    strange = asked[rng.random(len(asked)) < share]
    papers = events.papers.copy()
    papers[strange] = rng.integers(outside[0], outside[1] + 1, len(strange))
    changed = Events(**{**vars(events), "papers": papers})
    return changed.merged(*added)


def under_others(
    rng: np.random.Generator, world: World, events: Events, a: Arrivals, harm: Harm, conduct: Conduct, evasion: Evasion
) -> Events:
    """Events with the account that they were entered under: who acted stands in the truth alone."""
    official = events.official.copy()
    act = np.isin(events.kind, [KINDS.index(kind) for kind in ENTERED]) & (official >= 0)
    theirs = act & (harm.kind[events.dossier] >= 0) & (conduct.kind[np.maximum(official, 0)] >= 0)
    moved = np.flatnonzero(theirs & (rng.random(len(official)) < evasion.colleague))
    official[moved] = _colleagues(rng, world, events.official[moved])
    units = np.flatnonzero(world.share > 0)
    desks = rng.permutation(units)[: round(evasion.shared * len(units))]
    at_desk = (
        act & np.isin(a.unit[events.dossier], desks) & (world.official_role[np.maximum(official, 0)] == SPECIALIST)
    )
    official = np.where(at_desk, a.clerk[events.dossier], official)
    return Events(**{**vars(events), "official": official})


def _colleagues(rng: np.random.Generator, world: World, who: Ints) -> Ints:
    """For each official another specialist of the same office; themselves where there is none."""
    found = who.copy()
    for nth, one in enumerate(who):
        same = (world.official_unit == world.official_unit[one]) & (world.official_role == SPECIALIST)
        others = np.flatnonzero(same & (np.arange(len(same)) != one))
        if len(others):
            found[nth] = rng.choice(others)
    return found


def silenced(rng: np.random.Generator, q: Complaints, conduct: Conduct, evasion: Evasion, end: int) -> Complaints:
    """The complaints that still arrive."""
    about = (
        (conduct.kind[q.official] >= 0) & np.isin(q.topic, STAFF_TOPICS) & (q.filed >= end - evasion.silent_days * DAY)
    )
    arrives = ~(about & (rng.random(len(q)) < evasion.suppressed))
    return Complaints(**{name: column[arrives] for name, column in vars(q).items()})
