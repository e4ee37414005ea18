"""Leaks planted on purpose: a candidate that was taught the answer is refused, whichever way it came in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.matrix import batch as matrix
from features.record.delivery import Chunk
from features.record.record import Record
from models import pointers
from tests.drawn_training import CUTOFF, ZERO
from training.attribute_leak import MOST_SHARE, AttributeWeight, attributes_of
from training.fit import SMALL
from training.gates import Refused, gates_of
from training.promote import promote
from training.run import train

AT = datetime(2026, 9, 1, tzinfo=UTC)


def record_of(url: Path, told: bool, noise: float = 0.0, honest: int = 0) -> Record:
    """An office whose lateness nobody can see coming; with `told` a column of the dossier says it at receipt.

    `noise`: how often that column is wrong. `honest`: attributes of three values; each of the first eight lengthens
    the work a little.
    """
    rng, own = np.random.default_rng(4), np.random.default_rng(5)
    dossier, event = [], []
    for number in range(400):
        received = ZERO + timedelta(days=float(rng.uniform(0, 180)))
        days = float(rng.gamma(4.0, 3.5))
        traits = {f"x_trait{at}": int(own.integers(3)) for at in range(honest)}
        days *= float(np.exp(0.15 * sum(traits.get(f"x_trait{at}", 1) - 1 for at in range(8))))
        wrong = bool(own.uniform() < noise)
        row = {"dossier_id": f"d{number:04}", "procedure_code": f"P{rng.integers(2)}", "unit_code": "U",
               "received_at": received, "due_at": received + timedelta(days=14)}  # fmt: skip
        row |= {name: f"v{value}" for name, value in traits.items()}
        dossier.append(row | ({"x_closed_as": "late" if (days > 14) != wrong else "in time"} if told else {}))
        event.append({"dossier_id": row["dossier_id"], "kind": "decided", "happened_at": received + timedelta(days)})
    record = Record(url)
    chunks = [Chunk("dossier", dossier), Chunk("event", event)]
    record.append(chunks, source="drawn", arrived_at=ZERO + timedelta(days=300))
    return record


@pytest.fixture
def peeking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feature that reads the end of the dossier from everything that the connection shows, later news included."""
    honest = matrix.build

    def build(con: Any, cases: pa.Table, *words: Any, **options: Any) -> pa.Table:
        ended = dict(
            con.sql("SELECT dossier_id, max(happened_at) FROM event WHERE kind = 'decided' GROUP BY 1").fetchall()
        )
        received = dict(con.sql("SELECT dossier_id, min(received_at) FROM dossier GROUP BY 1").fetchall())
        days = [
            (ended[name] - received[name]).total_seconds() / 86400 if name in ended else None
            for name in cases["dossier_id"].to_pylist()
        ]
        return honest(con, cases, *words, **options).append_column("days_taken", pa.array(days, pa.float64()))

    monkeypatch.setattr(matrix, "build", build)


def test_the_honest_candidate_of_this_office_is_let_through(tmp_path: Path) -> None:
    trained = train(record_of(tmp_path / "record", told=False), CUTOFF, tmp_path / "models")
    assert promote(tmp_path / "models", "lateness", at=AT) == trained.version


@pytest.mark.usefixtures("peeking")
def test_a_feature_that_reads_the_outcome_is_refused_by_the_proof_in_time(tmp_path: Path) -> None:
    trained = train(record_of(tmp_path / "record", told=False), CUTOFF, tmp_path / "models")
    assert trained.model.about["time_travel"]["holds"] is False
    assert "days_taken" in trained.model.encoder.features, "the model learnt from it"
    with pytest.raises(Refused, match=r"time travel: .* cells differ in days_taken"):
        promote(tmp_path / "models", "lateness", at=AT)
    assert pointers.read(tmp_path / "models" / "lateness", "champion") is None
    assert pointers.history(tmp_path / "models" / "lateness") == []


def test_an_outcome_delivered_with_the_dossier_is_refused_by_its_figures(tmp_path: Path) -> None:
    """The source filled the column in afterwards: the record itself lies about when it was known."""
    trained = train(record_of(tmp_path / "record", told=True), CUTOFF, tmp_path / "models")
    assert trained.model.about["time_travel"]["holds"] is True, "no check of the record against itself can see it"
    with pytest.raises(Refused, match="leak: AUC"):
        promote(tmp_path / "models", "lateness", at=AT)
    assert pointers.read(tmp_path / "models" / "lateness", "champion") is None


@pytest.mark.parametrize("noise", [0.15, 0.3])
def test_an_outcome_told_with_errors_is_refused_by_its_weight(tmp_path: Path, noise: float) -> None:
    """Too faint for the figures alone: what is wrong in one case of seven, or of three, still tells most."""
    record = record_of(tmp_path / "record", told=True, noise=noise)
    train(record, CUTOFF, tmp_path / "models", recipes={"small": SMALL})
    with pytest.raises(Refused, match=r"attribute: x_closed_as holds \d+% of all contributions.*ask the source"):
        promote(tmp_path / "models", "lateness", at=AT)
    assert pointers.read(tmp_path / "models" / "lateness", "champion") is None


@pytest.mark.slow
def test_twenty_honest_attributes_are_let_through(tmp_path: Path) -> None:
    record = record_of(tmp_path / "record", told=False, honest=20)
    trained = train(record, CUTOFF, tmp_path / "models", recipes={"small": SMALL})
    heavy = AttributeWeight(**trained.model.about["attribute"])
    assert heavy.name.startswith("x_trait")
    assert 0 < heavy.share <= MOST_SHARE, "it is told, and is no reason to refuse"
    assert next(gate for gate in gates_of(trained.model.about) if gate.name == "attribute").holds


def test_what_is_made_of_an_attribute_counts_for_it() -> None:
    names = ["x_a", "x_a_late_rate", "x_a_known", "x_b_known", "promise_used"]
    assert attributes_of(names) == {"x_a": ["x_a", "x_a_late_rate", "x_a_known"], "x_b_known": ["x_b_known"]}


def test_a_jump_without_an_attribute_is_refused_and_a_small_loss_is_not() -> None:
    assert AttributeWeight("x_a", 0.1, (0.2, 0.1, 0.3)).suspicious
    assert not AttributeWeight("x_a", 0.1, (0.06, 0.02, 0.1)).suspicious
    assert not AttributeWeight("x_a", 0.2, None).suspicious
    assert AttributeWeight("x_a", 0.21, None).suspicious
