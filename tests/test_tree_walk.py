"""Scores of changed rows by walking only trees that ask for what changed are LightGBM's own, to the last bit."""

import errno
from pathlib import Path

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


@pytest.mark.parametrize("harm", ["no folder", "a full disk", "empty files"])
def test_a_loop_runs_also_where_its_machine_code_cannot_be_kept_or_read(
    harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from numba.core import caching, config

    from models.compiled import compiled

    def doubled(values: np.ndarray) -> None:
        for at in range(len(values)):
            values[at] *= 2

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def no_folder(*_: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    if harm == "no folder":
        monkeypatch.setattr(caching.FunctionCache, "__init__", no_folder)
    if harm == "a full disk":
        monkeypatch.setattr(caching.IndexDataCacheFile, "_save_data", full)
    if harm == "empty files":
        compiled(doubled)(np.ones(1))
        files = [one for one in tmp_path.rglob("*") if one.is_file()]
        assert len(files) == 2  # index and code
        for one in files:
            one.write_bytes(b"")
    loop, values = compiled(doubled), np.ones(3)
    for wanted in (2.0, 4.0):
        loop(values)
        assert values.tolist() == [wanted] * 3
