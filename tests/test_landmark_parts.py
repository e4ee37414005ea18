"""Parts made day by day hold the cells that one build of everything gives, whatever comes late."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from features.calendar.vietnam import VIETNAM
from features.matrix import batch as matrix
from features.record.delivery import Chunk
from features.record.record import Record
from features.simulate import simulate
from models.cases import landmarks
from tests.drawn_history import START, histories
from training import landmark_parts
from training.landmark_parts import extend
from training.part_manifest import parts

DAY = timedelta(days=1)
FEW = settings(max_examples=2, suppress_health_check=list(HealthCheck),
               phases=[Phase.explicit, Phase.reuse, Phase.generate])  # fmt: skip
MANY = settings(FEW, max_examples=40)


def deliver(record: Record, tables: dict[str, list[dict[str, Any]]], at: datetime) -> None:
    chunks = [
        Chunk(name, [{cell: value for cell, value in row.items() if cell != "row_id"} for row in rows])
        for name, rows in tables.items()
        if rows
    ]
    record.append(chunks, source="canonical", arrived_at=at)


def contents(folder: Path) -> dict[datetime, pa.Table]:
    return {at: pq.read_table(path) for at, path in parts(folder).items()}


def check(history: dict[str, list[dict[str, Any]]], later: list[bool], ends: list[int], every: int) -> None:
    """Delivers what is not `later`, extends; delivers the rest (late), extends; everything at once is the same."""
    number = iter(later * 40)
    first: dict[str, list[dict[str, Any]]] = {"procedure": history["procedure"]}
    rest: dict[str, list[dict[str, Any]]] = {}
    for name in ("dossier", "event"):
        for row in history[name]:
            (rest if next(number) else first).setdefault(name, []).append(row)
    if not first.get("dossier"):
        first, rest = history, {}
    # a small slack, so that old days are summed up and late news sometimes lies before them
    with TemporaryDirectory() as there, patch.object(landmark_parts, "SLACK", 5):
        home = Path(there)
        record = Record(home / "record")
        deliver(record, first, START)
        for end in sorted(ends):
            extend(record, home / "parts", START + end * DAY, every=every * DAY, calendar=VIETNAM)
        before = parts(home / "parts")
        if rest:
            deliver(record, rest, START + DAY)
        oldest = min((row["known_at"] for rows in rest.values() for row in rows), default=START + 999 * DAY)
        to = START + (max(ends) + 9) * DAY
        extend(record, home / "parts", to, every=every * DAY, calendar=VIETNAM)
        extend(record, home / "whole", to, every=every * DAY, calendar=VIETNAM)
        there_now, whole = contents(home / "parts"), contents(home / "whole")
        assert list(there_now) == list(whole)
        for at, table in whole.items():
            wrong = {
                name: (there_now[at][name].to_pylist(), table[name].to_pylist())
                for name in table.column_names
                if not there_now[at][name].equals(table[name])
            }
            assert not wrong, (at, wrong)
        for at, path in before.items():  # a part that nothing older came after was not even touched
            if at <= oldest and rest.keys() <= {"event"}:
                assert parts(home / "parts")[at] == path
        if whole:
            con = record.connect()
            asked = pa.concat_tables([table.select(["dossier_id", "as_of"]) for table in whole.values()])
            assert landmarks(con, min(whole), to, every=every * DAY).equals(asked)
            assert matrix.build(con, asked, calendar=VIETNAM).equals(pa.concat_tables(list(whole.values())))


drawn = (histories(), st.lists(st.booleans(), min_size=1, max_size=9),
         st.lists(st.integers(5, 200), min_size=1, max_size=3), st.sampled_from([1, 7, 30]))  # fmt: skip


@FEW
@given(*drawn)
def test_parts_equal_one_build_of_everything(
    history: dict[str, list[dict[str, Any]]], later: list[bool], ends: list[int], every: int
) -> None:
    check(history, later, ends, every)


@pytest.mark.slow
@MANY
@given(*drawn)
def test_parts_equal_one_build_of_everything_on_many_records(
    history: dict[str, list[dict[str, Any]]], later: list[bool], ends: list[int], every: int
) -> None:
    check(history, later, ends, every)


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Record:
    record = Record(tmp_path_factory.mktemp("province") / "record")
    tables = simulate(seed=3, dossiers=150, start=date(2026, 1, 5), end=date(2026, 4, 1)).tables
    record.append(
        [Chunk(*one) for one in tables.items()], source="canonical", arrived_at=datetime(2026, 4, 1, tzinfo=UTC)
    )
    return record


def test_a_new_day_looks_at_few_dossiers_and_leaves_the_rest_alone(province: Record, tmp_path: Path) -> None:
    first = extend(province, tmp_path, datetime(2026, 3, 2, 12, tzinfo=UTC), every=DAY, calendar=VIETNAM)
    before = parts(tmp_path)
    second = extend(province, tmp_path, datetime(2026, 3, 3, 12, tzinfo=UTC), every=DAY, calendar=VIETNAM)
    assert (second.made, second.again) == (1, 0)
    assert second.dossiers < 0.4 * first.dossiers
    after = parts(tmp_path)
    assert {at: after[at] for at in before} == before
    assert extend(province, tmp_path, datetime(2026, 3, 3, 13, tzinfo=UTC), every=DAY, calendar=VIETNAM).made == 0


def test_a_run_that_dies_leaves_what_was_there(
    province: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extend(province, tmp_path, datetime(2026, 2, 2, tzinfo=UTC), calendar=VIETNAM)
    before = contents(tmp_path)

    def dies(folder: Path, manifest: object) -> None:
        raise OSError("killed before the manifest")

    with monkeypatch.context() as changed:
        changed.setattr(landmark_parts, "write_manifest", dies)
        with pytest.raises(OSError, match="killed"):
            extend(province, tmp_path, datetime(2026, 3, 2, tzinfo=UTC), calendar=VIETNAM)
    assert contents(tmp_path).keys() == before.keys()
    extend(province, tmp_path, datetime(2026, 3, 2, tzinfo=UTC), calendar=VIETNAM)
    named = {path.name for path in parts(tmp_path).values()}
    assert {path.name for path in tmp_path.glob("2*.parquet")} == named


def test_other_features_or_days_make_everything_anew(province: Record, tmp_path: Path) -> None:
    to = datetime(2026, 3, 2, tzinfo=UTC)
    weekly = extend(province, tmp_path, to, calendar=VIETNAM)
    daily = extend(province, tmp_path, to, every=DAY, calendar=VIETNAM)
    assert daily.made > 5 * weekly.made
    with pytest.raises(ValueError, match="whole number of days"):
        extend(province, tmp_path, to, every=timedelta(hours=5))
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ValueError, match="damaged"):
        extend(province, tmp_path, to, calendar=VIETNAM)
