"""The draw: probabilities meet the budget, the size is exact, inclusion is what was promised, caps hold."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from serving.plan.draw import draw, fractions, keyed_uniform, seed_hash
from serving.plan.inclusion import Cap, inclusion


@st.composite
def offices(draw_: st.DrawFn) -> tuple[np.ndarray, int, float, float, list[Cap]]:
    """A drawn office: utilities, a budget within its caps, a random share, a power."""
    n = draw_(st.integers(1, 60))
    utility = np.array(draw_(st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=n, max_size=n)))
    official = np.array(draw_(st.lists(st.integers(0, 9), min_size=n, max_size=n)))
    unit = official // draw_(st.integers(1, 4))
    per_official, per_unit = draw_(st.integers(1, 5)), draw_(st.integers(1, 12))
    caps = draw_(st.sampled_from([[], [Cap(unit, per_unit)], [Cap(official, per_official), Cap(unit, per_unit)]]))
    room = float(n)
    if caps:
        inner = np.minimum(np.bincount(official), per_official) if len(caps) == 2 else np.bincount(official)
        room = np.minimum(np.bincount(_unit_of(official, unit), inner), per_unit).sum()
    budget = draw_(st.integers(1, int(room)))
    return utility, budget, draw_(st.floats(0, 1)), draw_(st.floats(0, 8)), caps


def _unit_of(official: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """The unit of each official code, 0 for codes that nobody has (they hold nothing)."""
    of = np.zeros(official.max() + 1, dtype=int)
    of[official] = unit
    return of


@settings(max_examples=100)
@given(offices(), st.text(min_size=1, max_size=8))
def test_probabilities_meet_the_budget_and_the_draw_its_size_and_caps(office: Any, seed: str) -> None:
    utility, budget, share, power, caps = office
    p = inclusion(utility, budget, share, power, caps)
    assert abs(p.sum() - budget) < 1e-6
    assert (p <= 1).all()
    assert share == 0 or (p > 0).all()
    for cap in caps:
        assert (np.bincount(cap.groups, p) <= cap.most + 1e-9).all()
    taken = draw(p, [f"d{i}" for i in range(len(p))], seed, "test", caps)
    assert len(taken) == budget == len(set(taken.tolist()))
    for cap in caps:
        assert (np.bincount(cap.groups[taken], minlength=1) <= cap.most).all()
    assert p[taken].min() > 0


@settings(max_examples=60)
@given(offices())
def test_higher_utility_never_has_a_lower_probability(office: Any) -> None:
    utility, budget, share, power, _ = office
    p = inclusion(utility, budget, share, power)
    rising = p[np.argsort(utility, kind="stable")]
    assert (np.diff(rising) >= -1e-9).all()


@pytest.mark.parametrize("capped", [False, True])
def test_over_seeds_each_item_is_drawn_as_often_as_promised(capped: bool) -> None:
    rng = np.random.default_rng(7)
    utility = rng.gamma(0.5, size=40)
    unit = np.arange(40) // 8
    caps = [Cap(unit, 3)] if capped else []
    p = inclusion(utility, 10, 0.2, 2.0, caps)
    names = [f"u{i}" for i in range(40)]
    runs = 1500
    drawn = np.zeros(40)
    for run in range(runs):
        drawn[draw(p, names, f"seed {run}", "chi", caps)] += 1
    free = p < 1 - 1e-9
    # an exact-size draw varies less than independent draws, whose χ² is therefore an upper bound
    assert stats.chi2.sf(_chi2(drawn[free], p[free], runs), free.sum() - 1) > 1e-3
    assert (drawn[~free] == runs).all()


def test_a_wrong_draw_would_be_caught_by_the_same_statistic() -> None:
    """The χ² above is a test that can fail: drawing all alike while promising tempered chances is found."""
    rng = np.random.default_rng(7)
    p = inclusion(rng.gamma(0.5, size=40), 10, 0.2, 2.0)
    flat = np.full(40, 0.25)
    drawn = np.zeros(40)
    for run in range(500):
        drawn[draw(flat, [f"u{i}" for i in range(40)], f"seed {run}", "chi")] += 1
    free = p < 1 - 1e-9
    assert stats.chi2.sf(_chi2(drawn[free], p[free], 500), free.sum() - 1) < 1e-6


def _chi2(drawn: np.ndarray, p: np.ndarray, runs: int) -> float:
    return float((((drawn - runs * p) ** 2) / (runs * p * (1 - p))).sum())


def test_a_draw_depends_on_the_seed_and_the_names_not_on_the_order_of_input() -> None:
    p = inclusion(np.arange(1.0, 31.0), 6)
    names = np.array([f"u{i:02d}" for i in range(30)])
    first = set(names[draw(p, list(names), "s", "x")])
    turned = np.random.default_rng(1).permutation(30)
    again = {str(names[turned][i]) for i in draw(p[turned], list(names[turned]), "s", "x")}
    assert first == again
    assert first != set(names[draw(p, list(names), "t", "x")])


def test_fractions_are_those_of_the_written_rule() -> None:
    assert keyed_uniform("seed", "use", "unit") == pytest.approx(0.4282489, abs=1e-6)
    assert stats.kstest(fractions("s", "l", map(str, range(5000))), "uniform").pvalue > 0.01
    assert seed_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("utility", "budget", "words"),
    [
        ([1.0, 2.0], 3, "budget from 1 to the 2"),
        ([1.0, np.nan], 1, "finite"),
        ([-1.0, 1.0], 1, "not negative"),
    ],
)
def test_impossible_wishes_are_refused(utility: list[float], budget: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        inclusion(np.array(utility), budget)


def test_a_budget_beyond_the_caps_is_refused_with_the_room_left() -> None:
    with pytest.raises(ValueError, match="room for 2 of the 3"):
        inclusion(np.ones(6), 3, caps=[Cap(np.array([0, 0, 0, 1, 1, 1]), 1)])
