"""A report as comma-separated text: figures, then each table under its title; for tools that read neither Word nor
Excel. Rows behind figures stand in the workbook.
"""

import csv
from collections.abc import Sequence
from datetime import datetime
from io import StringIO
from zoneinfo import ZoneInfo

from serving.documents.table_file import harmless
from serving.reports.report import Cell, Report
from serving.reports.workbook import basis_words

MIME = "text/csv; charset=utf-8"


def write_plain(report: Report, zone: ZoneInfo) -> bytes:
    """UTF-8 with a mark that spreadsheets know it by (RFC 4180); equal reports give equal bytes."""
    out = StringIO(newline="")
    lines = csv.writer(out)

    def write(cells: Sequence[Cell]) -> None:
        lines.writerow([_plain(cell, zone) for cell in cells])

    write((report.vi, f"{report.scope}, {report.period.words}", basis_words(report, zone)))
    for note in report.notes:
        write((note,))
    write(())
    write(("Chỉ tiêu", "Kỳ này", "Kỳ trước", "Cùng kỳ năm trước"))
    for figure in report.figures:
        write((figure.vi, figure.value, figure.before, figure.year_before))
    for table in report.tables:
        write(())
        write((table.vi, table.note) if table.note else (table.vi,))
        write([column.words for column in table.columns])
        for line in table.lines:
            write(line)
        if table.total:
            write(table.total)
    return out.getvalue().encode("utf-8-sig")


def _plain(value: Cell, zone: ZoneInfo) -> str | float | None:
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%d/%m/%Y %H:%M")
    if isinstance(value, str):
        return harmless(value)
    if value is None or isinstance(value, int | float):
        return value
    return value.strftime("%d/%m/%Y")
