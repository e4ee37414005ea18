"""One local day of the record, as single posted dossiers need it: features of groups by key, terms of
procedures.

Group features see nothing of the day of `as_of` itself (`features.matrix.group`), so they are the same for every
moment of one local day. They are asked of the matrix itself, through `features.matrix.batch.build`: made-up
dossiers, **scouts**, that become known on that day change no total of it, and the cells of their cases are
those of the groups they name. So there is no second definition of any feature.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from features.calendar.working_time import EPOCH, Calendar
from features.matrix.batch import build
from features.matrix.declaration import Feature, Grain
from features.record.latest import newest_first
from features.record.utc import aware_table

Cell = float | str | None
Cells = dict[str, Cell]
Key = tuple[Any, ...]

_GRAIN_KEYS = {
    Grain.OFFICIAL: ("official_id",),
    Grain.OFFICIAL_PROCEDURE: ("official_id", "procedure_code"),
    Grain.UNIT: ("unit_code",),
    Grain.PROCEDURE: ("procedure_code",),
    Grain.STEP: ("step",),
    Grain.PROCEDURE_STEP: ("procedure_code", "step"),
    Grain.RECORD: (),
}
_SCOUT = "\x00scout"
_NEVER = "\x00never seen"

_OFFICIALS = """
    SELECT procedure_code, ARRAY_AGG(DISTINCT official_id) FROM event JOIN dossier USING (dossier_id)
    WHERE official_id IS NOT NULL GROUP BY procedure_code
"""
_STEPS = """
    SELECT procedure_code, ARRAY_AGG(DISTINCT COALESCE(step, kind)) FROM event JOIN dossier USING (dossier_id)
    GROUP BY procedure_code
"""
_TERMS = f"""
    SELECT procedure_code, sector_code, CAST(legal_working_days AS DOUBLE) AS legal_working_days, known_at,
           valid_from, valid_to
    FROM procedure ORDER BY {newest_first(among_equals="valid_from DESC NULLS LAST")}
"""


@dataclass(frozen=True)
class GroupFeatures:
    """Features of one grain by key; `unseen` is what a key has that no dossier had before the day."""

    keys: tuple[str, ...]
    features: tuple[str, ...]
    cells: dict[Key, tuple[Cell, ...]]
    unseen: tuple[Cell, ...]

    def of(self, standing: dict[str, Any]) -> Iterator[tuple[str, Cell]]:
        """The features of the group of a dossier; missing where it has none (nobody holds it)."""
        key = tuple(standing.get(name) for name in self.keys)
        if None in key:
            return zip(self.features, (None,) * len(self.features), strict=True)
        return zip(self.features, self.cells.get(key, self.unseen), strict=True)


@dataclass(frozen=True)
class DailySnapshot:
    """What the record holds on one local day.

    number: days since 1970. terms: procedure_code → its rows, latest knowledge first (sector_code,
    legal_working_days, known_at, valid_from, valid_to; times aware or None). groups: one entry a grain and
    text attribute, that of the whole record (no keys) among them.
    """

    number: int
    terms: dict[str, list[dict[str, Any]]]
    groups: tuple[GroupFeatures, ...]

    def term(self, procedure_code: str | None, received_at: datetime, as_of: datetime) -> dict[str, Any]:
        """Sector and legal term of a procedure as in force at receipt and known at `as_of`; {} where unknown."""
        for row in self.terms.get(procedure_code or "", ()):
            visible = row["known_at"] is None or row["known_at"] < as_of
            begun = row["valid_from"] is None or row["valid_from"] <= received_at
            if visible and begun and (row["valid_to"] is None or received_at < row["valid_to"]):
                return row
        return {}


def local_day(moment: datetime, calendar: Calendar) -> int:
    """The local day of an aware moment, as days since 1970."""
    return (moment.astimezone(ZoneInfo(calendar.zone)).date() - EPOCH.date()).days


def midnight(number: int, calendar: Calendar) -> datetime:
    """When a local day (days since 1970) begins."""
    return datetime.combine(EPOCH.date() + timedelta(days=number), time(), ZoneInfo(calendar.zone))


def take_day(
    con: duckdb.DuckDBPyConnection, number: int, features: Sequence[Feature], calendar: Calendar
) -> DailySnapshot:
    """The local day `number` (days since 1970) of the record behind `con`, for `features`.

    `con` has the record's views (`Record.connect`) and is changed: give a connection of its own.
    """
    as_of = midnight(number, calendar) + timedelta(hours=12)
    attributes = [one.about for one in features if one.grain is Grain.ATTRIBUTE]
    scouts = _scouts(con, list(dict.fromkeys(attributes)), as_of - timedelta(minutes=1))
    terms: dict[str, list[dict[str, Any]]] = {}
    for row in aware_table(con.sql(_TERMS).to_arrow_table()).to_pylist():
        terms.setdefault(row.pop("procedure_code"), []).append(row)
    _send(con, scouts)
    cases = pa.table({
        "dossier_id": scouts["dossier_id"],
        "as_of": pa.array([as_of] * scouts.num_rows, pa.timestamp("us", "UTC")),
    })  # fmt: skip
    seen = build(con, cases, features, calendar)
    keys = {**{name: scouts[name] for name in scouts.column_names}, "step": scouts["step"]}
    groups = [
        _group(seen, keys, grain_keys, [one.name for one in features if one.grain is grain])
        for grain, grain_keys in _GRAIN_KEYS.items()
    ]
    for about in dict.fromkeys(attributes):
        mine = [one.name for one in features if one.grain is Grain.ATTRIBUTE and one.about == about]
        groups.append(_group(seen, keys, (about,), mine))
    return DailySnapshot(number, terms, tuple(group for group in groups if group.features))


def _scouts(con: duckdb.DuckDBPyConnection, attributes: list[str], known_at: datetime) -> pa.Table:
    """One row a scout, so that every official, procedure, step, unit and attribute text of the record, and
    every pair of official or step with procedure, is named by one; the first names what was never seen."""
    officials = dict(con.execute(_OFFICIALS).fetchall())
    steps = dict(con.execute(_STEPS).fetchall())
    pairs: list[tuple[str, str | None, str | None]] = [(_NEVER, _NEVER, _NEVER)]
    for (procedure,) in con.execute("SELECT DISTINCT procedure_code FROM dossier").fetchall():
        both = zip_longest(officials.get(procedure) or [None], steps.get(procedure) or [None])
        pairs += [(procedure, official, step) for official, step in both]
    lists = {
        name: [_NEVER, *(row[0] for row in con.execute(
            f"SELECT DISTINCT {name} FROM dossier WHERE {name} IS NOT NULL").fetchall())]
        for name in ("unit_code", *attributes)
    }  # fmt: skip
    length = max(len(pairs), *(len(values) for values in lists.values()))
    pairs += [pairs[0]] * (length - len(pairs))
    rest = {name: values + [_NEVER] * (length - len(values)) for name, values in lists.items()}
    return pa.table({
        "dossier_id": [f"{_SCOUT}{n}" for n in range(length)],
        "row_id": [f"{_SCOUT}{n}" for n in range(length)],
        "procedure_code": pa.array([pair[0] for pair in pairs], pa.string()),
        "official_id": pa.array([pair[1] for pair in pairs], pa.string()),
        "step": pa.array([pair[2] for pair in pairs], pa.string()),
        **rest,
        "kind": ["note"] * length,
        **{name: pa.array([known_at] * length, pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
           for name in ("received_at", "happened_at", "known_at")},
    })  # fmt: skip


def _send(con: duckdb.DuckDBPyConnection, scouts: pa.Table) -> None:
    """Adds the scouts to the connection's views of dossiers and events."""
    con.register("scout", scouts)
    for table, columns in (
        ("dossier", ["dossier_id", "row_id", "procedure_code", "received_at", "known_at"]),
        ("event", ["dossier_id", "row_id", "official_id", "step", "kind", "happened_at", "known_at"]),
    ):
        own = [row[0] for row in con.execute(f"SELECT column_name FROM (DESCRIBE {table})").fetchall()]
        if table == "dossier":
            columns += [name for name in scouts.column_names if name in own and name not in columns]
        con.execute(f"ALTER VIEW {table} RENAME TO {table}_recorded")
        mine = ", ".join(columns)
        both = f"SELECT * FROM {table}_recorded UNION ALL BY NAME SELECT {mine} FROM scout"
        con.execute(f"CREATE VIEW {table} AS {both}")


def _group(seen: pa.Table, keys: dict[str, pa.Array], names: Key, features: list[str]) -> GroupFeatures:
    columns = zip(*(seen[name].to_pylist() for name in features), strict=True) if features else ()
    key_rows = zip(*(keys[name].to_pylist() for name in names), strict=True) if names else iter(lambda: (), None)
    cells: dict[Key, tuple[Cell, ...]] = {}
    for key, row in zip(key_rows, columns, strict=False):
        if None not in key:
            cells.setdefault(key, row)
    unseen = cells.pop((_NEVER,) * len(names), ()) if names else cells.get((), ())
    return GroupFeatures(names, tuple(features), cells, unseen)
