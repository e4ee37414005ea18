"""The Chicago replay: reordering counted right, severity kept out of the score, history of earlier days alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench.replay.chicago_history import with_history
from tests.bench.replay.reorder import Window, bootstrap, by_chance, days_earlier, gain
from training.severity import fit_ridge, learn

VISITS = st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.integers(0, 2)), min_size=3, max_size=25)


def test_days_earlier_of_a_window_drawn_by_hand() -> None:
    # places A..D are visited on days 1, 2, 3, 4; D alone has a finding. A score that puts it first gains 3 days.
    window = Window(np.array([1, 2, 3, 4]), np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))
    score = np.array([0.1, 0.2, 0.3, 0.9])
    assert gain(window, score).days == 3
    assert gain(window, score).inside == 1, "its own group goes on days 3 and 4 only"
    assert by_chance(window).days == 4 - 2.5
    assert by_chance(window).inside == 4 - 3.5


@settings(max_examples=25)
@given(VISITS, st.integers(0, 1000))
def test_the_expected_gain_of_chance_is_the_mean_over_orders(rows: list[tuple[int, bool, int]], seed: int) -> None:
    day, found, group = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    rng = np.random.default_rng(seed)
    found[rng.integers(len(found))] = 1
    window = Window(day, found, group)
    orders = rng.random((300, len(day)))
    spread = max(float(day.max() - day.min()), 1.0)
    for figure, groups in (("days", np.zeros_like(group)), ("inside", group)):
        mean = np.mean([days_earlier(window, order, groups) for order in orders])
        assert mean == pytest.approx(getattr(by_chance(window), figure), abs=0.3 * spread)


@settings(max_examples=60)
@given(VISITS, st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_what_a_team_adds_never_changes_the_order_inside_groups(
    rows: list[tuple[int, bool, int]], severity: list[float]
) -> None:
    day, found, group = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    found[0] = 1
    window = Window(day, found, group)
    score = np.random.default_rng(1).random(len(day))
    moved = score + np.array(severity)[group]
    assert days_earlier(window, moved, group) == pytest.approx(days_earlier(window, score, group))


def test_a_strict_team_is_found_and_kept_out_of_the_risk_of_places() -> None:
    rng = np.random.default_rng(3)
    n = 6000
    place = rng.normal(size=(n, 2))
    team = rng.integers(0, 3, n)
    team = np.where(place[:, 1] > 1, 2, team)  # the strict team goes to places of one kind, which are no worse
    severity = np.array([-2.5, -1.5, 0.0])
    found = (rng.random(n) < 1 / (1 + np.exp(-(severity[team] + place[:, 0])))).astype(np.int64)
    learnt = learn(place, found, team, trees=False)
    plain = learn(place, found, team, trees=False, offset=False)
    gaps = learnt.severity - learnt.severity[0]
    assert gaps == pytest.approx(severity - severity[0], abs=0.3)
    assert abs(learnt.ridge.coefficients[2]) < 0.08
    assert abs(plain.ridge.coefficients[2]) > 0.2, "without the offset the strict team's places look worse"
    assert learnt.ridge.coefficients[1] == pytest.approx(1.0, abs=0.1)


def test_ridge_converges_where_plain_newton_would_run_away() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=400), np.r_[np.full(4, 60.0), np.zeros(396)]])
    found = np.r_[np.ones(4), np.zeros(396)].astype(np.int64)
    ridge = fit_ridge(x, found, np.full(400, -6.0))
    assert np.isfinite(ridge.coefficients).all()
    assert np.abs(ridge.predict(x)).max() < 50


def visits(rows: Sequence[tuple[int, int, str | None, float]]) -> pd.DataFrame:
    """Visits (place, day, team, critical) of one postcode; the other kinds were not found."""
    table = pd.DataFrame(rows, columns=["place", "day", "team", "critical"])
    return table.assign(postcode=1, risk_class=1.0, serious=0.0, minor=0.0, failed=0.0, visit_id=range(len(table)))


def test_a_clean_visit_by_a_strict_team_says_more_than_one_by_a_lax_team() -> None:
    past: list[tuple[int, int, str | None, float]] = [(9, day, "strict", 1.0) for day in range(60)]
    past += [(9, day, "lax", 0.0) for day in range(60)]
    table = visits([*past, (1, 100, "strict", 0.0), (2, 100, "lax", 0.0), (3, 100, "lax", 1.0)])
    cases = pd.DataFrame({"place": [1, 2, 3, 4], "day": [200] * 4, "postcode": [1] * 4})
    got = with_history(cases, table)["beyond_critical"]
    assert got[0] < got[1] < got[2]
    assert got[3] == 0, "no history says nothing"


def test_history_is_of_earlier_days_alone_and_unknown_teams_say_nothing_of_findings() -> None:
    past: list[tuple[int, int, str | None, float]] = [(9, day, "a", float(day % 2)) for day in range(0, 40)]
    cases = pd.DataFrame({"place": [1.0], "day": [100], "postcode": [1]})
    before = with_history(cases, visits(past))
    after = with_history(cases, visits([*past, (1, 100, "a", 1.0), (1, 150, "a", 1.0)]))
    # what other places' later visits do to the overall mean enters the prior alone; a place without visits stays at 0
    assert after["beyond_critical"][0] == before["beyond_critical"][0] == 0
    assert after["visits"][0] == 0
    unknown = with_history(cases, visits([*past, (1, 90, None, 1.0)]))
    assert unknown["beyond_critical"][0] == 0
    assert unknown["visits"][0] == 1
    assert unknown["days_since"][0] == 10


@pytest.mark.slow
def test_the_official_window_meets_its_figures(shared: Path) -> None:
    from tests.bench.replay import chicago
    from tests.bench.replay.chicago_history import load

    cases, table = load(shared / "data" / "chicago_food")
    cases = with_history(cases, table)
    cases["group"] = pd.factorize(cases["team"], sort=True)[0]
    official = cases["official"].to_numpy()
    window = chicago._window(cases[official])
    city = gain(window, cases.loc[official, "city_score"].to_numpy())
    assert (round(city.auc, 3), round(city.days, 2), round(city.inside, 1)) == (0.679, 7.79, 2.0)
    risk, severity = chicago._scores(cases, ~official, official)
    own = gain(window, risk + severity)
    assert own.auc >= 0.70
    assert own.days >= 8.8
    assert own.inside >= 4.8
    low, high = bootstrap(window, risk + severity, draws=50)
    assert low.inside < own.inside < high.inside
