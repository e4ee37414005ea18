"""SHAP values from tables are those of LightGBM itself, and add up to the score."""

import lightgbm
import numpy as np
import pytest

from models import tree_shap
from models.tree_shap import TreeShap


def trained(leaves: int, depth: int, rounds: int, seed: int, missing: bool) -> tuple[lightgbm.Booster, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1500, 12))
    x[:, 3] = np.round(x[:, 3])
    if missing:
        x[rng.random(x.shape) < 0.15] = np.nan
    filled = np.nan_to_num(x)
    y = (filled[:, 0] * filled[:, 1] + filled[:, 2] + filled[:, 3] + rng.normal(size=len(x)) > 0).astype(float)
    params = {
        "objective": "binary",
        "num_leaves": leaves,
        "max_depth": depth,
        "verbosity": -1,
        "num_threads": 1,
    }
    return lightgbm.train(params, lightgbm.Dataset(x, y, params={"verbosity": -1}), rounds), x


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize(("leaves", "depth", "rounds"), [(2, 1, 5), (8, 4, 40), (31, 6, 15), (15, -1, 10)])
def test_values_are_those_of_pred_contrib(leaves: int, depth: int, rounds: int, missing: bool) -> None:
    booster, x = trained(leaves, depth, rounds, seed=leaves, missing=missing)
    odd = np.array([[np.nan] * 12, [0.0] * 12, [np.inf] * 12, [-np.inf] * 12])
    rows = np.vstack([x[:300], odd])
    told = booster.predict(rows, pred_contrib=True)
    shap = TreeShap(booster.model_to_string(), 12)
    assert shap.base == pytest.approx(told[0, -1], abs=1e-12)
    np.testing.assert_allclose(shap.rows(rows), told[:, :-1], atol=1e-12)
    np.testing.assert_allclose([shap.row(row) for row in rows[:40]], told[:40, :-1], atol=1e-12)
    raw = booster.predict(rows, raw_score=True)
    np.testing.assert_allclose(shap.rows(rows).sum(1) + shap.base, raw, atol=1e-9)


def test_chunks_and_threads_change_nothing() -> None:
    booster, x = trained(8, 4, 20, seed=1, missing=True)
    many = np.tile(x, (12, 1))
    text = booster.model_to_string()
    assert np.array_equal(TreeShap(text, 12, threads=2).rows(many)[-len(x) :], TreeShap(text, 12).rows(x))


@pytest.mark.parametrize("missing", [False, True])
def test_compiled_and_not_the_values_are_the_same_to_the_bit(missing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    booster, x = trained(31, 6, 15, seed=5, missing=missing)
    x = np.vstack([x, [[np.nan] * 12, [0.0] * 12, [np.inf] * 12, [-np.inf] * 12]])
    shap = TreeShap(booster.model_to_string(), 12, threads=2)
    plain = shap.rows(x)
    monkeypatch.setattr(tree_shap, "COMPILED_FROM", 1)
    assert np.array_equal(shap.rows(x), plain)
    np.testing.assert_allclose(shap.rows(x), booster.predict(x, pred_contrib=True)[:, :-1], atol=1e-12)


def test_a_model_without_splits_says_the_same_of_everybody() -> None:
    x = np.zeros((50, 3))
    booster = lightgbm.train({"objective": "binary", "verbosity": -1}, lightgbm.Dataset(x, np.arange(50) % 2), 2)
    shap = TreeShap(booster.model_to_string(), 3)
    assert np.array_equal(shap.rows(x), np.zeros((50, 3)))
    assert np.array_equal(shap.row(x[0]), np.zeros(3))


def test_native_categories_are_refused() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 9, size=(800, 1)).astype(float)
    y = (x[:, 0] % 3 == 1).astype(float)
    data = lightgbm.Dataset(x, y, categorical_feature=[0], params={"verbosity": -1})
    booster = lightgbm.train({"objective": "binary", "verbosity": -1, "min_data_per_group": 1}, data, 3)
    with pytest.raises(ValueError, match="native categories"):
        TreeShap(booster.model_to_string(), 1)
