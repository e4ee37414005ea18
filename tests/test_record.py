"""The record: appended to, never changed; a delivery is in or out; what was known, and when."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.record import delta
from features.record import record as record_module
from features.record.delivery import Chunk, DeliveryReceipt
from features.record.new_rows import NewRows
from features.record.record import Record
from features.record.schema import TABLES

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def utc(*parts: int) -> datetime:
    """A moment in UTC as the views show it: without offset."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[arg-type,misc]


def dossier(number: int, **cells: object) -> dict[str, object]:
    start = datetime(2025, 3, 3, 1, tzinfo=UTC) + number * DAY
    told = {"dossier_id": f"d{number}", "procedure_code": "p", "unit_code": "u", "received_at": start}
    return {**told, "due_at": start + 5 * DAY, **cells}


def event(number: int, kind: str = "assigned", after: int = 1, **cells: object) -> dict[str, object]:
    at = datetime(2025, 3, 3, 1, tzinfo=UTC) + number * DAY + timedelta(hours=after)
    return {"dossier_id": f"d{number}", "kind": kind, "happened_at": at, **cells}


def take(record: Record, *chunks: Chunk, live: bool = False, arrived_at: datetime = NOW) -> DeliveryReceipt:
    return record.append(chunks, source="canonical", arrived_at=arrived_at, live=live)


def column(record: Record, sql: str, **options: object) -> list[object]:
    con = record.connect(**options)  # type: ignore[arg-type]
    return [row[0] for row in con.execute(sql).fetchall()]


def content(record: Record) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all canonical tables, without the delivery that brought them."""
    con = record.connect()
    return {name: con.execute(f"SELECT * EXCLUDE (delivery_id) FROM {name} ORDER BY ALL").fetchall() for name in TABLES}


def test_receipt_counts_every_row_once(tmp_path: Path) -> None:
    record = Record(tmp_path)
    rows = [dossier(1), dossier(2), dossier(1), dossier(3, received_at="nonsense")]
    receipt = take(record, Chunk("dossier", rows, file="dossier.csv", lines=2))
    assert str(receipt) == "read=4 appended=2 known=1 rejected=1"
    (reject,) = record.rejects(receipt.delivery_id)
    assert (reject.file, reject.line, reject.column) == ("dossier.csv", 5, "received_at")
    assert (reject.wanted, reject.came) == ("a time in ISO 8601", "nonsense")


def test_same_delivery_again_changes_no_row(tmp_path: Path) -> None:
    record = Record(tmp_path)
    chunks = Chunk("dossier", [dossier(1), dossier(2)]), Chunk("event", [event(1), event(2)])
    take(record, *chunks)
    before = content(record)
    assert take(record, *chunks, arrived_at=NOW + DAY).duplicates == 4
    assert take(record, *chunks, live=True, arrived_at=NOW + 2 * DAY).appended == 0
    assert content(record) == before


def test_empty_record_has_every_view_and_column(tmp_path: Path) -> None:
    con = Record(tmp_path).connect()
    for table in TABLES.values():
        names = [row[0] for row in con.execute(f"DESCRIBE {table.name}").fetchall()]
        assert set(table.names) < set(names), table.name
        assert con.execute(f"SELECT count(*) FROM {table.name}").fetchall() == [(0,)]
    assert con.execute("SELECT count(*) FROM conflict").fetchall() == [(0,)]
    assert Record(tmp_path).version() == 0


def test_back_fill_takes_the_rows_own_clock_and_live_the_arrival(tmp_path: Path) -> None:
    complaint = {"complaint_id": "c", "filed_at": "2025-03-01T00:00:00Z", "verdict": "upheld"}
    complaint["verdict_at"] = "2025-06-01T00:00:00Z"
    given_known = event(2, known_at="2025-09-09T00:00:00Z")
    back = Record(tmp_path / "back")
    take(back, Chunk("event", [event(1), given_known]), Chunk("complaint", [complaint]))
    known = column(back, "SELECT known_at FROM event ORDER BY dossier_id")
    assert known == [utc(2025, 3, 4, 2), utc(2025, 9, 9)]
    assert column(back, "SELECT known_by FROM event ORDER BY dossier_id") == ["clock", "feed"]
    assert column(back, "SELECT max(known_at) FROM complaint") == [utc(2025, 6, 1)]
    live = Record(tmp_path / "live")
    take(live, Chunk("event", [event(1), given_known]), live=True)
    assert column(live, "SELECT known_at FROM event ORDER BY dossier_id") == [
        NOW.replace(tzinfo=None),
        utc(2025, 9, 9),
    ]


def test_a_back_filled_complaint_is_known_from_its_filing_and_its_verdict_later(tmp_path: Path) -> None:
    record = Record(tmp_path)
    told = {"complaint_id": "c", "filed_at": "2025-03-01T00:00:00Z", "verdict": "upheld"}
    told |= {"answered_at": "2025-04-01T00:00:00Z", "verdict_at": "2025-06-01T00:00:00Z"}
    take(record, Chunk("complaint", [told]))
    sql = "SELECT verdict FROM complaint ORDER BY known_at"
    assert column(record, sql) == [None, "upheld"]
    assert column(record, sql, cutoff=datetime(2025, 5, 1, tzinfo=UTC)) == [None]
    assert column(record, sql, cutoff=datetime(2025, 3, 1, tzinfo=UTC)) == []
    live = Record(tmp_path / "live")
    take(live, Chunk("complaint", [told]), live=True)
    assert column(live, sql) == ["upheld"]


def test_a_back_filled_finding_is_known_from_its_visit(tmp_path: Path) -> None:
    record = Record(tmp_path)
    found = {"finding_id": "f1", "inspection_id": "i", "kind": "harassment"}
    confirmed = found | {"finding_id": "f2", "confirmed": True, "confirmed_at": "2025-09-01T00:00:00Z"}
    take(record, Chunk("finding", [found, confirmed]))  # the visit comes later: order does not matter
    visit = {"inspection_id": "i", "unit_code": "u", "visited_at": "2025-05-05T00:00:00Z"}
    take(record, Chunk("inspection", [visit]))
    con = record.connect()
    assert con.execute("SELECT finding_id, known_at, confirmed FROM finding ORDER BY ALL").fetchall() == [
        ("f1", utc(2025, 5, 5), None),
        ("f2", utc(2025, 5, 5), None),
        ("f2", utc(2025, 9, 1), True),
    ]
    assert column(record, "SELECT finding_id FROM finding", cutoff=datetime(2025, 5, 5, tzinfo=UTC)) == []


def test_lasting_knowledge_is_known_since_ever(tmp_path: Path) -> None:
    record = Record(tmp_path)
    units = [{"unit_code": "a"}, {"unit_code": "b", "valid_from": "2025-07-01T00:00:00+07:00"}]
    take(record, Chunk("unit", units))
    assert column(record, "SELECT known_at FROM unit ORDER BY ALL") == [
        utc(1990, 1, 1),
        utc(2025, 6, 30, 17),
    ]


def test_cutoff_shows_what_was_known_before_it(tmp_path: Path) -> None:
    record = Record(tmp_path)
    take(record, Chunk("event", [event(1), event(2), event(3)]))
    at = datetime(2025, 3, 5, 2, tzinfo=UTC)  # the very moment of the second event: not before it
    assert column(record, "SELECT dossier_id FROM event", cutoff=at) == ["d1"]
    later = column(record, "SELECT dossier_id FROM event ORDER BY ALL", cutoff=at + timedelta(microseconds=1))
    assert later == ["d1", "d2"]
    with pytest.raises(ValueError, match="aware"):
        record.connect(cutoff=utc(2025, 3, 5))


def test_a_record_kept_open_sees_what_others_deliver_and_what_was_restored(tmp_path: Path) -> None:
    kept = Record(tmp_path / "record")
    take(kept, Chunk("dossier", [dossier(1)]))
    shutil.copytree(tmp_path / "record", tmp_path / "copy")
    take(Record(tmp_path / "record"), Chunk("dossier", [dossier(2)]))
    assert kept.version() == 2
    assert column(kept, "SELECT dossier_id FROM dossier ORDER BY 1") == ["d1", "d2"]
    shutil.rmtree(tmp_path / "record")
    shutil.copytree(tmp_path / "copy", tmp_path / "record")
    take(Record(tmp_path / "record"), Chunk("dossier", [dossier(3)]))
    assert kept.version() == 2
    assert column(kept, "SELECT dossier_id FROM dossier ORDER BY 1") == ["d1", "d3"]
    assert str(take(kept, Chunk("dossier", [dossier(1), dossier(4)]))).startswith("read=2 appended=1 known=1")


def test_a_version_stays_what_it_was(tmp_path: Path) -> None:
    record = Record(tmp_path)
    take(record, Chunk("dossier", [dossier(1)]))
    take(record, Chunk("dossier", [dossier(2, x_floor=3), dossier(1, due_at=None)]))
    assert record.version() == 2
    assert column(record, "SELECT dossier_id FROM dossier", version=1) == ["d1"]
    assert "x_floor" not in column(record, "SELECT column_name FROM (DESCRIBE dossier)", version=1)
    assert len(column(record, "SELECT dossier_id FROM dossier", version=2)) == 3
    assert column(record, "SELECT count(*) FROM dossier", version=0) == [0]
    with pytest.raises(ValueError, match="0 to 2 was wanted, 3 came"):
        record.connect(version=3)


def test_times_without_offset_are_local_to_the_feed(tmp_path: Path) -> None:
    record = Record(tmp_path)
    told = ["2025-03-03T08:00:00", "2025-03-03 01:00:00Z", "2025-03-03T08:00:00.000000+07:00"]
    told_cells = [*told, utc(2025, 3, 3, 8), datetime(2025, 3, 3, 1, tzinfo=UTC)]
    take(record, *(Chunk("event", [event(1, happened_at=cell)]) for cell in told_cells))
    assert column(record, "SELECT happened_at FROM event") == [utc(2025, 3, 3, 1)]
    take(record, Chunk("event", [event(1, happened_at=told[0])], zone="Europe/Amsterdam"))
    assert max(column(record, "SELECT happened_at FROM event")) == utc(2025, 3, 3, 7)  # type: ignore[type-var]


def test_unknown_columns_of_dossier_are_attributes(tmp_path: Path) -> None:
    record = Record(tmp_path)
    rows = [dossier(1, **{"Land area (m²)": 12.5, "x_ward": "7", "code": "007", "big": True})]
    receipt = take(record, Chunk("dossier", rows), Chunk("event", [event(1, colour="red")]))
    con = record.connect()
    types = dict(con.execute("SELECT column_name, column_type FROM (DESCRIBE dossier)").fetchall())
    assert types["x_land_area_m²"] == "DOUBLE"
    assert {types[name] for name in ("x_ward", "x_code", "x_big")} == {"VARCHAR"}
    assert con.execute('SELECT "x_land_area_m²", x_ward, x_code, x_big FROM dossier').fetchall() == [
        (12.5, "7", "007", "true")
    ]
    assert receipt.notes == ("event.colour: column not read",)


def test_an_attribute_is_what_most_of_its_values_are(tmp_path: Path) -> None:
    record = Record(tmp_path)
    take(record, Chunk("dossier", [dossier(1, x_floor=3), dossier(2, x_floor=4)]))
    assert column(record, "SELECT x_floor FROM dossier ORDER BY dossier_id") == [3.0, 4.0]
    take(record, Chunk("dossier", [dossier(3, x_floor="ground")]))
    assert column(record, "SELECT x_floor FROM dossier ORDER BY dossier_id") == [3.0, 4.0, None]  # one cell turns none
    told = take(record, Chunk("dossier", [dossier(4, x_floor="attic"), dossier(5, x_floor="cellar")]))
    assert told.notes == ("dossier.x_floor: from here on read as text, for most of its values are",)
    assert column(record, "SELECT x_floor FROM dossier ORDER BY dossier_id") == ["3", "4", "ground", "attic", "cellar"]
    assert column(record, "SELECT x_floor FROM dossier ORDER BY dossier_id", version=1) == [3.0, 4.0]


def test_two_stories_of_one_moment_are_kept_and_flagged(tmp_path: Path) -> None:
    record = Record(tmp_path)
    take(record, Chunk("dossier", [dossier(1), dossier(2)]))
    take(record, Chunk("dossier", [dossier(1, unit_code="other")]))
    correction = dossier(2, unit_code="other", known_at="2025-08-01T00:00:00Z")  # a later version is none
    take(record, Chunk("dossier", [correction]))
    con = record.connect()
    assert con.execute("SELECT table_name, id, versions FROM conflict").fetchall() == [("dossier", "d1", 2)]
    assert len(con.execute("SELECT * FROM dossier").fetchall()) == 4


def test_an_event_may_come_before_its_dossier(tmp_path: Path) -> None:
    record = Record(tmp_path)
    take(record, Chunk("event", [event(1)]))
    take(record, Chunk("dossier", [dossier(1)]))
    assert column(record, "SELECT kind FROM event JOIN dossier USING (dossier_id)") == ["assigned"]


def test_unknown_kinds_become_notes_that_keep_the_sources_word(tmp_path: Path) -> None:
    record = Record(tmp_path)
    rows = [event(1, "Inspect site"), event(2, "RECEIVED", step="desk"), event(3, "Odd", step="7")]
    receipt = take(record, Chunk("event", rows))
    con = record.connect()
    assert con.execute("SELECT kind, step FROM event ORDER BY dossier_id").fetchall() == [
        ("note", "Inspect site"),
        ("received", "desk"),
        ("note", "Odd / 7"),
    ]
    assert receipt.notes == ("event.kind: outside the list, kept as note",)


def test_a_delivery_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    record = Record(tmp_path)

    def broken():  # type: ignore[no-untyped-def]
        yield Chunk("dossier", [dossier(1)])
        raise OSError("the cable")

    with pytest.raises(OSError, match="cable"):
        record.append(broken(), source="canonical", arrived_at=NOW)
    assert record.version() == 0
    assert list((tmp_path / "staging").glob("*.lock")) == []


def test_bytes_of_a_record_elsewhere_by_url(tmp_path: Path) -> None:
    record = Record(f"file://{tmp_path}/tỉnh%20A")
    take(record, Chunk("dossier", [dossier(1)]))
    assert Record(tmp_path / "tỉnh A").version() == 1


steps = st.sampled_from([None, "a", "b"])
channels = st.sampled_from([None, "online"])
events = st.builds(event, st.integers(1, 3), st.just("note"), st.integers(0, 2), step=steps)
dossiers = st.builds(dossier, st.integers(1, 3), channel=channels)
rows = st.tuples(st.just("event"), events) | st.tuples(st.just("dossier"), dossiers)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(rows, min_size=1, max_size=10), data=st.data())
def test_order_splitting_and_repetition_lead_to_one_state(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, dict[str, object]]], data: st.DataObject
) -> None:
    once = Record(tmp_path_factory.mktemp("once"))
    take(once, *(Chunk(table, [row]) for table, row in told))
    again = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=3))))
    cut = data.draw(st.integers(0, len(again)))
    parts = Record(tmp_path_factory.mktemp("parts"))
    receipts = [take(parts, *(Chunk(t, [row]) for t, row in part)) for part in (again[:cut], again[cut:])]
    assert all(r.read == r.appended + r.duplicates + r.rejected for r in receipts)
    assert content(parts) == content(once)


def many_chunks() -> Iterator[Chunk]:
    """One delivery over three tables: 1 unit, 2,000 events, 4 dossiers."""
    yield Chunk("unit", [{"unit_code": "u"}])
    for part in range(4):
        yield Chunk("event", [event(part, "note", n) for n in range(500)])
        yield Chunk("dossier", [dossier(part)])


WRITER = """
import sys
from tests.test_record import Record, many_chunks, take
print("ready", flush=True)
sys.stdin.readline()
take(Record(sys.argv[1]), *many_chunks())
"""


def _kill_a_writer(folder: Path, wait: float | None) -> float:
    """Starts a writer in `folder`, kills it after `wait` seconds (None: not), gives the seconds it had."""
    root = str(Path(__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root}, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        start = time.monotonic()
        process.stdin.write("\n")
        process.stdin.flush()
        if wait is None:
            assert process.wait(60) == 0
        else:
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
        return time.monotonic() - start


def _sizes(record: Record) -> list[object]:
    return [column(record, f"SELECT count(*) FROM {name}")[0] for name in ("unit", "event", "dossier")]


def _kill_at_many_points(folder: Path, kills: int, seed: int) -> int:
    """Kills writers at random points: each delivery is wholly in or out. Gives how often it was out."""
    draw = random.Random(seed)
    whole = _kill_a_writer(folder / "measured", None)
    outs = 0
    for number in range(kills):
        record = Record(folder / str(number))
        take(record, Chunk("dossier", [dossier(9)]))
        _kill_a_writer(folder / str(number), draw.uniform(0, whole))
        sizes = _sizes(record)
        assert sizes in ([0, 0, 1], [1, 2000, 5])
        outs += sizes[0] == 0
        take(record, *many_chunks())  # what was left behind disturbs nobody and is cleared away
        assert _sizes(record) == [1, 2000, 5]
        assert {path.name for path in (folder / str(number) / "staging").glob("*")} <= {"spill"}
    return outs


def test_kill_leaves_a_delivery_in_or_out(tmp_path: Path) -> None:
    assert _kill_at_many_points(tmp_path, 1, seed=1) in (0, 1)


@pytest.mark.slow
def test_kill_at_many_points_leaves_a_delivery_in_or_out(tmp_path: Path) -> None:
    assert _kill_at_many_points(tmp_path, 12, seed=2) > 2


def test_a_kill_between_the_commits_of_a_delivery(tmp_path: Path) -> None:
    """The worst point: rows are written, the line that makes them visible is not."""
    record = Record(tmp_path)
    take(record, Chunk("event", [event(1)]))
    code = (
        "import os, sys\nfrom datetime import UTC, datetime\nfrom features.record import delta\n"
        "from features.record.delivery import Chunk\nfrom features.record.record import Record\n"
        "def dying(self, *told):\n"
        "    os.kill(os.getpid(), 9)\n"
        "delta.DeltaFiles.append_next = dying\n"
        "at = datetime(2025, 3, 3, tzinfo=UTC)\n"
        "row = {'dossier_id': 'dx', 'kind': 'note', 'happened_at': at}\n"
        "Record(sys.argv[1]).append([Chunk('event', [row])], source='canonical', arrived_at=at)\n"
    )
    root = str(Path(__file__).parents[1])
    died = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env={**os.environ, "PYTHONPATH": root})
    assert died.returncode == -signal.SIGKILL
    assert column(record, "SELECT dossier_id FROM event") == ["d1"]
    at = datetime(2025, 3, 3, tzinfo=UTC)
    again = take(record, Chunk("event", [{"dossier_id": "dx", "kind": "note", "happened_at": at}]))
    assert again.appended == 1
    assert sorted(map(str, column(record, "SELECT dossier_id FROM event"))) == ["d1", "dx"]


def _append_in_process(folder: str, own: int, barrier: object) -> None:
    record = Record(folder)
    barrier.wait()  # type: ignore[attr-defined]
    for number in range(3):
        shared = [event(n) for n in range(1, 200)]
        take(record, Chunk("event", [*shared, event(1000 + 10 * own + number)]))
        found = column(record, "SELECT count(*) - count(DISTINCT row_id) FROM event")
        assert found == [0]


def test_writers_and_readers_at_once_double_nothing(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(3)
    writers = [spawn.Process(target=_append_in_process, args=(str(tmp_path), n, barrier)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    record = Record(tmp_path)
    assert record.version() == 9
    assert column(record, "SELECT count(*) FROM event") == [199 + 9]
    assert column(record, "SELECT version FROM delivery ORDER BY version") == list(range(1, 10))


@pytest.mark.parametrize("look", ["_all_new", "_mark_known"])
def test_writers_without_a_lock_compare_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: str) -> None:
    """In an object store nothing is locked: the second of two commits that saw one version is refused."""
    monkeypatch.setattr(Record, "_writing", lambda self: nullcontext())
    if look == "_mark_known":
        monkeypatch.setattr(NewRows, "_all_new", lambda *_: False)
    compare = getattr(NewRows, look)
    others = iter([[event(1), event(2)], [event(3), event(4)]])

    def interfere(self: NewRows, *args: Any) -> Any:
        found = compare(self, *args)
        if self is slow._new_rows and (rows := next(others, None)):
            take(Record(tmp_path), Chunk("event", rows))
        return found

    slow = Record(tmp_path)
    monkeypatch.setattr(NewRows, look, interfere)
    receipt = take(slow, Chunk("event", [event(2), event(3), event(5)]))
    assert (receipt.appended, receipt.duplicates, receipt.version) == (1, 2, 3)
    assert column(slow, "SELECT dossier_id FROM event ORDER BY ALL") == ["d1", "d2", "d3", "d4", "d5"]


def test_a_hundred_thousand_events_on_one_dossier(tmp_path: Path) -> None:
    record = Record(tmp_path)
    at = pa.array([datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=n) for n in range(100_000)])
    same = {"dossier_id": pa.repeat("d", 100_000), "kind": pa.repeat("note", 100_000), "happened_at": at}
    assert take(record, Chunk("event", pa.table(same))).appended == 100_000
    assert column(record, "SELECT count(*) FROM event WHERE dossier_id = 'd'") == [100_000]


def test_the_line_of_a_delivery_tells_what_became_of_it(tmp_path: Path) -> None:
    record = Record(tmp_path)
    take(record, Chunk("dossier", [dossier(1), dossier(1)]), Chunk("event", [event(1)]))
    (line,) = record.connect().sql("FROM delivery").to_arrow_table().to_pylist()
    assert (line["version"], line["read"], line["appended"], line["known"]) == (1, 3, 2, 1)
    assert json.loads(line["appended_by_table"]) == {"dossier": 1, "event": 1}
    assert line["arrived_at"] == NOW.replace(tzinfo=None)


def test_many_deliveries_are_merged_and_every_version_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delta, "_MANY", ((5, 2**20),))
    monkeypatch.setattr("features.record.record.TIDY_EVERY", 1)
    record = Record(tmp_path)
    versions = []
    for number in range(12):
        take(record, Chunk("event", [event(number)]), Chunk("dossier", [dossier(number)]))
        versions.append(column(record, "SELECT count(*) FROM event JOIN dossier USING (dossier_id)")[0])
    assert versions == list(range(1, 13))
    assert len(list((tmp_path / "event" / "_delta_log").glob("*.json"))) > 12  # merges took place
    for version in range(13):
        assert column(record, "SELECT count(*) FROM event", version=version) == [version]
    assert take(record, Chunk("event", [event(number) for number in range(12)])).duplicates == 12
    rows = DeltaTable(tmp_path / "event").to_pyarrow_table().slice(0, 1)
    lost = rows.set_column(0, "delivery_id", pa.array(["nobody"]))  # what a killed writer left
    record._storage.table("event").append(lost)
    take(record, *(Chunk("event", [event(20 + number)]) for number in range(3)))
    assert column(record, "SELECT count(*) FROM event") == [15]


def test_the_log_is_written_anew_by_who_tidies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delta would do it every hundred commits, and whoever posts the hundredth row would wait for it."""
    monkeypatch.setattr(delta, "_MANY", ((5, 2**20),))
    record = Record(tmp_path)
    for number in range(3):
        record.append([Chunk("event", [event(number)])], source="api", arrived_at=NOW, live=True, tidy=False)
    told = tmp_path / "event" / "_delta_log"
    for number in range(3, 102):
        record.table("event").append(pa.table({"delivery_id": ["nobody"], "dossier_id": [f"d{number}"]}))
    assert not (told / "_last_checkpoint").exists()
    record.tidy()
    assert json.loads((told / "_last_checkpoint").read_text())["version"] == 102
    assert column(Record(tmp_path), "SELECT dossier_id FROM event ORDER BY ALL") == ["d0", "d1", "d2"]


def test_a_record_in_an_object_store_is_read_through_arrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file:// URL stands for the store: nothing local is used but the folder for staging."""
    monkeypatch.setattr("features.record.record._local_folder", lambda url: None)
    monkeypatch.setattr("features.record.record.gettempdir", lambda: str(tmp_path / "scratch"))
    (tmp_path / "store").mkdir()
    record = Record(f"file://{tmp_path}/store")
    take(record, Chunk("event", [event(1), event(2)]), Chunk("dossier", [dossier(1, x_floor=2)]))
    assert take(record, Chunk("event", [event(2), event(3)])).duplicates == 1
    assert column(record, "SELECT dossier_id FROM event ORDER BY ALL") == ["d1", "d2", "d3"]
    assert column(record, "SELECT dossier_id FROM event ORDER BY ALL", version=1) == ["d1", "d2"]
    at = datetime(2025, 3, 5, 2, tzinfo=UTC)
    assert column(record, "SELECT dossier_id FROM event", cutoff=at) == ["d1"]
    assert column(record, "SELECT x_floor FROM dossier") == [2.0]


def test_a_full_disk_leaves_the_record_as_it_was(tmp_path: Path) -> None:
    """A limit on file sizes stands for the full disk; the next delivery with room goes through."""
    record = Record(tmp_path)
    take(record, Chunk("event", [event(1)]))
    code = (
        "import resource, sys\n"
        "from tests.test_record import Record, many_chunks, take\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try: take(Record(sys.argv[1]), *many_chunks())\n"
        "except OSError as error: print('refused:', error)\n"
    )
    root = Path(__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.stdout.startswith("refused:"), run.stderr[-500:]
    assert _sizes(record) == [0, 1, 0]
    take(record, *many_chunks())
    assert _sizes(record) == [1, 2001, 4]


def test_a_chunk_of_any_size_is_taken_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.record.record.ROWS_AT_ONCE", 3)
    record = Record(tmp_path)
    rows = [event(n) for n in range(7)] + [event(8, happened_at="bad")]
    receipt = take(record, Chunk("event", rows, lines=2), Chunk("event", rows, lines=list(range(20, 28))))
    assert str(receipt) == "read=16 appended=7 known=7 rejected=2"
    assert [reject.line for reject in record.rejects(receipt.delivery_id)] == [9, 27]


def test_a_table_of_too_many_columns_is_read_as_far_as_reason_goes(tmp_path: Path) -> None:
    record = Record(tmp_path)
    receipt = take(record, Chunk("dossier", [dossier(1, **{f"a{n}": n for n in range(400)})]))
    assert receipt.appended == 1
    assert receipt.notes == ("dossier: columns beyond 300 not read",)
    assert column(record, "SELECT x_a5 FROM dossier") == [5.0]


@pytest.mark.slow
def test_a_million_events_in_a_minute_and_a_gigabyte(tmp_path: Path) -> None:
    """Reading, checking, comparing and writing a CSV of a million events, measured in a process of its own."""
    (tmp_path / "in").mkdir()
    duckdb.sql(
        "SELECT 'H01.' || (n // 10) AS dossier_id, 'note' AS kind, 'step ' || n % 37 AS step, 'o' || n % 1000 AS "
        "official_id, strftime(TIMESTAMP '2024-01-01' + to_seconds(n * 17), '%Y-%m-%dT%H:%M:%S+07:00') AS "
        "happened_at FROM range(1000000) r(n)"
    ).write_csv(str(tmp_path / "in" / "event.csv"))
    code = (
        "import resource, sys\nfrom datetime import UTC, datetime\nfrom pathlib import Path\n"
        "from features.sources import SOURCES, FeedOptions\nfrom features.record.record import Record\n"
        "folder = Path(sys.argv[1])\n"
        "chunks = SOURCES['canonical'].read(folder / 'in', FeedOptions())\n"
        "at = datetime(2026, 1, 1, tzinfo=UTC)\n"
        "print(Record(folder / 'home').append(chunks, source='canonical', arrived_at=at))\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "from tests.bench.contender import peak_kilobytes\n"
        "print(used.ru_utime + used.ru_stime, peak_kilobytes())\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=env, capture_output=True, text=True, check=True
    )
    told, used = run.stdout.splitlines()
    seconds, kilobytes = map(float, used.split())
    assert told == "read=1000000 appended=1000000 known=0 rejected=0"
    assert seconds < 60, "processor seconds, so that a busy machine does not decide"
    assert kilobytes < 2**20


def test_a_connection_for_many_statements_shows_the_same_and_copies_no_large_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record(tmp_path / "record")
    for moment in (NOW, NOW + DAY):  # the second delivery corrects the first
        later = {} if moment == NOW else {"due_at": NOW + 9 * DAY}
        take(record, Chunk("dossier", [dossier(n, **later) for n in range(4)], []), arrived_at=moment)
        take(record, Chunk("event", [event(n, after=moment.day) for n in range(4)], []), arrived_at=moment)
    for limit, kind in ((record_module.COPIED, "BASE TABLE"), (15, "VIEW")):
        monkeypatch.setattr(record_module, "COPIED", limit)
        con = record.connect(cutoff=NOW + DAY, copied=True)
        for name in ("dossier", "dossier_latest", "event", "event_latest"):
            kinds = con.execute(
                f"SELECT table_type FROM information_schema.tables WHERE table_name = '{name}'"
            ).fetchall()
            assert kinds == [(kind,)]
            asked = f"FROM {name} ORDER BY row_id"
            assert con.sql(asked).fetchall() == record.connect(cutoff=NOW + DAY).sql(asked).fetchall() != []
