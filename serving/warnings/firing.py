"""Which dossiers fire, and which get a message of their own: rules over one scoring after another, without a database.

A dossier is watched under one promise: when the promise changes, the count over the threshold begins anew.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from serving.warnings.policy import Policy


@dataclass(frozen=True, slots=True)
class OpenDossier:
    """One open dossier as a scoring sees it. head: code of the unit whose head would be warned; left_hours: working
    hours to `due_at`."""

    dossier_id: str
    due_at: datetime
    head: str
    score: float
    left_hours: float


@dataclass(frozen=True, slots=True)
class Streak:
    """Scorings in a row above the threshold under the promise `due_at`."""

    due_at: datetime
    over: int


Promise = tuple[str, datetime]
"""A dossier and the promise in force: what fires at most once."""


def above(scoring: Iterable[OpenDossier], policy: Policy) -> list[OpenDossier]:
    """Those above the threshold whose promise can still be met."""
    threshold = policy.costs.threshold
    return [one for one in scoring if one.score > threshold and one.left_hours > 0]


def counted(over: Iterable[OpenDossier], before: Mapping[str, Streak]) -> dict[str, Streak]:
    """The streaks after a scoring: one more for those above, none for anybody else."""
    streaks = {}
    for one in over:
        last = before.get(one.dossier_id)
        stood = last.over if last is not None and last.due_at == one.due_at else 0
        streaks[one.dossier_id] = Streak(one.due_at, stood + 1)
    return streaks


def ripe(
    over: Iterable[OpenDossier], streaks: Mapping[str, Streak], policy: Policy, fired: Collection[Promise]
) -> list[OpenDossier]:
    """Those that fire now: above for long enough, or nearly out of time, and not fired before; most urgent first."""
    found = [
        one
        for one in over
        if (streaks[one.dossier_id].over >= policy.stay or one.left_hours < policy.at_once_hours)
        and (one.dossier_id, one.due_at) not in fired
    ]
    return sorted(found, key=lambda one: (-one.score, one.left_hours, one.dossier_id))


def share_out(
    dossiers: Iterable[OpenDossier], spent: Mapping[str, int], allowed: int
) -> tuple[list[OpenDossier], list[OpenDossier]]:
    """Single warnings within each head's allowance, in the order given, and the rest for the digest.

    spent: single warnings of this week by head.
    """
    used = defaultdict(int, spent)
    single, digest = [], []
    for one in dossiers:
        if used[one.head] < allowed:
            used[one.head] += 1
            single.append(one)
        else:
            digest.append(one)
    return single, digest
