"""The text of a report: drafted from its figures, then as a person left it. Figures and tables are never touched."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.reports.report import PARTS, Report, Sentence
from serving.state import ReportText

MOST_SENTENCES, LONGEST = 80, 2_000
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def with_text(session: Session, report: Report) -> Report:
    """The report with its text as last written; as drafted where nobody wrote any."""
    written = session.scalar(
        select(ReportText).where(*_of(report)).order_by(ReportText.id.desc()).limit(1)
    )  # fmt: skip
    if written is None:
        return report
    return replace(report, sentences=tuple(Sentence(*one) for one in json.loads(written.text)))


def write_text(
    session: Session, report: Report, sentences: Sequence[Sentence], *, by: int, now: datetime
) -> dict[str, Any]:
    """Keeps a text beside the draft of `report` (as drafted); gives both, for the receipt.

    ValueError for an unknown part, and for more or longer sentences than a report holds.
    """
    written = [one for one in sentences if one.vi.strip()]
    if unknown := {one.part for one in written} - set(PARTS):
        raise ValueError(f"part: wanted one of {', '.join(PARTS)}, got {sorted(unknown)[0][:20]!r}")
    if len(written) > MOST_SENTENCES or any(len(one.vi) > LONGEST for one in written):
        raise ValueError(f"wanted at most {MOST_SENTENCES} sentences of {LONGEST} characters")
    drafted, text = _as_json(report.sentences), _as_json(written)
    session.add(
        ReportText(
            kind=report.kind, month=report.period.month, unit_code=report.unit_code, as_of=report.as_of,
            drafted=drafted, text=text, written_at=now, written_by=by,
        )
    )  # fmt: skip
    session.flush()
    return {
        "kind": report.kind, "month": report.period.month, "unit": report.unit_code,
        "as_of": report.as_of.isoformat(), "drafted": json.loads(drafted), "written": json.loads(text),
    }  # fmt: skip


def strange_numbers(report: Report, sentences: Sequence[Sentence]) -> list[str]:
    """Numbers in the text that stand neither in a figure or table of the report nor in its draft: to be looked at."""
    cells: list[object] = [report.period.words, report.subject, *(one.vi for one in report.sentences), *report.notes]
    for figure in report.figures:
        cells += [figure.value, figure.before, figure.year_before]
    for table in report.tables:
        for line in (*table.lines, table.total):
            cells += line
    in_report = {_plain(number) for cell in cells for number in _NUMBER.findall(str(cell))}
    in_text = dict.fromkeys(number for one in sentences for number in _NUMBER.findall(one.vi))
    return [number for number in in_text if _plain(number) not in in_report]


def _of(report: Report) -> tuple[Any, ...]:
    return (
        ReportText.kind == report.kind,
        ReportText.month == report.period.month,
        ReportText.unit_code == report.unit_code,
        ReportText.as_of == report.as_of,
    )


def _as_json(sentences: Sequence[Sentence]) -> str:
    return json.dumps([[one.part, one.vi.strip(), one.rows] for one in sentences], ensure_ascii=False)


def _plain(number: str) -> str:
    """A number without its sign of thousands or of tenths: `1.234` is `1234`, `8,0` is `8`."""
    whole, _, part = number.replace(",", ".").partition(".")
    if len(part) == 3 and part.isdigit():
        return str(int(whole + part))
    return f"{int(whole)}.{part.rstrip('0')}".rstrip(".")
