"""A province's month: 3,500 units, 60 teams, planned within a minute."""

from dataclasses import replace
from datetime import date, timedelta
from time import perf_counter

import numpy as np
import pytest

from serving.plan.plan import make
from serving.plan.rules import Team
from tests.drawn_month import DAYS, office


@pytest.mark.slow
def test_a_month_of_3500_units_and_60_teams_takes_under_a_minute() -> None:
    rng = np.random.default_rng(5)
    codes = [f"U{i:03d}" for i in range(3500)]
    teams = tuple(
        Team(
            f"T{t:02d}", "home_affairs" if t % 2 else "centre",
            units=tuple(rng.choice(codes, 5, replace=False).tolist()), visits_a_day=2, days_a_month=20,
        )
        for t in range(60)
    )  # fmt: skip
    closed = {str(code): tuple(DAYS[:3]) for code in rng.choice(codes, 200, replace=False)}
    areas = {code: f"A{i % 25}" for i, code in enumerate(codes)}
    brief = office(3500, teams=teams, closed=closed, areas=areas)
    visited = [date(2026, 12, 1) - timedelta(int(d)) for d in rng.integers(5, 200, 3500)]
    units = tuple(
        replace(unit, last_visit=day, last_team=f"T{int(rng.integers(60)):02d}")
        for unit, day in zip(brief.units, visited, strict=True)
    )
    begun = perf_counter()
    plan = make(replace(brief, units=units), "scale")
    taken = perf_counter() - begun
    assert all(quota.planned >= quota.wanted for quota in plan.quotas)
    assert len({visit.unit_code for visit in plan.visits if visit.by == "own_head"}) == 3500
    assert sum(visit.team_id is not None for visit in plan.visits) >= 2000
    assert taken < 60
