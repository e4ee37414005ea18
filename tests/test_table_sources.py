"""Exports as offices send them: encodings, separators, titles, sheets and codes of every kind; no loss in silence."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.record.delivery import DeliveryError, DeliveryReceipt
from features.record.record import Record
from features.sources import SOURCES, FeedOptions
from features.sources.layout import find_header, oddity
from features.spelling.vietnamese_text import converted, encoding_of

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HEADER = ("Mã hồ sơ", "Mã TTHC", "Mã đơn vị", "Ngày tiếp nhận", "Ngày hẹn trả", "Tên đơn vị")
MAPPING = """
[unit]
unit_code = "Mã đơn vị"
unit_name = "Tên đơn vị"
[dossier]
dossier_id = "Mã hồ sơ"
procedure_code = "Mã TTHC"
unit_code = "Mã đơn vị"
received_at = { from = "Ngày tiếp nhận", format = "%d/%m/%Y" }
due_at = { from = "Ngày hẹn trả", format = "%d/%m/%Y" }
"""


@dataclass(frozen=True)
class Truth:
    """One dossier as its office means it."""

    code: str
    procedure: str
    received: date
    due: date


def truth(n: int) -> Truth:
    received = date(2026, 3, 2) + timedelta(days=n)
    return Truth(f"H99.13-{received:%y%m%d}-{n:04d}", "2.000520", received, received + timedelta(days=10))


def line(one: Truth, when: str = "%d/%m/%Y") -> list[object]:
    return [one.code, one.procedure, "H99.13", f"{one.received:{when}}", f"{one.due:{when}}", "Sở Tài nguyên"]


def book(path: Path, rows: list[list[object]], *, hidden: bool = False) -> Path:
    """A workbook of one sheet; `hidden`: behind another one that is hidden and old."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    if hidden:
        sheet.sheet_state, sheet.title = "hidden", "cũ"
        sheet.append(list(HEADER))
        sheet.append(line(truth(90)))
        sheet = workbook.create_sheet("mới")
        workbook.active = 1
    for row in rows:
        sheet.append(row)
    workbook.save(path)
    return path


def take(path: Path, home: Path, mapping: str = MAPPING, **options: object) -> tuple[DeliveryReceipt, Record]:
    (home.parent / "m.toml").write_text(mapping, "utf-8")
    record = Record(home)
    chunks = SOURCES["table"].read(path, FeedOptions(mapping=home.parent / "m.toml", **options))  # type: ignore[arg-type]
    receipt = record.append(chunks, source="table", arrived_at=NOW)
    assert receipt.read == receipt.appended + receipt.duplicates + receipt.rejected
    return receipt, record


def stored(record: Record) -> dict[str, tuple[str, date, date]]:
    rows = (
        record.connect()
        .execute("SELECT dossier_id, procedure_code, received_at, due_at FROM dossier_latest")
        .fetchall()
    )
    day = lambda at: at.replace(tzinfo=UTC).astimezone(ZONE).date()  # noqa: E731
    return {code: (procedure, day(received), day(due)) for code, procedure, received, due in rows}


CODINGS = {
    "utf-8": "utf-8", "utf-8-sig": "utf-8-sig", "utf-16": "utf-16", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be",
    "cp1258": "cp1258", "cp1252 bytes": "latin-1",
}  # fmt: skip


@st.composite
def variants(draw: st.DrawFn) -> dict[str, object]:
    """One way in which an office may write the same dossiers."""
    return {
        "form": draw(st.sampled_from(["csv", "csv", "csv", "xlsx", "parquet"])),
        "coding": draw(st.sampled_from(list(CODINGS))),
        "separator": draw(st.sampled_from([",", ";", "\t", "|"])),
        "titles": draw(st.sampled_from([0, 0, 1, 3])),
        "header": draw(st.sampled_from(["plain", "nbsp", "nfd", "upper", "zero width", "renamed due", "renamed code"])),
        "codes": draw(st.sampled_from(["plain", "nbsp", "zero width", "dash", "cut procedure", "point zero"])),
        "dates": draw(st.sampled_from(["%d/%m/%Y", "%Y-%m-%d", "%m/%d/%Y", "cells"])),
        "tail": draw(st.sampled_from(["", "totals", "signature", "header", "empty cells"])),
        "sheets": draw(st.booleans()),
        "count": draw(st.integers(2, 6)),
    }


def header(kind: object) -> list[str]:
    names = list(HEADER)
    if kind == "renamed due":
        names[4] = "Ngày hẹn trả kết quả"
    if kind == "renamed code":
        names[1] = "Mã thủ tục"
    change = {"nbsp": lambda t: t.replace(" ", "\u00a0") + " ", "nfd": lambda t: unicodedata.normalize("NFD", t),
              "upper": str.upper, "zero width": lambda t: "\u200b" + t}.get(str(kind))  # fmt: skip
    return [change(name) for name in names] if change else names


def cells(one: Truth, asked: dict[str, object]) -> list[object]:
    row = line(one, "%d/%m/%Y" if asked["dates"] == "cells" else str(asked["dates"]))
    if asked["dates"] == "cells" and asked["form"] != "csv":
        row[3], row[4] = one.received, one.due
    kind = asked["codes"]
    if kind == "nbsp":
        row[0] = f"{row[0]}\u00a0"
    elif kind == "zero width":
        row[2] = f"\u200b{row[2]}"
    elif kind == "dash":
        row[0] = str(row[0]).replace("-", "\u2011")
    elif kind == "cut procedure":
        row[1] = "2.00052"
    elif kind == "point zero" and asked["form"] == "xlsx":
        row[1] = 2.00052
    return row


def in_1258(text: str) -> bytes:
    """Windows-1258, which has tones as letters of their own."""
    tones = "\u0300\u0301\u0303\u0309\u0323"
    parts: list[str] = []
    for letter in text:
        whole = unicodedata.normalize("NFD", letter)
        tone = "".join(mark for mark in whole if mark in tones)
        parts.append(unicodedata.normalize("NFC", "".join(mark for mark in whole if mark not in tones)) + tone)
    return "".join(parts).encode("cp1258", "replace")


def written(folder: Path, asked: dict[str, object], rows: list[list[object]]) -> Path:
    if asked["form"] == "xlsx":
        return book(folder / "a.xlsx", rows, hidden=bool(asked["sheets"]))
    if asked["form"] == "parquet":
        names = [str(name) for name in rows[0]]
        pq.write_table(
            pa.table({name: [row[i] for row in rows[1:]] for i, name in enumerate(names)}), folder / "a.parquet"
        )
        return folder / "a.parquet"
    separator = str(asked["separator"])
    text = "\n".join(separator.join(map(str, row)) for row in rows)
    coding = CODINGS[str(asked["coding"])]
    (folder / "a.csv").write_bytes(in_1258(text) if coding == "cp1258" else text.encode(coding, "replace"))
    return folder / "a.csv"


@settings(max_examples=60, suppress_health_check=list(HealthCheck), derandomize=True)
@given(asked=variants())
def test_every_dossier_of_every_variant_is_right_or_set_aside_or_told(asked: dict[str, object]) -> None:
    """Encoding × header × separator × codes × dates: nothing is lost or changed in silence."""
    truths = [truth(n) for n in range(int(str(asked["count"])))]
    rows: list[list[object]] = [list(header(asked["header"])), *(cells(one, asked) for one in truths)]
    if asked["form"] != "parquet":
        width = len(HEADER)
        tails: dict[object, list[object]] = {
            "totals": ["Tổng cộng: 4", *[""] * (width - 1)],
            "signature": ["Người lập biểu", *[""] * (width - 2), "Thủ trưởng"],
            "header": list(header(asked["header"])), "empty cells": [""] * width,
        }  # fmt: skip
        titles = int(str(asked["titles"]))
        rows[:0] = [[f"DANH SÁCH {n}", *[""] * (width - 1)] for n in range(titles)]
        rows += [tails[asked["tail"]]] if asked["tail"] else []
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        path = written(folder / "in", asked, rows)
        try:
            receipt, record = take(path, folder / "home")
        except DeliveryError:  # refused whole, in words: as loud as can be
            return
        have = stored(record)
        wrong = {one.code for one in truths if have.get(one.code) != (one.procedure, one.received, one.due)}
        told = receipt.rejected + len(receipt.notes)
        assert not wrong or told, f"{len(wrong)} of {len(truths)} wrong in silence"
        assert set(have) <= {one.code for one in truths}, "no dossier that nobody delivered"
        easy = asked["header"] not in ("renamed due", "renamed code") and asked["dates"] in ("%d/%m/%Y", "%Y-%m-%d")
        if easy and (asked["form"] != "csv" or str(asked["coding"]).startswith("utf")):
            assert not wrong, receipt.notes
        if asked["header"] == "renamed due" or (
            asked["form"] == "csv" and asked["coding"] in ("cp1258", "cp1252 bytes")
        ):
            assert receipt.refused


def test_a_group_over_two_lines_of_header_is_one_header(tmp_path: Path) -> None:
    above: list[object] = ["Mã hồ sơ", "Mã TTHC", "Mã đơn vị", "Thời gian", "", "Tên đơn vị"]
    below: list[object] = ["", "", "", "Ngày tiếp nhận", "Ngày hẹn trả", ""]
    path = book(tmp_path / "a.xlsx", [["BÁO CÁO"], above, below, line(truth(1)), line(truth(2))])
    _, record = take(path, tmp_path / "home")
    assert sorted(stored(record)) == [truth(1).code, truth(2).code]


def test_a_column_with_fill_says_what_stands_above(tmp_path: Path) -> None:
    rows: list[list[object]] = [list(HEADER), line(truth(1)), line(truth(2))]
    rows[2][2] = ""
    mapping = MAPPING.replace('unit_code = "Mã đơn vị"', 'unit_code = { from = "Mã đơn vị", fill = true }')
    receipt, record = take(book(tmp_path / "a.xlsx", rows), tmp_path / "home", mapping)
    assert receipt.rejected == 0
    assert len(stored(record)) == 2


def test_a_named_line_is_the_header(tmp_path: Path) -> None:
    old = [str(cell) for cell in line(truth(7))]
    text = "\n".join(";".join(row) for row in (list(HEADER), old, list(HEADER), [str(c) for c in line(truth(1))]))
    (tmp_path / "a.csv").write_text(text, "utf-8")
    _, record = take(tmp_path / "a.csv", tmp_path / "home", "header = 3\n" + MAPPING)
    assert list(stored(record)) == [truth(1).code]


@pytest.mark.parametrize("text", ["sep=;\n{}", "{}"])
def test_separators_are_found_and_trailing_ones_borne(tmp_path: Path, text: str) -> None:
    rows = [
        ";".join(HEADER) + ";;",
        ";".join(map(str, line(truth(1)))) + ";;",
        ";".join(map(str, line(truth(2)))) + ";",
    ]
    (tmp_path / "a.csv").write_text(text.format("\n".join(rows)), "utf-8")
    receipt, record = take(tmp_path / "a.csv", tmp_path / "home")
    assert receipt.rejected == 0
    assert len(stored(record)) == 2


def test_a_day_turned_round_against_its_code_is_set_aside_in_any_file(tmp_path: Path) -> None:
    row = line(truth(1))  # of 3 March
    row[3] = "2026-03-03"
    turned = line(truth(3))  # of 5 March
    turned[3], turned[4] = "03/05/2026", "20/05/2026"
    (tmp_path / "a.csv").write_text("\n".join(",".join(map(str, one)) for one in (HEADER, row, turned)), "utf-8")
    receipt, record = take(tmp_path / "a.csv", tmp_path / "home")
    assert list(stored(record)) == [truth(1).code]
    assert [reject.wanted for reject in record.rejects(receipt.delivery_id)] == ["the day of the code"]


def test_several_files_with_one_stranger_are_read_and_it_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_text("\n".join(",".join(map(str, one)) for one in (HEADER, line(truth(1)))), "utf-8")
    (folder / "b.csv").write_text("x,y\n1,2\n", "utf-8")
    (folder / "c.docx").write_bytes(b"PK")
    receipt, record = take(folder, tmp_path / "home")
    assert len(stored(record)) == 1
    assert [reject.file for reject in record.rejects(receipt.delivery_id)] == ["b.csv"]
    assert "1 files of other kinds not read" in receipt.notes


def test_words_of_older_encodings_are_told_apart() -> None:
    assert encoding_of(in_1258("Sở Tài nguyên và Môi trường")) == "Windows-1258"
    assert encoding_of("Së Tµi nguyªn vµ M«i tr\u00adêng".encode("latin-1")) == "TCVN3 (ABC)"
    assert encoding_of("Sôû Taøi nguyeân vaø Moâi tröôøng".encode("latin-1")) == "VNI"
    assert converted("ÑAËNG THÒ HÖÔØNG", "vni") == "ĐẶNG THỊ HƯỜNG"
    assert converted("§Æng ThÞ H\u00adêng", "tcvn3") == "Đặng Thị Hường"


def test_rows_that_look_like_totals_are_rows_where_they_are_full() -> None:
    found = find_header([list(HEADER)], HEADER)
    assert found is not None
    full = ["Tổng-1", "p", "u", "01/03/2026", "02/03/2026", "Tổng công ty"]
    assert oddity(full, found, HEADER, sparse=True) is None
    assert oddity(["Cộng", "", "", "", "", "3"], found, HEADER, sparse=True) == "a line of totals"
    assert oddity(["x", "", "", "", "", ""], found, HEADER, sparse=True) == "a line with hardly a cell"
