"""Units as they stood: their level, and which took over from which through a reform (domain.md 3.4).

A unit tells in `succeeds` whose work it took over, several codes apart by `;`. A family is whatever hangs together
over that; whoever compares offices compares inside it, but what a unit did is never charged to its successor.
"""

import re
from datetime import datetime

import duckdb

from features.record.utc import naive_utc


def predecessors(succeeds: str | None) -> tuple[str, ...]:
    """The codes that a cell of `succeeds` names, several apart by `;`, each once. No other place takes it apart.

    >>> predecessors("H99.104; H99.105;"), predecessors(None)
    (('H99.104', 'H99.105'), ())
    """
    return tuple(dict.fromkeys(filter(None, map(str.strip, re.split("[;,|]", succeeds or "")))))


def families(con: duckdb.DuckDBPyConnection, as_of: datetime) -> dict[str, str]:
    """Of every unit known before `as_of` the code of its family: the first code of it in order."""
    rows = con.execute(
        "SELECT unit_code, succeeds FROM unit WHERE known_at < ? ORDER BY unit_code, known_at, row_id",
        [naive_utc(as_of)],
    ).fetchall()
    first: dict[str, str] = {}

    def of(code: str) -> str:
        first.setdefault(code, code)
        while first[code] != code:
            first[code] = first[first[code]]
            code = first[code]
        return code

    for code, succeeds in rows:
        for before in predecessors(succeeds):
            one, two = sorted((of(code), of(before)))
            first[two] = one
        of(code)
    return {code: of(code) for code in sorted(first)}


def levels(con: duckdb.DuckDBPyConnection, as_of: datetime) -> dict[str, str]:
    """The level (province, department, commune, other) of every unit known before `as_of`."""
    rows = con.execute(
        "SELECT unit_code, arg_max(level, (known_at, row_id)) FROM unit WHERE known_at < ? GROUP BY unit_code",
        [naive_utc(as_of)],
    ).fetchall()
    return {code: level or "other" for code, level in sorted(rows)}
