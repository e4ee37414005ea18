"""What people say: ratings of finished dossiers, and what officials explain about late ones.

Ratings entered by staff at the counter right after receipt praise what nobody could judge yet (trap T6).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from features.simulate.arrivals import COUNTER, Arrivals
from features.simulate.conduct import TAMPERING, Harm
from features.simulate.course import Course
from features.simulate.delays import DECIDED, HOUR
from features.simulate.events import stamps, words
from features.simulate.worktime import DAY, WorkTime
from features.simulate.world import World

CAUSES = ("citizen", "consultation", "system", "law", "workload", "official")


def rating_table(
    rng: np.random.Generator,
    world: World,
    time: WorkTime,
    a: Arrivals,
    c: Course,
    harm: Harm,
    dossier_id: list[str],
    end: int,
) -> pa.Table:
    """Canonical `rating`: about one finished dossier in eight; lower where late or harmed."""
    n = len(a)
    done = (c.delivered >= 0) & (rng.random(n) < 0.12)
    hurt = (harm.kind >= 0) & (harm.kind != TAMPERING)
    mood = 4.55 + rng.normal(0, 0.6, n) - 1.6 * c.late - 1.5 * hurt
    at = time.wall(np.maximum(c.delivered, 0)) + (rng.exponential(0.8, n) * DAY).astype(np.int64)
    habit = np.where(rng.random(len(world.share)) < 0.3, rng.uniform(0.05, 0.4, len(world.share)), 0.0)
    staff = (a.channel == COUNTER) & (rng.random(n) < habit[world.receiver[a.unit]]) & ~done
    early = a.received + rng.integers(120, 600, n)
    rows = np.concatenate([np.flatnonzero(done), np.flatnonzero(staff)])
    by_staff = np.repeat([False, True], [int(done.sum()), int(staff.sum())])
    moment = np.where(by_staff, early[rows], at[rows])
    score = np.where(by_staff, 5, np.clip(np.rint(mood[rows]), 1, 5)).astype(np.int64)
    order = np.lexsort((rows, moment))
    order = order[moment[order] < end]
    return pa.table({
        "rating_id": [f"R{k:07d}" for k in range(len(order))],
        "dossier_id": words(rows[order], dossier_id),
        "score": score[order],
        "rated_at": stamps(moment[order]),
        "by_staff": by_staff[order],
    })  # fmt: skip


def explanation_table(
    rng: np.random.Generator,
    world: World,
    time: WorkTime,
    a: Arrivals,
    c: Course,
    harm: Harm,
    dossier_id: list[str],
    end: int,
) -> pa.Table:
    """Canonical `explanation`: what the specialist of a late dossier says, some days after it ended.

    A late answer of a consulted office, papers the citizen brought, and the load are named where they are
    true; who did harm names something else.
    """
    n = len(a)
    explained = c.late & (c.end_kind == DECIDED) & (rng.random(n) < 0.55)
    waited = c.answered > np.maximum(c.answer_due, 0)
    crowded = c.started - c.assigned > 16 * HOUR
    cause = np.select(
        [waited, crowded, c.supplied[0] >= 0, rng.random(n) < 0.4],
        [1, 4, 0, 5], rng.choice([2, 3, 4], n, p=[0.3, 0.3, 0.4]),
    )  # fmt: skip
    cause = np.where(harm.kind >= 0, rng.choice([0, 4], n), cause)
    at = time.wall(np.maximum(c.ended, 0)) + (rng.gamma(2.0, 2.0, n) * DAY).astype(np.int64)
    rows = np.flatnonzero(explained & (at < end))
    rows = rows[np.argsort(at[rows], kind="stable")]
    return pa.table({
        "dossier_id": words(rows, dossier_id),
        "official_id": words(a.specialist[rows], world.official_id),
        "given_at": stamps(at[rows]),
        "cause": words(cause[rows], CAUSES),
        "accepted": rng.random(len(rows)) < np.where(cause[rows] == 5, 0.5, 0.85),
    })  # fmt: skip
