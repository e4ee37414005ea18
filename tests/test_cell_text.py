"""What cells mean: words for nothing, numbers of other hands, codes of spreadsheets, promises that are days."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.record.cell_text import closing, heading, visible
from features.record.delivery import DeliveryReceipt
from features.record.record import Record
from features.sources import SOURCES, FeedOptions
from models.encoding import Encoder

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HEADER = "dossier_id,procedure_code,unit_code,received_at,due_at"


def take(record: Record, folder: Path, name: str, data: str | pa.Table, **options: object) -> DeliveryReceipt:
    """One file of a canonical delivery, taken in."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(data, pa.Table):
        pq.write_table(data, folder / name)
    else:
        (folder / name).write_text(data, encoding="utf-8")
    chunks = SOURCES["canonical"].read(folder, FeedOptions())
    receipt = record.append(chunks, source="canonical", arrived_at=NOW)
    assert receipt.read == receipt.appended + receipt.duplicates + receipt.rejected
    return receipt


def dossiers(*ids: str, due: str = "2026-03-20T17:00:00", **columns: list[str]) -> str:
    """A table of dossiers as CSV with further columns."""
    rows = [",".join([HEADER, *columns])]
    for place, code in enumerate(ids):
        rows.append(
            ",".join([code, "1.001612", "H99.13", "2026-03-02T08:00:00", due, *(c[place] for c in columns.values())])
        )
    return "\n".join(rows) + "\n"


def moment(*parts: int) -> datetime:
    """A moment as the views tell it, in UTC without saying so."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[arg-type,misc]


def values(record: Record, what: str) -> list[object]:
    return [one for (one,) in record.connect().execute(f"SELECT {what} FROM dossier ORDER BY dossier_id").fetchall()]


@pytest.mark.parametrize("word", ["N/A", "n/a", "-", "không", "Không có", "chưa có", "#N/A", "null"])
def test_a_word_for_nothing_is_unknown_in_a_column_of_numbers(tmp_path: Path, word: str) -> None:
    record = Record(tmp_path / "home")
    take(record, tmp_path / "3", "dossier.csv", dossiers("N0", "N1", x_area=["120.5", "90"]))
    receipt = take(record, tmp_path / "4", "dossier.csv", dossiers("N2", "N3", "N4", x_area=["80", word, "65"]))
    assert (receipt.appended, receipt.rejected) == (3, 0)
    assert values(record, "x_area") == [120.5, 90.0, 80.0, None, 65.0]
    assert any("x_area: words for nothing" in note for note in receipt.notes)


def test_a_number_as_vietnamese_write_it_is_one_and_any_other_text_is_told(tmp_path: Path) -> None:
    record = Record(tmp_path / "home")
    take(record, tmp_path / "3", "dossier.csv", dossiers("N0", "N1", x_area=["120.5", "90"]))
    rows = dossiers("N2", "N3", "N4", "N5", x_area=["80", '"1.250,5"', "65", '"1,250"'])
    receipt = take(record, tmp_path / "4", "dossier.csv", rows)
    assert values(record, "x_area") == [120.5, 90.0, 80.0, 1250.5, 65.0, None]  # 1,250 may be either: not guessed
    assert any("x_area: no number" in note for note in receipt.notes)


def test_a_json_column_of_numbers_keeps_its_type(tmp_path: Path) -> None:
    rows = [{"dossier_id": f"N{n}", "procedure_code": "p", "unit_code": "u", "received_at": "2026-03-02",
             "x_area": cell}
            for n, cell in enumerate([80, "N/A", 65.5, "lớn"])]  # fmt: skip
    text = "\n".join(map(json.dumps, rows))
    record = Record(tmp_path / "home")
    take(record, tmp_path / "in", "dossier.jsonl", text)
    assert values(record, "x_area") == [80.0, None, 65.5, None]


def test_a_cell_that_does_not_fit_the_model_is_unknown_for_its_dossier_alone() -> None:
    encoder = Encoder(numbers=("x_area", "x_gone", "left"), rates=())
    matrix = pa.table({"x_area": ["80", "không", None, "1.250,5"], "left": [1.0, 2.0, None, 4.0]})
    found = encoder.encode(matrix).tolist()
    assert [row[0] for row in found][::3] == [80.0, 1250.5]
    assert [row[0] == row[0] for row in found] == [True, False, False, True]  # NaN is not itself
    assert [row[2] for row in found][:2] == [1.0, 2.0]
    assert encoder.misfits(matrix) == {"x_area": 1}
    one = encoder.encode_cells({"x_area": "không", "x_gone": None, "left": 2.0}).tolist()[0]
    assert one[0] != one[0]
    assert one[2] == 2.0


CODES = [
    ("20260001.0", "20260001"),
    (" 20260001", "20260001"),
    ('"=""00123"""', "00123"),
    ("'00123", "00123"),
    ("H99.13\u2011260311\u20110001", "H99.13-260311-0001"),
    ("H99.13-\u200b260311-0001\u00a0", "H99.13-260311-0001"),
    ("H\u1ed3 s\u01a1", "H\u1ed3 s\u01a1"),
    ("Ho\u0302\u0300 so\u031b", "H\u1ed3 s\u01a1"),
]


@pytest.mark.parametrize(("written", "code"), CODES)
def test_one_code_is_one_however_it_is_written(tmp_path: Path, written: str, code: str) -> None:
    record = Record(tmp_path / "home")
    take(record, tmp_path / "in", "dossier.csv", dossiers(written))
    assert values(record, "dossier_id") == [code]
    again = take(record, tmp_path / "again", "dossier.csv", dossiers(code))
    assert (again.appended, again.duplicates) == (0, 1)


def test_codes_as_numbers_of_any_file_are_the_same_codes(tmp_path: Path) -> None:
    plain = {"unit_code": ["H99.13"] * 3, "received_at": ["2026-03-02T08:00:00"] * 3}
    floats = pa.table({"dossier_id": [20260001.0, 20260002.0, 20260003.0],
                       "procedure_code": [2.00052, 1.0122, 1.001612], **plain})  # fmt: skip
    texts = pa.table({"dossier_id": ["20260001", "20260002.0", "20260003"],
                      "procedure_code": ["2.000520", "1.0122", "1.001612.000.00.00.H99"], **plain})  # fmt: skip
    record = Record(tmp_path / "home")
    take(record, tmp_path / "a", "dossier.parquet", floats)
    assert take(record, tmp_path / "b", "dossier.parquet", texts).duplicates == 3
    assert values(record, "procedure_code") == ["2.000520", "1.012200", "1.001612"]


@pytest.mark.parametrize("lost", ["2.02603E+13", 1.234567890123456e15, "1E+15"])
def test_a_code_whose_digits_are_lost_is_set_aside(tmp_path: Path, lost: str | float) -> None:
    rows = pa.table({"dossier_id": [lost], "procedure_code": ["p"], "unit_code": ["u"], "received_at": ["2026-03-02"]})
    record = Record(tmp_path / "home")
    receipt = take(record, tmp_path / "a", "dossier.parquet", rows)
    assert (receipt.appended, receipt.rejected) == (0, 1)
    assert receipt.refused
    assert "all its digits" in record.rejects(receipt.delivery_id)[0].wanted


def test_a_promise_that_is_a_day_means_its_closing(tmp_path: Path) -> None:
    record = Record(tmp_path / "home")
    take(
        record,
        tmp_path / "a",
        "dossier.csv",
        dossiers("D1", due="2026-09-21") + dossiers("D2", due="2026-09-26").split("\n")[1],
    )
    days = pa.table({"dossier_id": ["D3", "D4"], "procedure_code": ["p"] * 2, "unit_code": ["u"] * 2,
                     "received_at": [date(2026, 9, 21)] * 2, "due_at": [date(2026, 9, 21), None]})  # fmt: skip
    take(record, tmp_path / "b", "dossier.parquet", days)
    monday, saturday = moment(2026, 9, 21, 10, 30), moment(2026, 9, 26, 16, 59, 59)
    assert values(record, "due_at") == [monday, saturday, monday, None]
    assert values(record, "received_at")[2] == moment(2026, 9, 20, 17)  # other days begin with their midnight
    receipt = take(record, tmp_path / "c", "dossier.csv", dossiers("D5", due="2026-09-21T00:00:00"))
    assert any("midnight to the second as a promise" in note for note in receipt.notes)


def test_days_close_by_the_packaged_calendar() -> None:
    assert closing(date(2026, 8, 22), "Asia/Ho_Chi_Minh") == datetime(2026, 8, 22, 10, 30, tzinfo=UTC)  # made up
    assert closing(date(2026, 9, 2), "Asia/Ho_Chi_Minh") == datetime(2026, 9, 2, 16, 59, 59, tzinfo=UTC)  # a holiday


def test_headers_are_compared_as_cells_are(tmp_path: Path) -> None:
    record = Record(tmp_path / "home")
    text = dossiers("D1").replace("dossier_id", "\ufeffDossier_ID\u00a0").replace("due_at", "due_at\u200b")
    receipt = take(record, tmp_path / "a", "dossier.csv", text)
    assert (receipt.appended, receipt.notes) == (1, ())
    assert values(record, "due_at") == [moment(2026, 3, 20, 10)]
    assert heading("Mã\u00a0hồ  sơ") == heading("MÃ HỒ SƠ")
    assert visible("a\u00adb") == "ab"


def test_a_canonical_table_without_a_promise_says_so(tmp_path: Path) -> None:
    record = Record(tmp_path / "home")
    receipt = take(record, tmp_path / "a", "dossier.csv", dossiers("N0", "N1").replace("due_at", "due_date"))
    assert receipt.notes == ("dossier.due_at: no such column, so no promise; is it 'due_date'?",)


def test_a_column_empty_now_and_full_before_is_an_alarm(tmp_path: Path) -> None:
    record = Record(tmp_path / "home")
    take(record, tmp_path / "3", "dossier.csv", dossiers("N0", "N1", "N2", "N3"))
    same = take(record, tmp_path / "4", "dossier.csv", dossiers("N4", "N5", "N6"))
    assert same.notes == ()
    empty = take(record, tmp_path / "5", "dossier.csv", dossiers("N7", "N8", "N9", "N10", due=""))
    assert [note for note in empty.notes if note.startswith("ALARM dossier.due_at")]
    assert empty.rejected == 0
    few = take(record, tmp_path / "6", "dossier.csv", dossiers("N11"))
    assert few.notes == ()  # one row may be silent by chance
