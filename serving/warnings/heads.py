"""Whose head is warned: the nearest unit upwards that has a head, from where a dossier is held."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.access.permissions import Role, UnitTree
from serving.state import Account


@dataclass(frozen=True)
class Heads:
    """The tree of units and those with a head. officials: official_id → unit_code."""

    tree: UnitTree
    seats: Collection[str]
    officials: Mapping[str, str]

    def of(self, unit_code: str, official_id: str | None) -> str:
        """The unit whose head answers for what an official holds; the competent unit where no holder is known.

        Where no unit on the way up has a head, the holder's own: the warning waits in its inbox.
        """
        start = self.officials.get(official_id or "", unit_code)
        return self._nearest([start]) or start

    def above(self, head_unit: str) -> str | None:
        """The next unit with a head above `head_unit`; the topmost one where none has a head, None at the top."""
        higher = sorted(self.tree.parents.get(head_unit, ()))
        if not higher:
            return None
        return self._nearest(higher) or higher[0]

    def _nearest(self, start: list[str]) -> str | None:
        seen: set[str] = set()
        waiting = list(start)
        while waiting:
            code = waiting.pop(0)
            if code in self.seats:
                return code
            seen.add(code)
            waiting += [parent for parent in sorted(self.tree.parents.get(code, ())) if parent not in seen]
        return None


def seated(session: Session) -> set[str]:
    """The units whose head has an account."""
    query = select(Account.unit_code).where(Account.role == Role.UNIT_HEAD.value, Account.active)
    return set(session.scalars(query))
