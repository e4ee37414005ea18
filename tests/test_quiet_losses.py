"""What went in without a word once: columns told twice, lists of one, files of other kinds, ends without a moment."""

from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.record.delivery import DeliveryReceipt
from features.record.record import Record
from features.sources import FeedOptions
from features.sources.json_stream import items
from serving.read.intake_words import note_words
from tests.drawn_record import KEY, deliver, synced, write_json
from tests.test_case_kinds import TRUTHS, Rows, filed, whole
from tests.test_table_sources import HEADER, MAPPING, line, stored, take, truth

DOSSIER = "dossier_id,procedure_code,unit_code,received_at"
ROUND = {
    "NgayBoSung": "20260905080000", "NgayTiepNhanBoSung": "20260908080000", "NgayHenTraTruoc": "20261001170000",
    "NgayHenTraMoi": "20261004170000", "DanhSachGiayToBoSung": {"TenGiayTo": "Đơn"},
}  # fmt: skip
TASK = {"createdDate": "2026-09-14T08:12:00.000+0700", "bpmProcessDefinitionTask": {"name": {"name": "Tiếp nhận"}}}


def told(receipt: DeliveryReceipt, words: str) -> int:
    """How many the note with these words concerns; every note has words for people."""
    assert all(note_words(note) != note for note in receipt.notes if words in note), receipt.notes
    return sum(count for note, count in receipt.counts.items() if words in note)


def drawn(folder: Path, source: str, *objects: dict[str, Any]) -> tuple[DeliveryReceipt, Record]:
    record = Record(folder / "home")
    return deliver(record, write_json(folder / "in/a.json", list(objects)), source), record


def kinds(record: Record) -> list[tuple[str, str]]:
    return record.connect().execute("SELECT dossier_id, kind FROM event ORDER BY dossier_id, happened_at").fetchall()


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods", "parquet"])
def test_a_column_told_twice_is_read_once_and_told(tmp_path: Path, form: str) -> None:
    rows: Rows = [[*HEADER, "NGÀY HẸN TRẢ"], *([*line(one), ""] for one in TRUTHS)]
    if form == "parquet":
        (tmp_path / "in").mkdir()
        path = tmp_path / "in/a.parquet"
        pq.write_table(pa.table({str(name): [row[i] for row in rows[1:]] for i, name in enumerate(rows[0])}), path)
    else:
        path = filed(tmp_path, form, rows)
    receipt, record = take(path, tmp_path / "home")
    assert whole(record), "the empty second column takes no promise away"
    assert [reject.came for reject in record.rejects(receipt.delivery_id)] == ["a repeated column"]


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
def test_below_a_header_of_another_order_no_line_is_a_row_until_the_own_comes_again(tmp_path: Path, form: str) -> None:
    def turned(row: Any) -> list[object]:
        return [row[1], row[0], *row[2:]]

    own: list[object] = list(HEADER)
    other = turned(HEADER)
    rows: Rows = [own, line(truth(0)), other, turned(line(truth(1))), own, line(truth(2))]
    receipt, record = take(filed(tmp_path, form, rows), tmp_path / "home")
    assert sorted(stored(record)) == [truth(0).code, truth(2).code]
    assert receipt.rejected == 3


def test_promises_that_are_not_there_are_counted(tmp_path: Path) -> None:
    """Formulas that nobody computed, #N/A and empty cells: a spreadsheet's reader knows them as nothing."""
    rows: Rows = [list(HEADER), *map(line, TRUTHS)]
    rows[1][4], rows[2][4], rows[3][4] = "=D2+10", "", "N/A"
    receipt, _ = take(filed(tmp_path, "xlsx", rows), tmp_path / "home")
    assert told(receipt, "due_at: empty") == 3


def test_cells_under_no_name_are_told(tmp_path: Path) -> None:
    rows: Rows = [[*HEADER, "", "thêm"], [*line(TRUTHS[0]), "đã trả", 1], [*line(TRUTHS[1]), "", 1]]
    receipt, _ = take(filed(tmp_path, "xlsx", rows), tmp_path / "home")
    assert told(receipt, "a column without a name") == 1


@pytest.mark.parametrize("code", ["2.02603E+13", "2,02603E+13", "1e+15"])
def test_a_code_that_lost_its_digits_is_set_aside_with_either_comma(tmp_path: Path, code: str) -> None:
    rows: Rows = [list(HEADER), *([code, *line(one)[1:]] for one in TRUTHS)]
    receipt, record = take(filed(tmp_path, "csv", rows), tmp_path / "home")
    assert (receipt.rejected, stored(record)) == (len(TRUTHS), {})


def test_a_day_that_has_not_been_yet_is_told(tmp_path: Path) -> None:
    rows: Rows = [list(HEADER), [*line(TRUTHS[0])[:3], "05/03/2062", "15/03/2062", "Sở"], line(TRUTHS[1])]
    rows[1][0] = "N-1"
    receipt, _ = take(filed(tmp_path, "csv", rows), tmp_path / "home")
    assert told(receipt, "after the delivery came") == 1


def test_thousands_that_may_be_read_as_fractions_are_told(tmp_path: Path) -> None:
    areas = ["1.250", '"1.250,5"', "980", "0.125"]
    lines = [f"A{n},p,u,2026-03-02T08:00,{area}" for n, area in enumerate(areas)]
    (tmp_path / "dossier.csv").write_text("\n".join([f"{DOSSIER},area", *lines]), "utf-8")
    assert told(deliver(Record(tmp_path / "home"), tmp_path / "dossier.csv", "canonical"), "x_area: 1.250 read") == 1


@pytest.mark.parametrize("source", ["canonical", "dvcqg", "roster"])
def test_files_of_other_kinds_are_told_by_every_source(tmp_path: Path, source: str) -> None:
    folder = tmp_path / "in"
    write_json(folder / "a.json", {"units": [{"code": "H99.1"}]} if source == "roster" else [])
    (folder / "dossier.csv").write_text(f"{DOSSIER}\nA,p,u,2026-03-02T08:00\n", "utf-8")
    (folder / "events.csv").write_text("dossier_id,kind,happened_at\n", "utf-8")
    openpyxl.Workbook().save(folder / "event.xlsx")
    receipt = deliver(Record(tmp_path / "home"), folder, source)
    assert told(receipt, "files of other kinds not read") == 3


def test_a_folder_of_its_own_files_tells_of_no_others(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", [])
    assert list(items(tmp_path)) == []


def test_a_list_of_one_may_stand_alone_and_what_is_no_object_is_set_aside(tmp_path: Path) -> None:
    codes = [f"H99.24-260901-000{n}" for n in (1, 2)]
    rounds: list[object] = [ROUND, orjson.dumps([ROUND]).decode()]
    receipt, record = drawn(
        tmp_path, "dvcqg",
        *(synced(code, "20260901080000", "20261004170000", DanhSachHoSoBoSung=one)
          for code, one in zip(codes, rounds, strict=True)),
    )  # fmt: skip
    assert kinds(record) == [
        (codes[0], "received"), (codes[0], "papers_requested"), (codes[0], "papers_supplied"), (codes[1], "received"),
    ]  # fmt: skip
    assert receipt.rejected == 1


def test_a_task_without_its_moment_is_set_aside(tmp_path: Path) -> None:
    item = {
        "code": "000.00.13.H99-260914-0021", "acceptedDate": "2026-09-14T08:00:00.000+0700",
        "procedure": {"code": "1.001612"}, "agency": {"code": "000.00.13.H99"},
    }  # fmt: skip
    receipt, record = drawn(
        tmp_path, "igate", {**item, "task": TASK}, {**item, "task": [{**TASK, "createdDate": None}, "x"]}
    )
    assert receipt.rejected == 2
    assert ("H99.13-260914-0021", "received") in kinds(record)


@pytest.mark.parametrize(("status", "count"), [("10", 1), ("3", 1), ("4", 0), ("8", 0)])
def test_an_end_without_a_moment_is_told(tmp_path: Path, status: str, count: int) -> None:
    item = synced("H99.24-260901-0001", "20260901080000", "20261001170000", TrangThaiHoSo=status)
    receipt, _ = drawn(tmp_path, "dvcqg", item)
    assert told(receipt, "the dossier ended and no moment") == count
    dated, _ = drawn(tmp_path / "dated", "dvcqg", {**item, "NgayTra": "20260910080000"})
    assert told(dated, "the dossier ended and no moment") == 0


def test_codes_and_submissions_that_say_nothing_are_told(tmp_path: Path) -> None:
    odd = {"KenhThucHien": "7", "LoaiDoiTuong": "9", "NgayNopHoSo": "20260915080000"}
    receipt, _ = drawn(tmp_path, "dvcqg", synced("H99.24-260901-0001", "20260901080000", "20261001170000", **odd))
    assert told(receipt, "a code outside the source's list") == 2
    assert told(receipt, "submitted_at: after receipt") == 1


def test_a_roster_is_read_in_its_looser_forms_or_told(tmp_path: Path) -> None:
    officials: list[dict[str, Any]] = [
        {"id": "1", "display_names": "Nguyễn Văn A", "unit": "H99.204", "is_head": "true"},
        {"id": "2", "display_names": ["Trần B"], "unit": None},
        {"id": "3", "unit": "H99.204"},
    ]
    units = {"code": "H99.204", "name": "C", "succeeds": "H99.104; H99.105"}
    receipt, record = drawn(tmp_path, "roster", {"units": units, "officials": officials})
    con = record.connect()
    assert con.execute("SELECT unit_code, succeeds FROM unit").fetchall() == [("H99.204", "H99.104;H99.105")]
    assert con.execute("SELECT unit_code, is_head FROM official").fetchall() == [("H99.204", True)]
    assert (receipt.rejected, told(receipt, "official: without a unit")) == (1, 1)


def test_a_log_tells_of_files_beside_it(tmp_path: Path) -> None:
    mapping = MAPPING + '[event]\ndossier_id = "case:concept:name"\nhappened_at = "time:timestamp"\n'
    (tmp_path / "m.toml").write_text(mapping, "utf-8")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.xes").write_text("<log/>", "utf-8")
    (tmp_path / "in/b.csv").write_text("x", "utf-8")
    from features.sources.xes import read

    chunks = list(read(tmp_path / "in", FeedOptions(mapping=tmp_path / "m.toml", key=KEY)))
    assert chunks[0].notes == {"1 files of other kinds not read": 1}


def test_a_file_of_lines_that_nobody_can_tell_apart_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dossier.csv").write_bytes(f"{DOSSIER}\rA,p,u,2026-03-02T08:00\r".encode())
    receipt = deliver(Record(tmp_path / "home"), tmp_path / "dossier.csv", "canonical")
    assert receipt.refused


def test_counts_of_a_statistic_are_read_as_text_too_or_set_aside(tmp_path: Path) -> None:
    month = {"month": 7, "year": 2026, "govAgencyCode": "H99.24"}
    receipt, record = drawn(tmp_path, "opencps", {**month, "totalCount": "12", "receivedCount": 3.0, "doneCount": "?!"})
    counts = record.connect().execute("SELECT name, value FROM counter ORDER BY name").fetchall()
    assert counts == [("receivedCount", 3.0), ("totalCount", 12.0)]
    assert receipt.rejected == 1


def test_control_characters_are_no_part_of_a_code(tmp_path: Path) -> None:
    (tmp_path / "dossier.csv").write_bytes(f"{DOSSIER}\nA-\x0001\x1f,p,u,2026-03-02T08:00\n".encode())
    record = Record(tmp_path / "home")
    assert deliver(record, tmp_path / "dossier.csv", "canonical").appended == 1
    assert record.connect().execute("SELECT dossier_id FROM dossier").fetchall() == [("A-01",)]
