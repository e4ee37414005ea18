"""Tuning and ablation: inside the training period only, warm-started, and worth what was planted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from models import booster
from tests.drawn_sample import drawn_sample
from training.ablate import ablate, as_section, blocks_of, put_on_card
from training.bagging import mean_of
from training.fit import RECIPES, SMALL
from training.members import Recipe, fit_ridge, fit_trees
from training.split import rolling
from training.tune import keep, recipes_of, stored_recipes, tune

TINY = Recipe(rounds=30, trees={"num_leaves": 7, "bagging_fraction": 0.7, "bagging_freq": 1})


def test_a_bag_of_seeds_is_one_model_that_says_their_mean() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 4))
    label = (rng.random(1500) < 1 / (1 + np.exp(-2 * x[:, 0]))).astype(float)
    weight = np.ones(1500)
    alone = [fit_trees(x, label, weight, replace(TINY, seed=TINY.seed + bag)) for bag in range(3)]
    bagged = fit_trees(x, label, weight, replace(TINY, bags=3))
    booster.check(bagged.text.encode(), 4)
    assert np.allclose(bagged.log_odds(x), np.mean([one.log_odds(x) for one in alone], axis=0), atol=1e-12)
    base, terms = bagged.contributions(x[:50])
    assert np.allclose(base + terms.sum(axis=1), bagged.log_odds(x[:50]), atol=1e-9)
    assert mean_of([alone[0].text]) == alone[0].text
    with pytest.raises(ValueError, match="at least one model"):
        mean_of([])


def test_a_monotone_recipe_keeps_the_declared_direction_and_a_free_one_does_not() -> None:
    """Noise that by chance rises with the time left: more time left must never raise the score."""
    rng = np.random.default_rng(3)
    left = rng.uniform(0, 100, (800, 1))
    label = (rng.random(800) < 0.3 + 0.004 * left[:, 0]).astype(float)
    ladder = np.linspace(0, 100, 200)[:, None]
    free, bound = (
        fit_trees(left, label, np.ones(800), replace(TINY, monotone=monotone), ["hours_left"]).log_odds(ladder)
        for monotone in (False, True)
    )
    assert (np.diff(free) > 0).any()
    assert (np.diff(bound) <= 1e-12).all()


def test_what_an_office_moves_only_raises_a_score_in_every_recipe() -> None:
    """A past in which those whose promise was set anew ended in time: no reason to be trusted once more."""
    rng = np.random.default_rng(4)
    load, resets = rng.normal(size=800), rng.integers(0, 3, 800).astype(float)
    label = (rng.random(800) < 1 / (1 + np.exp(resets - load))).astype(float)
    x, columns = np.column_stack([load, resets]), ["unit_open", "resets"]
    ladder = np.column_stack([np.zeros(3), np.arange(3.0)])
    for names, only_raises in ((columns, True), (["unit_open", "something"], False)):
        trees = fit_trees(x, label, np.ones(800), TINY, names).log_odds(ladder)
        ridge = fit_ridge(x, label, np.ones(800), 1.0, names).log_odds(ladder)
        for odds in (trees, ridge):
            assert bool((np.diff(odds) >= -1e-12).all()) == only_raises
    constant = np.column_stack([load, np.zeros(800)])
    assert fit_trees(constant, label, np.ones(800), TINY, columns).text == (
        fit_trees(constant, label, np.ones(800), TINY, ["unit_open", "something"]).text
    )  # a record in which nobody moves a promise is learnt from as ever


def test_tuning_starts_from_the_standing_recipes_and_never_sees_the_latest_slice() -> None:
    sample = drawn_sample(500)
    origin = rolling(sample)[-1].origin
    hidden = replace(sample, label=np.where(sample.received_at >= origin, 1 - sample.label, sample.label))
    one, other = (tune(drawn, lambda: False, most=4) for drawn in (sample, hidden))
    assert [trial.recipe.rounds for trial in one.trials[:2]] == [recipe.rounds for recipe in RECIPES.values()]
    assert len({trial.loss for trial in one.trials}) > 1
    assert [trial.loss for trial in one.trials] == [trial.loss for trial in other.trials]
    assert tune(sample, lambda: True).trials[-1].recipe.rounds == list(RECIPES.values())[-1].rounds, "all standing ones"
    with pytest.raises(ValueError, match="two later slices"):
        tune(sample.take(np.arange(30)), lambda: True)


def test_the_best_recipe_is_kept_and_starts_the_next_tuning(tmp_path: Path) -> None:
    assert recipes_of(tmp_path) == RECIPES
    sample = drawn_sample(500)
    found = tune(sample, lambda: False, most=4)
    keep(tmp_path, found, datetime(2026, 1, 1, tzinfo=UTC))
    kept = stored_recipes(tmp_path)
    assert kept[0] == found.best.recipe
    assert list(recipes_of(tmp_path)) == [*RECIPES, "tuned"]
    tried = [trial.recipe for trial in tune(sample, lambda: False, before=kept, most=6).trials]
    assert kept[0].trees["learning_rate"] in {recipe.trees["learning_rate"] for recipe in tried}


def test_the_block_that_carries_the_truth_earns_its_place_and_noise_does_not(tmp_path: Path) -> None:
    sample = drawn_sample(1200)
    zeal = pa.array(np.random.default_rng(5).normal(size=len(sample)))
    sample = replace(sample, matrix=sample.matrix.append_column("zeal", zeal))
    blocks, n = ablate(sample, replace(SMALL, rounds=60), draws=100)
    said = {block.name: block for block in blocks}
    assert said["official_load"].earns
    assert not said["zeal"].earns
    assert blocks[0].loss.value == max(block.loss.value for block in blocks)
    card = tmp_path / "ablation.md"
    for name, about in (("drawn", "once"), ("other", "beside"), ("drawn", "again")):
        put_on_card(card, as_section(blocks, n, name, about))
    text = card.read_text("utf-8")
    assert text.count("| official_load | 1 |") == 2, "a section a record, the later in place of the older"
    assert f"again; {n:,} judged" in text
    assert "\nonce;" not in text


def test_blocks_are_the_declared_groups_and_keys_belong_to_none() -> None:
    found = blocks_of(["dossier_id", "as_of", "days_left", "official_open", "x_form"])
    assert "x_form" in found
    assert not {"dossier_id", "as_of"} & {name for columns in found.values() for name in columns}
