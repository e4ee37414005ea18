"""A small campaign of damaged deliveries over every source; `python -m tests.bench fuzz` runs a hundred thousand."""

import random
from pathlib import Path

import pytest

from tests.bench.damaged import SOURCES
from tests.bench.fuzz import taken_in


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_comes_every_row_is_counted(source: str, seed: int, tmp_path: Path) -> None:
    told = taken_in(source, random.Random(seed), tmp_path, 250)
    assert isinstance(told, dict), told
    assert told["read"] == told["appended"] + told["known"] + told["rejected"]
    assert told["rejected"] > 0
    assert told["appended"] > 0
