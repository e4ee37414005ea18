"""Contests: an official disputes a fact or a reason. The score stands still until it is answered and recomputed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from serving.access.permissions import Scope
from serving.scoring.risk_list import RiskList
from serving.state import Contest, State

LONGEST_TEXT = 4000

_TABLE = Contest.__table__.c
_ALL_FROZEN = (
    select(_TABLE.dossier_id, func.min(_TABLE.frozen_score))
    .where(
        _TABLE.target == bindparam("target"),
        or_(_TABLE.outcome.is_(None), (_TABLE.outcome == "upheld") & _TABLE.recomputed_score.is_(None)),
    )
    .group_by(_TABLE.dossier_id)
)
_FROZEN = _ALL_FROZEN.where(_TABLE.dossier_id.in_(bindparam("ids", expanding=True)))  # made once: every page asks it


@dataclass(frozen=True)
class Upheld:
    """How many contests were answered, and how many of them were right."""

    answered: int
    upheld: int
    open: int

    @property
    def rate(self) -> float | None:
        """Share upheld of those answered; None before the first answer."""
        return self.upheld / self.answered if self.answered else None


def open_contest(session: Session, contest: Contest) -> Contest:
    """Add a contest; one open contest for each dossier and reason.

    Raises ValueError where the same is already open, or where the claim is empty or too long.
    """
    contest.claim = _text(contest.claim)
    same = session.scalar(
        select(Contest).where(
            Contest.dossier_id == contest.dossier_id,
            Contest.target == contest.target,
            Contest.reason_code == contest.reason_code,
            Contest.outcome.is_(None),
        )
    )
    if same is not None:
        raise ValueError("this reason is already contested and waits for its answer")
    session.add(contest)
    session.flush()
    return contest


def answer_contest(contest: Contest, upheld: bool, answer: str, *, by: int, now: datetime) -> None:
    """Answer a contest once. ValueError where it was answered, by its own author, or without words."""
    if contest.outcome is not None:
        raise ValueError("this contest was already answered; an answer is not changed")
    if contest.opened_by == by:
        raise ValueError("nobody answers their own contest")
    contest.answer = _text(answer)
    contest.outcome = "upheld" if upheld else "rejected"
    contest.answered_at = now
    contest.answered_by = by


def frozen_scores(session: Session, target: str, dossier_ids: Iterable[str]) -> dict[str, float]:
    """dossier_id → the score that stands still: unanswered, or upheld and not yet recomputed."""
    asked = {"target": target, "ids": list(dossier_ids)}
    return dict(session.connection().execute(_FROZEN, asked).all())


def all_frozen_scores(session: Session, target: str) -> dict[str, float]:
    """The same of every dossier that has one."""
    return dict(session.connection().execute(_ALL_FROZEN, {"target": target}).all())


def recompute(state: State, target: str, risk_list: RiskList) -> int:
    """Fill in what a newer list says of dossiers whose contest was upheld before it; gives how many.

    Doing it again, or in two processes at once, changes nothing.
    """
    query = select(Contest).where(
        Contest.target == target,
        Contest.outcome == "upheld",
        Contest.recomputed_score.is_(None),
        Contest.answered_at < risk_list.meta.as_of,
    )
    with state.reading() as session:
        waiting = [one.id for one in session.scalars(query) if risk_list.line(one.dossier_id)]
    if not waiting:
        return 0
    with state.writing() as session:
        for one in session.scalars(query.where(Contest.id.in_(waiting))):
            line = risk_list.line(one.dossier_id)
            one.recomputed_score = line.score if line else None
    return len(waiting)


def contests_in(session: Session, scope: Scope, *, most: int = 200) -> list[Contest]:
    """The contests of a scope: open ones first, then the latest."""
    return list(
        session.scalars(
            select(Contest)
            .where(scope.rows(Contest.unit_code, Contest.official_id))
            .order_by(Contest.outcome.is_not(None), Contest.opened_at.desc())
            .limit(most)
        )
    )


def contest_in(session: Session, scope: Scope, contest_id: int) -> Contest | None:
    """One contest, None where it does not exist or lies outside the scope: the answer is the same."""
    return session.scalar(
        select(Contest).where(Contest.id == contest_id, scope.rows(Contest.unit_code, Contest.official_id))
    )


def of_dossier(session: Session, dossier_id: str) -> list[Contest]:
    """All contests of a dossier, latest first."""
    return list(
        session.scalars(select(Contest).where(Contest.dossier_id == dossier_id).order_by(Contest.opened_at.desc()))
    )


def upheld_rate(session: Session, scope: Scope) -> Upheld:
    """How often contests in the scope were right."""
    rows = session.execute(
        select(Contest.outcome, func.count())
        .where(scope.rows(Contest.unit_code, Contest.official_id))
        .group_by(Contest.outcome)
    )
    counts = dict(rows.all())
    upheld = counts.get("upheld", 0)
    return Upheld(upheld + counts.get("rejected", 0), upheld, counts.get(None, 0))


def _text(words: str) -> str:
    words = words.strip()
    if not 5 <= len(words) <= LONGEST_TEXT:
        raise ValueError(f"wanted 5 to {LONGEST_TEXT} characters, got {len(words)}")
    return words
