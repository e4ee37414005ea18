"""The cases that a training needs, worked off together."""

from pathlib import Path

from features.calendar.working_time import PLAIN_WEEK
from features.matrix import batch as matrix
from tests.bench.drawn_record import cases, draw, views
from training.training_set import built_together


def test_built_together_each_part_is_as_built_alone_in_its_order_also_where_they_overlap(tmp_path: Path) -> None:
    draw(tmp_path, 40)
    con = views(tmp_path)
    asked = cases(con, tmp_path)
    parts = [asked.slice(0, 30), asked.slice(0, 0), asked.take(list(range(45, 15, -1)))]
    together = built_together(con, parts, PLAIN_WEEK)
    assert [part.num_rows for part in together] == [30, 0, 30]
    for part, built in zip(parts, together, strict=True):
        alone = matrix.build(con, part, calendar=PLAIN_WEEK)
        assert alone.column_names == built.column_names
        assert str(alone.to_pylist()) == str(built.to_pylist())  # NaN equals itself as text
