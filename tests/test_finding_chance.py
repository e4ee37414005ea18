"""How often visits find something, by how unusual the signals are: rising, shrunk, assumed where nobody visited."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.finding import ASSUMED, FindingChance

BANDS = (0.0, 0.5, 0.9, 0.97, 0.999)


@given(st.lists(st.tuples(st.sampled_from(BANDS), st.booleans()), min_size=1, max_size=200))
def test_chances_rise_with_the_band_and_stay_chances(pulled: list[tuple[float, bool]]) -> None:
    unusual, found = np.array([one for one, _ in pulled]), np.array([hit for _, hit in pulled], float)
    chance = FindingChance.of_visits(unusual, found, np.ones(len(pulled)))
    told = [chance.of(one) for one in BANDS]
    assert told == sorted(told)
    assert all(0 < one < 1 for one in told)
    assert chance.visited == len(pulled)


def test_without_a_visit_the_assumed_rates_stand() -> None:
    chance = FindingChance()
    assert [chance.of(one) for one in BANDS] == list(ASSUMED)
    assert chance.visited == 0


def test_many_visits_tell_their_own_rate() -> None:
    unusual, found = np.full(4000, 0.999), np.arange(4000) % 2.0
    assert FindingChance.of_visits(unusual, found, np.ones(4000)).of(0.999) == pytest.approx(0.5, abs=0.01)
