"""A model folder is used only when every byte and every number in it is what it should be."""

import hashlib
import json
import random
import sys
from pathlib import Path
from typing import Any

import grimp
import lightgbm
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models import booster, canary
from models.artefact import GOLDEN, MANIFEST, SIGNATURE, ArtefactError, load, save
from models.booster import TreeMember
from models.risk_model import RiskModel
from tests.drawn_model import drawn_model
from tests.drawn_sample import drawn_sample
from training.fit import LARGE, fit
from training.tracking import REQUIREMENTS


@pytest.fixture(scope="module")
def model() -> RiskModel:
    return fit(drawn_sample(), target="lateness", recipes={"large": LARGE})


def test_what_was_saved_scores_the_same_to_the_bit(model: RiskModel, tmp_path: Path) -> None:
    sha256 = save(model, tmp_path / "m")
    matrix = drawn_sample(50, seed=3).matrix
    ours, theirs = model.score(matrix), load(tmp_path / "m", sha256=sha256).score(matrix)
    assert np.array_equal(ours.log_odds, theirs.log_odds)
    assert np.array_equal(ours.contributions, theirs.contributions)
    assert sha256 == save(model, tmp_path / "again"), "the same model has the same identity"


def test_a_manifest_holds_no_code_and_no_pickle(model: RiskModel, tmp_path: Path) -> None:
    save(model, tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".txt"}
    json.loads((tmp_path / MANIFEST).read_text("utf-8"))


def test_every_changed_byte_of_a_file_is_found(model: RiskModel, tmp_path: Path) -> None:
    sha256 = save(model, tmp_path)
    rng = random.Random(1)
    for name in (MANIFEST, "trees.txt"):
        whole = (tmp_path / name).read_bytes()
        for _ in range(20):
            at = rng.randrange(len(whole))
            damaged = whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1 :]
            for data in (damaged, whole[:at]):
                (tmp_path / name).write_bytes(data)
                with pytest.raises(ArtefactError):
                    load(tmp_path, sha256=sha256)
        (tmp_path / name).write_bytes(whole)
    load(tmp_path, sha256=sha256)


def test_an_absent_file_another_format_and_a_path_are_refused(model: RiskModel, tmp_path: Path) -> None:
    save(model, tmp_path)
    said = json.loads((tmp_path / MANIFEST).read_text("utf-8"))
    changes: tuple[dict[str, Any], ...] = (
        {"format": 99}, {"weights": {"trees": -1.0}}, {"weights": {}}, {"rule": "none"}, {"features": []},
        {"calibration": {"intercept": 0, "slope": -1}}, {"calibration": {"intercept": 1e999, "slope": 1}},
        {"members": {**said["members"], "trees": {"kind": "trees", "file": "../../etc/passwd"}}},
        {"members": {**said["members"], "trees": {"kind": "pickle"}}},
    )  # fmt: skip
    for change in changes:
        (tmp_path / MANIFEST).write_text(json.dumps({**said, **change}))
        with pytest.raises(ArtefactError):
            load(tmp_path)
    for text in ("", "[]", "null", "{", '{"format": 1}'):
        (tmp_path / MANIFEST).write_text(text)
        with pytest.raises(ArtefactError):
            load(tmp_path)
    (tmp_path / MANIFEST).write_text(json.dumps(said))
    (tmp_path / "trees.txt").unlink()
    with pytest.raises(ArtefactError, match=r"trees\.txt"):
        load(tmp_path)


def test_a_signature_is_wanted_where_a_key_is_set(tmp_path: Path) -> None:
    mine, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    save(drawn_model(), tmp_path, key=mine)
    load(tmp_path, key=mine.public_key())
    with pytest.raises(ArtefactError, match="not signed by the key"):
        load(tmp_path, key=other.public_key())
    (tmp_path / SIGNATURE).unlink()
    with pytest.raises(ArtefactError, match=SIGNATURE):
        load(tmp_path, key=mine.public_key())


def test_sound_texts_pass_the_structural_check(model: RiskModel) -> None:
    trees = model.members["trees"]
    assert isinstance(trees, TreeMember)
    found = booster.check(trees.text.encode(), len(model.encoder.columns))
    assert found == lightgbm.Booster(model_str=trees.text).num_trees()


def test_texts_that_differ_in_structure_are_refused_or_say_the_same(model: RiskModel) -> None:
    """Mutants that pass must still be trees over known columns with finite leaves: LightGBM reads them safely.

    What the check can't see is another valid number in place of a number; that is what the hash is for.
    """
    trees = model.members["trees"]
    assert isinstance(trees, TreeMember)
    text, columns, rng = trees.text.encode(), len(model.encoder.columns), random.Random(7)
    end = text.index(b"end of trees")
    refused = 0
    for turn in range(400):
        at = rng.randrange(end)
        if turn % 4 == 0:
            mutant = text[:at]
        elif turn % 4 == 1:
            mutant = text[:at] + bytes([rng.randrange(128, 256)]) + text[at + 1 :]
        elif turn % 4 == 2:
            mutant = text[:at] + text[at + rng.randrange(1, 30) :]
        else:
            mutant = text[:at] + b"9" * rng.randrange(1, 40) + text[at:]
        try:
            booster.check(mutant, columns)
        except booster.Malformed:
            refused += 1
        else:  # a digit gone from a number leaves a number: LightGBM must read it and answer
            assert np.isfinite(TreeMember(mutant.decode()).log_odds(np.zeros((1, columns)))).all()
    assert refused >= 396


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("num_class=1", "num_class=3"),
        ("objective=binary sigmoid:1", "objective=regression"),
        ("max_feature_idx=", "max_feature_idx=9"),
        ("version=v4", "version=v3"),
        ("num_cat=0", "num_cat=1"),
        ("is_linear=0", "is_linear=1"),
    ],
)
def test_foreign_models_are_refused(model: RiskModel, old: str, new: str) -> None:
    trees = model.members["trees"]
    assert isinstance(trees, TreeMember)
    assert old in trees.text
    with pytest.raises(booster.Malformed):
        booster.check(trees.text.replace(old, new).encode(), len(model.encoder.columns))
    with pytest.raises(booster.Malformed):
        booster.check(trees.text.encode(), len(model.encoder.columns) + 1)


def test_a_split_that_points_at_its_parent_is_refused(model: RiskModel) -> None:
    trees = model.members["trees"]
    assert isinstance(trees, TreeMember)
    line = next(line for line in trees.text.split("\n") if line.startswith("left_child=") and " " in line)
    first = line.removeprefix("left_child=").split(" ")[0]
    looped = line.replace(f"left_child={first}", f"left_child={'0' * len(first)}", 1)
    with pytest.raises(booster.Malformed):
        booster.check(trees.text.replace(line, looped, 1).encode(), len(model.encoder.columns))


def test_the_canary_scores_golden_rows_in_a_process_of_its_own(tmp_path: Path) -> None:
    model = drawn_model()
    golden = np.array([[40.0, 0.4, 0.2, 10.0, -1.0], [np.nan, 0.9, 0.5, 3.0, 0.5]])
    save(model, tmp_path / "good", golden=golden)
    canary.fly(tmp_path / "good")
    assert canary.check(tmp_path / "good") == 2
    save(model, tmp_path / "none")
    with pytest.raises(ArtefactError, match="golden rows"):
        canary.fly(tmp_path / "none")
    save(drawn_model(0.5), tmp_path / "other", golden=golden)
    said = (tmp_path / "good" / GOLDEN).read_bytes()
    (tmp_path / "other" / GOLDEN).write_bytes(said)
    with pytest.raises(ArtefactError, match="sha256"):
        canary.check(tmp_path / "other")
    manifest = json.loads((tmp_path / "other" / MANIFEST).read_text("utf-8"))
    manifest["files"][GOLDEN] = hashlib.sha256(said).hexdigest()
    (tmp_path / "other" / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ArtefactError, match=r"log-odds differ by up to 0\.5"):
        canary.check(tmp_path / "other")


def test_a_model_on_a_tracking_server_needs_only_its_logged_requirements() -> None:
    """What `training.pyfunc` imports, however late: models and features, which go with it, and `REQUIREMENTS`.

    The slow test that serves a model in a bare environment says the same an hour later.
    """
    graph = grimp.build_graph("features", "models", "training", include_external_packages=True)
    needed, asked = set(), ["training.pyfunc"]
    while asked:
        name = asked.pop()
        if name not in needed:
            needed.add(name)
            asked += [
                *graph.find_modules_directly_imported_by(name),
                *([name.rpartition(".")[0]] if "." in name else []),
            ]
    rooms = {"features", "models", "training"}
    ours = {name for name in needed if name.split(".")[0] in rooms}
    assert {name for name in ours if name.startswith("training")} == {"training", "training.pyfunc"}
    foreign = {name.split(".")[0] for name in needed - ours} - sys.stdlib_module_names
    assert foreign <= set(REQUIREMENTS), f"log {foreign - set(REQUIREMENTS)} with the model, or import less"
    assert "features.calendar.vietnam" not in ours, "a model needs no calendar"
