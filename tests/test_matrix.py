"""The matrix agrees with a slow one in plain Python, and with itself whatever the order, the number, the parts."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from drawn_history import START, histories, moments
from drawn_views import cases, every_case, views
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from matrix_oracle import Oracle

from features import matrix
from features.calendar import PLAIN_WEEK, plain_week
from features.declaration import Feature, Grain

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate])


def close(a: Any, b: Any) -> bool:
    return a == b if a is None or b is None or isinstance(a, str) else a == pytest.approx(b, rel=1e-9, abs=1e-9)


def agree(history: dict[str, list[dict[str, Any]]], asked: pa.Table) -> None:
    oracle = Oracle(history["dossier"], history["event"], history["procedure"])
    table = matrix.build(views(**history), asked)
    names = [f.name for f in matrix.FEATURES]
    for row in table.to_pylist():
        expected = oracle.row(row["dossier_id"], row["as_of"])
        for name in [*names, *matrix.KEYS, "x_form", "x_form_late_rate", "x_form_known"]:
            assert close(row[name], expected.get(name)), (name, row["dossier_id"], row["as_of"])


@SLOW
@given(histories(), st.lists(moments(), min_size=1, max_size=4))
def test_slow_matrix_in_plain_python_agrees(history: dict[str, list[dict[str, Any]]], at: list[datetime]) -> None:
    moments_asked = [*at, *(m + timedelta(microseconds=1) for m in at)]
    agree(history, every_case(views(**history), moments_asked))
