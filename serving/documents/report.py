"""A report as a Word document: figures, tables, and an annex with the rows to which the figures point."""

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from serving.documents.fill import clean, fill
from serving.reports.report import Cell, Report, Rows
from serving.reports.workbook import basis_words

TEMPLATE = Path(__file__).with_name("report.docx")
MOST_LINES = 60
"""Rows of a figure that the annex shows; all of them stand in the workbook of the same report."""


def write_report(report: Report, zone: ZoneInfo) -> bytes:
    """The .docx; equal reports give equal bytes."""
    return fill(
        TEMPLATE,
        {
            "issuer": clean(report.scope.upper()),
            "place_and_day": "……, ngày …… tháng …… năm ……",
            "title": clean(report.vi.upper()),
            "subject": clean(f"{report.scope}, {report.period.words}"),
            "notes": [clean(note) for note in report.notes],
            "figures": [
                {"words": clean(one.vi), "value": words(one.value, zone), "rows": one.rows} for one in report.figures
            ],
            "tables": [
                {
                    "words": clean(one.vi),
                    "head": [clean(column.words) for column in one.columns],
                    "rows": _cells(one.lines, zone),
                    "note": clean(one.note),
                }
                for one in report.tables
            ],
            "annex": [_annex(one, zone) for one in report.rows],
            "basis": basis_words(report, zone),
            "signer": "NGƯỜI KÝ",
        },
    )


def words(value: Cell, zone: ZoneInfo) -> str:
    """A cell as Vietnamese readers write it: decimal comma, dd/mm/yyyy; – where there is none."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%d/%m/%Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".").replace(".", ",")
    return clean(str(value))


def _annex(rows: Rows, zone: ZoneInfo) -> dict[str, Any]:
    left = len(rows.lines) - MOST_LINES
    return {
        "key": rows.key,
        "words": clean(f"{rows.key}: {rows.words} ({len(rows.lines)})"),
        "head": [clean(text) for text in rows.head],
        "rows": _cells(rows.lines[:MOST_LINES], zone),
        "note": f"Còn {left} dòng trong tệp Excel của cùng báo cáo, trang {rows.key}." if left > 0 else "",
    }


def _cells(lines: tuple[tuple[Cell, ...], ...], zone: ZoneInfo) -> list[dict[str, list[str]]]:
    return [{"cells": [words(cell, zone) for cell in line]} for line in lines]
