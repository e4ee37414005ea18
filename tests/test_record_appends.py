"""Appends to the record: a delivery is in or out, whoever is killed or writes at once; merged files, a full disk."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from features.record import delta
from features.record.delivery import Chunk
from features.record.new_rows import NewRows
from features.record.record import Record
from tests.drawn_rows import NOW, column, dossier, event, many_chunks, take

WRITER = """
import sys
from features.record.record import Record
from tests.drawn_rows import many_chunks, take
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
        "from features.record.record import Record\n"
        "from tests.drawn_rows import many_chunks, take\n"
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
