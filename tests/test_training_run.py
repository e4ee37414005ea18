"""The whole way of a training on a small record: train, promote, go back, reproduce, also after the home has moved."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from features.record.delivery import Chunk
from features.record.record import Record
from models import pointers
from models.artefact import ArtefactError, load
from models.risk_model import RiskModel
from tests.drawn_training import CUTOFF, Office
from training.backtest import backtest
from training.drift import stability
from training.gates import Gate, Refused, gates_of
from training.packaging import package
from training.promote import promote, rollback
from training.reproduce import reproduce
from training.run import train
from training.time_travel import time_travel


def test_a_training_leaves_a_candidate_that_knows_where_it_comes_from(office: Office) -> None:
    said = pointers.read(office.home / "models" / "lateness", "candidate")
    assert said is not None
    assert said["version"] == office.trained.version
    model = load(office.trained.folder, sha256=said["sha256"])
    for name in ("cutoff", "record_version", "git_commit", "lock_hash", "features_hash", "columns_hash"):
        assert model.about[name], name
    assert model.about["time_travel"]["holds"], model.about["time_travel"]["words"]
    assert model.about["figures"]["blend"]["auc"][0] > 0.6


def test_what_became_known_later_changes_no_training(office: Office, tmp_path: Path) -> None:
    """The same record cut off at the cutoff gives the same model to the bit."""
    truncated = Record(tmp_path / "record")
    con = office.record.connect(cutoff=CUTOFF)
    chunks = []
    for table in ("dossier", "event"):
        known = con.sql(f"SELECT * EXCLUDE (known_by, row_id, delivery_id) FROM {table}").to_arrow_table()
        rows = [{name: cell.replace(tzinfo=UTC) if isinstance(cell, datetime) else cell for name, cell in row.items()}
                for row in known.to_pylist()]  # fmt: skip
        chunks.append(Chunk(table, rows))
    truncated.append(chunks, source="drawn", arrived_at=CUTOFF + timedelta(days=400))
    again = train(truncated, CUTOFF, tmp_path / "models")
    assert np.array_equal(
        again.model.probability(office.trained.sample.matrix),
        office.trained.model.probability(office.trained.sample.matrix),
    )


def test_backtest_writes_a_row_a_landmark_and_leaves_unknown_labels_null(office: Office) -> None:
    until = CUTOFF + timedelta(days=28)
    table = backtest(office.record, CUTOFF, until, every=timedelta(days=7))
    assert table.column_names == ["cutoff", "as_of", "dossier_id", "score", "rule_score", "label"]
    rows = table.to_pylist()
    assert {row["as_of"] for row in rows} <= {CUTOFF + timedelta(days=7 * week) for week in range(5)}
    assert len({(row["as_of"], row["dossier_id"]) for row in rows}) == len(rows)
    received = dict(office.record.connect().execute("SELECT dossier_id, received_at FROM dossier").fetchall())
    for row in rows:
        due = received[row["dossier_id"]].replace(tzinfo=UTC) + timedelta(days=14)
        assert (row["label"] is None) == (due >= until)
        assert 0 < row["score"] < 1
    arrivals = backtest(office.record, CUTOFF, until, at_arrival=True).to_pylist()
    assert {row["as_of"] for row in arrivals} == {
        moment.replace(tzinfo=UTC) + timedelta(microseconds=1)
        for moment in received.values()
        if CUTOFF <= moment.replace(tzinfo=UTC) + timedelta(microseconds=1) <= until
    }


def test_promotion_goes_forward_and_back_and_is_remembered(office: Office, tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(office.home / "models", models)
    first = promote(models, "lateness", at=CUTOFF)
    changed = RiskModel(**{**vars(office.trained.model), "intercept": office.trained.model.intercept + 0.1})
    second = package(changed, office.trained.sample, CUTOFF, models)
    pointers.write(models / "lateness", "candidate", {"version": second.version, "sha256": second.sha256})
    assert promote(models, "lateness", at=CUTOFF) == second.version != first
    assert pointers.read(models / "lateness", "previous")["version"] == first  # type: ignore[index]
    assert rollback(models, "lateness", at=CUTOFF, because="calls from the land office") == first
    moves = pointers.history(models / "lateness")
    assert [(move["move"], move["version"]) for move in moves] == [
        ("promote", first), ("promote", second.version), ("rollback", first)]  # fmt: skip
    assert moves[-1]["because"] == "calls from the land office"


def test_a_refusal_names_the_gate_and_by_how_much_and_a_person_may_overrule(office: Office, tmp_path: Path) -> None:
    shutil.copytree(office.home / "models", tmp_path / "models")
    gate = Gate("rule", False, "Brier score minus the best rule's +0.0100")
    with pytest.raises(Refused, match=r"rule: Brier score minus the best rule's \+0\.0100"):
        promote(tmp_path / "models", "lateness", at=CUTOFF, gates=[gate])
    assert pointers.read(tmp_path / "models" / "lateness", "champion") is None
    promote(tmp_path / "models", "lateness", at=CUTOFF, gates=[gate], because="checked by hand")
    assert pointers.history(tmp_path / "models" / "lateness")[-1]["because"] == "checked by hand"


def test_a_candidate_of_leaked_features_is_refused(office: Office) -> None:
    about = json.loads(json.dumps(dict(office.trained.model.about)))
    assert all(gate.holds for gate in gates_of(about)), [gate for gate in gates_of(about) if not gate.holds]
    about["figures"]["blend"]["auc"] = [0.991, 0.98, 0.995]
    assert [gate.name for gate in gates_of(about) if not gate.holds] == ["leak"]
    del about["time_travel"]
    assert [gate.name for gate in gates_of(about) if not gate.holds] == ["time travel", "leak"]


def test_a_damaged_candidate_is_not_promoted(office: Office, tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(office.home / "models", models)
    text = models / "lateness" / office.trained.version / "trees.txt"
    text.write_bytes(text.read_bytes()[:-100])
    with pytest.raises(ArtefactError, match=r"trees\.txt"):
        promote(models, "lateness", at=CUTOFF)


def test_a_pointer_is_old_or_new_never_half(tmp_path: Path) -> None:
    pointers.write(tmp_path, "champion", {"version": "a", "sha256": "x"})
    (tmp_path / ".champion.1.json").write_text("{")  # what a kill in the middle of a move leaves
    assert pointers.read(tmp_path, "champion") == {"version": "a", "sha256": "x"}
    (tmp_path / "champion.json").write_text("{}")
    with pytest.raises(ValueError, match="wanted version and sha256"):
        pointers.read(tmp_path, "champion")


def test_a_model_is_reproduced_to_the_bit_also_after_the_home_moved(office: Office, tmp_path: Path) -> None:
    shutil.copytree(office.home, tmp_path / "moved")
    found = reproduce(
        Record(tmp_path / "moved" / "record"), tmp_path / "moved" / "models" / "lateness" / office.trained.version
    )
    assert found.identical, str(found)
    assert found.cases == len(office.trained.sample)


def test_the_time_travel_check_finds_a_cell_that_looks_ahead(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    from features.calendar.working_time import PLAIN_WEEK
    from features.matrix import batch as matrix

    cases = office.trained.sample.matrix.select(["dossier_id", "as_of"])
    con = office.record.connect(cutoff=CUTOFF)
    assert time_travel(office.record, matrix.build(con, cases), PLAIN_WEEK).holds
    honest = matrix.build

    def peeking(con, cases, **options):  # type: ignore[no-untyped-def]
        (count,) = con.execute("SELECT COUNT(*) FROM event").fetchall()[0]
        table = honest(con, cases, **options)
        return table.set_column(table.column_names.index("events"), "events", [[float(count)] * table.num_rows])

    monkeypatch.setattr(matrix, "build", peeking)
    found = time_travel(office.record, matrix.build(con, cases), PLAIN_WEEK)
    assert not found.holds
    assert found.differing == ("events",)


def test_the_stability_index_by_hand() -> None:
    bands = {"edges": [0.0], "shares": [0.5, 0.5, 0.0]}
    cell = np.array([-1.0] * 90 + [1.0] * 10)
    wanted = (0.9 - 0.5) * np.log(0.9 / 0.5) + (0.1 - 0.5) * np.log(0.1 / 0.5)
    assert stability(cell, bands) == pytest.approx(wanted, abs=1e-9)
