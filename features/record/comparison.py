"""A delivery beside the last of its source: columns that came full and come empty, attributes of another type."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from features.record.delivery import ALARM
from features.record.views import numeric_attributes

USUALLY_FULL = 0.5
"""Share of rows that filled a column, from which on its absence in all rows is no chance."""
CHANCE = 0.01
"""Below this chance that all rows of a delivery are silent, were they as talkative as those before, it is an alarm."""

Filled = Mapping[str, Mapping[str, int]]
"""By table: of every column how many cells of good rows are filled; under the empty name how many rows."""


def compared(lines: pa.Table, line: Mapping[str, object]) -> Counter[str]:
    """Notes on how a new delivery (`line`) differs from those before it (`lines`)."""
    filled = json.loads(str(line["filled"]))
    notes = Counter(gone_silent(last_filled(lines, str(line["source"]), filled), filled))
    new = json.loads(str(line["numeric_attributes"]))
    before = numeric_attributes(lines) if new else {}
    after = before
    if new.keys() & before.keys():
        told = lines.select(["numeric_attributes", "read"])
        mine = pa.Table.from_pylist([{name: line[name] for name in told.column_names}], told.schema)
        after = numeric_attributes(pa.concat_tables([told, mine]))
    for name in sorted(new.keys() & before.keys()):
        if before[name] != after[name]:
            kind = "numbers" if after[name] else "text"
            notes[f"dossier.{name}: from here on read as {kind}, for most of its values are"] += sum(new[name])
        elif after[name] and new[name][1] > 0 and new[name][0] <= new[name][1]:  # else the check has noted it
            notes[f"dossier.{name}: no number in a column of numbers, unknown where one is wanted"] += new[name][1]
    return notes


def last_filled(lines: pa.Table, source: str, tables: Iterable[str]) -> dict[str, dict[str, int]]:
    """By table of those asked for, how full the columns of the last delivery of `source` were that brought its rows."""
    found: dict[str, dict[str, int]] = {}
    wanted = set(tables)
    for filled in reversed(lines.filter(pc.equal(lines["source"], source))["filled"].to_pylist()):
        if not wanted:
            break
        told = {table: count for table, count in json.loads(filled or "{}").items() if count.get("", 0)}
        found |= {table: told[table] for table in wanted & told.keys()}
        wanted -= told.keys()
    return found


def gone_silent(before: Filled, now: Filled) -> dict[str, int]:
    """An alarm for each column that was full `before` and is empty `now`, with the rows concerned."""
    alarms = {}
    for table, count in now.items():
        rows, then = count.get("", 0), before.get(table, {})
        for column, filled in then.items():
            share = (filled + 1) / (then[""] + 2)
            silent = column and not count.get(column) and filled >= USUALLY_FULL * then[""]
            if silent and rows and (1 - share) ** rows < CHANCE:
                alarms[f"{ALARM}{table}.{column}: empty in all rows, {filled} of {then['']} rows told it in the last "
                       "delivery of this source"] = rows  # fmt: skip
    return alarms
