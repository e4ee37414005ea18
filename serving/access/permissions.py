"""Who may do what, where: one table role × action × reach, one table route → action.

What is in neither is denied.
A reach is how far a right goes: the whole province, the account's own unit and everything below it, or only
what the official handled. `tests/test_rights.py` walks every route of the app and fails on one that is not in
`ROUTES`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from features.record.succession import predecessors


class Role(StrEnum):
    """The six kinds of reader."""

    INSPECTOR = "inspector"
    UNIT_HEAD = "unit_head"
    OFFICIAL = "official"
    ANALYST = "analyst"
    LEADER = "leader"
    ADMINISTRATOR = "administrator"


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
    # what those who inspect chose: for nobody else
    "pick.read": {I: S, L: P},
    # two levels of explanation: the official explains, the head reviews, the level above closes
    "explanation.read": {I: S, H: S, O: W, L: P},
    "explanation.write": {H: S, O: W},
    "explanation.review": {H: S},
    "explanation.close": {I: S, L: P},
    "answer.read": {I: S, H: S, L: P},
    "apology.write": {H: S},
    "mark.write": {I: S, H: S},
    "return.review": {I: S},  # whose fault a return was: never said by the unit itself
    "remedy.write": {I: S, H: S},
    "report.read": {I: S, H: S, L: P},
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
    "plan.read": {I: S, L: P},
    "plan.write": {I: S},
    "plan.approve": {L: P},
    "finding.write": {I: S},
    "analyst.read": {A: P},
    "metrics.read": {A: P, X: P},
    "model.promote": {A: P},
    "leadership.read": {L: P},
    "receipt.read": {L: P, X: P},
    "job.read": {A: P, X: P},
    "account.write": {X: P},
    "delivery.write": {X: P, A: P},
    "intake.write": {X: P},
    "token.write": {I: S, H: S, A: P, L: P, X: P},
    "session.end": {I: S, H: S, O: W, A: P, L: P, X: P},
}

PUBLIC = "public"  # routes that anybody may call: the door, the health; they show nothing of a dossier

_ONE_BY_ONE: dict[str, str] = {
    "GET /api/v1/health": PUBLIC,
    "GET /api/v1/ready": PUBLIC,
    "GET /api/v1/metrics": "metrics.read",
    "POST /portal/login": PUBLIC,  # the portal's exchange has sessions of its own, in the body
    "POST /portal/service": PUBLIC,
    "GET /login": PUBLIC,
    "POST /login": PUBLIC,
    "GET /login/oidc": PUBLIC,
    "GET /login/oidc/callback": PUBLIC,
    "POST /logout": "session.end",
    "GET /": "home.read",
    "GET /list": "list.read",
    "GET /plan": "plan.read",
    "POST /plan/approve": "plan.approve",
    "GET /plan/visit": "plan.read",
    "POST /plan/finding": "finding.write",
    "GET /analyst": "analyst.read",
    "POST /analyst/promote": "model.promote",
    "GET /dossier": "dossier.read",
    "POST /decisions": "decision.write",
    "POST /picks": "decision.write",
    "GET /own": "own.read",
    "POST /contest": "contest.write",
    "GET /contests": "contest.read",
    "POST /contests/{contest_id}": "contest.answer",
    "GET /conduct": "harassment.read",
    "GET /unit": "unit.read",
    "GET /official": "official.read",
    "GET /explanations": "explanation.read",
    "POST /explanations/{slip_id}/explain": "explanation.write",
    "POST /explanations/{slip_id}/review": "explanation.review",
    "POST /explanations/{slip_id}/close": "explanation.close",
    "GET /apologies": "answer.read",
    "POST /apologies": "apology.write",
    "GET /apologies/{apology_id}.docx": "answer.read",
    "POST /apologies/{apology_id}/sent": "apology.write",
    "GET /consultations": "answer.read",
    "GET /complaints": "answer.read",
    "GET /returns": "answer.read",
    "POST /marks": "mark.write",
    "GET /remedies": "answer.read",
    "POST /remedies/{remedy_id}": "remedy.write",
    "GET /reports": "report.read",
    "GET /reports/{kind}.{ending}": "report.read",
    "POST /publications": "publication.propose",
    "POST /publications/{pack_id}": "publication.approve",
    "GET /publications/{pack_id}.{ending}": "publication.read",
    "GET /api/v1/explanations": "explanation.read",
    "POST /api/v1/explanations/{slip_id}/explain": "explanation.write",
    "POST /api/v1/explanations/{slip_id}/review": "explanation.review",
    "POST /api/v1/explanations/{slip_id}/close": "explanation.close",
    "GET /api/v1/apologies": "answer.read",
    "GET /api/v1/consultations": "answer.read",
    "GET /api/v1/complaints": "answer.read",
    "GET /api/v1/returns": "answer.read",
    "GET /api/v1/remedies": "answer.read",
    "GET /api/v1/conduct": "harassment.read",
    "POST /api/v1/marks": "mark.write",
    "GET /api/v1/reports": "report.read",
    "GET /api/v1/reports/{kind}.{ending}": "report.read",
    "POST /api/v1/publications": "publication.propose",
    "GET /api/v1/publications": "publication.read",
    "POST /api/v1/publications/{pack_id}": "publication.approve",
    "GET /api/v1/publications/{pack_id}.{ending}": "publication.read",
    "GET /api/v1/ledger/{dossier_id:path}": "dossier.read",
    "GET /board": "board.read",
    "GET /warnings": "warning.read",
    "GET /warnings/effect": "warning.effect",
    "POST /warnings/acknowledge": "warning.write",
    "GET /api/v1/warnings": "warning.read",
    "POST /api/v1/warnings/acknowledge": "warning.write",
    "GET /api/v1/warnings/effect": "warning.effect",
    "GET /leadership": "leadership.read",
    "GET /receipts": "receipt.read",
    "GET /jobs": "job.read",
    "GET /api/v1/jobs": "job.read",
    "GET /intake": "intake.write",
    "POST /intake": "intake.write",
    "POST /intake/{token}": "intake.write",
    "POST /api/v1/deliveries/preview": "intake.write",
    "POST /api/v1/deliveries/{token}/confirm": "intake.write",
    "GET /accounts": "account.write",
    "POST /accounts": "account.write",
    "POST /accounts/{account_id}/close": "account.write",
    "GET /tokens": "token.write",
    "POST /tokens": "token.write",
    "POST /tokens/{token_id}/revoke": "token.write",
    "GET /api/v1/standing": "leadership.read",
    "GET /api/v1/officials/{official_id}": "official.read",
    "GET /api/v1/contests": "contest.read",
    "POST /api/v1/contests": "contest.write",
    "POST /api/v1/contests/{contest_id}": "contest.answer",
    "POST /api/v1/decisions": "decision.write",
    "GET /api/v1/visits": "plan.read",
    "POST /api/v1/findings": "finding.write",
    "GET /api/v1/receipts": "receipt.read",
    "GET /api/v1/list": "list.read",
    "GET /api/v1/dossiers/{dossier_id:path}": "dossier.read",
    "GET /api/v1/signals/{dossier_id:path}": "harassment.read",
    "POST /api/v1/score": "dossier.score",
    "POST /api/v1/events": "event.write",
}
LISTS = (
    "/list", "/conduct", "/board", "/own", "/plan", "/leadership", "/contests", "/receipts", "/warnings",
    "/explanations", "/apologies", "/consultations", "/complaints", "/returns", "/remedies",
)  # fmt: skip
"""Pages whose list is also a file, `.xlsx` and `.docx`, under the right of the page."""

ROUTES: Mapping[str, str] = _ONE_BY_ONE | {f"GET {page}.{{ending}}": _ONE_BY_ONE[f"GET {page}"] for page in LISTS}
"""Route (method and path template) → action of `GRANTS`, or `PUBLIC`.

A route that is missing answers nobody.
"""

EVERY_UNIT = "*"
"""The `unit_code` of an account whose subtree is the whole tree."""


def reach_of(role: Role, action: str) -> Reach | None:
    """How far `role` may do `action`; None: not at all. An unknown action is nobody's."""
    return GRANTS.get(action, {}).get(role)


def action_of(method: str, path: str) -> str | None:
    """The action that a route asks for; None where no rule was written, which is a denial.

    HEAD reads as GET does.
    """
    return ROUTES.get(f"{'GET' if method == 'HEAD' else method} {path}")


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
        known = self._walked.get(root)
        if known is not None:
            return known
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
