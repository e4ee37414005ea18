"""The made-up province: calibrated, deterministic, lawful in its clocks, silent about the future."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.calendar.vietnam import VIETNAM
from features.simulate import Province, simulate
from features.simulate.queue import first_come_first_served
from features.simulate.worktime import WORKDAY, WorkTime


@pytest.fixture(scope="module")
def province() -> Province:
    return simulate(seed=7, dossiers=20_000)


def test_late_rates_follow_the_public_figures(province: Province) -> None:
    truth = province.truth["dossier"].join(province.tables["dossier"].select(["dossier_id", "unit_code"]), "dossier_id")
    late = np.asarray(truth["late"])
    land = np.asarray(pc.equal(truth["unit_code"], "H99.24"))
    assert 0.115 <= late.mean() <= 0.155
    assert 0.26 <= late[land].mean() <= 0.36
    by_unit = truth.group_by("unit_code").aggregate([("late", "mean"), ("late", "count")]).to_pandas()
    large = by_unit[by_unit.late_count >= 100].late_mean
    assert large.min() < 0.04
    assert large.max() > 0.25


def test_the_same_seed_gives_the_same_history() -> None:
    one, two, other = (simulate(seed=s, dossiers=400).tables for s in (3, 3, 4))
    assert all(one[name].equals(two[name]) for name in one)
    assert not one["event"].equals(other["event"])


def test_nothing_happens_after_the_end_and_open_dossiers_stay_open(province: Province) -> None:
    events = province.tables["event"]
    end = pa.scalar(np.datetime64(province.end, "us").astype("int64") - 7 * 3600 * 1_000_000)
    assert pc.max(events["happened_at"].cast(pa.int64())).as_py() < end.as_py()
    ended = pc.unique(
        events.filter(pc.is_in(events["kind"], pa.array(["decided", "refused", "withdrawn"])))["dossier_id"]
    )
    assert 0 < province.tables["dossier"].num_rows - len(ended) < 2_000


def test_events_of_a_dossier_begin_with_receipt_and_point_to_known_rows(province: Province) -> None:
    events, tables = province.tables["event"].to_pandas(), province.tables
    first = events.drop_duplicates("dossier_id")
    assert (first.kind == "received").all()
    assert first.dossier_id.tolist() == tables["dossier"]["dossier_id"].to_pylist()
    assert set(events.official_id.dropna()) <= set(tables["official"]["official_id"].to_pylist())
    assert set(events.unit_code.dropna()) <= set(tables["unit"]["unit_code"].to_pylist())
    dossiers = tables["dossier"].to_pandas()
    assert dossiers.dossier_id.is_unique
    assert (dossiers.submitted_at <= dossiers.received_at).all()
    assert (dossiers.due_at > dossiers.received_at).all()


def test_canonical_feed_is_one_file_a_table(province: Province, tmp_path: Path) -> None:
    folder = province.write(tmp_path / "feed")
    assert sorted(path.stem for path in folder.iterdir()) == sorted(province.tables)
    assert pa.parquet.read_table(folder / "dossier.parquet").num_rows == province.tables["dossier"].num_rows


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="dossiers"):
        simulate(dossiers=0)
    with pytest.raises(ValueError, match="start < end"):
        simulate(dossiers=10, start=date(2026, 1, 1), end=date(2025, 1, 1))


def test_processing_takes_as_long_as_in_the_public_figures(province: Province) -> None:
    time = WorkTime.of(VIETNAM, date(2025, 6, 1), date(2029, 1, 1))
    rows = province.truth["dossier"].join(
        province.tables["dossier"].select(["dossier_id", "unit_code", "received_at"]), "dossier_id"
    )
    ended, received = (
        time.work(rows[name].cast(pa.int64()).to_numpy() // 1_000_000) for name in ("ended_at", "received_at")
    )
    days = (ended - received) / WORKDAY
    land = np.asarray(pc.equal(rows["unit_code"], "H99.24"))
    assert days.mean() == pytest.approx(4.7, abs=0.9)
    assert days[land].mean() == pytest.approx(9.85, abs=1.5)


def test_working_time_is_that_of_the_calendar() -> None:
    time = WorkTime.of(VIETNAM, date(2026, 1, 1), date(2026, 12, 31))
    rng = np.random.default_rng(0)
    moments = np.sort(rng.integers(1_768_000_000, 1_795_000_000, 200))
    for begin, end in zip(moments[:-1].tolist(), moments[1:].tolist(), strict=True):
        hours = VIETNAM.working_hours(datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(end, UTC))
        assert time.work(end) - time.work(begin) == pytest.approx(hours * 3600, abs=1e-3)
    inside = time.wall(time.work(moments))
    assert (time.work(inside) == time.work(moments)).all()
    assert (inside <= moments).all()


@given(
    desk=st.lists(st.integers(0, 3), min_size=1, max_size=40),
    data=st.data(),
)
def test_desks_serve_first_come_first_served(desk: list[int], data: st.DataObject) -> None:
    times = st.lists(st.integers(0, 500), min_size=len(desk), max_size=len(desk))
    arrival, service = data.draw(times), data.draw(times)
    begin = first_come_first_served(np.array(desk), np.array(arrival, np.float64), np.array(service, np.float64))
    free: dict[int, int] = {}
    for k in sorted(range(len(desk)), key=lambda k: (arrival[k], k)):
        wanted = max(arrival[k], free.get(desk[k], 0))
        assert begin[k] == pytest.approx(wanted, abs=1e-6)
        free[desk[k]] = wanted + service[k]
