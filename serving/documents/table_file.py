"""Tables as files for people and other tools: CSV, Parquet, Excel.

A cell that a spreadsheet could take for a formula stays text in every format (OWASP: CSV injection).
"""

import csv
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_EXCEL_ROWS = 1_048_575


def scores_table(scores: pa.Table) -> pa.Table:
    """The columns handed out of a scored list: who, score, rank, and the reasons in both languages."""
    reasons = scores["reasons"].to_pylist()
    return pa.table(
        {
            **{name: scores[name] for name in ("dossier_id", "unit_code", "official_id", "score", "rank")},
            "reasons_vi": pa.array(["; ".join(reason["vi"] for reason in row or []) for row in reasons], pa.string()),
            "reasons_en": pa.array(["; ".join(reason["en"] for reason in row or []) for row in reasons], pa.string()),
        }
    )


def write_table(table: pa.Table, out: Path, zone: ZoneInfo, title: str = "scores") -> None:
    """Writes a flat table to `out`, whose ending (.csv, .parquet, .xlsx) says how; replaces the file in one
    step.

    zone: zone in which Excel shows times (its cells know none). title: name of the Excel sheet.
    Raises ValueError for another ending, or for more rows than an Excel sheet holds.
    """
    writers: dict[str, Callable[[Path], None]] = {
        ".csv": lambda path: _write_csv(table, path),
        ".parquet": lambda path: pq.write_table(table, path, compression="zstd"),
        ".xlsx": lambda path: _write_excel(table, path, zone, title),
    }
    ending = out.suffix.lower()
    if ending not in writers:
        raise ValueError(f"wanted a file ending in {', '.join(writers)}, got {out.name!r}")
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.stem}.{os.getpid()}.tmp{ending}")
    try:
        writers[ending](aside)
        aside.replace(out)
    finally:
        aside.unlink(missing_ok=True)


def harmless(text: str) -> str:
    """`text` so that no spreadsheet takes it for a formula: a quote before a leading = + - @ or control character."""
    return "'" + text if text.startswith(_FORMULA) else text


def _write_csv(table: pa.Table, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.column_names)
        writer.writerows([_csv_cell(value) for value in row] for row in _rows(table))


def _csv_cell(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _write_excel(table: pa.Table, path: Path, zone: ZoneInfo, title: str) -> None:
    import xlsxwriter

    if table.num_rows > _EXCEL_ROWS:
        raise ValueError(
            f"an Excel sheet holds {_EXCEL_ROWS} rows, the table has {table.num_rows}: write .csv or .parquet"
        )
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
        "constant_memory": True,
    }
    with xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet(title[:31])
        time = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        for place, name in enumerate(table.column_names):
            sheet.write_string(0, place, name, book.add_format({"bold": True}))
            sheet.set_column(place, place, 60 if name.startswith("reasons") else 18)
        for line, row in enumerate(_rows(table), start=1):
            for place, value in enumerate(row):
                if isinstance(value, datetime):
                    sheet.write_datetime(line, place, value.astimezone(zone).replace(tzinfo=None), time)
                elif isinstance(value, str):
                    sheet.write_string(line, place, value[:32_767])
                elif value is not None:
                    sheet.write(line, place, value)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, table.num_rows, max(table.num_columns - 1, 0))


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    for batch in table.to_batches(max_chunksize=10_000):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
