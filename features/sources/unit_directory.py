"""The units an office may name, found by name or by any of their codes, as of a moment.

Portal rows name the processing unit in words and the sender by code. Since 1 July 2025 districts are gone,
communes and departments merged (domain.md 3.4): a name or an old code means another unit before and after, so
each entry has its validity, and a closed unit leads to its successor only where there is exactly one.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from features.record.succession import predecessors
from features.spelling.codes import unit_code
from features.spelling.names import plain

_SUFFIX = re.compile(r"\s*(?:[-,–]\s*)?\b(?:tinh|thanh pho|tp\.?)\s+[a-z ]+$")
_ASIDE = re.compile(r"\([^)]*\)")
_SHORT = (
    (re.compile(r"\bubnd\b"), "uy ban nhan dan"),
    (re.compile(r"\buy ban nd\b"), "uy ban nhan dan"),
    (re.compile(r"\bp\.\s*"), "phuong "),
    (re.compile(r"\bx\.\s*"), "xa "),
    (re.compile(r"\btt\s+pvhcc\b|\btrung tam pvhcc\b|\bttpvhcc\b"), "trung tam phuc vu hanh chinh cong"),
    (re.compile(r"\bnn\s*&\s*mt\b|\bnnmt\b"), "nong nghiep va moi truong"),
    (re.compile(r"\bkh\s*&\s*cn\b|\bkhcn\b"), "khoa hoc va cong nghe"),
    (re.compile(r"\s*&\s*"), " va "),
    (re.compile(r"[.,;]"), " "),
    (re.compile(r"\s+"), " "),
)


@lru_cache(maxsize=16384)
def name_key(name: str) -> str:
    """A unit's name for comparison: folded, short forms written out, the province's name and asides off."""
    key = _ASIDE.sub(" ", plain(name)).strip()
    for pattern, whole in _SHORT:
        key = pattern.sub(whole, key)
    return _SUFFIX.sub("", key.strip()).strip()


@dataclass(frozen=True)
class BookedUnit:
    """One unit: its code, names in use, codes it had before, validity [valid_from, valid_to)."""

    code: str
    name: str
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    succeeds: tuple[str, ...] = ()
    old_codes: tuple[str, ...] = ()

    def valid(self, at: datetime) -> bool:
        """Whether the unit existed at `at`; unknown ends are open."""
        return (self.valid_from is None or self.valid_from <= at) and (self.valid_to is None or at < self.valid_to)


class UnitDirectory:
    """Units by name and code. Empty books answer with the codes they are given."""

    def __init__(self, units: Iterable[BookedUnit] = ()) -> None:
        self._by_name: dict[str, list[BookedUnit]] = {}
        self._by_code: dict[str, BookedUnit] = {}
        self._heirs: dict[str, list[BookedUnit]] = {}
        self._before: dict[str, set[str]] = {}
        for unit in units:
            self.add(unit)

    def add(self, unit: BookedUnit) -> None:
        """One more unit, or another row of one: the last one's name and validity count, all it took over."""
        self._by_code[unit.code] = unit
        if unit.name:
            self._by_name.setdefault(name_key(unit.name), []).append(unit)
        for old in dict.fromkeys(map(unit_code, (*unit.old_codes, *unit.succeeds))):
            self._heirs.setdefault(old, []).append(unit)
            self._before.setdefault(unit.code, set()).add(old)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> "UnitDirectory":
        """A book of rows of the `unit` table (dicts with its column names; moments aware or naive UTC)."""
        return cls(
            BookedUnit(
                code=str(row["unit_code"]),
                name=str(row.get("unit_name") or ""),
                valid_from=_aware(row.get("valid_from")),
                valid_to=_aware(row.get("valid_to")),
                succeeds=predecessors(row.get("succeeds")),
            )
            for row in rows
        )

    def __contains__(self, code: str) -> bool:
        return unit_code(code) in self._by_code

    def named(self, name: str | None, at: datetime) -> str | None:
        """The code of the one unit of that name valid at `at`; None for an unknown or ambiguous name."""
        if not name or not self._by_name:
            return None
        valid = {unit.code for unit in self._by_name.get(name_key(name), ()) if unit.valid(at)}
        return valid.pop() if len(valid) == 1 else None

    def taken_over(self, code: str) -> list[str]:
        """The codes of the units that `code` alone took over, and those that they alone took over before."""
        found: list[str] = []
        waiting = [code]
        while waiting:
            heir = waiting.pop()
            for old in sorted(self._before.get(heir, ())):
                alone = {one.code for one in self._heirs[old]} == {heir}
                if alone and old != code and old not in found:
                    found.append(old)
                    waiting.append(old)
        return found

    def coded(self, code: str, at: datetime) -> str:
        """The code under which the unit of `code` stood at `at`: itself, or its only successor by then."""
        now = unit_code(code)
        if not self._by_code:
            return now
        for _ in range(8):  # a chain of reforms, and no circle without end
            unit = self._by_code.get(now)
            if unit is not None and unit.valid(at):
                return now
            heirs = {heir.code for heir in self._heirs.get(now, ()) if heir.valid(at)} - {now}
            if len(heirs) != 1:
                return now
            now = heirs.pop()
        return now


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
