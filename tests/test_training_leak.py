"""Leaks planted on purpose: a candidate that was taught the answer is refused, whichever way it came in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from drawn_training import CUTOFF, ZERO

from features.matrix import batch as matrix
from features.record.delivery import Chunk
from features.record.record import Record
from models import pointers
from training.gates import Refused
from training.promote import promote
from training.run import train

AT = datetime(2026, 9, 1, tzinfo=UTC)


def record_of(url: Path, told: bool) -> Record:
    """An office whose lateness nobody can see coming; with `told` a column of the dossier says it at receipt."""
    rng = np.random.default_rng(4)
    dossier, event = [], []
    for number in range(400):
        received = ZERO + timedelta(days=float(rng.uniform(0, 180)))
        days = float(rng.gamma(4.0, 3.5))
        row = {"dossier_id": f"d{number:04}", "procedure_code": f"P{rng.integers(2)}", "unit_code": "U",
               "received_at": received, "due_at": received + timedelta(days=14)}  # fmt: skip
        dossier.append(row | ({"x_closed_as": "late" if days > 14 else "in time"} if told else {}))
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
