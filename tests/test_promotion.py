"""Promotion: a second person, gates on lists, reasons and the card, and a history that says who moved what."""

from __future__ import annotations

import copy
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from features.record.record import Record
from models import canary, pointers
from models.artefact import ArtefactError, load
from tests.drawn_training import CUTOFF, draw_record
from training import conduct
from training.gates import STEADY, Refused, gates_of, second_person, steady
from training.members import Recipe
from training.packaging import Trained
from training.promote import promote, rollback
from training.reproduce import reproduce
from training.run import train

AT = datetime(2026, 7, 1, tzinfo=UTC)
TINY = {"small": Recipe(rounds=20, trees={"num_leaves": 4, "bagging_fraction": 0.7, "bagging_freq": 1})}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def trained(home: Path) -> Trained:
    record = draw_record(home / "record", 400)
    return train(record, CUTOFF, home / "models", by="an", recipes=TINY)


@pytest.fixture
def models(home: Path, trained: Trained, tmp_path: Path) -> Path:
    assert trained.folder.exists()
    shutil.copytree(home / "models", tmp_path / "models")
    return tmp_path / "models"


def refusing(about: dict[str, Any]) -> list[str]:
    return [gate.name for gate in gates_of(about) if not gate.holds]


def test_who_trained_does_not_promote_unless_it_is_said_why(models: Path) -> None:
    for by in ("an", None):
        with pytest.raises(Refused, match="second person: trained by an"):
            promote(models, "lateness", at=AT, by=by)
    assert pointers.read(models / "lateness", "champion") is None
    promote(models, "lateness", at=AT, by="binh")
    promote(models, "lateness", at=AT, by="an", because="Bình is on leave")
    moves = pointers.history(models / "lateness")
    assert [(move["trained_by"], move["by"], move["because"]) for move in moves] == [
        ("an", "binh", None), ("an", "an", "Bình is on leave")]  # fmt: skip
    assert second_person(None, None).holds, "an office of one tells nobody's name"


def test_a_package_whose_canary_dies_is_not_promoted_even_with_a_reason(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(folder: Path) -> None:
        raise ArtefactError("canary: ended with -11")

    monkeypatch.setattr(canary, "fly", dead)
    with pytest.raises(ArtefactError, match="canary"):
        promote(models, "lateness", at=AT, by="binh", because="I want it")
    assert pointers.read(models / "lateness", "champion") is None
    assert not (models / "lateness" / pointers.MOVING).exists()


def test_each_gate_refuses_what_it_is_for(trained: Trained) -> None:
    about = copy.deepcopy(dict(trained.model.about))
    assert refusing(about) == []
    worse = copy.deepcopy(about)
    worse["figures"]["blend_over_rule"]["listed"] = [-0.1, -0.2, -0.05]
    assert refusing(worse) == ["list"]
    bare = copy.deepcopy(about)
    del bare["lock_hash"], bare["background"]
    assert refusing(bare) == ["card"]
    beside = copy.deepcopy(about)
    beside["champion"] = {"brier": [0.01, 0.005, 0.02], "listed": [-0.1, -0.2, -0.05]}
    beside["steadiness"] = {"reseeded": [0.2, 0.1, 0.3], "next_week": None}
    beside["figures"]["blend_over_rule"]["brier"] = [-0.02, -0.03, -0.01]
    assert refusing(beside) == ["champion", "list of champion", "reasons"]
    uncalibrated = copy.deepcopy(about)
    uncalibrated["training"]["slope"] = 2.4
    assert refusing(uncalibrated) == ["calibration"]


def test_reasons_of_a_planted_office_stay_when_the_seed_or_the_week_is_another(trained: Trained) -> None:
    said = trained.model.about["steadiness"]
    value, low, high = said["reseeded"]
    assert low <= value <= high
    assert value > STEADY
    assert steady({}).holds
    assert not steady({"reseeded": [0.3, 0.2, 0.4]}).holds


def test_a_way_back_is_a_way_forward_again(models: Path, trained: Trained) -> None:
    promote(models, "lateness", at=AT, by="binh")
    other = {"version": trained.version, "sha256": trained.sha256, "run_id": None}
    pointers.write(models / "lateness", "previous", other)
    assert rollback(models, "lateness", at=AT, by="binh", because="complaints") == trained.version
    assert pointers.history(models / "lateness")[-1]["by"] == "binh"


@pytest.mark.slow
def test_three_runs_are_reproduced_to_the_bit_here_and_after_the_home_moved(tmp_path: Path) -> None:
    """Three cutoffs, three recipes, one of them drawn from part of the dossiers."""
    from datetime import timedelta

    record = draw_record(tmp_path / "home" / "record", 350)
    bagged = {"small": TINY["small"], "tuned": Recipe(rounds=30, bags=2, monotone=True, trees=TINY["small"].trees)}
    runs = [
        train(record, CUTOFF, tmp_path / "home" / "models", recipes=TINY),
        train(record, CUTOFF - timedelta(days=14), tmp_path / "home" / "models", recipes=bagged),
        train(record, CUTOFF - timedelta(days=28), tmp_path / "home" / "models", most=900),
    ]
    draw_record(tmp_path / "home" / "record", 500)  # the record has grown since
    for run in runs:
        found = reproduce(Record(tmp_path / "home" / "record"), run.folder)
        assert found.identical, str(found)
    shutil.move(tmp_path / "home", tmp_path / "moved")
    for run in runs:
        folder = tmp_path / "moved" / "models" / "lateness" / run.version
        found = reproduce(Record(tmp_path / "moved" / "record"), folder)
        assert found.identical, str(found)
        assert load(folder).about["sampling"]["most"] == (900 if run is runs[2] else 300_000)


def test_conduct_wants_a_second_person_too(tmp_path: Path) -> None:
    (tmp_path / "conduct").mkdir()
    pointers.write(tmp_path / "conduct", "candidate", {"version": "v", "sha256": "0" * 64, "trained_by": "an"})
    for by in ("an", None):
        with pytest.raises(Refused, match="second person: trained by an"):
            conduct.promote(tmp_path, at=AT, by=by)
