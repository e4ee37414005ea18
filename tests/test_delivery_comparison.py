"""A delivery beside those before it: the last of its source that told a table counts, and every cell ever counted."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from features.record.comparison import last_filled
from features.record.views import numeric_attributes


def _lines(*rows: tuple[str, Mapping[str, Mapping[str, int]], Mapping[str, list[int] | bool], int]) -> pa.Table:
    return pa.table(
        {
            "source": pa.array([source for source, *_ in rows], pa.string()),
            "filled": pa.array([json.dumps(filled) if filled else None for _, filled, *_ in rows], pa.string()),
            "numeric_attributes": pa.array([json.dumps(counts) for _, _, counts, _ in rows], pa.string()),
            "read": pa.array([read for *_, read in rows], pa.int64()),
        }
    )


def test_the_last_delivery_of_the_source_with_rows_of_a_table_tells_how_full_it_was() -> None:
    old, new = {"": 9, "unit_code": 9}, {"": 4, "unit_code": 1}
    lines = _lines(
        ("api", {"dossier": old, "event": {"": 3}}, {}, 12),
        ("api", {"dossier": new}, {}, 4),
        ("file", {"dossier": {"": 1, "unit_code": 0}}, {}, 1),
        ("api", {"dossier": {"": 0}}, {}, 0),
        ("api", {}, {}, 0),
    )
    assert last_filled(lines, "api", ["dossier", "event", "unit"]) == {"dossier": new, "event": {"": 3}}
    assert last_filled(lines, "dvcqg", ["dossier"]) == {}


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["x_a", "x_b"]), st.booleans() | st.lists(st.integers(0, 3), min_size=2, max_size=2)
        ),
        max_size=12,
    ),
    st.integers(0, 3),
)
def test_an_attribute_is_a_number_where_most_of_all_its_values_were(
    told: list[dict[str, list[int] | bool]], read: int
) -> None:
    """Many lines alike are counted once each."""
    counts: dict[str, list[int]] = {}
    for line in told:
        for name, count in line.items():
            one = ([max(read, 1), 0] if count else [0, max(read, 1)]) if isinstance(count, bool) else count
            so_far = counts.setdefault(name, [0, 0])
            counts[name] = [so_far[0] + one[0], so_far[1] + one[1]]
    found = numeric_attributes(_lines(*(("api", {}, line, read) for line in told)))
    assert found == {name: numbers > others for name, (numbers, others) in counts.items()}
