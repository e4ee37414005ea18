"""What became of the list of a month ago: settled dossiers alone, in the reader's scope, told with an interval."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.intervals import wilson
from serving.scoring.past_list import LEAST, MONTH, past_list
from serving.scoring.score_files import SCHEMA
from tests.drawn_scores import AS_OF, drawn, meta, store

N = 60


def lists(tmp_path: Path, as_of: timedelta = MONTH) -> None:
    """A list of before with scores falling from .95, units U0 and U1, two dossiers late already and two waiting."""
    table = drawn(N)
    left, phase = np.full(N, 10.0), np.array(["running"] * N, object)
    left[:2], phase[2:4] = -5.0, "citizen"
    changed = {
        "dossier_id": [f"d{at:02d}" for at in range(N)], "unit_code": [f"U{at % 2}" for at in range(N)],
        "official_id": [f"o{at % 3}" for at in range(N)], "score": np.linspace(0.95, 0.05, N),
        "left_hours": left, "phase": phase.tolist(),
    }  # fmt: skip
    for name, column in changed.items():
        at = SCHEMA.get_field_index(name)
        table = table.set_column(at, SCHEMA.field(name), pa.array(column, SCHEMA.field(name).type))
    store(tmp_path, table, as_of=AS_OF - as_of)


def states(late: int, open_in_time: int = 0) -> pa.Table:
    """The first `late` of the dossiers are late, the last so many still open in time, all others ended in time."""
    phase = ["running"] * late + ["ended"] * (N - late - open_in_time) + ["running"] * open_in_time
    ids = [f"d{at:02d}" for at in range(N)]
    return pa.table({"dossier_id": ids, "phase": phase, "late": [at < late for at in range(N)]})


def test_what_was_settled_is_counted_by_the_score_of_then(tmp_path: Path) -> None:
    lists(tmp_path)
    past = past_list(tmp_path, meta(N), states(14, open_in_time=6))
    assert past is not None
    told = past.turned_out(0.4)
    assert told is not None
    # 60 less two late already, two waiting, six still open in time
    assert (told.all.n, told.all.late, told.high.late, told.others.late) == (50, 10, 10, 0)
    assert told.high.interval == wilson(10, told.high.n)
    assert told.mean_score == pytest.approx(np.linspace(0.95, 0.05, N)[4:54].mean())


def test_a_scope_sees_its_own_and_nothing_of_too_few(tmp_path: Path) -> None:
    lists(tmp_path)
    past = past_list(tmp_path, meta(N), states(14))
    assert past is not None
    mine = past.turned_out(0.4, frozenset({"U1"}))
    assert mine is not None
    assert mine.all.n == 28
    assert past.turned_out(0.4, official="o1") is None
    assert past.turned_out(0.4, frozenset()) is None
    assert LEAST == 20


@pytest.mark.parametrize("age", [timedelta(days=29), timedelta(days=61)])
def test_a_list_of_another_time_is_not_last_month_s(tmp_path: Path, age: timedelta) -> None:
    lists(tmp_path, age)
    assert past_list(tmp_path, meta(N), states(14)) is None


def test_what_the_record_no_longer_knows_is_not_settled(tmp_path: Path) -> None:
    lists(tmp_path)
    past = past_list(tmp_path, meta(N), states(14).slice(0, 30))
    assert past is not None
    assert len(past.score) == 26
