"""A report as a file: by the ending that is asked for."""

from pathlib import Path
from zoneinfo import ZoneInfo

from features.record.record import Record
from serving.documents.letterhead import Letterhead, Letterheads
from serving.read.register import Register
from serving.reports.plain_file import write_plain
from serving.reports.report import Report
from serving.reports.word_file import write_report
from serving.reports.workbook import write_workbook

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
