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
    counts = taken_in(source, random.Random(seed), tmp_path, 250)
    assert isinstance(counts, dict), counts
    assert counts["read"] == counts["appended"] + counts["duplicates"] + counts["rejected"]
    assert counts["rejected"] > 0
    assert counts["appended"] > 0
