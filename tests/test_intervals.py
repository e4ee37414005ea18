"""Intervals: one module, held against scipy's own and, in SQL, against itself."""

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from features.intervals import bootstrap, byar, byar_sql, jeffreys, sum_of_chances, wilson, wilson_sql


@given(tries=st.integers(1, 5_000), share=st.floats(0, 1))
def test_wilson_is_scipys_by_the_same_normal(tries: int, share: float) -> None:
    hits = round(share * tries)
    theirs = stats.binomtest(hits, tries).proportion_ci(1 - 2 * stats.norm.sf(1.96), method="wilson")
    assert wilson(hits, tries) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@given(count=st.integers(1, 5_000))
def test_byar_lies_close_to_the_exact_limits(count: int) -> None:
    low, high = byar(count)
    exact = stats.chi2.ppf(0.025, 2 * count) / 2, stats.chi2.ppf(0.975, 2 * count + 2) / 2
    assert low == pytest.approx(exact[0], rel=0.01, abs=0.02)
    assert high == pytest.approx(exact[1], rel=0.01)
    assert low < count < high


def test_sql_says_the_same() -> None:
    con = duckdb.connect()
    for hits, tries in ((0, 20), (7, 20), (20, 20), (1, 1_000)):
        found = con.execute(
            f"SELECT {', '.join(wilson_sql('k', 'n'))} FROM (SELECT {hits} AS k, {tries} AS n)"
        ).fetchone()
        assert found == pytest.approx(wilson(hits, tries))
        found = con.execute(f"SELECT {', '.join(byar_sql('k'))} FROM (SELECT {hits} AS k)").fetchone()
        assert found == pytest.approx(byar(hits))


@given(tries=st.integers(1, 500), share=st.floats(0, 1))
def test_jeffreys_holds_the_share(tries: int, share: float) -> None:
    hits = round(share * tries)
    low, high = jeffreys(hits, tries)
    assert 0 <= low <= hits / tries <= high <= 1
    assert low < high


def test_a_bootstrap_leaves_out_where_a_figure_is_not_defined() -> None:
    draws = np.append(np.arange(1001.0), np.nan)
    assert bootstrap(draws) == pytest.approx((25, 975))
    assert np.isnan(bootstrap(np.array([np.nan]))).all()


@given(chances=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_a_sum_of_chances_is_scipys(chances: list[float]) -> None:
    theirs = stats.poisson_binom(chances)
    low, high = sum_of_chances(np.array(chances))
    for value, share in ((low, 0.025), (high, 0.975)):
        assert theirs.cdf(value) >= share - 1e-9
        assert value == 0 or theirs.cdf(value - 1) <= share + 1e-9


@given(chances=st.lists(st.floats(-1, 1), max_size=12))
def test_what_counts_down_mirrors_what_counts_up(chances: list[float]) -> None:
    low, high = sum_of_chances(np.array(chances))
    assert low <= high
    assert -sum(one < 0 for one in chances) <= low
    assert high <= sum(one > 0 for one in chances)
    mirrored = sum_of_chances(-np.array(chances))
    assert abs(mirrored[0] + high) <= 1
    assert abs(mirrored[1] + low) <= 1


def test_a_sum_of_nothing_is_nothing() -> None:
    assert sum_of_chances(np.zeros(0)) == (0, 0)
    assert sum_of_chances(np.array([1.0, 1.0, -1.0])) == (1, 1)
