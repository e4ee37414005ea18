"""A report as a file: by the ending that is asked for."""

import csv
from collections.abc import Sequence
from datetime import datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

from features.record.record import Record
from serving.documents.letterhead import Letterhead, Letterheads
from serving.documents.table_file import harmless
from serving.read.register import Register
from serving.reports.report import Cell, Report
from serving.reports.word_file import write_report
from serving.reports.workbook import basis_words, write_workbook

ENDINGS = (".docx", ".xlsx", ".csv")


def issuer_of(report: Report, record: Record, home: Path) -> Letterhead:
    """Who issues the report: by `letterheads.toml` in the home and the register that the report rests on."""
    with record.connect(version=report.record_version, cutoff=report.as_of) as con:
        return Letterheads.read(home).of(Register.read(con), report.unit_code, report.kind)


def report_file(report: Report, ending: str, zone: ZoneInfo, letterhead: Letterhead) -> bytes:
    """The file's bytes; letterhead: who issues it, for .docx. ValueError for an ending not of `ENDINGS`."""
    if ending.lower() == ".docx":
        return write_report(report, zone, letterhead)
    if ending.lower() == ".xlsx":
        return write_workbook(report, zone)
    if ending.lower() == ".csv":
        return write_plain(report, zone)
    raise ValueError(f"wanted a file ending in {', '.join(ENDINGS)}, got {ending[:20]!r}")


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
