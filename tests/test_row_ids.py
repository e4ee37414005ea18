"""The glance at row ids: it may take a new row for a known one, never a known one for new."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.record import new_rows as row_ids
from features.record.new_rows import LENGTH, RowIds, halves


def ids(numbers: list[int]) -> list[str]:
    return [hashlib.sha256(str(number).encode()).hexdigest()[:LENGTH] for number in numbers]


def file(folder: Path, name: str, numbers: list[int]) -> str:
    path = str(folder / name)
    pq.write_table(pa.table({"row_id": pa.array(ids(numbers), pa.string())}), path, row_group_size=2)
    return path


@given(held=st.lists(st.lists(st.integers(0, 30), max_size=6), max_size=4), asked=st.lists(st.integers(0, 30)))
def test_tells_whether_one_of_a_few_is_in_any_file(
    tmp_path_factory: pytest.TempPathFactory, held: list[list[int]], asked: list[int]
) -> None:
    folder, glance = tmp_path_factory.mktemp("files"), RowIds()
    paths = [file(folder, str(place), numbers) for place, numbers in enumerate(held)]
    for few in (paths[:2], paths, paths[1:]):  # files come, and go when small ones are merged
        known = {number for numbers in held[paths.index(few[0]) if few else 0 :][: len(few)] for number in numbers}
        assert glance.any(few, ids(asked)) == bool(known & set(asked))


def test_halves_of_a_slice_are_those_of_its_rows() -> None:
    told = pa.array(ids(list(range(9))))
    assert halves(told[3:7]).tolist() == [int(one.as_py()[:16], 16) for one in told[3:7]]


def test_a_table_too_great_to_keep_is_left_to_the_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_ids, "MOST_ROWS", 3)
    paths = [file(tmp_path, "a", [1, 2]), file(tmp_path, "b", [3, 4])]
    assert RowIds().any(paths, ids([9]))
    assert not RowIds().any(paths[:1], ids([9]))
