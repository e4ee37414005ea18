"""The matrix agrees with a slow one in plain Python, and with itself whatever the order, the number, the parts."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import PLAIN_WEEK
from features.matrix import batch as matrix
from features.matrix.declaration import Feature, Grain
from tests.drawn_history import START, histories, moments
from tests.drawn_views import cases, every_case, views
from tests.matrix_oracle import Oracle

# Building twice for every example is dear: few examples here, many more behind --slow; shrinking takes minutes.
FEW = settings(max_examples=5, suppress_health_check=list(HealthCheck),
               phases=[Phase.explicit, Phase.reuse, Phase.generate])  # fmt: skip
MANY = settings(FEW, max_examples=60)


def close(a: Any, b: Any) -> bool:
    return a == b if a is None or b is None or isinstance(a, str) else a == pytest.approx(b, rel=1e-9, abs=1e-9)


def agree(history: dict[str, list[dict[str, Any]]], asked: pa.Table) -> None:
    oracle = Oracle(history["dossier"], history["event"], history["procedure"], VIETNAM)
    table = matrix.build(views(**history), asked, calendar=VIETNAM)
    names = [f.name for f in matrix.FEATURES]
    for row in table.to_pylist():
        expected = oracle.row(row["dossier_id"], row["as_of"])
        for name in [*names, *matrix.KEYS, "x_form", "x_form_late_rate", "x_form_known"]:
            assert close(row[name], expected.get(name)), (name, row["dossier_id"], row["as_of"])


@FEW
@given(histories(), st.lists(moments(), min_size=2, max_size=5))
def test_slow_matrix_in_plain_python_agrees(history: dict[str, list[dict[str, Any]]], at: list[datetime]) -> None:
    moments_asked = [*at, *(m + timedelta(microseconds=1) for m in at)]
    agree(history, every_case(views(**history), moments_asked))


@pytest.mark.slow
@MANY
@given(histories(), st.lists(moments(), min_size=2, max_size=5))
def test_slow_matrix_agrees_on_many_records(history: dict[str, list[dict[str, Any]]], at: list[datetime]) -> None:
    agree(history, every_case(views(**history), at))


@FEW
@given(histories(), moments(), st.randoms(use_true_random=False))
def test_rows_known_later_change_no_cell(
    history: dict[str, list[dict[str, Any]]], at: datetime, chance: random.Random
) -> None:
    con = views(**history)
    asked = every_case(con, [at])
    known = {name: [row for row in rows if row["known_at"] is None or row["known_at"] < at]
             for name, rows in history.items()}  # fmt: skip
    for rows in known.values():
        chance.shuffle(rows)  # and the order of arrival does not matter
    features = [*matrix.FEATURES, *matrix.attributes(con)]
    whole = matrix.build(con, asked, features)
    if not any(row["x_form"] for row in known["dossier"]):
        known["dossier"].append({"dossier_id": "other", "x_form": "A", "known_at": at, "received_at": at})
    assert matrix.build(views(**known), asked, features).equals(whole)


@FEW
@given(histories(), st.lists(moments(), min_size=2, max_size=2, unique=True))
def test_many_moments_at_once_equal_one_by_one_and_part_by_part(
    history: dict[str, list[dict[str, Any]]], at: list[datetime]
) -> None:
    con = views(**history)
    together = matrix.build(con, every_case(con, at))
    alone = pa.concat_tables([matrix.build(con, every_case(con, [one])) for one in at])
    parts = pa.concat_tables(matrix.build_batches(con, every_case(con, at), part=8, rows=2))
    assert together.equals(alone)
    assert together.equals(parts.combine_chunks()) or together.to_pylist() == parts.to_pylist()


def test_rows_keep_the_order_of_the_cases_and_strangers_have_nulls() -> None:
    con = views(
        dossier="""
        dossier_id | procedure_code | unit_code | received_at      | due_at
        a          | p1             | u1        | 2026-09-07T08:00 | 2026-09-14T17:00
        b          | p1             | u1        | 2026-09-07T09:00 |
    """
    )
    table = matrix.build(con, cases(("b", "2026-09-08T08:00"), ("?", "2026-09-08T08:00"), ("a", "2026-09-08T08:00"),
                                    ("a", "2026-09-07T08:00")))  # fmt: skip
    assert table["dossier_id"].to_pylist() == ["b", "?", "a", "a"]
    assert table["unit_code"].to_pylist() == ["u1", None, "u1", None]
    assert table["hours_elapsed"].to_pylist() == [7.0, None, 8.0, None]
    assert table["events"].to_pylist() == [0.0, None, 0.0, None]
    assert table["record_days_seen"].to_pylist() == [1.0, 1.0, 1.0, None]


def test_no_cases_give_an_empty_matrix_with_all_columns() -> None:
    con = views(dossier=[{"dossier_id": "a", "received_at": START, "procedure_code": "p", "unit_code": "u"}])
    table = matrix.build(con, cases())
    assert table.num_rows == 0
    assert {feature.name for feature in matrix.FEATURES} <= set(table.column_names)


def test_only_the_features_asked_for_are_made() -> None:
    con = views(dossier=[{"dossier_id": "a", "received_at": START, "procedure_code": "p", "unit_code": "u"}])
    own = Feature("age_days", Grain.DOSSIER, "(as_of_us - received_us) / 8.64e10", "Tuổi", "age", "clock")
    table = matrix.build(con, cases(("a", START + timedelta(days=3))), [own])
    assert table.column_names == ["dossier_id", "as_of", *matrix.KEYS, "age_days"]
    assert table["age_days"].to_pylist() == [3.0]


def test_an_office_with_a_calendar_of_its_own() -> None:
    con = views(
        dossier="""
        dossier_id | procedure_code | unit_code | received_at
        a          | p1             | u1        | 2026-09-07T08:00
        b          | p1             | u2        | 2026-09-07T08:00
    """
    )
    closed = PLAIN_WEEK.with_days({datetime(2026, 9, 8).date(): ()})  # noqa: DTZ001
    table = matrix.build(con, cases(("a", "2026-09-09T08:00"), ("b", "2026-09-09T08:00")), None, PLAIN_WEEK,
                         {"u2": closed})  # fmt: skip
    assert table["hours_elapsed"].to_pylist() == [16.0, 8.0]


def test_offices_in_another_time_zone_than_the_calendar_are_refused() -> None:
    con = views()
    with pytest.raises(ValueError, match="one time zone"):
        matrix.build(con, cases(), None, PLAIN_WEEK, {"u2": replace(PLAIN_WEEK, zone="Europe/Amsterdam")})
