"""A report as a Word document: drafted text, figures, tables, and an annex; wide tables stand on pages across.

Every row stands in the workbook of the same report; the annex lists those that the directives want named.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from features.sources.vietnamese_number import decimal, places_of
from serving.documents.chart import BarChart, mark
from serving.documents.fill import REPORT, clean, fill
from serving.documents.letterhead import Letterhead
from serving.reports.dossiers import INTERVAL
from serving.reports.report import PARTS, Cell, Report, Rows, Table
from serving.words import lowered

ANNEXED = 60
"""Rows of a figure that the annex shows; all of them stand in the workbook of the same report."""
ONLY_IN_EXCEL = frozenset({"Mã đơn vị", "Lĩnh vực", "Theo 766", "Theo sự kiện"})
"""Columns of rows that paper has no room for."""
_CODED = frozenset({"Thủ tục"})
"""What people know by its code, too; the codes of all else stand in the workbook."""
_INTERVAL = ("từ", "đến")
"""How the heads of two columns begin that give the interval of the column before them."""
_MONTH = re.compile(r"(\d{4})-(\d{2})")
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
    tables = _numbered([_grid(report, one, zone) for one in report.tables])
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
    day, month = report.as_of.astimezone(zone), report.period.words
    about = report.subject or report.vi
    subject = f"{about.removesuffix(' tháng') if month.startswith('tháng ') else about} {month}"
    listed = [one for one in report.rows if one.listed and one.number]
    annex = [one for one in tables if one.wide]
    annex += [_annex(report, number, one, zone) for number, one in enumerate(listed, 1)]
    return fill(
        REPORT,
        {
            **letterhead.fields(day.date()),
            "form": "BÁO CÁO",
            "form_words": "Báo cáo",
            "subject": clean(subject),
            "subject_words": clean(lowered(subject)),
            "addressee": clean(letterhead.addressee),
            "parts": [
                {"words": f"{number}. {words}", "texts": sentences, "tables": [one.fields() for one in grids]}
                for number, (words, sentences, grids) in zip(_ROMAN, parts, strict=False)
            ],
            "annex": [one.fields() for one in annex],
            "notes": [f"Số liệu biết đến {words(report.as_of, zone)}.", *map(clean, report.notes)],
        },
        charts,
    )


def charts_of(report: Report) -> list[BarChart]:
    """What came and went beside the periods before, and the units or other lines with most late dossiers."""
    found = []
    compared = [one for one in report.figures if one.en in _COMPARED and isinstance(one.value, int)]
    if len(compared) > 1:
        series = (
            ("Kỳ này", tuple(_number(one.value) for one in compared)),
            ("Kỳ trước", tuple(_number(one.before) for one in compared)),
            ("Cùng kỳ năm trước", tuple(_number(one.year_before) for one in compared)),
        )
        filled = tuple(one for one in series if any(value is not None for value in one[1]))
        found.append(
            BarChart("Biểu đồ 1. Tiếp nhận, giải quyết (hồ sơ)", tuple(_COMPARED[one.en] for one in compared), filled)
        )
    for table in report.tables:
        columns = [column.words for column in table.columns]
        late = next((columns.index(words) for words in ("Trễ hẹn", "Hồ sơ trễ") if words in columns), None)
        if late is None:
            continue
        in_time = columns[0] == "Tháng"  # as they follow each other; all else by how many are late
        lines = list(table.lines) if in_time else sorted(table.lines, key=lambda line: -(_number(line[late]) or 0))
        lines = [line for line in lines if in_time or _number(line[late])][: len(lines) if in_time else MOST_BARS]
        if len(lines) > 1:
            title = f"Biểu đồ {len(found) + 1}. Hồ sơ trễ hẹn: {lowered(table.vi)}"
            names = tuple(words(line[0], ZoneInfo("UTC")) for line in lines)
            values = tuple(_number(line[late]) for line in lines)
            found.append(BarChart(title, names, (("Trễ hẹn", values),), lying=not in_time))
            break
    return found


def _number(cell: Cell) -> float | None:
    return float(cell) if isinstance(cell, int | float) else None


def words(value: Cell, zone: ZoneInfo, places: int | None = None) -> str:
    """A cell as Vietnamese readers write it: decimal comma, dd/mm/yyyy, mm/yyyy; – where there is none.

    places: after the comma, of a number that is no count; as many as it needs, two at most, where left out.
    """
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%d/%m/%Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, int):
        return decimal(value, 0)
    if isinstance(value, float):
        return decimal(value, places_of(value) if places is None else places)
    month = _MONTH.fullmatch(value)
    return f"{month[2]}/{month[1]}" if month else clean(value)


def _places(cells: Sequence[Cell]) -> int:
    """Digits after the comma that the numbers among the cells need."""
    return max((places_of(cell) for cell in cells if isinstance(cell, float)), default=0)


def _lines(lines: Sequence[Sequence[Cell]], zone: ZoneInfo) -> list[list[str]]:
    """The cells in words; the numbers of a column have equally many digits after the comma."""
    places = [
        max((places_of(cell) for cell in column if isinstance(cell, float)), default=0)
        for column in zip(*lines, strict=True)
    ]
    return [[words(cell, zone, places[place]) for place, cell in enumerate(line)] for line in lines]


def _figures(report: Report, zone: ZoneInfo) -> _Grid:
    compared = any(one.before is not None or one.year_before is not None for one in report.figures)
    head = ["STT", "Chỉ tiêu", "Kỳ này", *(["Kỳ trước", "Cùng kỳ năm trước"] if compared else []), "Căn cứ"]
    lines: list[list[str]] = []
    ends: list[list[str]] = []
    for one in report.figures:
        values = [one.value, *([one.before, one.year_before] if compared else [])]
        told = [
            words(value, zone, max((places_of(one) for one in values if isinstance(one, float)), default=0))
            for value in values
        ]
        if one.en not in INTERVAL:
            lines.append([str(len(lines) + 1), clean(one.vi), *told, one.rows])
            continue
        ends.append(told)
        if len(ends) == len(INTERVAL):
            told = [f"{low}–{high}" if low != "–" else low for low, high in zip(*ends, strict=True)]
            lines.append([str(len(lines) + 1), "– khoảng tin cậy 95 % (%)", *told, one.rows])
            ends = []
    note = "Căn cứ: trang tính cùng tên trong tệp Excel của báo cáo này, mỗi dòng là một hồ sơ hoặc vụ việc."
    return _Grid("Bảng 1. Số liệu chung", head, lines, note)


def _grid(report: Report, table: Table, zone: ZoneInfo) -> _Grid:
    head = [clean(column.words) for column in table.columns]
    lines = [list(line) for line in (*table.lines, *([table.total] if table.total else []))]
    only_in_excel = frozenset() if head[0] in _CODED else frozenset({"Mã"})
    shown = [0, *(place for place in _shown(report, head, lines, only_in_excel) if place)]
    told = _lines([[line[place] for place in shown] for line in lines], zone)
    head, told = _with_intervals([head[place] for place in shown], told)
    numbered = [[str(place) if place <= len(table.lines) else "", *line] for place, line in enumerate(told, 1)]
    return _Grid(clean(table.vi), ["STT", *head], numbered or [_none(len(head) + 1)], clean(table.note))


def _shown(report: Report, head: Sequence[str], lines: Sequence[Sequence[Cell]], left_out: frozenset[str]) -> list[int]:
    """Places of the columns that paper shows: not those left out, the empty, or a unit's name in its own report."""
    found = []
    for place, named in enumerate(head):
        told = {line[place] for line in lines} - {None, ""}
        own = named == "Đơn vị" and report.unit_code != "" and len(told) == 1
        if named not in left_out and not own and (told or not lines):
            found.append(place)
    return found


def _with_intervals(head: list[str], lines: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """An estimate and both ends of its interval as one column: `34,1 (21,9–48,9)`."""
    low, high = _INTERVAL
    for place in range(len(head) - 2, 0, -1):
        if head[place].startswith(low) and head[place + 1].startswith(high):
            for line in lines:
                ends = line[place : place + 2]
                del line[place : place + 2]
                line[place - 1] += f" ({'–'.join(ends)})" if ends != ["–", "–"] else ""
            del head[place : place + 2]
            head[place - 1] += ", khoảng 95 %"
    return head, lines


def _numbered(tables: list[_Grid]) -> list[_Grid]:
    """Numbered in the order in which they are read: those of the upright text, then those of the annex."""
    order = sorted(range(len(tables)), key=lambda place: (tables[place].wide, place))
    number = {place: nth for nth, place in enumerate(order, 2)}
    return [replace(one, words=f"Bảng {number[place]}. {one.words}") for place, one in enumerate(tables)]


def _none(columns: int) -> list[str]:
    """The line of a table without lines."""
    return ["", "Không có", *[""] * (columns - 2)]


def _annex(report: Report, number: int, rows: Rows, zone: ZoneInfo) -> _Grid:
    left = rows.number - ANNEXED
    note = f"Còn {decimal(left, 0)} dòng trong tệp Excel của cùng báo cáo, trang {rows.key}." if left > 0 else ""
    lines = rows.lines[:ANNEXED]
    shown = _shown(report, rows.head, lines, ONLY_IN_EXCEL)
    told = _lines([[line[place] for place in shown] for line in lines], zone)
    head = ["STT", *(rows.head[place] for place in shown)]
    words = clean(f"Danh sách {number}. {rows.words.replace('Trong đó', 'Hồ sơ')} ({decimal(rows.number, 0)})")
    return _Grid(words, head, [[str(nth), *line] for nth, line in enumerate(told, 1)] or [_none(len(head))], note)
