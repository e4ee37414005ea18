"""Scores at the level of known outcomes: offsets add up, are shrunk, belong to one champion and can be left out."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit

from features.calendar.vietnam import VIETNAM
from models import level
from models.artefact import load
from models.encoding import Encoder, LevelOffsets, Stages
from models.level import KEYS, MOST, LevelCorrection
from models.linear import LinearMember
from models.risk_model import RiskModel
from models.rule import RuleMember
from serving.cli.job_actions import action_of
from serving.jobs.schedule import JobRules
from serving.scoring.batch import score_record
from serving.scoring.champion import champion, sign
from serving.settings import Settings
from serving.state import open_state
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts
from serving.work.witnessed_files import file_faults
from tests.drawn_model import ship
from tests.drawn_training import CUTOFF, ZERO, Office
from training.level import level_of
from training.sample import Sample

AT = datetime(2026, 3, 2, tzinfo=UTC)


def a_model() -> RiskModel:
    """A line through one number, with room for offsets."""
    encoder = Encoder(
        ("promise_used",), (), (), Stages("promise_used", (0.5,)), tuple(LevelOffsets(key) for key in KEYS)
    )
    n = len(encoder.columns)
    zero, edge = np.zeros(n), np.full(n, 1e9)
    coefficient = zero.copy()
    coefficient[0] = 2.0
    line = LinearMember(-1.0, coefficient, zero, np.ones(n), -edge, edge, zero)
    rule = RuleMember("base_rate", -1, np.zeros(1), np.full(1, -1.0), -1.0, -1.0)
    return RiskModel("lateness", encoder, {"ridge": line, "base_rate": rule}, {"ridge": 1.0}, 0.0, 1.0, "base_rate")


def rows(n: int, seed: int = 0) -> pa.Table:
    """Open dossiers of three units and two sectors; the third unit has one in fifty."""
    rng = np.random.default_rng(seed)
    return pa.table({
        "promise_used": rng.uniform(0, 1, n),
        "unit_code": rng.choice(["A", "B", "rare"], n, p=[0.49, 0.49, 0.02]).tolist(),
        "sector_code": rng.choice(["land", "health"], n).tolist(),
    })  # fmt: skip


def ripe(matrix: pa.Table, late: np.ndarray) -> Sample:
    """The rows with what became of them, a dossier each."""
    n = matrix.num_rows
    zero = np.zeros(n, np.int64)
    return Sample(matrix, late, np.arange(n), zero, zero, zero)


def a_level(sha256: str = "ab", **offsets: dict[str, float]) -> LevelCorrection:
    return LevelCorrection(sha256, AT, 500, 0.3, 0.4, 0.25, {key: offsets.get(key or "stage", {}) for key in KEYS})


def test_offsets_add_up_with_what_is_told_and_one_row_is_as_many() -> None:
    model, matrix = a_model(), rows(200)
    kept = a_level(stage={"0": 0.1, "1": -0.2}, sector_code={"land": 0.3}, unit_code={"A": -0.4}).applied(model)
    told = kept.score(matrix)
    assert np.allclose(told.base + told.contributions.sum(axis=1), told.log_odds)
    assert np.allclose(told.log_odds, kept.log_odds(kept.encoder.encode(matrix)))
    alone = [kept.encoder.encode_cells(row) for row in matrix.to_pylist()]
    assert np.array_equal(np.concatenate(alone), kept.encoder.encode(matrix))
    added = told.log_odds - model.score(matrix).log_odds
    used, unit, sector = (np.array(matrix[name].to_pylist()) for name in ("promise_used", "unit_code", "sector_code"))
    wanted = 0.25 + np.where(used < 0.5, 0.1, -0.2) + 0.3 * (sector == "land") - 0.4 * (unit == "A")
    assert np.allclose(added, wanted)
    unit_cells = told.contributions[:, told.features.index("unit_code")]
    assert np.allclose(unit_cells, np.where(unit == "A", -0.4, 0.0))  # on the cell that it belongs to


def test_a_unit_that_changed_its_ways_is_found_and_few_dossiers_move_little() -> None:
    model, matrix = a_model(), rows(6_000)
    unit = np.array(matrix["unit_code"].to_pylist())
    z = model.log_odds(model.encoder.encode(matrix)) + np.where(unit == "A", 1.0, 0.0) + 3.0 * (unit == "rare")
    late = (np.random.default_rng(1).uniform(size=len(z)) < expit(z)).astype(float)
    found = level_of(model, ripe(matrix, late), "ab", AT)
    assert found.late > found.score + 0.05
    kept = found.applied(model)
    for name in ("A", "B"):
        mine = unit == name
        assert kept.probability(matrix)[mine].mean() == pytest.approx(late[mine].mean(), abs=0.02)
    rare = found.base + found.offsets["unit_code"]["rare"]
    assert 0.4 < rare < 2.4  # of about 120 dossiers, under the 3 that they show
    assert max(abs(one) for of in found.offsets.values() for one in of.values()) <= MOST
    assert set(found.offsets["sector_code"]) == {"land", "health"}
    assert max(abs(one) for one in found.offsets["sector_code"].values()) < 0.15


def test_a_model_that_is_right_is_left_about_as_it_is() -> None:
    model, matrix = a_model(), rows(6_000)
    late = (np.random.default_rng(2).uniform(size=6_000) < model.probability(matrix)).astype(float)
    kept = level_of(model, ripe(matrix, late), "ab", AT).applied(model)
    assert np.abs(kept.probability(matrix) - model.probability(matrix)).max() < 0.06


def test_a_level_is_read_for_its_own_champion_alone(tmp_path: Path) -> None:
    said = replace(a_level("ab", unit_code={"A": 0.5}), ends=((0.05, 0.8), (0.1, 0.9)))
    level.write(tmp_path, said)
    assert level.read(tmp_path, "ab") == said
    older = json.loads((tmp_path / level.FILE).read_text())
    del older["ends"]
    (tmp_path / level.FILE).write_text(json.dumps(older))
    assert level.read(tmp_path, "ab") == replace(said, ends=())
    assert level.read(tmp_path, "cd") is None
    for broken in ("{", json.dumps({"sha256": "ab"})):
        (tmp_path / level.FILE).write_text(broken)
        with pytest.raises(ValueError, match="risk level"):
            level.read(tmp_path, "ab")
    for wrong in (replace(said, base=MOST + 0.1), replace(said, ends=((0.0, 0.9),)), replace(said, ends=((0.5, 0.9),))):
        level.write(tmp_path, wrong)
        with pytest.raises(ValueError, match="risk level"):
            level.read(tmp_path, "ab")


def test_the_champion_serves_at_its_level_and_at_that_of_its_training_where_the_file_is_damaged(tmp_path: Path) -> None:
    sha256 = ship(tmp_path, a_model(), "v1")
    folder, matrix = tmp_path / "lateness", rows(50)
    plain, before = load(folder / "v1").log_odds(load(folder / "v1").encoder.encode(matrix)), sign(folder)
    level.write(folder, a_level(sha256))
    served = champion(tmp_path, "lateness")
    assert served.level is not None
    assert served.trouble is None
    assert np.allclose(served.model.score(matrix).log_odds, plain + 0.25)
    assert sign(folder) != before
    level.write(folder, a_level("of another"))
    assert champion(tmp_path, "lateness").level is None
    (folder / level.FILE).write_text("{")
    left = champion(tmp_path, "lateness")
    assert (left.level, left.rule, left.trouble) == (None, False, None)
    assert np.allclose(left.model.score(matrix).log_odds, plain)


def test_the_weekly_job_keeps_the_level_and_tells_of_it(office: Office, tmp_path: Path) -> None:
    shutil.copytree(office.home, tmp_path / "home")
    settings = Settings.from_env(tmp_path / "home")
    rules, at = JobRules.of(settings.home, settings.zone), CUTOFF + timedelta(days=30)
    assert action_of("level")(settings, rules, at, at) == "no champion yet"
    folder = settings.models / "lateness"
    shutil.copy(folder / "candidate.json", folder / "champion.json")
    assert "too few" in action_of("level")(settings, rules, ZERO + timedelta(days=20), at)
    said = action_of("level")(settings, rules, at, at)
    assert said.startswith("level: ")
    served = champion(settings.models, "lateness")
    assert served.level is not None
    assert served.level.as_of == at
    assert served.level.dossiers > 100
    assert set(served.level.offsets) == set(KEYS)
    if served.model.remaining is not None:
        assert served.model.remaining.ends == served.level.ends
        assert len(served.level.ends) == 4
    meta, _ = score_record(settings, at, VIETNAM)
    assert meta.level == at.isoformat()
    (folder / level.FILE).write_text("{}")
    state = open_state(settings.database_url)
    try:
        faults = file_faults(settings.home, Receipts(state, Witness(settings.keys, settings.home / "receipts")))
    finally:
        state.close()
    assert [one.what.split(" is ")[0] for one in faults] == ["models/lateness/level.json"]
