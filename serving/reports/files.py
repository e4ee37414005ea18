"""A report as a file: by the ending that is asked for."""

from zoneinfo import ZoneInfo

from serving.documents.report import write_report
from serving.reports.report import Report
from serving.reports.workbook import write_workbook

WRITERS = {".docx": write_report, ".xlsx": write_workbook}


def report_file(report: Report, ending: str, zone: ZoneInfo) -> bytes:
    """The file's bytes; ValueError for an ending other than .docx and .xlsx."""
    if ending.lower() not in WRITERS:
        raise ValueError(f"wanted a file ending in {', '.join(WRITERS)}, got {ending[:20]!r}")
    return WRITERS[ending.lower()](report, zone)
