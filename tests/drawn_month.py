"""A drawn month for tests of plans: units with open dossiers, three teams, four areas."""

from datetime import date, timedelta
from typing import Any

import numpy as np

from serving.plan.plan_input import PlanInput, Pull, Source, UnitBrief
from serving.plan.rules import Rules, Team

DAYS = tuple(d for d in (date(2026, 12, 1) + timedelta(i) for i in range(31)) if d.weekday() < 5)
SOURCE = Source("lateness", "2026-11-30T00:00:00+00:00", "3", "ab", "cd", 7, "ef")
TEAMS = (
    Team("home", "home_affairs", units=("U001",), visits_a_day=2, days_a_month=4),
    Team("centre-a", "centre", visits_a_day=2, days_a_month=3),
    Team("centre-b", "centre", visits_a_day=2, days_a_month=3),
)


def office(n: int = 40, seed: int = 1, **rules: object) -> PlanInput:
    """A made-up month: `n` units with 30 open dossiers of 4 officials each, a third in high-risk sectors."""
    rng = np.random.default_rng(seed)
    units = []
    for i in range(n):
        scores = np.sort(rng.beta(1, 6, 30))[::-1]
        pulls = tuple(
            Pull(f"D{i:03d}-{j:02d}", f"O{i:03d}-{rng.integers(4)}", round(float(s), 6), ("time_used",))
            for j, s in enumerate(scores)
        )
        last = date(2026, 12, 1) - timedelta(int(rng.integers(5, 120))) if rng.random() < 0.6 else None
        team = ("home", "centre-a", "centre-b")[int(rng.integers(3))] if last else None
        expected = float(scores[:16].sum() * rng.gamma(1.0))
        prior = 0.8 if i % 3 == 0 else 0.0
        confirmed = bool(rng.random() < 0.1)
        units.append(UnitBrief(f"U{i:03d}", f"Đơn vị {i}", expected, prior, last, team, confirmed, pulls))
    chosen: dict[str, Any] = {"teams": TEAMS, "areas": {f"U{i:03d}": f"A{i % 4}" for i in range(n)}, **rules}
    return PlanInput("2026-12", "Asia/Ho_Chi_Minh", DAYS, tuple(units), Rules(**chosen), SOURCE)
