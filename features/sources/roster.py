"""Units with their succession and officials with their names: the reference data of a province.

`{"units": [{code, name, level, parent, valid_from, valid_to, old_codes, succeeds}], "officials": [{id,
display_names, unit, position, is_head, from, to}]}`, as in samples/16. An official's opaque id is the one that the
first display name has in the unit, so a roster may come before or after the deliveries that name people. Who has
several posts under one `id` keeps the key of the first of them, and with it what they did there.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from features.record.delivery import Chunks
from features.record.succession import predecessors
from features.sources import FeedOptions
from features.sources.json_stream import items
from features.sources.nested import strings
from features.sources.row_builder import RowBuilder, harvested
from features.sources.unit_directory import BookedUnit
from features.spelling.codes import unit_code

YES = ("true", "1", "có", "yes")
LEVELS = {"PROVINCE": "province", "AGENCY": "department", "COMMUNE": "commune"}


def read(path: Path, options: FeedOptions) -> Chunks:
    """The units and officials of the delivery at `path`."""
    yield from harvested(items(path), options, partial(_read, {}))


def _read(numbers: dict[str, str], harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    if not {"units", "officials"} & item.keys():
        harvest.reject("", "an object with units or officials", "an object of another kind")
        return
    for part, reader in (("units", _read_unit), ("officials", partial(_read_official, numbers))):
        rows = harvest.objects(item, part)
        for row in sorted(rows, key=lambda row: str(row.get("from") or "")):  # the first post of somebody first
            reader(harvest, row)


def _read_unit(harvest: RowBuilder, row: Mapping[str, Any]) -> None:
    """A unit; all those it took over from stand in one cell, for rows of one unit are versions of each other."""
    code = harvest.text("unit_code", row.get("code"))
    if code is None:
        harvest.reject("unit_code", "a value", None)
        return
    until = harvest.moment("valid_to", row.get("valid_to"))  # the last day in force: half-open from here on
    old = [code for name in ("old_codes", "succeeds") for cell in strings(row, name) for code in predecessors(cell)]
    parent = harvest.text("parent_code", row.get("parent"))
    succeeds = dict.fromkeys(unit_code(one) for one in old if unit_code(one) != unit_code(code))
    level = str(row.get("level") or "").strip()
    harvest.units.add(BookedUnit(unit_code(code), str(row.get("name") or ""), succeeds=tuple(succeeds)))
    harvest.row(
        "unit", unit_code=unit_code(code), unit_name=harvest.text("unit_name", row.get("name")),
        parent_code=unit_code(parent) if parent else None,
        level=LEVELS.get(level.upper(), level.lower() if level.lower() in LEVELS.values() else "other"),
        valid_from=harvest.moment("valid_from", row.get("valid_from")),
        valid_to=until + timedelta(days=1) if until else None, succeeds=";".join(succeeds) or None,
    )  # fmt: skip


def _read_official(numbers: dict[str, str], harvest: RowBuilder, row: Mapping[str, Any]) -> None:
    """An official by the first display name; a role without a unit is a placeholder and nobody.

    numbers: the keys by the roster's own ids so far.
    """
    names = strings(row, "display_names") or strings(row, "name")
    unit = harvest.text("unit_code", row.get("unit"))
    if not names:
        harvest.reject("official_id", "display_names", None)
    elif unit is None:
        harvest.notes["official: without a unit, nobody's post"] += 1
    if not names or unit is None:
        return
    number = str(row.get("id") or "").strip()
    official_id = numbers.get(number)
    if official_id is None:
        official_id = harvest.official(names[0], unit_code(unit))
        if official_id is None:
            return
        if number and official_id in numbers.values():
            harvest.notes["official_id: two numbers of one name in one unit: one key for both"] += 1
    elif name := harvest.text("official_id", names[0]):
        harvest.named(official_id, name, unit_code(unit))
    if number:
        numbers[number] = official_id
    until = harvest.moment("valid_to", row.get("to"))
    harvest.row(
        "official", official_id=official_id, unit_code=unit_code(unit),
        position=harvest.text("position", row.get("position")), is_head=str(row.get("is_head")).strip().lower() in YES,
        valid_from=harvest.moment("valid_from", row.get("from")),
        valid_to=until + timedelta(days=1) if until else None,
    )  # fmt: skip
