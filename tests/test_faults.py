"""Kills over every write path and stops of PostgreSQL: what was confirmed is there, once, and the next run goes on.

`python -m tests.bench faults --rounds 1000` is the long campaign; here a fifth of it.
"""

from pathlib import Path

import pytest

from tests.bench.kills import campaign
from tests.bench.postgres_stops import stop_under_load

pytestmark = pytest.mark.slow


def test_two_hundred_kills_lose_double_and_tear_nothing(tmp_path: Path) -> None:
    found = campaign(tmp_path, 200, seed=7)
    assert {one.path for one in found} == {"ingest", "score", "draw", "finding", "migration", "promotion"}
    assert [wrong for one in found for wrong in one.broken] == []
    assert sum(one.struck for one in found) >= 100, "most kills must strike a living writer"


def test_postgresql_stopped_at_once_under_load_loses_nothing_that_was_confirmed(tmp_path: Path) -> None:
    found = stop_under_load(tmp_path, 20)
    assert (found.lost, found.doubled, found.faults) == (0, 0, 0)
    assert found.confirmed > 20 * 2
    assert max(found.back) < 15
