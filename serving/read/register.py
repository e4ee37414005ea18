"""The names of things: units with their tree, procedures, sectors, by the latest rows of the record."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

import duckdb

from features.record.latest import newest
from features.record.positions import PRESENT_FIRST
from features.record.reading_moment import known_until
from features.record.utc import naive_utc
from models.reasons import Reason
from serving.access.permissions import UnitTree

_END = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class UnitEntry:
    """One unit: its name, its level (province, department, commune, other) and the code of its parent."""

    code: str
    name: str
    level: str | None
    parent_code: str | None


@dataclass(frozen=True)
class Register:
    """Codes → names; a code that no delivery named is shown as it is, never as a blank.

    legal_days: procedure_code → lawful working days. officials: official_id → unit_code. gone: of them those whose
    last known post has ended, who can be given nothing more. data_until: until when the record
    knows (`features.record.record.reading_moment`).
    """

    units: Mapping[str, UnitEntry] = field(default_factory=dict)
    procedures: Mapping[str, str] = field(default_factory=dict)
    sectors: Mapping[str, str] = field(default_factory=dict)
    legal_days: Mapping[str, float] = field(default_factory=dict)
    officials: Mapping[str, str] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    tree: UnitTree = field(default_factory=lambda: UnitTree({}))
    data_until: datetime | None = None

    @classmethod
    def read(cls, con: duckdb.DuckDBPyConnection) -> "Register":
        """The register from a connection of the record.

        Of several rows of a code the latest known one counts; what a unit took over, it took over in any of them.
        """
        units = con.execute(
            "SELECT unit_code, unit_name, parent_code, level, former.succeeds FROM unit_latest LEFT JOIN "
            "(SELECT unit_code, string_agg(succeeds, ';') AS succeeds FROM unit GROUP BY unit_code) former "
            "USING (unit_code)"
        ).fetchall()
        procedures = con.execute(
            "SELECT procedure_code, procedure_name, legal_working_days FROM procedure_latest"
        ).fetchall()
        sectors = con.execute("SELECT sector_code, sector_name FROM sector_latest").fetchall()
        until = known_until(con)
        begun = "coalesce(valid_from <= $as_of, true) DESC"  # who is only named for a post is listed with it
        officials = con.execute(
            "SELECT official_id, unit_code, coalesce(valid_to <= $as_of, false) AS gone FROM official "
            f"{newest('official_id', first=f'{begun}, {PRESENT_FIRST}')} "
            "UNION BY NAME "
            "SELECT official_id, max_by(unit_code, happened_at) AS unit_code, false AS gone FROM event "
            "WHERE official_id IS NOT NULL AND unit_code IS NOT NULL "
            "AND official_id NOT IN (SELECT official_id FROM official) GROUP BY official_id",
            {"as_of": naive_utc(until or _END)},
        ).fetchall()
        return cls(
            units={row[0]: UnitEntry(row[0], row[1] or row[0], row[3], row[2]) for row in units},
            procedures={row[0]: row[1] for row in procedures if row[1]},
            sectors={row[0]: row[1] for row in sectors if row[1]},
            legal_days={row[0]: row[2] for row in procedures if row[2] is not None},
            officials={row[0]: row[1] for row in officials},
            gone=frozenset(row[0] for row in officials if row[2]),
            tree=UnitTree.of((row[0], row[2], row[4]) for row in units),
            data_until=until,
        )

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """official_id → place (from 1) among those of the same unit, by key: what to call who has no name."""
        placed: dict[str, int] = {}
        counted: dict[str, int] = {}
        for official_id, unit in sorted(self.officials.items()):
            placed[official_id] = counted[unit] = counted.get(unit, 0) + 1
        return placed

    def unit(self, code: str | None) -> str:
        """The unit's name, its code where it has none."""
        if code is None:
            return "–"
        entry = self.units.get(code)
        return entry.name if entry else code

    def procedure(self, code: str | None) -> str:
        """The procedure's name, its code where it has none."""
        return "–" if code is None else self.procedures.get(code, code)

    def sector(self, code: str | None) -> str:
        """The sector's name, its code where it has none."""
        return "–" if code is None else self.sectors.get(code, code)

    def named(self, reason: Reason) -> Reason:
        """The reason with a name, where one is known, in place of the code of a procedure, unit or sector."""
        names = {"procedure_code": self.procedure, "unit_code": self.unit, "sector_code": self.sector}
        name_of = names.get(reason.code)
        if name_of is None or not reason.value:
            return reason
        name = name_of(reason.value)
        return replace(reason, vi=reason.vi.replace(reason.value, name, 1), en=reason.en.replace(reason.value, name, 1))
