"""Scores of changed rows by walking only trees that ask for what changed are LightGBM's own, to the last bit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models import booster
from models.booster import TreeMember
from models.tree_walk import Variants
from tests.test_tree_shap import trained


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("leaves", [2, 31])
def test_walked_and_predicted_log_odds_are_the_same_to_the_bit(
    leaves: int, missing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lightgbm, x = trained(leaves, 6, 15, seed=leaves, missing=missing)
    member = TreeMember(lightgbm.model_to_string(), threads=2)
    rng = np.random.default_rng(4)
    of = np.sort(rng.integers(0, 300, 2_000))
    cells = rng.integers(0, len(of), 5_000)  # some change none, some several
    value = np.where(rng.random(5_000) < 0.2, np.nan, rng.normal(size=5_000))
    variants = Variants.of_cells(x, of, cells, rng.integers(0, 12, 5_000), value)
    plain = member.log_odds_of_variants(variants)
    written = np.concatenate(list(variants.rows()))
    assert np.array_equal(plain, lightgbm.predict(written, raw_score=True))
    assert all(np.array_equal(variants.column_at(at), written[:, at], equal_nan=True) for at in range(12))
    monkeypatch.setattr(booster, "WALKED_FROM", 1)
    assert np.array_equal(member.log_odds_of_variants(variants), plain)
    assert np.abs(plain - lightgbm.predict(x[of], raw_score=True)).max() > 0.1


def test_trees_without_splits_are_walked() -> None:
    text = trained(2, 1, 1, seed=1, missing=False)[0].model_to_string()
    alone = text.replace("num_leaves=2", "num_leaves=1")
    from models.tree_walk import TreeWalk

    some = Variants.of_cells(np.zeros((3, 12)), np.array([0, 2]), np.array([1]), np.array([0]), np.array([5.0]))
    first = float(text.partition("leaf_value=")[2].split()[0])
    assert TreeWalk(alone).log_odds(some).tolist() == [first, first]


@pytest.mark.parametrize("writable", [True, False])
def test_a_loop_is_compiled_where_its_machine_code_can_be_kept_and_where_it_cannot(
    writable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numba

    from models.compiled import compiled

    asked: list[bool] = []

    def njit(*, nogil: bool, cache: bool = False) -> Callable[[Any], Any]:
        asked.append(cache)
        if cache and not writable:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(numba, "njit", njit)
    assert compiled(print) is print
    assert asked == ([True] if writable else [True, False])
