"""What machines do to us: full disks, folders closed to us, clocks that jump, damaged files, everybody at once."""

import multiprocessing
import os
import resource
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas  # noqa: F401 -- DuckDB looks for it, and nobody may read it after the process gave up its rights
import pytest

from features.calendar.vietnam import VIETNAM
from features.record.delivery import Chunk
from features.record.record import Record
from serving.cli import main
from serving.scoring.batch import score_record
from serving.scoring.score_files import latest_path, read_scores
from serving.use_cases.served_state import reloadable_list
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import AS_OF, draw_office
from tests.drawn_scores import drawn, store

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPAWN = multiprocessing.get_context("spawn")


def dossiers(name: str, count: int, at: datetime = AT) -> list[Chunk]:
    row = {"procedure_code": "p", "unit_code": "u", "received_at": at}
    return [Chunk("dossier", [{"dossier_id": f"{name}-{n}", **row} for n in range(count)])]


def counted(record: Record) -> int:
    with record.connect() as con:
        return int(con.execute("SELECT count(*) FROM dossier").fetchall()[0][0])


def test_a_full_disk_leaves_the_list_that_is_served(tmp_path: Path) -> None:
    store(tmp_path, drawn(50))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            store(tmp_path, drawn(5_000), "v2", AS_OF + timedelta(days=1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert read_scores(latest_path(tmp_path, "lateness"))[1].model_version == "v1"
    assert not list(tmp_path.rglob("*.tmp")), "nothing is left behind"


def append_without_rights(folder: str) -> None:
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    try:
        Record(folder).append(dossiers("b", 3), source="canonical", arrived_at=AT)
    except OSError as error:
        sys.exit(7 if error.filename else 8)


def test_a_folder_that_can_not_be_written_is_said_so_and_stays_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "record"
    Record(folder).append(dossiers("a", 3), source="canonical", arrived_at=AT)
    folder.chmod(0o555)
    child = SPAWN.Process(target=append_without_rights, args=(str(folder),))
    child.start()
    child.join(60)
    assert child.exitcode == 7, "an OSError that names the path"
    folder.chmod(0o755)
    assert counted(Record(folder)) == 3


def test_a_clock_that_jumps_back_loses_no_delivery(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.append(dossiers("late", 2), source="canonical", arrived_at=AT + timedelta(days=400), live=True)
    receipt = record.append(dossiers("early", 2), source="canonical", arrived_at=AT + timedelta(days=1), live=True)
    assert (receipt.version, receipt.appended) == (2, 2)
    with record.connect(cutoff=AT + timedelta(days=2)) as con:
        assert con.execute("SELECT DISTINCT split_part(dossier_id, '-', 1) FROM dossier").fetchall() == [("early",)]


def test_a_damaged_file_of_the_record_is_one_clear_line_and_the_mended_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = Record(tmp_path / "record")
    record.append(dossiers("a", 500), source="canonical", arrived_at=AT)
    file = next((tmp_path / "record" / "dossier").glob("*.parquet"))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    told = {}
    for command in ("reconcile", "doctor"):
        monkeypatch.setattr(sys, "argv", ["risk", "--home", str(tmp_path), command])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1
        told[command] = capsys.readouterr()
    said = told["reconcile"].err
    assert said.startswith("risk: ")
    assert said.count("\n") == 1
    assert file.name in said
    assert "✗ record" in told["doctor"].out
    file.write_bytes(whole)
    assert counted(record) == 500


def test_a_damaged_list_is_not_taken_over_and_the_last_good_one_stays(tmp_path: Path) -> None:
    store(tmp_path, drawn(50))
    kept = reloadable_list(tmp_path, "lateness")
    assert kept.refresh()
    newer = store(tmp_path, drawn(60), "v2", AS_OF + timedelta(days=1))
    newer.write_bytes(newer.read_bytes()[:-100])
    assert not kept.refresh()
    assert kept.value is not None
    assert len(kept.value) == 50
    assert kept.trouble is not None


def append_many(folder: str, name: str) -> None:
    record = Record(folder)
    for number in range(3):
        record.append(dossiers(f"{name}{number}", 20), source="canonical", arrived_at=AT)


@pytest.mark.slow
def test_two_ingests_and_a_scoring_at_once(tmp_path: Path) -> None:
    settings = draw_office(tmp_path)
    ship(settings.models, drawn_model(), "v1")
    record = Record(settings.record_url)
    before = counted(record)
    writers = [SPAWN.Process(target=append_many, args=(settings.record_url, name)) for name in "xy"]
    for writer in writers:
        writer.start()
    versions: list[Any] = []
    while any(writer.is_alive() for writer in writers) or not versions:
        meta, path = score_record(settings, AS_OF, VIETNAM)
        assert read_scores(path)[0].num_rows == meta.n
        versions.append(meta.record_version)
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert counted(record) == before + 2 * 3 * 20
    assert versions == sorted(versions)
