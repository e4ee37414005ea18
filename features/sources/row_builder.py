"""Canonical rows as a feed of one-stop systems gathers them, and the few things all those feeds do to a cell.

One source item makes rows of several tables: a dossier, its events, its procedure. They are gathered by table
and handed on in chunks. A cell that cannot be read costs its own row or cell, never the item's other rows.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from features.record.delivery import Chunk, DeliveryError, Reject, describe
from features.sources import FeedOptions
from features.sources.json_stream import Item
from features.sources.moments import NotAMoment, day_in_path, parse
from features.sources.nested import listed, objects
from features.sources.paging import Pages
from features.sources.pseudonyms import Pseudonyms
from features.sources.unit_directory import UnitDirectory
from features.spelling.codes import dossier_code, procedure_code, unit_code, unit_of_dossier
from features.spelling.names import canonical, folded, has_no_diacritics, is_placeholder, tidy
from features.spelling.vietnamese_text import suspect

ROWS_A_CHUNK = 20_000
NAMESAKES = "official_id: a name of several in units that became one: kept apart, history not joined"
UNDATED = "event: the status says that the dossier ended and no moment of it: it stays open"
STATE = "state:"
"""Begins the event ids of events read off a dossier's current state, which a progress feed may bring as well."""


class RowBuilder:
    """Rows and rejects of one delivery, and who and where its texts mean.

    `options.key` is required: without a secret no person can be made opaque (DeliveryError). `unit_of` holds the
    units of dossiers met so far, for rows that name a dossier alone.
    """

    def __init__(self, options: FeedOptions, *, false_z: bool = False) -> None:
        if options.key is None:
            raise DeliveryError("this source names people: a key for pseudonyms was wanted, none came")
        self.zone, self.false_z = options.zone, false_z
        self.live = options.arrived_at is not None
        self.people = Pseudonyms(options.key)
        self.units: UnitDirectory = options.units or UnitDirectory()
        self._staff = Staff(self.units, options.officials)
        self._met: dict[tuple[str, str], str] = {}
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._places: dict[str, tuple[list[str], list[int]]] = {}
        self._rejects: list[Reject] = []
        self.pages = Pages()
        self.notes: Counter[str] = Counter()
        self._seen: set[tuple[str, ...]] = set()
        self.unit_of: dict[str, str] = dict(options.unit_of)
        self.line = 0
        self.header: Mapping[str, Any] = {}
        self._file = ""
        self._known_from: datetime | None = None
        self._count = 0

    def begin(self, item: Item) -> Iterator[Chunk]:
        """Turn to `item`; yields what was gathered once much has come together."""
        if self._count >= ROWS_A_CHUNK:
            yield from self.chunks()
        if item.file != self._file:
            self._file = item.file
            self._known_from = None if self.live else day_in_path(item.file, self.zone)
        self.line, self.header = item.line, item.header

    def chunks(self) -> Iterator[Chunk]:
        """All rows gathered since the last call, one chunk a table; rejects ride on the first."""
        for table, rows in self._rows.items():
            files, lines = self._places[table]
            yield Chunk(table, rows, self._rejects, "", lines, self.zone, files=files)
            self._rejects = []
        if self._rejects or self.notes:
            yield Chunk("dossier", [], self._rejects, zone=self.zone, notes=self.notes)
            self.notes = Counter()
        self._rows, self._places, self._rejects, self._count = {}, {}, [], 0

    def row(self, table: str, **cells: Any) -> None:
        """One canonical row; empty cells are left out."""
        self._rows.setdefault(table, []).append(
            {name: cell for name, cell in cells.items() if cell is not None and cell != ""}
        )
        files, lines = self._places.setdefault(table, ([], []))
        files.append(self._file)
        lines.append(self.line)
        self._count += 1

    def once(self, table: str, *key: str, **cells: Any) -> None:
        """One row of reference data, the first time `key` comes in the delivery."""
        if (table, *key) not in self._seen:
            self._seen.add((table, *key))
            self.row(table, **cells)

    def event(
        self, dossier_id: str, kind: str, at: datetime | None, *, state: bool = False, id_suffix: str = "", **cells: Any
    ) -> None:
        """One event, where it has a moment. Its id is what happened, when, and `id_suffix`: the source's own number.

        `state`: read off the dossier's current state, so that a progress feed may bring the same event.
        """
        if at is not None:
            event_id = f"{STATE if state else ''}{kind}@{at:%Y%m%d%H%M%S}{id_suffix}"
            self.row("event", dossier_id=dossier_id, kind=kind, happened_at=at, event_id=event_id, **cells)

    def received(
        self, dossier_id: str, unit: str, at: datetime, due: datetime | None, submitted: datetime | None, **cells: Any
    ) -> None:
        """The row of a dossier as a list of dossiers gives it, and its receipt.

        A promise before the receipt is kept aside; a submission after it says nothing.
        """
        self.row(
            "dossier", dossier_id=dossier_id, unit_code=unit,
            receiving_unit_code=self.unit(at, dossier=dossier_id), received_at=at,
            due_at=self.promise(due, at), submitted_at=self.submission(submitted, at), known_at=self.known_from(at),
            **cells,
        )  # fmt: skip
        self.event(dossier_id, "received", at, state=True, unit_code=unit)

    def reject(self, column: str, wanted: str, value: object, *, personal: bool = True) -> None:
        """Keep aside the item or one cell of it."""
        came = value if isinstance(value, _SafeText) else describe(value, personal=personal)
        self._rejects.append(Reject(self._file, self.line, column, wanted, str(came)[:80]))
        self._count += 1

    def objects(self, item: object, *path: str) -> list[Mapping[str, Any]]:
        """The objects of a list inside the item; a member that is none is rejected."""
        for one in listed(item, *path):
            if not isinstance(one, Mapping):
                self.reject("", "an object", one)
        return objects(item, *path)

    def word(self, column: str, words: Mapping[str, str], value: object) -> str | None:
        """Our word for a source's code; None, and a note, for a code that `words` lacks."""
        code = str(value or "").strip()
        if code and code not in words:
            self.notes[f"{column}: a code outside the source's list, unknown"] += 1
        return words.get(code)

    def ended(self, *moments: datetime | None) -> None:
        """Tells of a dossier whose state is an end where none of `moments` says when that was."""
        if not any(moments):
            self.notes[UNDATED] += 1

    def promise(self, due: datetime | None, received: datetime) -> datetime | None:
        """The promise, or None where it lies before receipt: then the cell is set aside, not the dossier."""
        if due is not None and due < received:
            self.reject("due_at", "not before received_at", due)
            return None
        return due

    def submission(self, submitted: datetime | None, received: datetime) -> datetime | None:
        """The submission; one after receipt is unknown, with a note."""
        if submitted is not None and submitted > received:
            self.notes["dossier.submitted_at: after receipt, unknown"] += 1
            return None
        return submitted

    def damaged(self, item: Item) -> None:
        """Keep aside an item that could not be parsed."""
        self.reject("", item.wanted, _SafeText(item.came))

    def moment(self, column: str, value: object) -> datetime | None:
        """The moment of a cell, None where empty; in no known form: rejected and None."""
        try:
            return parse(value, zone=self.zone, false_z=self.false_z)
        except NotAMoment as wrong:
            self.reject(column, "a moment", _SafeText(str(wrong)))
            return None

    def text(self, column: str, value: object) -> str | None:
        """The tidied text of a cell, None where empty or in an encoding from before Unicode (then rejected)."""
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            value = str(value) if isinstance(value, int | float) else None
            if value is None:
                self.reject(column, "text", _SafeText("something nested"))
                return None
        if not value.isascii() and (legacy := suspect(value)):
            self.reject(column, "Unicode text", _SafeText(f"text in {legacy}"))
            return None
        return tidy(value) or None

    def dossier(self, column: str, value: object) -> str | None:
        """The dossier's code in its one form; rejected where there is none."""
        code = str(value).strip() if isinstance(value, str | int) else ""
        if not code or len(code) > 100:
            self.reject(column, "a dossier code", value)
            return None
        return dossier_code(code)

    def procedure(self, code: object, name: object, sector: object, sector_name: object) -> str | None:
        """The procedure's code; its row and its sector's, once a delivery, where the item names them."""
        text = self.text("procedure_code", code)
        if text is None:
            return None
        plain = procedure_code(text)
        sector_code = self.text("sector_code", sector)
        if sector_code:
            self.once("sector", sector_code, sector_code=sector_code, sector_name=self.text("sector_name", sector_name))
            self.once(
                "procedure", plain, procedure_code=plain, procedure_name=self.text("procedure_name", name),
                sector_code=sector_code,
            )  # fmt: skip
        return plain

    def unit(self, at: datetime, *, name: object = None, code: object = None, dossier: str = "") -> str | None:
        """The unit meant: by name where the name is known, else by code, else by the dossier's own code."""
        if isinstance(name, str) and (named := self.units.named(name, at)):
            return named
        canonical = unit_code(code) if isinstance(code, str) and code.strip() else unit_of_dossier(dossier)
        return self.units.coded(canonical, at) if canonical else None

    def official(self, name: object, unit: str | None) -> str | None:
        """The opaque id of a handler named in words; None for a placeholder. The name goes to the directory."""
        text = self.text("official_id", name)
        if text is None or is_placeholder(text):
            return None
        place = unit or ""
        if (text, place) in self._met:
            return self._met[text, place]
        own = self.people.official(text, unit)
        if own is None:
            return None
        matches = self._staff.of(text, place)
        (official_id,) = matches if len(matches) == 1 else (own,)
        if len(matches) > 1 and not has_no_diacritics(text):
            self.notes[NAMESAKES] += 1
        if official_id != own and has_no_diacritics(text):
            self._met[text, place] = official_id  # the directory has the better writing
        else:
            self.named(official_id, text, place)
        return official_id

    def named(self, official_id: str, name: str, unit: str) -> None:
        """The official is called that in that unit: for the directory, and for who comes after in the delivery."""
        if self._met.get((name, unit)) != official_id:
            self._met[name, unit] = official_id
            self._staff.learn(official_id, name, unit)
            self.row("directory", official_id=official_id, unit_code=unit, name=name)
            self._count -= 1

    def known_from(self, received: datetime) -> datetime | None:
        """Since when a dossier row of a daily file is known: None (the record's rule) in the file of its own day.

        A row sent again later may have changed in between, so it is a version known from the end of that later
        day.
        """
        day = self._known_from
        return day if day is not None and received < day - timedelta(days=1) else None


def harvested(
    found: Iterable[Item],
    options: FeedOptions,
    read: Callable[[RowBuilder, Mapping[str, Any]], None],
    *,
    false_z: bool = False,
) -> Iterator[Chunk]:
    """The chunks of a delivery's items: `read` makes the rows of one that could be parsed, given its value."""
    harvest = RowBuilder(options, false_z=false_z)
    for item in found:
        if item.notes:
            harvest.notes.update(item.notes)
            continue
        yield from harvest.begin(item)
        if item.header:
            harvest.pages.page(item.header, item.header, 1)
        if item.value is None:
            harvest.damaged(item)
        else:
            read(harvest, item.value)
    harvest.notes.update(harvest.pages.gaps())
    yield from harvest.chunks()


class _SafeText(str):
    """A description that is already safe to show."""


class Staff:
    """The keys of officials by name and unit. units: may grow while it is asked.

    known: (official_id, name, unit_code) of officials known before; one may stand in several units.
    """

    def __init__(self, units: UnitDirectory, officials: Iterable[tuple[str, str, str]] = ()) -> None:
        self._units = units
        self._whole: dict[tuple[str, str], set[str]] = {}
        self._bare: dict[tuple[str, str], set[str]] = {}
        for official_id, name, unit in officials:
            self.learn(official_id, name, unit)

    def learn(self, official_id: str, name: str, unit: str) -> None:
        """`official_id` is somebody of that name in that unit."""
        self._whole.setdefault((canonical(name), unit), set()).add(official_id)
        self._bare.setdefault((folded(name), unit), set()).add(official_id)

    def of(self, name: str, unit: str) -> frozenset[str]:
        """Who is called that in the unit, else everybody of that name there or in the units that it alone took over.

        Whoever stands there already by that name goes on, so a delivery told again tells the same. A name without
        diacritics may be anybody's whose name is the same without them.
        """
        keys, key = (self._bare, folded(name)) if has_no_diacritics(name) else (self._whole, canonical(name))
        here = keys.get((key, unit), set())
        if len(here) == 1:
            return frozenset(here)
        units = self._units.taken_over(unit)
        return frozenset(one for code in (unit, *units) for one in keys.get((key, code), ()))
