"""Trees learnt by two worker processes are as good as those of one machine, and ship the same way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.calendar.vietnam import VIETNAM
from features.record.delivery import Chunk
from features.record.record import Record
from features.simulate import simulate
from models.artefact import load
from models.booster import TreeMember, check
from training import dask_trees
from training.fit import RECIPES
from training.gates import against
from training.landmark_parts import extend
from training.members import fit_encoder, fit_trees, hidden
from training.run import train
from training.split import at_origin
from training.training_set import gather

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
CUTOFF = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    pytest.importorskip("distributed", reason="needs the extra cluster")
    with dask_trees.connected("local") as found:
        yield found


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    found = Record(tmp_path_factory.mktemp("cluster") / "record")
    tables = simulate(seed=11, dossiers=2_500, start=date(2026, 1, 5), end=date(2026, 6, 1)).tables
    found.append([Chunk(*one) for one in tables.items()], source="canonical", arrived_at=CUTOFF)
    return found


@pytest.fixture(scope="module")
def folder(record: Record, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("parts")
    extend(record, found, CUTOFF, every=timedelta(days=1), calendar=VIETNAM)
    return found


def test_two_workers_learn_as_well_as_one_machine_and_ship_the_same(
    client: Any, record: Record, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_trees, "ROWS_OF_A_PIECE", 2_000)
    small = {"small": RECIPES["small"]}
    con = record.connect(cutoff=CUTOFF)
    trained = train(
        record, CUTOFF, tmp_path, calendar=VIETNAM, recipes=small,
        refit=lambda model, recipe: dask_trees.refit(client, con, folder, CUTOFF, model, recipe),
    )  # fmt: skip
    assert trained.model.about["cluster"]["workers"] == 2
    assert trained.model.about["cluster"]["rows"] > 5_000
    shipped = load(trained.folder, sha256=trained.sha256)
    assert np.array_equal(shipped.probability(trained.sample.matrix), trained.model.probability(trained.sample.matrix))


def test_the_same_rows_give_the_same_figures_within_noise(
    client: Any, record: Record, folder: Path, tmp_path: Path
) -> None:
    origin = datetime(2026, 4, 20, tzinfo=UTC)
    con = record.connect(cutoff=origin)
    learnt = gather(con, origin, VIETNAM)
    later = gather(record.connect(cutoff=CUTOFF), CUTOFF, VIETNAM)
    judged = later.take(at_origin(later, int(origin.timestamp() * 1e6), int(CUTOFF.timestamp() * 1e6)).judge)
    recipe = RECIPES["small"]
    encoder = fit_encoder(learnt, recipe.m)
    (tmp_path / "lesson").mkdir()
    pieces, mean = dask_trees.lesson(con, folder, origin, tmp_path / "lesson", recipe.evenness)
    seen = len(encoder.numbers) + len(encoder.rates)
    x, label, weight = map(
        np.concatenate, zip(*(dask_trees.load(piece, encoder, seen) for piece in pieces), strict=True)
    )
    assert 0.02 < label.mean() < 0.98
    assert np.isclose(weight.mean(), mean)
    alone = fit_trees(x.astype(float), label, weight / mean, recipe, encoder.columns)
    together = dask_trees._fit(client, pieces, mean, encoder, recipe, recipe.seed)
    assert check(together.encode(), len(encoder.columns)) == recipe.rounds
    shown = hidden(encoder.encode(judged.matrix), seen)
    one, other = alone.log_odds(shown), TreeMember(together).log_odds(shown)
    difference = against(judged.label, 1 / (1 + np.exp(-other)), 1 / (1 + np.exp(-one)), judged.dossier)["auc"]
    assert abs(difference.value) < 0.01
    assert difference.low <= 0.002
    assert difference.high >= -0.002


def test_a_folder_without_ripe_landmarks_is_refused(record: Record, tmp_path: Path) -> None:
    extend(record, tmp_path / "parts", datetime(2026, 1, 13, tzinfo=UTC), calendar=VIETNAM)
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match="both outcomes"):
        dask_trees.lesson(
            record.connect(cutoff=CUTOFF), tmp_path / "parts", datetime(2026, 1, 6, tzinfo=UTC), tmp_path / "out", 0.5
        )
