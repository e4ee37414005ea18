"""Canonical rows of mapped items, gathered into chunks."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from features.record.delivery import Chunk, Reject
from features.record.schema import TABLES
from features.sources.mapping import Item, LogMapping

ROWS_A_CHUNK = 20_000


class LogRows:
    """Gathers rows by table; `chunks` hands out the tables that are full, `rest` what remains."""

    def __init__(self, mapping: LogMapping, file: str, *, untyped: bool = False) -> None:
        self._mapping = mapping
        self._file = file
        self._untyped = untyped
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._lines: dict[str, list[int]] = {}
        self._seen: dict[str, set[int]] = {}
        self.rejects: list[Reject] = []
        self.notes: Counter[str] = Counter()
        self.attributes: set[str] = set()

    def standing(self, item: Item, line: int) -> bool:
        """Takes the rows of every table but `event`; whether the item's dossier is new to this file."""
        new = False
        for table, row in self._mapping.standing(item):
            if self._mapping.is_log and not self._first(table, row):
                continue
            new = new or table == "dossier"
            self._add(table, row, line)
        return new

    def event(self, item: Item, line: int) -> str:
        """Takes the event of `item`; gives its kind."""
        row = self._mapping.event(item)
        if self._mapping.is_left_out(item):
            self.notes["event: not complete by the log itself (planned, begun, suspended), kept as a note"] += 1
        self._add("event", row, line)
        return str(row.get("kind"))

    def once(self, item: Item, kinds: set[str], line: int) -> None:
        """Takes the events that the item's case has once."""
        for row in self._mapping.once(item, kinds):
            self._add("event", row, line)

    def chunks(self) -> Iterator[Chunk]:
        """The tables that have enough rows for a chunk."""
        for table in [table for table, rows in self._rows.items() if len(rows) >= ROWS_A_CHUNK]:
            yield self._chunk(table)

    def rest(self) -> Iterator[Chunk]:
        """All that is left."""
        for table in list(self._rows):
            yield self._chunk(table)
        if self.rejects or self.notes:
            yield Chunk(next(iter(self._mapping.tables)), [], self.rejects, self._file, notes=self.notes)

    def _chunk(self, table: str) -> Chunk:
        rows, lines = self._rows.pop(table), self._lines.pop(table)
        rejects, self.rejects = self.rejects, []
        zone, untyped = self._mapping.zone, self._untyped
        return Chunk(table, rows, rejects, self._file, lines, zone, untyped=untyped)

    def _add(self, table: str, row: dict[str, Any], line: int) -> None:
        self._rows.setdefault(table, []).append(row)
        self._lines.setdefault(table, []).append(line)

    def _first(self, table: str, row: dict[str, Any]) -> bool:
        """Whether the row's key is new; keys are kept by hash, so that millions of cases fit."""
        seen = self._seen.setdefault(table, set())
        key = hash(tuple(str(row.get(name)) for name in TABLES[table].key))
        if key in seen:
            return False
        seen.add(key)
        return True
