"""Lateness by official and by unit: who held what at the moment, sums by hand, honest about what is not ripe."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr

from features.record.delivery import Chunk
from features.record.record import Record
from tests.drawn_training import CUTOFF, Office
from training.backtest import backtest
from training.grains import LEAST, added_up, group_figures, groups_of
from training.rolling_figures import JudgedRows

ZERO = datetime(2026, 3, 2, 2, tzinfo=UTC)


def test_the_holder_is_who_was_last_named_as_known_then(tmp_path: Path) -> None:
    events = [(0, "o1"), (24, None), (48, "o2"), (96, "o3")]
    record = Record(tmp_path / "record")
    record.append(
        [
            Chunk("dossier", [{"dossier_id": "d", "procedure_code": "P", "unit_code": "U", "received_at": ZERO,
                               "due_at": ZERO + timedelta(days=9)}]),
            Chunk("event", [{"dossier_id": "d", "kind": "assigned", "official_id": who,
                             "happened_at": ZERO + timedelta(hours=hours)} for hours, who in events]),
        ],
        source="drawn", arrived_at=ZERO + timedelta(days=30),
    )  # fmt: skip
    moments = [ZERO + timedelta(hours=hours) for hours in (0, 1, 30, 48, 49, 200)]
    cases = pa.table({"dossier_id": ["d"] * 6, "as_of": pa.array(moments, pa.timestamp("us", "UTC"))})
    con = record.connect()
    assert groups_of(con, cases, "official").to_pylist() == [None, "o1", "o1", "o1", "o2", "o3"]
    assert groups_of(con, cases, "unit").to_pylist() == [None] + ["U"] * 5
    with pytest.raises(KeyError):
        groups_of(con, cases, "province")


def test_probabilities_are_added_up_and_a_share_waits_for_its_last_label() -> None:
    at = pa.array([ZERO] * 4, pa.timestamp("us", "UTC"))
    table = pa.table({"cutoff": at, "as_of": at, "dossier_id": list("abcd"), "score": [0.2, 0.4, 0.9, 0.5],
                      "rule_score": [0.5] * 4, "label": [0.0, 1.0, None, 1.0]})  # fmt: skip
    found = added_up(table, pa.array(["x", "x", "y", None]), "official_id").to_pylist()
    assert [(row["official_id"], row["n"], row["label"]) for row in found] == [("x", 2, 0.5), ("y", 1, None)]
    assert found[0]["score"] == pytest.approx(0.3)


def test_figures_of_groups_by_hand() -> None:
    """Three groups of ten; one score knows their late shares, the other has them the wrong way round."""
    share = np.repeat([0.1, 0.3, 0.8], 10)
    label = np.concatenate([np.arange(10) < 10 * one for one in (0.1, 0.3, 0.8)]).astype(float)
    rows = JudgedRows(label, np.arange(30), np.zeros(30), np.ones(30))
    group = pa.array(np.repeat(["a", "b", "c"], 10).tolist())
    alone, apart = group_figures(rows, group, {"product": share, "rule": share[::-1].copy()}, draws=50)
    assert alone["product"]["gap"].value == pytest.approx(0.0, abs=1e-12)
    assert alone["product"]["lift_at_10"].value == pytest.approx(0.8 / 0.4)
    assert alone["rule"]["gap"].value == pytest.approx(1.4 / 3)
    assert alone["rule"]["rank"].value == pytest.approx(spearmanr([0.8, 0.3, 0.1], [0.1, 0.3, 0.8])[0])
    assert apart["rule"]["gap"].high < 0
    few = group_figures(rows, pa.array(["a"] * (30 - LEAST + 1) + ["b"] * (LEAST - 1)), {"product": share}, draws=2)
    assert few == ({}, {}), "one group is no order"


def test_a_backtest_by_unit_adds_up_that_by_dossier(office: Office) -> None:
    until = CUTOFF + timedelta(days=14)
    told = {grain: backtest(office.record, CUTOFF, until, every=timedelta(days=7), grain=grain).to_pylist()
            for grain in ("dossier", "unit")}  # fmt: skip
    for row in told["unit"]:
        mine = [one for one in told["dossier"] if one["as_of"] == row["as_of"]]
        assert row["unit_code"] == "U"
        assert row["n"] == len(mine)
        assert row["score"] == pytest.approx(np.mean([one["score"] for one in mine]))
        assert (row["label"] is None) == any(one["label"] is None for one in mine)
    assert told["unit"]
