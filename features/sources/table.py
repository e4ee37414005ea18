"""Any CSV, Parquet or Excel export, read with a mapping (`features.sources.mapping`); a row is a item.

An Excel workbook is read from one sheet, its first row that is not empty being the header.
"""

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook

from features.record.delivery import Chunk, Chunks, DeliveryError, Reject
from features.sources import FeedOptions
from features.sources.csv_rows import csv_rows
from features.sources.files import MAX_RATIO, Member, members, unpacked_to
from features.sources.lines import UNREADABLE, damage
from features.sources.log_rows import LogRows
from features.sources.mapping import LogMapping, load_mapping

_EXCEL = ("xlsx", "xlsm", "xls", "xlsb", "ods")
_MAX_SHEET_BYTES = 2 * 2**30

Items = Iterator[tuple[int, dict[str, Any]]]


def read(path: Path, options: FeedOptions) -> Chunks:
    """The tables at `path`: a file, a folder or a zip."""
    mapping = load_mapping(options.mapping, zone=options.zone)
    if any(event.unless for event in mapping.case_events):
        raise DeliveryError("mapping: `unless` needs whole cases; it works for xes, not for table")
    found, refused = members(path)
    tables = [member for member in found if _ending(member) in ("csv", "tsv", "txt", "parquet", *_EXCEL)]
    if not tables:
        raise DeliveryError(f"table: a .csv, .parquet or Excel file was wanted, {path.name} has none")
    if refused:
        yield Chunk(next(iter(mapping.tables)), rejects=refused)
    for member in tables:
        yield from _table(member, mapping)


def _ending(member: Member) -> str:
    return member.plain_name.rpartition(".")[2]


def _table(member: Member, mapping: LogMapping) -> Iterator[Chunk]:
    ending = _ending(member)
    rows = LogRows(mapping, member.name, untyped=ending not in ("parquet", *_EXCEL))
    missing: set[str] | None = None
    try:
        for line, item in _items(member, ending, mapping, rows):
            if missing is None:
                missing = mapping.attributes - item.keys()
                if missing == mapping.attributes:
                    raise DeliveryError(f"{member.name}: columns such as {min(missing)!r} were wanted, none came")
            new = rows.standing(item, line)
            if mapping.is_log:
                kind = rows.event(item, line)
                if new:
                    rows.once(item, {kind}, line)
            yield from rows.chunks()
    except (pa.ArrowException, CalamineError, *UNREADABLE) as error:
        came = "an empty file" if member.size == 0 else f"a damaged one ({damage(error)})"
        rows.rejects.append(Reject(member.name, 0, "", "a whole table", came[:80]))
    yield from rows.rest()


def _items(member: Member, ending: str, mapping: LogMapping, rows: LogRows) -> Items:
    if ending == "parquet":
        yield from _parquet(member, mapping)
    elif ending in _EXCEL:
        yield from _excel(member, mapping)
    else:
        with member.open() as file:
            for part, lines, rejects in csv_rows(file, member.name, 10_000, tuple(mapping.attributes)):
                rows.rejects += rejects
                yield from zip(lines, part.to_pylist(), strict=True)


def _parquet(member: Member, mapping: LogMapping) -> Items:
    with tempfile.TemporaryDirectory(prefix="dossier-risk-") as folder:
        parquet = pq.ParquetFile(unpacked_to(member, Path(folder)))
        with parquet:
            wanted = [name for name in parquet.schema_arrow.names if name in mapping.attributes]
            line = 0
            for batch in parquet.iter_batches(10_000, columns=wanted):
                for item in batch.to_pylist():
                    line += 1
                    yield line, item


def _excel(member: Member, mapping: LogMapping) -> Items:
    with tempfile.TemporaryDirectory(prefix="dossier-risk-") as folder:
        path = unpacked_to(member, Path(folder))
        _refuse_bomb(path)
        with CalamineWorkbook.from_path(path) as workbook:
            names = workbook.sheet_names
            if mapping.sheet is not None and mapping.sheet not in names:
                raise DeliveryError(f"{member.name}: sheet {mapping.sheet!r} was wanted, {len(names)} others came")
            sheet = workbook.get_sheet_by_name(mapping.sheet or names[0])
            header: list[str] | None = None
            for line, cells in enumerate(sheet.iter_rows(), 1):
                if header is None:
                    header = [str(cell).strip() for cell in cells] if any(map(str, cells)) else None
                elif any(cell != "" for cell in cells):
                    yield line, {name: cell for name, cell in zip(header, cells, strict=False) if name}


def _refuse_bomb(path: Path) -> None:
    """A workbook is a zip that is unpacked whole: OSError where it would grow beyond reason."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
        if size > _MAX_SHEET_BYTES or (size > 2**26 and size > MAX_RATIO * path.stat().st_size):
            raise OSError(f"it unpacks to {size >> 20} MB")
