"""A made-up province written as raw deliveries and read back: the same dossiers, events, classes and traps."""

import random
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd
import pytest

from features.record.record import Record
from features.signals import evaluate
from features.simulate import simulate
from features.simulate.raw import Planted, write_raw
from features.sources import SOURCES, FeedOptions
from tests.drawn_record import ARRIVED, HANOI, cases, deliver

START, END = date(2026, 1, 1), date(2026, 7, 1)
AS_OF = datetime(2026, 7, 1, tzinfo=HANOI).astimezone(UTC)
SOURCES_OF_DOSSIERS = ("dvcqg", "opencps")
TRAP_SIGNALS = {
    "T1": {"END_EQUALS_DUE", "EVENT_AFTER_END"}, "T2": {"END_EQUALS_RECEIPT", "MASKED_STATUS"}, "T4": {"NO_DUE_DATE"},
    "T5": {"ON_TIME_BY_DATE_ONLY"}, "T6": {"RATING_BEFORE_RESOLUTION"}, "T7": {"OTHER_CODE"}, "T8": {"DUE_RESET"},
    "T9": {"DUE_EXTENDED_MORE_THAN_CITIZEN_TIME"}, "T10": {"PLACEHOLDER_ID"}, "T11": {"SUBMITTED_COPIED"},
    "T12": {"REOPENED"},
}  # fmt: skip


class World(NamedTuple):
    folder: Path
    planted: Planted
    record: Record
    rejected: int


def build(folder: Path, dossiers: int, tampering: int = 4) -> World:
    """A province, its raw deliveries, and the record that they make in the order of their names."""
    planted = write_raw(
        simulate(seed=5, dossiers=dossiers, start=START, end=END, culprits={"tampering": tampering}), folder / "raw"
    )
    record = Record(folder / "record")
    reference = SOURCES["canonical"].read(folder / "raw" / "reference", FeedOptions())
    record.append(reference, source="canonical", arrived_at=ARRIVED)
    deliveries = ("roster", *SOURCES_OF_DOSSIERS, "petition", "rating")
    rejected = sum(deliver(record, folder / "raw" / source, source).rejected for source in deliveries)
    return World(folder, planted, record, rejected)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(tmp_path_factory.mktemp("world"), 500)


def frame(con: duckdb.DuckDBPyConnection, sql: str) -> pd.DataFrame:
    found = con.sql(sql).df()
    for name in found.columns:
        if name.endswith("_at"):
            found[name] = pd.to_datetime(found[name], utc=True).astype("datetime64[us, UTC]")
    return found


def as_read(planted: Planted) -> pd.DataFrame:
    """The planted events as this record reads them: an end at the very moment of receipt is none (T2, T4)."""
    event = planted.event.copy()
    received = planted.dossier.set_index("dossier_id").received_at
    made_up = event.kind.isin(["decided", "refused", "withdrawn"]).to_numpy() & (
        event.happened_at.to_numpy() == received.loc[event.dossier_id].to_numpy()
    )
    event.loc[made_up, "kind"] = "note"
    return event.astype({"happened_at": "datetime64[us, UTC]"})


def test_nothing_is_refused(world: World) -> None:
    assert world.rejected == 0


def test_every_dossier_comes_back_as_it_was(world: World) -> None:
    """Under its own code (T7), with procedure, unit, channel, receipt and first promise."""
    columns = ["dossier_id", "procedure_code", "unit_code", "channel", "received_at"]
    got = frame(world.record.connect(), f"SELECT DISTINCT {', '.join(columns)} FROM dossier")
    want = world.planted.dossier[columns].astype({"received_at": "datetime64[us, UTC]"})
    key = ["dossier_id"]
    pd.testing.assert_frame_equal(
        got.sort_values(key, ignore_index=True), want.sort_values(key, ignore_index=True), check_dtype=False
    )
    portal = world.planted.dossier[world.planted.dossier.system == "dvcqg"]
    first = frame(
        world.record.connect(), "SELECT dossier_id, arg_min(due_at, known_at) AS due_at FROM dossier GROUP BY ALL"
    ).set_index("dossier_id")
    assert (first.due_at.loc[portal.dossier_id].to_numpy() == portal.due_at.to_numpy()).mean() > 0.999 or (
        first.due_at.loc[portal.dossier_id].isna().to_numpy() == portal.due_at.isna().to_numpy()
    ).all()


def test_every_event_comes_back_at_its_minute(world: World) -> None:
    """All kinds and moments, each once; beside them only the reopenings that the record infers after T1."""
    key = ["dossier_id", "kind", "happened_at"]
    got = frame(world.record.connect(), f"SELECT {', '.join(key)}, row_id FROM event")
    inferred = got.row_id.str.endswith("-reopened")
    assert set(got[inferred].dossier_id) <= set(world.planted.traps[world.planted.traps.trap == "T1"].dossier_id)
    counted = got[~inferred].groupby(key).size()
    pd.testing.assert_series_equal(counted, as_read(world.planted).groupby(key).size(), check_dtype=False)


def test_the_class_of_every_dossier_is_the_planted_one(world: World) -> None:
    """Promise in force, end and lateness, to the minute, as the sources claim them."""
    con = world.record.connect()
    ended = frame(
        con,
        "SELECT dossier_id, min(happened_at) AS ended_at FROM event WHERE kind IN ('decided', 'refused', 'withdrawn') "
        "GROUP BY dossier_id",
    ).set_index("dossier_id")
    due = frame(
        con,
        "SELECT d.dossier_id, coalesce(e.due_at, d.due_at) AS due_at FROM ("
        "  SELECT dossier_id, arg_max(due_at, known_at) AS due_at FROM dossier GROUP BY ALL) d LEFT JOIN ("
        "  SELECT dossier_id, arg_max(due_at, happened_at) AS due_at FROM event WHERE due_at IS NOT NULL GROUP BY ALL"
        ") e ON e.dossier_id = d.dossier_id",
    ).set_index("dossier_id")
    want = world.planted.classes().set_index("dossier_id")
    for name, got in (("ended_at", ended), ("due_at", due)):
        left, right = got[name].reindex(want.index), want[name]
        assert (left.isna() == right.isna()).all(), name
        apart = (left - right).dropna().abs()
        assert (apart < pd.Timedelta(minutes=1)).all(), (name, apart[apart >= pd.Timedelta(minutes=1)])


def test_traps_are_found_and_clean_dossiers_are_not(world: World) -> None:
    table = recall_and_false_alarms(world)
    for trap, (planted, recall, false) in table.items():
        assert planted, trap
        assert recall >= 0.95, (trap, planted, recall)
        assert false <= 0.01, (trap, false)


def recall_and_false_alarms(world: World) -> dict[str, tuple[int, float, float]]:
    """For each trap: dossiers planted, share of them found, share of the others that show its signals."""
    ids = world.planted.dossier.dossier_id.tolist()
    found: dict[str, set[str]] = {}
    for row in evaluate(world.record.connect(), cases(AS_OF, *ids)).to_pylist():
        found.setdefault(row["signal"], set()).add(row["dossier_id"])
    table = {}
    traps = world.planted.traps
    for trap, signals in TRAP_SIGNALS.items():
        hit = set(traps[traps.trap == trap].dossier_id) & set(ids)
        told = set().union(*(found.get(signal, set()) for signal in signals))
        table[trap] = (len(hit), len(hit & told) / max(1, len(hit)), len(told - hit) / (len(ids) - len(hit)))
    return table


def test_a_placeholder_is_nobody(world: World) -> None:
    """T3: no event of a desk has an official; of all others every one has."""
    got = frame(world.record.connect(), "SELECT dossier_id, kind, happened_at, official_id FROM event")
    holders = got.set_index(["dossier_id", "kind", "happened_at"]).official_id
    event = as_read(world.planted)
    desk = event[event.kind.isin(["received", "delivered"]) & event.official_id.isna()]
    assert len(desk) > 10
    assert (
        holders.loc[list(desk[["dossier_id", "kind", "happened_at"]].itertuples(index=False, name=None))].isna().all()
    )
    named = event[event.kind.isin(["assigned", "decided"]) & event.official_id.notna()]
    told = holders.loc[list(named[["dossier_id", "kind", "happened_at"]].itertuples(index=False, name=None))]
    assert told.notna().all()


def test_one_official_has_one_key_in_a_unit(world: World) -> None:
    """Names decomposed, cut or shared between units: the key stands for the person in the unit."""
    got = frame(world.record.connect(), "SELECT dossier_id, kind, happened_at, official_id FROM event")
    event = as_read(world.planted).dropna(subset=["official_id"])
    both = event.merge(got, on=["dossier_id", "kind", "happened_at"], suffixes=("", "_key"))
    both = both[both.kind.isin(["assigned", "forwarded", "decided"])].dropna(subset=["official_id_key"])
    both["unit"] = both.dossier_id.str.split("-").str[0]
    keys = both.groupby(["official_id", "unit"]).official_id_key.nunique()
    assert (keys == 1).all()


def state(record: Record) -> dict[str, list[tuple[object, ...]]]:
    con = record.connect()
    return {
        table: con.sql(f"SELECT * EXCLUDE (delivery_id) FROM {table} ORDER BY row_id, known_at").fetchall()
        for table in ("dossier", "event", "alias", "complaint", "rating")
    }


def test_any_order_and_every_file_twice_give_the_same_state(world: World, tmp_path: Path) -> None:
    """Every source's files dealt into two deliveries at random, all deliveries shuffled, all files sent again."""
    draw = random.Random(1)
    raw = world.folder / "raw"
    parts: list[tuple[str, Path]] = []
    for source in (*SOURCES_OF_DOSSIERS, "petition", "rating"):
        for path in sorted((raw / source).rglob("*.json")):
            part = tmp_path / f"{source}{draw.randrange(2)}"
            target = part / path.relative_to(raw / source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
            if (source, part) not in parts:
                parts.append((source, part))
    draw.shuffle(parts)
    record = Record(tmp_path / "record")
    record.append(SOURCES["canonical"].read(raw / "reference", FeedOptions()), source="canonical", arrived_at=ARRIVED)
    deliver(record, raw / "roster", "roster")
    for source, part in parts:
        deliver(record, part, source)
    again = [deliver(record, raw / source, source) for source in (*SOURCES_OF_DOSSIERS, "petition", "rating")]
    assert [receipt.appended for receipt in again] == [0, 0, 0, 0]
    assert state(record) == state(world.record)


@pytest.mark.slow
def test_traps_in_a_larger_province(tmp_path: Path) -> None:
    table = recall_and_false_alarms(build(tmp_path, 3000))
    assert all(recall >= 0.95 and false <= 0.01 for _, recall, false in table.values()), table
