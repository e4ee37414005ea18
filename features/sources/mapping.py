"""Mapping files: which attribute of a foreign log or table is which canonical column.

A mapping is a TOML file. Both `xes` and `table` read the same one: a source *item* is one event of a log, or one row
of a table. Attributes of a log's trace are named `case:<key>`, as flat exports name them.

    words = "what this log is"               # for people
    zone  = "Europe/Amsterdam"               # of times without offset; default: the feed's zone
    sheet = "Sheet1"                         # Excel only; default: every visible sheet that has the header
    header = 4                               # line of the header (Excel: row); default: found by the mapped names
    encoding = "tcvn3"                       # of text that is not Unicode: tcvn3, vni, cp1258

    [dossier]                                # any canonical table; column = where it comes from
    dossier_id     = "case:concept:name"     # an attribute
    unit_code      = { value = "town-1" }    # always this
    received_at    = ["case:start", "time"]  # the first of these that is not empty
    due_at         = { from = "case:start", plus_days = 56 }
    x_channel      = "case:channel"          # `dossier` takes any further column, prefix x_

    [event]                                  # one row a item
    dossier_id     = "case:concept:name"
    happened_at    = "time:timestamp"
    known_at       = { latest = ["time:timestamp", "finished"] }

    [kinds]                                  # which activity is which kind; all others are notes
    activity       = "concept:name"          # whose step keeps the activity's name
    "send decision" = "decided"

    [only]                                   # events with one of these values alone; the others are notes
    "lifecycle:transition" = "complete"      # the default, where a log says how far an activity is

    [[case_event]]                           # an event once a case, where its happened_at is not empty
    kind           = "withdrawn"
    happened_at    = "case:enddate"
    unless         = "decided"               # not where the case has this kind (xes only)

A source is a name, a list of names, or a table of: `from` (name or names), `latest` (names; the latest time of
them), `value` (also where these are empty), `prefix`, `before` (only the text before this separator),
`plus_days` (24 hours each), `format` (strptime, for times not in ISO 8601; `excel` and `excel-1904` for serial
days), `fill` (an empty cell has the value above it), `words` (from the source's value to ours; others stay).

Where there is `[event]`, the source is a log: tables other than `event` get one row for each key, from the first
item that has it (so in a flat export the items of a case should stand in order of time). Else every item gives a row.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from features.record.cell_text import code_of_number, visible
from features.record.delivery import DEFAULT_ZONE, DeliveryError
from features.record.schema import EVENT_KINDS, TABLES, RecordTable
from features.sources.layout import WITHIN
from features.spelling.vietnamese_text import ENCODINGS

EXCEL_EPOCHS = {"excel": date(1899, 12, 30), "excel-1904": date(1904, 1, 1)}
"""Day 0 of serial days, by the name of the format."""
COMPLETE = {"lifecycle:transition": "complete"}
"""By default an activity that a log says is only scheduled, started or suspended has not happened (IEEE 1849)."""
_HOUR = re.compile("%[HIMSfpTXcs]")
SHIPPED = Path(__file__).parent / "mappings"
_OPTIONS = {"from", "latest", "value", "prefix", "before", "plus_days", "format", "words", "fill"}

Item = Mapping[str, Any]


@dataclass(frozen=True)
class CellSource:
    """Where one column's cell comes from."""

    names: tuple[str, ...] = ()
    value: Any = None
    latest: bool = False
    prefix: str = ""
    before: str = ""
    plus: timedelta | None = None
    format: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    fill: bool = False

    def cell(self, item: Item, zone: ZoneInfo) -> Any:
        """The cell of `item`; None where it is empty. A time that cannot be read stays as it came."""
        if not self.names:
            return self.value
        cells = [item[name] for name in self.names if item.get(name) is not None and code_of_number(item[name])]
        if not cells:
            return self.value
        if self.latest:
            times = [time for one in cells if (time := self._time(one, zone)) is not None]
            return max(times) if len(times) == len(cells) else cells[0]
        cell = cells[0]
        if self.format or self.plus:
            time = self._time(cell, zone)
            if time is not None:
                moved = time + (self.plus or timedelta())
                cell = moved.date() if self._tells_a_day(cell) else moved
        if self.before:
            cell = code_of_number(cell).split(self.before, 1)[0]
        if self.words:
            cell = self.words.get(code_of_number(cell), self.words.get(visible(code_of_number(cell)), cell))
        return f"{self.prefix}{code_of_number(cell)}" if self.prefix else cell

    def moment(self, cell: Any, zone: str) -> datetime | None:
        """The cell as a moment, where it is one in this column's form."""
        return self._time(cell, ZoneInfo(zone))

    def _tells_a_day(self, cell: Any) -> bool:
        """Whether the cell says a day and no time of it: what a promise means by that is the record's to say."""
        if isinstance(cell, date):
            return not isinstance(cell, datetime)
        if self.format in EXCEL_EPOCHS:
            return float(cell).is_integer()
        return not _HOUR.search(self.format) if self.format else len(str(cell).strip()) <= len("2026-09-21")

    def _time(self, cell: Any, zone: ZoneInfo) -> datetime | None:
        try:
            if isinstance(cell, datetime):
                time = cell
            elif isinstance(cell, date):
                time = datetime.combine(cell, clock_time())
            elif self.format in EXCEL_EPOCHS:
                serial = timedelta(seconds=round(float(cell) * 86_400))
                time = datetime.combine(EXCEL_EPOCHS[self.format], clock_time()) + serial
            elif self.format:
                time = datetime.strptime(visible(str(cell)), self.format)  # noqa: DTZ007 — the zone comes next
            else:
                time = datetime.fromisoformat(str(cell))
        except (ValueError, OverflowError):
            return None
        return time if time.tzinfo else time.replace(tzinfo=zone)


@dataclass(frozen=True)
class MappedEvent:
    """An event that a case has once, read from an attribute of the case."""

    columns: Mapping[str, CellSource]
    unless: str = ""


@dataclass(frozen=True)
class LogMapping:
    """A mapping file, read and checked."""

    tables: Mapping[str, Mapping[str, CellSource]]
    zone: str
    activity: CellSource | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    case_events: tuple[MappedEvent, ...] = ()
    sheet: str | None = None
    header: int = 0
    encoding: str = ""
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_log(self) -> bool:
        """Whether items are events of cases."""
        return "event" in self.tables

    @property
    def attributes(self) -> set[str]:
        """Every attribute that the mapping asks for."""
        sources = [source for columns in self.tables.values() for source in columns.values()]
        sources += [source for event in self.case_events for source in event.columns.values()]
        sources += [self.activity] if self.activity else []
        return {name for source in sources for name in source.names} | self.only.keys()

    @property
    def filled(self) -> set[str]:
        """Attributes whose empty cells have the value above them."""
        sources = (source for columns in self.tables.values() for source in columns.values() if source.fill)
        return {name for source in sources for name in source.names}

    @property
    def moments(self) -> dict[str, CellSource]:
        """Attributes that are moments or days, with the source that reads them first."""
        found: dict[str, CellSource] = {}
        for table, columns in self.tables.items():
            for column, source in columns.items():
                if column in TABLES[table].names and TABLES[table][column].type in ("time", "date"):
                    found |= {name: source for name in source.names if name not in found}
        return found

    def absent(self, came: Collection[str]) -> dict[str, CellSource]:
        """`table.column` of every mapped column of which no attribute `came`, and where it was to come from."""
        return {
            f"{table}.{column}": source for table, columns in self.tables.items() for column, source in columns.items()
            if source.names and not set(source.names) & set(came)
        }  # fmt: skip

    def standing(self, item: Item) -> Iterator[tuple[str, dict[str, Any]]]:
        """(table, row) of every table but `event`."""
        zone = ZoneInfo(self.zone)
        for table, columns in self.tables.items():
            if table != "event":
                yield table, {name: source.cell(item, zone) for name, source in columns.items()}

    def event(self, item: Item) -> dict[str, Any]:
        """The event row of `item`: a known activity gives the kind, any other a note with its name."""
        zone = ZoneInfo(self.zone)
        row = {name: source.cell(item, zone) for name, source in self.tables["event"].items()}
        if self.activity is not None:
            activity = self.activity.cell(item, zone)
            kind = self.kinds.get(str(activity), self.kinds.get(visible(str(activity))))
            if kind is not None and self.is_left_out(item):
                kind = None
            if kind is not None or row.get("kind") is None:
                row["kind"] = kind or "note"
            if row.get("step") is None:
                row["step"] = activity
        return row

    def is_left_out(self, item: Item) -> bool:
        """Whether the item's activity has not happened: one that is only planned or begun ends nothing."""
        return any(
            item.get(name) not in (None, "") and visible(str(item[name])).casefold() not in values
            for name, values in self.only.items()
        )

    def once(self, item: Item, kinds: set[str]) -> Iterator[dict[str, Any]]:
        """The case events that `item` gives of a case whose events have `kinds`."""
        zone = ZoneInfo(self.zone)
        for event in self.case_events:
            row = {name: source.cell(item, zone) for name, source in event.columns.items()}
            if row.get("happened_at") is not None and event.unless not in kinds:
                yield row


def load_mapping(path: Path | None, *, zone: str = DEFAULT_ZONE) -> LogMapping:
    """The mapping in the file at `path`, or the shipped one of that name; DeliveryError where it is wrong."""
    if path is None:
        shipped = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.toml")))
        raise DeliveryError(f"mapping: a TOML file or one of {shipped} was wanted, none came; give --mapping")
    file = path if path.is_file() else SHIPPED / f"{path.name.removesuffix('.toml')}.toml"
    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DeliveryError(f"mapping {path.name}: a TOML file was wanted; {str(error)[:80]}") from error
    options = {"words", "zone", "sheet", "header", "encoding", "only", "kinds", "case_event", *TABLES}
    if unknown := document.keys() - options:
        raise DeliveryError(f"mapping {path.name}: {sorted(unknown)[0]!r} is neither a table nor an option")
    tables = {name: _columns(path, TABLES[name], document[name]) for name in TABLES if name in document}
    if not tables:
        raise DeliveryError(f"mapping {path.name}: at least one canonical table was wanted, none came")
    kinds = dict(document.get("kinds", {}))
    activity = kinds.pop("activity", None)
    if unknown := set(map(str, kinds.values())) - set(EVENT_KINDS):
        raise DeliveryError(f"mapping {path.name}: [kinds] {sorted(unknown)[0]!r} is not an event kind")
    zone = str(document.get("zone", zone))
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise DeliveryError(f"mapping {path.name}: zone {zone[:40]!r} is not known") from error
    encoding, header = document.get("encoding", ""), document.get("header", 0)
    if encoding not in ("", *ENCODINGS):
        raise DeliveryError(f"mapping {path.name}: encoding: one of {', '.join(ENCODINGS)} was wanted")
    if not isinstance(header, int) or not 0 <= header <= WITHIN:
        raise DeliveryError(f"mapping {path.name}: header: a line from 1 to {WITHIN} was wanted")
    return LogMapping(
        tables, zone, None if activity is None else _source(path, "activity", activity), kinds,
        tuple(_case_event(path, event, tables.get("event", {})) for event in document.get("case_event", [])),
        document.get("sheet"), header, encoding, _only(document.get("only", COMPLETE if "event" in tables else {})),
    )  # fmt: skip


def _only(conditions: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(visible(str(value)).casefold() for value in (values if isinstance(values, list) else [values]))
        for name, values in conditions.items()
    }


def _case_event(path: Path, entry: dict[str, Any], event: Mapping[str, CellSource]) -> MappedEvent:
    entry = {**entry, "kind": {"value": entry.get("kind", "note")}}
    unless = entry.pop("unless", "")
    columns = _columns(path, TABLES["event"], entry)
    same = {name: event[name] for name in ("dossier_id", "unit_code") if name in event}
    return MappedEvent({**same, **columns}, unless)


def _columns(path: Path, table: RecordTable, sources: dict[str, Any]) -> dict[str, CellSource]:
    for column in sources:
        if column not in table.names and not (table.attributes and column.startswith("x_")):
            raise DeliveryError(f"mapping {path.name}: [{table.name}] has no column {column!r}")
    return {column: _source(path, f"{table.name}.{column}", source) for column, source in sources.items()}


def _source(path: Path, column: str, source: Any) -> CellSource:
    if isinstance(source, (str, list)):
        source = {"from": source}
    if not isinstance(source, dict) or source.keys() - _OPTIONS or not source.keys() & {"from", "latest", "value"}:
        raise DeliveryError(f"mapping {path.name}: {column}: a name, names, or {', '.join(sorted(_OPTIONS))}")
    names = source.get("latest") or source.get("from") or ()
    days = source.get("plus_days")
    return CellSource(
        (names,) if isinstance(names, str) else tuple(map(str, names)), source.get("value"), "latest" in source,
        source.get("prefix", ""), source.get("before", ""), None if days is None else timedelta(days=days),
        source.get("format", ""), source.get("words", {}), bool(source.get("fill", False)),
    )  # fmt: skip
