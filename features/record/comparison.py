"""A delivery beside the last of its source: columns that came full and come empty, attributes of another type."""

import json
from collections import Counter
from collections.abc import Mapping

import pyarrow as pa

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
    notes = Counter(gone_silent(last_filled(lines, str(line["source"])), json.loads(str(line["filled"]))))
    new = json.loads(str(line["numeric_attributes"]))
    before = numeric_attributes(lines)
    all_lines = pa.table({"numeric_attributes": [*lines["numeric_attributes"].to_pylist(), line["numeric_attributes"]],
                     "read": [*lines["read"].to_pylist(), line["read"]]})  # fmt: skip
    after = numeric_attributes(all_lines) if new.keys() & before.keys() else before
    for name in sorted(new.keys() & before.keys()):
        if before[name] != after[name]:
            kind = "numbers" if after[name] else "text"
            notes[f"dossier.{name}: from here on read as {kind}, for most of its values are"] += sum(new[name])
        elif after[name] and new[name][1] > 0 and new[name][0] <= new[name][1]:  # else the check has noted it
            notes[f"dossier.{name}: no number in a column of numbers, unknown where one is wanted"] += new[name][1]
    return notes


def last_filled(lines: pa.Table, source: str) -> dict[str, dict[str, int]]:
    """By table, how full the columns of the last delivery of `source` were that brought rows of that table."""
    found: dict[str, dict[str, int]] = {}
    for name, filled in zip(lines["source"].to_pylist(), lines["filled"].to_pylist(), strict=True):
        if name == source and filled:
            found |= {table: count for table, count in json.loads(filled).items() if count.get("", 0)}
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
