"""Who may do what, where: one table role × action × reach; what is not in it is denied.

A reach is how far a right goes: the whole province, the account's own unit and everything below it, or only
what the official handled. Which route asks for which action stands in `serving.access.route_table`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from features.record.succession import predecessors
from serving.language import LazyText as lazy


class Role(StrEnum):
    """The six kinds of reader. Another is a name here, a line in `_WORDS` and what it may do in `GRANTS`."""

    INSPECTOR = "inspector"
    UNIT_HEAD = "unit_head"
    OFFICIAL = "official"
    ANALYST = "analyst"
    LEADER = "leader"
    ADMINISTRATOR = "administrator"

    @property
    def words(self) -> str:
        """What the role is called."""
        return _WORDS[self]


_WORDS = {
    Role.INSPECTOR: lazy("Người kiểm tra"),
    Role.UNIT_HEAD: lazy("Người đứng đầu đơn vị"),
    Role.OFFICIAL: lazy("Cán bộ, công chức"),
    Role.ANALYST: lazy("Phân tích viên"),
    Role.LEADER: lazy("Lãnh đạo"),
    Role.ADMINISTRATOR: lazy("Quản trị"),
}


class Reach(StrEnum):
    """How far a right goes."""

    PROVINCE = "province"
    SUBTREE = "subtree"
    OWN = "own"


I, H, O, A, L, X = Role  # columns of the table below  # noqa: E741
P, S, W = Reach

GRANTS: Mapping[str, Mapping[Role, Reach]] = {
    "home.read": {I: S, H: S, O: W, A: P, L: P, X: P},
    "list.read": {I: S, A: P, L: P},
    # never for the unit inspected, so that nobody learns what brings an inspection
    "harassment.read": {I: S, A: P, L: P},
    "dossier.read": {I: S, H: S, O: W, A: P, L: P},
    "dossier.score": {A: P},  # scoring of a posted history that is not in the record
    "event.write": {A: P},
    "decision.write": {I: S, H: S, L: P},
    "what_if.read": {I: S, H: S, L: P},  # names colleagues of the holder: for who decides about a dossier
    # what those who inspect chose: for nobody else
    "pick.read": {I: S, L: P},
    # two levels of explanation: the official explains, the head reviews, the level above closes
    "explanation.read": {I: S, H: S, O: W, L: P},
    "explanation.write": {H: S, O: W},
    "explanation.review": {H: S},
    "explanation.close": {I: S, L: P},
    "answer.read": {I: S, H: S, L: P},
    "case.read": {I: S, H: S, O: W, L: P},
    "case.assign": {H: S},
    "apology.write": {H: S},
    "mark.write": {I: S, H: S},
    "return.review": {I: S},  # whose fault a return was: never said by the unit itself
    "remedy.write": {I: S, H: S},
    "remedy.demand": {I: S},
    "report.read": {I: S, H: S, L: P},
    "report.write": {I: S, H: S},  # the text of a report; figures are nobody's to write
    "publication.read": {I: S, L: P},
    "publication.propose": {I: S},
    "publication.approve": {L: P},
    "official.read": {I: S, H: S, L: P},
    "unit.read": {I: S, H: S, A: P, L: P},
    "own.read": {O: W},
    "contest.write": {O: W},
    "contest.read": {I: S, H: S, O: W, A: P, L: P},
    "contest.answer": {I: S},
    "board.read": {H: S},
    "warning.read": {H: S, L: P},
    "warning.write": {H: S},
    "warning.effect": {A: P, L: P},
    "rule.read": {H: S, A: P, L: P, X: P},
    "rule.write": {X: P},
    "plan.read": {I: S, L: P},
    "plan.write": {I: S},
    "plan.approve": {L: P},
    "finding.write": {I: S},
    # a unit's own head inspects the unit each month; visits of teams stay closed to it
    "self.read": {H: S},
    "self.write": {H: S},
    "analyst.read": {A: P},
    "metrics.read": {A: P, X: P},
    "model.promote": {A: P},
    "model.train": {A: P},
    "leadership.read": {L: P},
    "receipt.read": {L: P, X: P},
    "job.read": {A: P, X: P},
    "account.write": {X: P},
    "delivery.write": {X: P, A: P},
    "intake.write": {X: P},
    "password.write": {I: S, H: S, O: W, A: P, L: P, X: P},
    "token.write": {I: S, H: S, A: P, L: P, X: P},
    "view.write": {I: S, H: S, O: W, A: P, L: P, X: P},  # one's own saved views
    "language.write": {I: S, H: S, O: W, A: P, L: P, X: P},
    "session.end": {I: S, H: S, O: W, A: P, L: P, X: P},
}

EVERY_UNIT = "*"
"""The `unit_code` of an account whose subtree is the whole tree."""


IN_PERSON = frozenset({"token.write", "password.write", "account.write", "language.write"})
"""What no token may do: a stolen one would make itself another that outlives it."""


def reach_of(role: Role, action: str) -> Reach | None:
    """How far `role` may do `action`; None: not at all. An unknown action is nobody's."""
    return GRANTS.get(action, {}).get(role)


@dataclass(frozen=True)
class UnitTree:
    """The tree of units: `parents` maps a unit_code to the codes it stands under.

    A unit stands under its parent and under the unit that took over from it, so that the head of a unit
    formed by the reform of 1 July 2025 keeps seeing what the former units left behind.
    """

    parents: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str | None, str | None]]) -> "UnitTree":
        """The tree from rows (unit_code, parent_code, succeeds: as `features.record.succession` takes it apart)."""
        parents: dict[str, set[str]] = {}
        for code, parent, former in rows:
            parents.setdefault(code, set())
            if parent and parent != code:
                parents[code].add(parent)
            for before in predecessors(former):
                if before != code:
                    parents.setdefault(before, set()).add(code)
        return cls({code: frozenset(above) for code, above in parents.items()})

    def subtree(self, root: str) -> frozenset[str]:
        """`root` and every unit below it; a cycle in the feed ends the walk instead of the process."""
        cached = self._walked.get(root)
        if cached is not None:
            return cached
        seen = {root}
        waiting = [root]
        while waiting:
            for child in self._below.get(waiting.pop(), ()):
                if child not in seen:
                    seen.add(child)
                    waiting.append(child)
        found = self._walked[root] = frozenset(seen)
        return found

    @cached_property
    def _below(self) -> dict[str, list[str]]:
        below: dict[str, list[str]] = {}
        for code, above in self.parents.items():
            for parent in above:
                below.setdefault(parent, []).append(code)
        return below

    @cached_property
    def _walked(self) -> dict[str, frozenset[str]]:
        """Subtrees asked for before: a request asks for the reader's several times."""
        return {}


@dataclass(frozen=True)
class Scope:
    """What a reader sees: the units, or None for every unit; `official_id` narrows to what one official handled."""

    units: frozenset[str] | None
    official_id: str | None = None

    def covers(self, unit_code: str | None, official_id: str | None = None) -> bool:
        """Whether something of this unit (and this holder) lies in the scope."""
        if self.official_id is not None:
            return official_id == self.official_id
        return self.units is None or unit_code in self.units

    def rows(self, unit: InstrumentedAttribute[Any], official: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        """`covers` as a condition on rows with these columns."""
        if self.official_id is not None:
            return official == self.official_id
        return true() if self.units is None else unit.in_(self.units)


NOTHING = Scope(units=frozenset())


def scope_of(reach: Reach | None, unit_code: str, official_id: str | None, tree: UnitTree) -> Scope:
    """The scope of a right for an account; an official's account without an official sees nothing."""
    if reach is Reach.PROVINCE or (reach is Reach.SUBTREE and unit_code == EVERY_UNIT):
        return Scope(units=None)
    if reach is Reach.SUBTREE:
        return Scope(units=tree.subtree(unit_code))
    if reach is Reach.OWN and official_id:
        return Scope(units=frozenset(), official_id=official_id)
    return NOTHING
