"""Files for people: the same rows in three formats, and no cell that a spreadsheet would run."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.documents.table_file import scores_table, write_table
from tests.drawn_scores import drawn

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HOSTILE = [
    "=1+1",
    '=HYPERLINK("http://evil.example","x")',
    "+84900000000",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "=cmd|' /C calc'!A0",
    "http://evil.example",
    "{=1}",
    "plain",
]


def test_scores_have_the_agreed_columns_in_rank_order(tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    write_table(scores_table(drawn(30)), out, ZONE)
    table = pq.read_table(out)
    assert table.column_names == [
        "dossier_id", "unit_code", "official_id", "score", "rank", "reasons_vi", "reasons_en",
    ]  # fmt: skip
    assert table["rank"].to_pylist() == list(range(1, 31))
    assert table["reasons_vi"][0].as_py() == "Cán bộ đang giữ 43 hồ sơ (queue); Cán bộ đang giữ 43 hồ sơ (clock)"


def test_csv_and_excel_hold_the_same_values_as_parquet(tmp_path: Path) -> None:
    table = scores_table(drawn(30))
    write_table(table, tmp_path / "a.csv", ZONE)
    write_table(table, tmp_path / "a.xlsx", ZONE)
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert sheet is not None
    cells = list(sheet.iter_rows(values_only=True))
    for row, line, cell in zip(table.to_pylist(), lines, cells[1:], strict=True):
        assert line["dossier_id"] == row["dossier_id"] == cell[0]
        assert float(line["score"]) == row["score"]
        assert cell[3] == pytest.approx(row["score"], rel=1e-15)
        assert (line["official_id"] or None) == row["official_id"] == cell[2]


def test_no_cell_of_excel_is_a_formula_or_a_link(tmp_path: Path) -> None:
    write_table(pa.table({"dossier_id": HOSTILE}), tmp_path / "h.xlsx", ZONE)
    sheet = openpyxl.load_workbook(tmp_path / "h.xlsx").active
    assert sheet is not None
    column = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in column] == [text.replace("\r", "_x000D_") for text in HOSTILE] or [
        cell.value for cell in column
    ] == HOSTILE
    assert {cell.data_type for cell in column} == {"s"}
    assert all(cell.hyperlink is None for cell in column)
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:A{len(HOSTILE) + 1}"


def test_no_cell_of_csv_begins_a_formula(tmp_path: Path) -> None:
    write_table(pa.table({"dossier_id": HOSTILE, "score": [-1.5] * len(HOSTILE)}), tmp_path / "h.csv", ZONE)
    with (tmp_path / "h.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert not [line for line in lines if line["dossier_id"].startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {line["score"] for line in lines} == {"-1.5"}  # numbers stay numbers
    assert [line["dossier_id"].removeprefix("'") for line in lines] == HOSTILE


def test_times_in_excel_are_local(tmp_path: Path) -> None:
    table = pa.table({"due_at": pa.array([datetime(2026, 3, 1, 20, tzinfo=UTC)], pa.timestamp("us", "UTC"))})
    write_table(table, tmp_path / "t.xlsx", ZONE)
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    assert sheet is not None
    assert sheet["A2"].value == datetime(2026, 3, 2, 3)  # noqa: DTZ001 - Excel cells know no zone


def test_another_ending_is_refused_and_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.csv, \.parquet, \.xlsx"):
        write_table(pa.table({"a": [1]}), tmp_path / "a.ods", ZONE)
    out = tmp_path / "a.xlsx"
    write_table(pa.table({"a": ["kept"]}), out, ZONE)
    before = out.read_bytes()
    with pytest.raises(TypeError):
        write_table(pa.table({"a": [[1, 2]]}), out, ZONE)
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.xlsx"]
