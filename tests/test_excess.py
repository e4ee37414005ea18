"""Observed against expected events: shrinkage, flags, and silence where there is not enough data."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.excess import FALSE_DISCOVERY, RATIO, exceedance_percentile, excess

MANY = 200


def drawn(ratio: np.ndarray, seed: int, mean: float = 6.0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    expected = random.gamma(4, mean / 4, len(ratio))
    group = random.integers(0, 10, len(ratio))
    return random.poisson(expected * ratio), expected, group, np.full(len(ratio), 100)


def test_planted_excess_is_flagged_and_interval_holds_it() -> None:
    ratio = np.ones(MANY)
    ratio[:10] = 5.0
    told = excess(*drawn(ratio, 1, mean=10))
    assert told.flag[:10].mean() >= 0.8
    assert ((told.low[:10] < 5) & (told.high[:10] > 2)).all()


def test_false_flags_stay_within_the_promised_rate_over_many_draws() -> None:
    false = flagged = 0
    for seed in range(40):
        ratio = np.ones(MANY)
        ratio[:20] = 4.0
        told = excess(*drawn(ratio, seed))
        flagged += told.flag.sum()
        false += (told.flag & (ratio <= RATIO)).sum()
    assert flagged > 200
    assert false / flagged <= FALSE_DISCOVERY


def test_with_nothing_planted_hardly_anybody_is_flagged() -> None:
    flagged = [excess(*drawn(np.ones(MANY), seed)).flag.sum() for seed in range(40)]
    assert np.mean(flagged) < 0.2


def test_few_dossiers_give_no_flag_however_many_events() -> None:
    observed, expected, group, handled = drawn(np.ones(MANY), 3)
    observed[0], handled[0] = 200, 19
    told = excess(observed, expected, group, handled)
    assert told.above[0] > 0.99
    assert not told.enough[0]
    assert not told.flag[0]


def test_a_small_office_is_shrunk_more_than_a_large_one() -> None:
    observed = np.concatenate([[3, 30], np.random.default_rng(0).poisson(5, 300)])
    expected = np.concatenate([[1, 10], np.full(300, 5.0)])
    told = excess(observed, expected, np.zeros(302), np.full(302, 50))
    assert 1 < told.mean[0] < told.mean[1] < 3


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 50)), min_size=1, max_size=30))
def test_mean_lies_in_its_interval_whatever_was_observed(pairs: Any) -> None:
    observed = np.array([k for k, _ in pairs], float)
    expected = np.array([e for _, e in pairs])
    told = excess(observed, expected, np.zeros(len(pairs)), np.full(len(pairs), 99))
    assert (told.low <= told.mean).all()
    assert (told.mean <= told.high).all()
    assert ((told.above >= 0) & (told.above <= 1)).all()


@pytest.mark.parametrize("bad", [np.array([-1.0]), np.array([np.nan])])
def test_impossible_input_is_refused(bad: Any) -> None:
    with pytest.raises(ValueError, match="wanted"):
        excess(bad, np.ones(1), np.zeros(1), np.ones(1))


def test_the_share_below_is_a_half_on_average_however_much_was_expected() -> None:
    random = np.random.default_rng(5)
    means: dict[float, list[float]] = {0.05: [], 2.0: [], 60.0: []}
    for _ in range(60):
        expected = np.repeat(list(means), 100)
        kinds = [
            excess(random.poisson(expected * random.gamma(4, 0.25, 300)), expected, np.zeros(300), np.full(300, 50))
            for _ in range(3)
        ]
        share = exceedance_percentile(kinds)
        for much, told in means.items():
            told.append(float(share[expected == much].mean()))
    assert [np.mean(told) for told in means.values()] == pytest.approx([0.5] * 3, abs=0.03)


def test_the_share_below_rises_with_events_and_falls_with_what_was_expected() -> None:
    observed, expected = np.array([0, 3, 9, 200, 9, 9]), np.array([4.0, 4.0, 4.0, 4.0, 9.0, 0.01])
    one = excess(observed, expected, np.zeros(6), np.full(6, 50))
    share = exceedance_percentile([one])
    assert (np.diff(share[:4]) > 0).all()
    assert share[5] > share[2] > share[4]
    assert ((share >= 0) & (share <= 1)).all()
    never = excess(np.zeros(6), np.zeros(6), np.zeros(6), np.full(6, 50))
    assert exceedance_percentile([never]) == pytest.approx(np.full(6, 0.5)), (
        "of whom nothing was expected nothing is said"
    )
    assert exceedance_percentile([one, never])[3] == pytest.approx(share[3])
