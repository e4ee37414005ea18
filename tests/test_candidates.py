"""`python -m tests.bench candidates`: columns beside the matrix hold only what was known before their moment."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from features.calendar.vietnam import VIETNAM
from features.simulate.recorded import made_up_record
from models.cases import cohort
from tests.bench import candidates
from tests.bench.candidates import NOISE, Tried, as_markdown, columns
from training.evaluate import Metric
from training.sample import Sample, microseconds

AT = datetime(2025, 4, 1, 3, tzinfo=UTC)


def test_the_columns_are_those_of_the_record_cut_off_at_the_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "LEAST", 3)
    record = made_up_record(tmp_path, 900, date(2025, 1, 6), date(2025, 4, 30), seed=3, policy=None)
    whole, cut = record.connect(), record.connect(cutoff=AT)
    asked = cohort(whole, AT)
    at, n = microseconds(asked["as_of"]), asked.num_rows
    sample = Sample(asked, np.arange(n) % 2, np.arange(n), at, at, at)
    found, known_then = columns(whole, sample, VIETNAM), columns(cut, sample, VIETNAM)
    assert {NOISE, "queue ahead by due date at the holder", "past late rate of unit and procedure"} <= found.keys()
    assert found.keys() == known_then.keys()
    for name, cells in found.items():
        assert np.array_equal(cells, known_then[name], equal_nan=True), name
    assert n > 30
    assert len(np.unique(found["queue ahead by due date at the holder"])) > 2


def test_a_column_pays_where_its_interval_lies_above_nothing() -> None:
    saved, nothing = Metric(0.01, 0.002, 0.02), Metric(0.0, -0.01, 0.01)
    lines = as_markdown([Tried("A", "x", 70, saved, nothing), Tried("A", "y", 60, nothing, nothing)]).splitlines()
    assert [line.rsplit("|", 2)[1].strip() for line in lines if line.startswith("| A")] == ["yes", "no"]
