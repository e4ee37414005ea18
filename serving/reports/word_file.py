"""A report as a Word document: drafted text, figures, tables, and an annex; wide tables stand on pages across.

Every row stands in the workbook of the same report; the annex lists those that the directives want named.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from serving.documents.chart import BarChart, mark
from serving.documents.fill import REPORT, clean, fill
from serving.documents.letterhead import Letterhead
from serving.reports.report import PARTS, Cell, Report, Rows, Table

ANNEXED = 60
"""Rows of a figure that the annex shows; all of them stand in the workbook of the same report."""
ONLY_IN_EXCEL = frozenset({"Mã đơn vị", "Lĩnh vực", "Theo 766", "Theo sự kiện"})
"""Columns of rows that paper has no room for."""
UPRIGHT = 165.0
"""Millimetres of an upright page between its margins."""
MOST_BARS = 8
_COMPARED = {
    "received": "Tiếp nhận", "ended": "Xong", "of these late": "Trễ hẹn", "open at the end": "Đang giải quyết",
    "of these overdue": "Quá hạn",
}  # fmt: skip
"""Figures that the first chart compares with the periods before."""
_ROMAN = ("I", "II", "III", "IV", "V")


@dataclass(frozen=True)
class _Grid:
    words: str
    head: list[str]
    lines: list[list[str]]
    note: str = ""

    @property
    def wide(self) -> bool:
        """Whether upright paper is too narrow for it."""
        from serving.documents.grid import least_width  # of the extra `reports`

        return least_width([self.head, *self.lines]) > UPRIGHT

    def fields(self) -> dict[str, Any]:
        return {
            "words": self.words, "head": self.head, "rows": [{"cells": line} for line in self.lines], "note": self.note
        }  # fmt: skip


def write_report(report: Report, zone: ZoneInfo, letterhead: Letterhead) -> bytes:
    """The .docx; equal reports under equal letterheads give equal bytes."""
    tables = _numbered([_grid(one, zone) for one in report.tables])
    texts: dict[str, list[str]] = {part: [] for part in PARTS}
    for one in report.sentences:
        texts[one.part].append(clean(one.vi))
    upright: dict[str, list[_Grid]] = {
        "results": [_figures(report, zone), *(one for one in tables if not one.wide)], "causes": [], "proposals": []
    }  # fmt: skip
    charts = charts_of(report)
    texts["results"] += [mark(number) for number in range(len(charts))]
    parts = [
        (words, texts[part], upright[part]) for part, words in PARTS.items() if texts[part] or upright[part]
    ]  # fmt: skip
    day = report.as_of.astimezone(zone)
    listed = [one for one in report.rows if one.listed]
    annex = [*(one for one in tables if one.wide), *(_annex(number, one, zone) for number, one in enumerate(listed, 1))]
    return fill(
        REPORT,
        {
            **letterhead.fields(day.date()),
            "form": "BÁO CÁO",
            "form_words": "Báo cáo",
            "subject": clean(f"{report.subject or report.vi} {report.period.words}"),
            "subject_words": clean(f"{lowered(report.subject or report.vi)} {report.period.words}"),
            "addressee": clean(letterhead.addressee),
            "parts": [
                {"words": f"{number}. {words}", "texts": said, "tables": [one.fields() for one in grids]}
                for number, (words, said, grids) in zip(_ROMAN, parts, strict=False)
            ],
            "annex": [one.fields() for one in annex],
            "notes": [f"Số liệu biết đến {words(report.as_of, zone)}.", *map(clean, report.notes)],
        },
        charts,
    )


def charts_of(report: Report) -> list[BarChart]:
    """What came and went beside the periods before, and the units or other lines with most late dossiers."""
    found = []
    told = [one for one in report.figures if one.en in _COMPARED and isinstance(one.value, int)]
    if told:
        series = (
            ("Kỳ này", tuple(_number(one.value) for one in told)),
            ("Kỳ trước", tuple(_number(one.before) for one in told)),
            ("Cùng kỳ năm trước", tuple(_number(one.year_before) for one in told)),
        )
        kept = tuple(one for one in series if any(value is not None for value in one[1]))
        found.append(
            BarChart("Biểu đồ 1. Tiếp nhận, giải quyết (hồ sơ)", tuple(_COMPARED[one.en] for one in told), kept)
        )
    for table in report.tables:
        columns = [column.words for column in table.columns]
        late = next((columns.index(words) for words in ("Trễ hẹn", "Hồ sơ trễ") if words in columns), None)
        if late is None:
            continue
        lines = sorted(table.lines, key=lambda line: -(_number(line[late]) or 0))[:MOST_BARS]
        values = tuple(_number(line[late]) for line in lines)
        if sum(bool(value) for value in values) > 1:
            title = f"Biểu đồ {len(found) + 1}. Hồ sơ trễ hẹn: {lowered(table.vi)}"
            names = tuple(clean(str(line[0])) for line in lines)
            found.append(BarChart(title, names, (("Trễ hẹn", values),), lying=True))
            break
    return found


def lowered(words: str) -> str:
    """With its first letter small, as inside a sentence."""
    return words[:1].lower() + words[1:]


def _number(cell: Cell) -> float | None:
    return float(cell) if isinstance(cell, int | float) else None


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


def _figures(report: Report, zone: ZoneInfo) -> _Grid:
    compared = any(one.before is not None or one.year_before is not None for one in report.figures)
    head = ["STT", "Chỉ tiêu", "Kỳ này", *(["Kỳ trước", "Cùng kỳ năm trước"] if compared else []), "Căn cứ"]
    lines = [
        [str(number), clean(one.vi), words(one.value, zone),
         *([words(one.before, zone), words(one.year_before, zone)] if compared else []), one.rows]
        for number, one in enumerate(report.figures, 1)
    ]  # fmt: skip
    note = "Căn cứ: trang tính cùng tên trong tệp Excel của báo cáo này, mỗi dòng là một hồ sơ hoặc vụ việc."
    return _Grid("Bảng 1. Số liệu chung", head, lines, note)


def _grid(table: Table, zone: ZoneInfo) -> _Grid:
    lines = [[str(place), *_line(line, zone)] for place, line in enumerate(table.lines, 1)]
    if table.total:
        lines.append(["", *_line(table.total, zone)])
    head = ["STT", *(clean(column.words) for column in table.columns)]
    return _Grid(clean(table.vi), head, lines or [_none(len(head))], clean(table.note))


def _numbered(tables: list[_Grid]) -> list[_Grid]:
    """Numbered in the order in which they are read: those of the upright text, then those of the annex."""
    order = sorted(range(len(tables)), key=lambda place: (tables[place].wide, place))
    number = {place: nth for nth, place in enumerate(order, 2)}
    return [replace(one, words=f"Bảng {number[place]}. {one.words}") for place, one in enumerate(tables)]


def _none(columns: int) -> list[str]:
    """The line of a table without lines."""
    return ["", "Không có", *[""] * (columns - 2)]


def _annex(number: int, rows: Rows, zone: ZoneInfo) -> _Grid:
    left = rows.number - ANNEXED
    note = f"Còn {left} dòng trong tệp Excel của cùng báo cáo, trang {rows.key}." if left > 0 else ""
    shown = [place for place, words in enumerate(rows.head) if words not in ONLY_IN_EXCEL]
    lines = [
        [str(nth), *_line((line[place] for place in shown), zone)] for nth, line in enumerate(rows.lines[:ANNEXED], 1)
    ]
    head = ["STT", *(rows.head[place] for place in shown)]
    words = clean(f"Danh sách {number}. {rows.words.replace('Trong đó', 'Hồ sơ')} ({rows.number})")
    return _Grid(words, head, lines or [_none(len(head))], note)


def _line(line: Sequence[Cell] | Iterable[Cell], zone: ZoneInfo) -> list[str]:
    return [words(cell, zone) for cell in line]
