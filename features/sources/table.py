"""Any CSV, Parquet or Excel export, read with a mapping (`features.sources.mapping`); a row is a item.

The header is found by the mapped names (`features.sources.layout`); of a workbook every visible sheet that has it is
read. What a file lacks, what of it was never mapped and what was not read is told.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from features.record.cell_text import code_of_number
from features.record.delivery import Chunk, Chunks, DeliveryError, Reject
from features.sources import FeedOptions
from features.sources.csv_rows import csv_rows
from features.sources.files import DeliveredFile, left_unread, members, unpacked_to
from features.sources.layout import WITHIN, find_header, once_each
from features.sources.lines import UNREADABLE, damage
from features.sources.log_rows import LogRows
from features.sources.mapping import LogMapping, load_mapping
from features.sources.proposal import headers_in_use
from features.sources.workbook import Part, refuse_bomb, sheet_part
from features.spelling.vietnamese_text import converted, is_legacy, suspect

_EXCEL = ("xlsx", "xlsm", "xls", "xlsb", "ods")

ESSENTIAL = ("dossier.received_at", "dossier.due_at")
"""Without these a dossier says nothing that is asked for: a file that lost one of them is refused whole."""


def read(path: Path, options: FeedOptions) -> Chunks:
    """The tables at `path`: a file, a folder or a zip."""
    mapping = load_mapping(options.mapping, zone=options.zone)
    if options.encoding and not mapping.encoding:
        mapping = replace(mapping, encoding=options.encoding)
    if any(event.unless for event in mapping.case_events):
        raise DeliveryError("mapping: `unless` needs whole cases; it works for xes, not for table")
    found, refused = members(path)
    tables = [member for member in found if _ending(member) in ("csv", "tsv", "txt", "parquet", *_EXCEL)]
    if not tables:
        raise DeliveryError(f"table: a .csv, .parquet or Excel file was wanted, {path.name} has none")
    notes = left_unread(found, tables)
    if refused or notes:
        yield Chunk(next(iter(mapping.tables)), rejects=refused, notes=notes)
    strangers: list[NoSuchColumns] = []
    for member in tables:
        try:
            yield from _member(member, mapping)
        except NoSuchColumns as error:
            strangers.append(error)
    if len(strangers) == len(tables):
        raise strangers[0]
    for stranger in strangers:
        yield Chunk(next(iter(mapping.tables)), rejects=[stranger.reject])


class NoSuchColumns(DeliveryError):
    """A file that has none of the columns of the mapping."""

    def __init__(self, file: str, wanted: str, came: str) -> None:
        super().__init__(f"{file}: columns such as {wanted!r} were wanted, none came ({came})")
        self.reject = Reject(file, 0, wanted[:80], "columns of the mapping", came[:80])


def _ending(member: DeliveredFile) -> str:
    return member.plain_name.rpartition(".")[2]


def _member(member: DeliveredFile, mapping: LogMapping) -> Iterator[Chunk]:
    ending = _ending(member)
    try:
        if ending == "parquet":
            with tempfile.TemporaryDirectory(prefix="dossier-risk-") as folder:
                path = unpacked_to(member, Path(folder))
                yield from _taken(_parquet(member, path, mapping), mapping, untyped=False)
        elif ending in _EXCEL:
            yield from _workbook(member, mapping)
        else:
            with member.open() as file:
                yield from _taken(_text(member, file, mapping), mapping, untyped=True)
    except (pa.ArrowException, CalamineError, *UNREADABLE) as error:
        came = "an empty file" if member.size == 0 else f"a damaged one ({damage(error)})"
        reject = Reject(member.name, 0, "", "a whole table", came[:80])
        yield Chunk(next(iter(mapping.tables)), rejects=[reject], file=member.name)


def _taken(part: Part, mapping: LogMapping, *, untyped: bool) -> Iterator[Chunk]:
    """The chunks of one table; the first holds the notes and rejects that concern its columns."""
    rows = LogRows(mapping, part.name, untyped=untyped)
    rows.rejects = part.rejects
    rows.notes = part.notes
    if part.columns:
        if not mapping.attributes & set(part.columns):
            few = ", ".join(repr(name[:40]) for name in part.columns if name)[:160]
            legacy = next((encoding for name in part.columns if (encoding := suspect(name))), "")
            came = f"header in {legacy}; say encoding = in the mapping" if legacy else f"came: {few}"
            raise NoSuchColumns(part.name, min(mapping.attributes), came)
        if _refused(part, mapping):
            yield from rows.rest()
            return
    above: dict[str, Any] = {}
    for line, item in part.items:
        for name in mapping.filled:
            if item.get(name) in (None, ""):
                item[name] = above.get(name)
            above[name] = item[name]
        if is_legacy(mapping.encoding):
            item = {name: converted(cell, mapping.encoding) if isinstance(cell, str) else cell
                    for name, cell in item.items()}  # fmt: skip
        new = rows.standing(item, line)
        if mapping.is_log:
            kind = rows.event(item, line)
            if new:
                rows.once(item, {kind}, line)
        yield from rows.chunks()
    yield from rows.rest()


def _refused(part: Part, mapping: LogMapping) -> bool:
    """Tells what columns are absent and which were never mapped; whether the file is refused for it."""
    unread = [name for name in part.columns if name and name not in mapping.attributes]
    absent = mapping.absent(part.columns)
    for column, source in absent.items():
        alike = get_close_matches(source.names[0], unread, 1, 0.6)
        hint = f"; is it {alike[0][:40]!r}?" if alike else ""
        if column in ESSENTIAL and source.value is None:
            came = f"no such column{hint or '; name it in the mapping'}"
            part.rejects.append(Reject(part.name, 0, source.names[0][:80], f"a column for {column}", came[:80]))
        else:
            part.notes[f"{part.name}: no column {source.names[0][:40]!r} for {column}{hint}"] += 1
    if unread:
        few = ", ".join(repr(name[:40]) for name in unread[:12])
        more = f" and {len(unread) - 12} more" if len(unread) > 12 else ""
        part.notes[f"{part.name}: columns never mapped: {few}{more}"] += len(unread)
    return any(column in ESSENTIAL and source.value is None for column, source in absent.items())


def _text(member: DeliveredFile, file: BinaryIO, mapping: LogMapping) -> Part:
    wanted = tuple(mapping.attributes)
    parts = csv_rows(
        file, member.name, 10_000, wanted, encoding=mapping.encoding, nth=mapping.header, sparse=not mapping.is_log
    )
    first, lines, rejects = next(parts)
    part = Part(member.name, first.column_names, iter(()), list(rejects))

    def items() -> Iterator[tuple[int, dict[str, Any]]]:
        yield from zip(lines, first.to_pylist(), strict=True)
        for more, numbers, more_rejects in parts:
            part.rejects += more_rejects
            yield from zip(numbers, more.to_pylist(), strict=True)

    part.items = items()
    return part


def _parquet(member: DeliveredFile, path: Path, mapping: LogMapping) -> Part:
    parquet = pq.ParquetFile(path)
    columns = parquet.schema_arrow.names
    header = find_header([columns], mapping.attributes)
    names, rejects = once_each(header.names if header else columns, member.name, 0)
    spelt = dict(enumerate(names))
    places = {name: columns.index(name) for name in columns}

    def items() -> Iterator[tuple[int, dict[str, Any]]]:
        wanted = [name for name, place in places.items() if spelt[place] in mapping.attributes]
        line = 0
        with parquet:
            for batch in parquet.iter_batches(10_000, columns=wanted):
                for item in batch.to_pylist():
                    line += 1
                    yield line, {spelt[places[name]]: cell for name, cell in item.items()}

    return Part(member.name, list(spelt.values()), items(), rejects)


def _workbook(member: DeliveredFile, mapping: LogMapping) -> Iterator[Chunk]:
    """Every visible sheet that has the header, or the one that the mapping names; a note names the others."""
    with tempfile.TemporaryDirectory(prefix="dossier-risk-") as folder:
        path = unpacked_to(member, Path(folder))
        refuse_bomb(path)
        with CalamineWorkbook.from_path(path) as workbook:
            sheets = [one for one in workbook.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
            names = [one.name for one in sheets]
            if mapping.sheet is not None and mapping.sheet not in names:
                raise DeliveryError(f"{member.name}: sheet {mapping.sheet!r} was wanted, {len(names)} others came")
            hidden = [one.name for one in sheets if one.visible != SheetVisibleEnum.Visible]
            read = [mapping.sheet] if mapping.sheet else [name for name in names if name not in hidden]
            parts, strangers = [], []
            for name in read:
                place = f"{member.name}[{name}]" if len(read) > 1 else member.name
                part = sheet_part(workbook.get_sheet_by_name(name), place, mapping)
                if part is not None and mapping.attributes & set(part.columns):
                    parts.append(part)
                elif part is not None:
                    strangers.append((name, part))
            notes: Counter[str] = Counter()
            if len(names) > len(parts) and parts:
                others = [name for name in names if name not in hidden and name not in read]
                others += [name for name, _ in strangers]
                for words, left in (("sheets without the mapped columns, not read", others),
                                    ("hidden sheets, not read", hidden)):  # fmt: skip
                    left = [name for name in left if name != mapping.sheet]
                    if left:
                        few = ", ".join(repr(name[:40]) for name in left[:8])
                        notes[f"{member.name}: {len(left)} {words}: {few}"] += len(left)
            if not parts:
                what = f"hidden sheets alone ({len(hidden)}); name one as sheet =" if hidden and not strangers else ""
                few = ", ".join(repr(name[:40]) for name in (strangers[0][1].columns if strangers else []) if name)
                came = what or (f"came: {few}"[:160] if few else "an empty sheet")
                raise NoSuchColumns(member.name, min(mapping.attributes), came)
            parts[0].notes += notes
            for part in parts:
                yield from _taken(part, mapping, untyped=False)


def first_rows(path: Path, encoding: str = "", count: int = 20) -> tuple[list[str], list[list[Any]]]:
    """Header and first rows of the first table at `path`, before anybody mapped it; DeliveryError without one."""
    found = [member for member in members(path)[0] if _ending(member) in ("csv", "tsv", "txt", "parquet", *_EXCEL)]
    if not found:
        raise DeliveryError(f"table: a .csv, .parquet or Excel file was wanted, {path.name} has none")
    member, ending = found[0], _ending(found[0])
    try:
        if ending in ("csv", "tsv", "txt"):
            with member.open() as file:
                table, _, rejects = next(csv_rows(file, member.name, count, tuple(headers_in_use()), encoding=encoding))
            if not table.column_names:
                raise DeliveryError(str(rejects[0]) if rejects else f"{member.name}: a table was wanted, none came")
            return table.column_names, [list(row.values()) for row in table.slice(0, count).to_pylist()]
        with tempfile.TemporaryDirectory(prefix="dossier-risk-") as folder:
            file_path = unpacked_to(member, Path(folder))
            if ending == "parquet":
                with pq.ParquetFile(file_path) as parquet:
                    batch = next(parquet.iter_batches(count), None)
                    rows = [] if batch is None else [list(row.values()) for row in batch.to_pylist()]
                    return parquet.schema_arrow.names, rows
            refuse_bomb(file_path)
            with CalamineWorkbook.from_path(file_path) as workbook:
                shown = [one.name for one in workbook.sheets_metadata if one.visible == SheetVisibleEnum.Visible]
                rows = [row for row in workbook.get_sheet_by_name(shown[0]).to_python() if any(c != "" for c in row)]
    except (pa.ArrowException, CalamineError, StopIteration, IndexError, *UNREADABLE) as error:
        raise DeliveryError(f"{member.name}: a whole table was wanted, a damaged one came") from error
    texts = [[code_of_number(cell) for cell in row] for row in rows[:WITHIN]]
    header = find_header(texts, headers_in_use())
    if header is None:
        return (texts[0] if texts else []), rows[1 : count + 1]
    names = [texts[header.last][place] or name for place, name in enumerate(header.names[: len(texts[header.last])])]
    return names, rows[header.last + 1 : header.last + 1 + count]
