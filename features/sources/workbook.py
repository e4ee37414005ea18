"""Sheets of an Excel workbook as tables: merged cells filled, lines that are no rows set aside, turned days held."""

import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from python_calamine import CalamineSheet

from features.record.cell_text import code_of_number, visible
from features.record.delivery import Reject
from features.sources.files import MAX_RATIO
from features.sources.layout import WITHIN, Header, OddLines, find_header, once_each
from features.sources.mapping import LogMapping
from features.spelling.codes import day_of_code, swapped

_MAX_SHEET_BYTES = 2 * 2**30


@dataclass
class Part:
    """One table as its file has it: its columns (spelt as mapped), its items by line, what of it was set aside."""

    name: str
    columns: Sequence[str]
    items: Iterator[tuple[int, dict[str, Any]]]
    rejects: list[Reject] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


def sheet_part(sheet: CalamineSheet, name: str, mapping: LogMapping) -> Part | None:
    """A sheet as a table; None where nothing stands in it. Merged cells say the same in each of their rows."""
    rows = sheet.to_python(skip_empty_area=False)
    lines = [(number, row) for number, row in enumerate(rows, 1) if any(cell != "" for cell in row)]
    if not lines:
        return None
    texts = [[code_of_number(cell) for cell in row] for _, row in lines[:WITHIN]]
    header = find_header(texts, mapping.attributes, mapping.header)
    if header is None:
        return Part(name, [visible(cell) for cell in texts[0]], iter(()))
    nameless = [place for place, title in enumerate(header.names) if not title]
    names, repeated = once_each(header.names, name, lines[header.last][0])
    header = replace(header, names=tuple(names))
    part = Part(name, header.names, iter(()), [one for one in repeated if one.column in mapping.attributes])
    for place in nameless:
        if held := sum(place < len(row) and row[place] != "" for _, row in lines[header.last + 1 :]):
            part.notes[f"{name}: a column without a name, not read"] += held
    wanted = header.wanted(mapping.attributes)
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or []:
        for column in (column for column in wanted if left <= column <= right and bottom > top):
            for row in rows[max(top, lines[header.last][0]) : bottom + 1]:
                if row[column] == "" and rows[top][left] != "":
                    row[column] = rows[top][left]
                    part.notes[f"{name}: cells of a merged one, which say the same"] += 1
    part.items = _sheet_items(lines[header.last + 1 :], header, mapping, part)
    return part


def _sheet_items(
    lines: list[tuple[int, list[Any]]], header: Header, mapping: LogMapping, part: Part
) -> Iterator[tuple[int, dict[str, Any]]]:
    doubtful = {place for place in header.wanted(mapping.moments) if _swapped(place, lines, header, mapping, part)}
    code = next((place for place, name in enumerate(header.names) if name in _ids(mapping)), None)
    oddity = OddLines(header, mapping.attributes, sparse=not mapping.is_log)
    for number, row in lines:
        cells = [code_of_number(cell) for cell in row]
        if came := oddity(cells):
            part.rejects.append(Reject(part.name, number, "", "a row of the table", came))
            continue
        day = day_of_code(cells[code]) if code is not None else None
        held = next((place for place in doubtful if _may_be_swapped(row[place]) and _day(row[place]) != day), None)
        if held is not None:
            column, came = header.names[held][:80], f"{_day(row[held])}, perhaps {swapped(_day(row[held]))}"
            part.rejects.append(Reject(part.name, number, column, "a day that no spreadsheet turned round", came))
            continue
        yield number, {name: cell for name, cell in zip(header.names, row, strict=False) if name}


def _ids(mapping: LogMapping) -> set[str]:
    sources = [columns["dossier_id"] for columns in mapping.tables.values() if "dossier_id" in columns]
    return {name for source in sources for name in source.names}


def _swapped(place: int, lines: list[tuple[int, list[Any]]], header: Header, mapping: LogMapping, part: Part) -> bool:
    """Whether days of a column were turned round by a spreadsheet set to another country.

    Such a spreadsheet reads 03/02 as 2 March and leaves 20/02 as text: the column has cells that are dates, none of
    them of a day beyond 12, beside text with days beyond 12. Any mixture is told.
    """
    source = mapping.moments[header.names[place]]
    cells = [row[place] for _, row in lines if place < len(row) and row[place] != ""]
    dates = [_day(cell) for cell in cells if isinstance(cell, date)]
    texts = [time for cell in cells if isinstance(cell, str) and (time := source.moment(cell, mapping.zone))]
    if not dates or not texts:
        return False
    turned = all(day.day <= 12 for day in dates) and any(time.day > 12 for time in texts)
    what = "as a spreadsheet leaves days that it turned round (03/02 as 2 March)" if turned else "look at them"
    beside = f"{header.names[place][:40]!r} has {len(dates)} dates beside {len(texts)} texts"
    part.notes[f"{part.name}: {beside}, {what}"] += len(dates)
    return turned


def _may_be_swapped(cell: object) -> bool:
    return isinstance(cell, date) and cell.day <= 12 and cell.day != cell.month


def _day(cell: date) -> date:
    return cell.date() if isinstance(cell, datetime) else cell


def refuse_bomb(path: Path) -> None:
    """A workbook is a zip that is unpacked whole: OSError where it would grow beyond reason."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
        if size > _MAX_SHEET_BYTES or (size > 2**26 and size > MAX_RATIO * path.stat().st_size):
            raise OSError(f"it unpacks to {size >> 20} MB")
