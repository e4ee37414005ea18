"""The canonical feed: tables of the feed contract as `<table>.csv`, `.csv.gz`, `.parquet` or `.jsonl`.

`path` is a folder, a .zip or one such file. Columns are taken by name. CSV is UTF-8 with a header line, its
separator `,` `;` tab or `|`; UTF-16 is read by its mark, older encodings where the options name one.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from features.record.delivery import Chunk, Chunks, DeliveryError, Reject, describe
from features.record.schema import TABLES
from features.sources import FeedOptions
from features.sources.csv_rows import csv_rows
from features.sources.files import DeliveredFile, left_unread, members, unpacked_to
from features.sources.lines import UNREADABLE, damage, numbered_lines

ROWS_A_CHUNK = 50_000


def read(path: Path, options: FeedOptions) -> Chunks:
    """The tables at `path`, in the order of the feed contract."""
    found, refused = members(path)
    order = {name: i for i, name in enumerate(TABLES)}
    tables = [(order[table], member, table) for member in found if (table := _table(member)) in order]
    if not tables:
        some = ", ".join(sorted({member.plain_name for member in found})[:5]) or "no files"
        raise DeliveryError(
            f"canonical: tables such as dossier.csv and event.parquet were wanted, {some} came; "
            "for other formats give --source"
        )
    if refused or len(found) > len(tables):
        yield Chunk("dossier", rejects=refused, notes=left_unread(found, [member for _, member, _ in tables]))
    for _, member, table in sorted(tables, key=lambda one: (one[0], one[1].name)):
        yield from _READERS[member.plain_name.rsplit(".", 1)[1]](member, table, options)


def _table(member: DeliveredFile) -> str | None:
    stem, _, ending = member.plain_name.rpartition(".")
    return stem if ending in _READERS else None


def _csv(member: DeliveredFile, table: str, options: FeedOptions) -> Iterator[Chunk]:
    with member.open() as file:
        for rows, lines, rejects in csv_rows(
            file, member.name, ROWS_A_CHUNK, TABLES[table].names, encoding=options.encoding
        ):
            yield Chunk(table, rows, rejects, member.name, lines, options.zone, untyped=True)


def _jsonl(member: DeliveredFile, table: str, options: FeedOptions) -> Iterator[Chunk]:
    rejects: list[Reject] = []
    rows, lines = [], []
    with member.open() as file:
        for number, text in numbered_lines(file, member.name, rejects):
            if not text.strip():
                continue
            try:
                row = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                rejects.append(Reject(member.name, number, "", "one JSON object", f"{error.msg} at {error.colno}"[:80]))
                continue
            if isinstance(row, dict):
                rows.append(row)
                lines.append(number)
            else:
                rejects.append(Reject(member.name, number, "", "one JSON object", describe(row, personal=True)))
            if len(rows) >= ROWS_A_CHUNK:
                yield Chunk(table, rows, list(rejects), member.name, lines, options.zone)
                rows, lines = [], []
                rejects.clear()
    if not rows and not rejects and member.size == 0:
        rejects.append(Reject(member.name, 1, "", "a JSON object a line", "an empty file"))
    yield Chunk(table, rows, rejects, member.name, lines, options.zone)


def _parquet(member: DeliveredFile, table: str, options: FeedOptions) -> Iterator[Chunk]:
    with tempfile.TemporaryDirectory(prefix="dossier-risk-") as folder:
        try:
            path = unpacked_to(member, Path(folder))
            row = 1
            with pq.ParquetFile(path) as parquet:
                for batch in parquet.iter_batches(ROWS_A_CHUNK):
                    yield Chunk(table, pa.Table.from_batches([batch]), [], member.name, row, options.zone)
                    row += batch.num_rows
        except (pa.ArrowException, *UNREADABLE) as error:
            what = "an empty file" if member.size == 0 else f"a damaged one ({damage(error)})"[:80]
            yield Chunk(table, rejects=[Reject(member.name, 0, "", "a Parquet file", what)])


_READERS = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}
