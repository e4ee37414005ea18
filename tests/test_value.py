"""Value of a list: estimators recover a known truth, intervals and bounds hold it, the loop is read right."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.loop import guessability, hit_rate, monitor
from models.value import bounds, doubly_robust, hajek
from serving.plan.draw import draw
from serving.plan.inclusion import inclusion


def population(n: int = 300, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Risk and truth of made-up units: the truth follows the risk, with noise."""
    rng = np.random.default_rng(seed)
    risk = rng.beta(1, 5, n)
    return risk, (rng.random(n) < risk).astype(float)


def test_hajek_and_doubly_robust_cover_the_truth_where_the_plain_mean_is_far_off() -> None:
    risk, truth = population(800)
    p = inclusion(risk, 200, 0.2, 1.0)
    names = [f"u{i}" for i in range(len(risk))]
    covered = np.zeros(2)
    plain, found, robust = [], [], []
    for run in range(200):
        taken = draw(p, names, f"run {run}", "value")
        by_weight = hajek(truth[taken], p[taken])
        by_model = doubly_robust(truth[taken], p[taken], risk[taken], risk)
        covered += [e.low <= truth.mean() <= e.high for e in (by_weight, by_model)]
        plain.append(truth[taken].mean())
        found.append(by_weight.value)
        robust.append(by_model.value)
    assert np.mean(plain) > 1.2 * truth.mean()
    assert np.mean(found) == pytest.approx(truth.mean(), rel=0.05)
    assert np.mean(robust) == pytest.approx(truth.mean(), rel=0.05)
    assert (covered / 200 > 0.9).all()


def test_the_doubly_robust_estimate_survives_wrong_probabilities_when_the_model_is_right() -> None:
    rng = np.random.default_rng(1)
    risk = rng.uniform(0.05, 0.5, 400)
    taken = rng.random(400) < risk  # drawn by risk, but logged as equal chances
    wrong = np.full(taken.sum(), taken.mean())
    assert abs(doubly_robust(risk[taken], wrong, risk[taken], risk).value - risk.mean()) < 1e-9
    assert abs(hajek(risk[taken], wrong).value - risk.mean()) > 0.05


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.01, 1)), min_size=1, max_size=8), st.floats(1, 4))
def test_bounds_are_the_extremes_over_all_admissible_weights(rows: list[tuple[float, float]], gamma: float) -> None:
    y, p = np.array(rows).T
    low, high = bounds(y, p, gamma)
    odds = 1 / p - 1
    corners = np.array(np.meshgrid(*[[1 + o / gamma, 1 + o * gamma] for o in odds])).reshape(len(y), -1)
    means = (corners * y[:, None]).sum(0) / corners.sum(0)
    assert low == pytest.approx(means.min(), abs=1e-9)
    assert high == pytest.approx(means.max(), abs=1e-9)
    assert low - 1e-9 <= hajek(y, p).value <= high + 1e-9


def test_few_or_no_draws_claim_nothing() -> None:
    nothing = hajek(np.array([]), np.array([]))
    assert nothing.n == 0
    assert np.isnan(nothing.value)
    one = hajek(np.array([1.0]), np.array([0.5]))
    assert (one.low, one.high) == (-np.inf, np.inf)
    with pytest.raises(ValueError, match="one probability"):
        hajek(np.array([1.0]), np.array([0.0]))


def test_a_census_has_no_error() -> None:
    y = np.array([0.0, 1.0, 1.0])
    estimate = hajek(y, np.ones(3))
    assert estimate.low == estimate.value == estimate.high == pytest.approx(2 / 3)


def test_a_list_that_repeats_itself_is_guessed_and_a_drawn_one_is_not() -> None:
    everyone = [f"u{i}" for i in range(50)]
    same = [set(everyone[:10])] * 6
    rng = np.random.default_rng(0)
    drawn = [set(rng.choice(everyone, 10, replace=False).tolist()) for _ in range(40)]
    turn = [{everyone[(10 * k + i) % 50] for i in range(10)} for k in range(12)]
    assert guessability(same, everyone) == 1.0
    assert guessability(turn, everyone) == pytest.approx(1.0, abs=0.12), "taking turns is guessed too"
    assert guessability(drawn, everyone) == pytest.approx(0.5, abs=0.06)
    assert guessability(same[:2], everyone) is None


def test_the_monitor_tells_repeats_never_visited_and_both_hit_rates() -> None:
    loop = monitor([{"a", "b"}, {"b", "c"}], ["a", "b", "c", "d"], targeted=(6, 10), random=(1, 10))
    assert loop.repeats == 0.5
    assert loop.never == ("d",)
    assert loop.targeted.rate == 0.6
    assert loop.random.low < 0.1 < loop.random.high
    assert hit_rate(0, 0).n == 0
    assert hit_rate(0, 20).low == 0
    assert hit_rate(20, 20).high == 1
