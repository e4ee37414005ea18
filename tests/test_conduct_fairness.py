"""The fairness audit of conduct scores: fairlearn's figures by hand, crossed and merged groups, honest intervals."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.record.positions import Position
from features.record.schema import TABLES
from features.signals import DOSSIER_SIGNALS, HELD_SIGNALS
from tests.drawn_record import connect_drawn
from training.conduct_fairness import BY, OTHERS, audit, groups_of, table

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)


def groups(**columns: list[str]) -> pa.Table:
    n = len(next(iter(columns.values())))
    alike = {name: ["all"] * n for name in BY}
    return pa.table({"official_id": [f"o{k}" for k in range(n)], **alike, **columns})


def test_figures_are_those_counted_by_hand() -> None:
    level = ["commune"] * 12 + ["department"] * 18
    score = np.array([0.9, 0.8] + [0.1] * 10 + [0.7] + [0.2] * 17)
    flag = np.array([1, 1] + [0] * 10 + [1] + [0] * 17)
    truth = np.array([1, 0, 1] + [0] * 9 + [0] * 18)
    communes, departments = audit(score, flag, truth, groups(level=level))
    assert (communes.name, communes.n, departments.n) == ("commune", 12, 18)
    assert communes.score == pytest.approx((0.9 + 0.8 + 1.0) / 12)
    assert departments.score == pytest.approx((0.7 + 3.4) / 18)
    assert (communes.flagged, departments.flagged) == pytest.approx((2 / 12, 1 / 18))
    assert (communes.recall, communes.mistaken) == pytest.approx((1 / 2, 1 / 10))
    assert departments.recall is None
    assert departments.mistaken == pytest.approx(1 / 18)
    assert communes.apart.value == pytest.approx(communes.score - departments.score)
    assert communes.apart.low < 0 < communes.apart.high  # a difference of nothing on twelve officials


def test_without_a_truth_nothing_is_said_of_it() -> None:
    found = audit(np.arange(30) / 30, np.zeros(30), None, groups(level=["a"] * 15 + ["b"] * 15))
    assert {(one.recall, one.mistaken) for one in found} == {(None, None)}


def test_groups_are_crossed_and_small_ones_merged() -> None:
    level = ["commune"] * 20 + ["department"] * 20
    sector = (["land"] * 15 + ["birth"] * 5) * 2
    found = audit(np.zeros(40), np.zeros(40), None, groups(level=level, sector=sector))
    crossed = {one.name: one.n for one in found if one.by == "level × sector"}
    assert crossed == {"commune × land": 15, "department × land": 15, OTHERS: 10}
    assert {one.name: one.n for one in found if one.by == "sector"} == {"land": 30, "birth": 10}
    assert not any(one.beyond_noise for one in found)


def test_a_group_that_is_treated_otherwise_is_told() -> None:
    rng = np.random.default_rng(1)
    score = np.concatenate([rng.uniform(0.0, 0.4, 60), rng.uniform(0.3, 0.7, 60)])
    found = audit(score, score > 0.5, None, groups(tenure=["under 1 year"] * 60 + ["3 years and more"] * 60))
    assert all(one.beyond_noise for one in found)
    assert "**beyond noise**" in "\n".join(table(found))


@settings(max_examples=3)
@given(st.integers(0, 10_000))
def test_with_scores_by_chance_hardly_any_group_stands_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = {name: rng.choice(["a", "b", "c", "d"], 300).tolist() for name in BY}
    apart = [one.beyond_noise for one in audit(rng.beta(0.5, 4, 300), np.zeros(300), None, groups(**drawn))]
    assert sum(apart) <= 2


def test_groups_of_officials_come_from_roster_units_and_what_they_handle(tmp_path: Path) -> None:
    con = connect_drawn(
        tmp_path,
        unit=[{"unit_code": "D1", "level": "other"}, {"unit_code": "U1", "level": "commune", "succeeds": "D1"},
              {"unit_code": "S", "level": "department", "parent_code": "T"}],
        official=[{"official_id": "o1", "unit_code": "U1", "valid_from": "2026-01-01"},
                  {"official_id": "o2", "unit_code": "S", "valid_from": "2020-01-01"}],
        procedure=[{"procedure_code": "P", "sector_code": "land"}],
        dossier=[{"dossier_id": "d", "procedure_code": "P", "unit_code": "U1", "received_at": "2026-03-02T08:00:00"}],
        event=[{"dossier_id": "d", "kind": "assigned", "happened_at": "2026-03-02T09:00:00", "official_id": "o1"}],
    )  # fmt: skip
    assert groups_of(con, AS_OF, ["o1", "o2", "o3"]).to_pylist() == [
        {"official_id": "o1", "level": "commune", "region": "D1", "sector": "land", "tenure": "under 1 year"},
        {"official_id": "o2", "level": "department", "region": "T", "sector": "unknown", "tenure": "3 years and more"},
        {"official_id": "o3", "level": "unknown", "region": "unknown", "sector": "unknown", "tenure": "unknown"},
    ]


PERSONAL = ("gender", "sex", "gioi_tinh", "age", "tuoi", "birth", "name", "ho_ten", "ethnic", "dan_toc", "religion")
NAMES_OF_THINGS = {"sector_name", "procedure_name", "unit_name", "holiday.name", "counter.name"}


def parts(text: str) -> set[str]:
    return {text, *text.split("_")}


def test_no_input_about_gender_age_names_or_ethnicity() -> None:
    """Walks every column of the schema, every feature, every signal's SQL and every attribute of a post."""
    from features.matrix.batch import FEATURES

    columns = {f"{table.name}.{column.name}" for table in TABLES.values() for column in table.columns}
    columns = {name for name in columns if name not in NAMES_OF_THINGS and name.split(".")[1] not in NAMES_OF_THINGS}
    inputs = {name.split(".")[1] for name in columns} | {feature.name for feature in FEATURES}
    inputs |= set(Position.__dataclass_fields__)
    assert not {name for name in inputs if parts(name) & set(PERSONAL)}
    for signal in (*DOSSIER_SIGNALS, *HELD_SIGNALS):
        words = set(signal.sql.replace(".", " ").replace("(", " ").replace(",", " ").split())
        assert not words & set(PERSONAL), signal.name
