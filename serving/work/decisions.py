"""Decisions on scores: to look, to set aside, to put first in spite of the score.

A reason is always given. What an inspector or a leader decides is a choice of what to inspect: nobody else reads
it, and nobody else undoes it. What a unit's head decides is about the unit's own work: both stand side by side.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from serving.access.permissions import Role, Scope, reach_of
from serving.language import LazyText as lazy
from serving.state import Decision
from serving.work import findings

_Row = TypeVar("_Row")


class DecisionKind(StrEnum):
    """What was decided: into the plan, set aside in spite of the score, put first in spite of it; or taken back."""

    PICK = "pick"
    DISMISS = "dismiss"
    OVERRIDE = "override"
    UNDO = "undo"


class Track(StrEnum):
    """Whose choice a decision is: of those who inspect, or of the unit about its own work."""

    INSPECTION = "inspection"
    UNIT = "unit"


KINDS = {
    Track.INSPECTION: (DecisionKind.PICK, DecisionKind.DISMISS, DecisionKind.OVERRIDE),
    Track.UNIT: (DecisionKind.DISMISS, DecisionKind.OVERRIDE),
}
"""What may be decided on each track: a unit does not choose what is inspected."""
UNDONE_WITHIN = timedelta(hours=1)
"""How long whoever decided can take it back; later another decision stands beside it, with its reason."""

_TABLE = Decision.__table__.c
_ALL = (
    select(_TABLE.dossier_id, _TABLE.kind)
    .where(_TABLE.target == bindparam("target"), _TABLE.track == Track.INSPECTION)
    .order_by(_TABLE.id)
)
_LATEST = _ALL.where(_TABLE.dossier_id.in_(bindparam("ids", expanding=True)))

WORDS = {
    DecisionKind.PICK: lazy("Đưa vào kế hoạch"),
    DecisionKind.DISMISS: lazy("Gác lại"),
    DecisionKind.OVERRIDE: lazy("Ưu tiên khác với điểm"),
    DecisionKind.UNDO: lazy("Hoàn tác"),
}


def track_of(role: Role) -> Track:
    """The track on which a role decides: of inspection for who may read picks, else of the unit."""
    return Track.UNIT if reach_of(role, "pick.read") is None else Track.INSPECTION


def decide(session: Session, decision: Decision) -> Decision:
    """Add a decision; it is never changed, a later one stands beside it.

    Raises ValueError for a kind that its track has not, and for a reason shorter than 5 or longer than 2,000
    characters.
    """
    if decision.kind not in KINDS[Track(decision.track)]:
        raise ValueError(f"wanted one of {', '.join(KINDS[Track(decision.track)])}")
    decision.reason = decision.reason.strip()
    if not 5 <= len(decision.reason) <= 2000:
        raise ValueError("a decision needs a reason of 5 to 2000 characters")
    session.add(decision)
    session.flush()
    return decision


def latest_of(session: Session, account_id: int, now: datetime) -> list[Decision]:
    """What an account decided in its last act, while it can be taken back and nobody decided on its track since."""
    mine = select(Decision).where(Decision.decided_by == account_id, Decision.decided_at > now - UNDONE_WITHIN)
    last = session.scalars(mine.order_by(Decision.id.desc()).limit(1)).first()
    if last is None or last.kind == DecisionKind.UNDO:
        return []
    same = (Decision.decided_at == last.decided_at, Decision.kind == last.kind, Decision.reason == last.reason)
    act = list(session.scalars(mine.where(*same).order_by(Decision.id)))
    later = select(Decision.dossier_id).where(
        Decision.id > last.id, Decision.track == last.track, Decision.target == last.target,
        Decision.dossier_id.in_([one.dossier_id for one in act]),
    )  # fmt: skip
    since = set(session.scalars(later))
    return [one for one in act if one.dossier_id not in since]


def undo(session: Session, account_id: int, *, now: datetime) -> list[Decision]:
    """Takes the account's last decision back: what stood before stands again, by rows of their own.

    ValueError where nothing can be taken back any more.
    """
    rows = latest_of(session, account_id, now)
    if not rows:
        raise ValueError("nothing of yours can be undone any more")
    session.add_all(
        Decision(
            dossier_id=one.dossier_id, unit_code=one.unit_code, target=one.target, track=one.track, as_of=one.as_of,
            score=one.score, kind=DecisionKind.UNDO, reason="", decided_at=now,
            decided_by=account_id,
        )
        for one in rows
    )  # fmt: skip
    session.flush()
    return rows


def _standing(rows: Iterable[tuple[str, str, _Row]]) -> dict[str, _Row]:
    """dossier_id → the row that stands, of (dossier_id, kind, row) in the order of deciding.

    What is taken back counts as never said.
    """
    by_dossier: dict[str, list[_Row]] = {}
    for dossier_id, kind, row in rows:
        held = by_dossier.setdefault(dossier_id, [])
        if kind != DecisionKind.UNDO:
            held.append(row)
        elif held:
            held.pop()
    return {dossier_id: held[-1] for dossier_id, held in by_dossier.items() if held}


def latest_decisions(session: Session, target: str, dossier_ids: Iterable[str]) -> dict[str, DecisionKind]:
    """dossier_id → what those who inspect last decided about it."""
    rows = session.connection().execute(_LATEST, {"target": target, "ids": list(dossier_ids)})
    return _standing((dossier_id, kind, DecisionKind(kind)) for dossier_id, kind in rows)


def all_latest_decisions(session: Session, target: str) -> dict[str, DecisionKind]:
    """The same of every dossier about which they decided something."""
    rows = session.connection().execute(_ALL, {"target": target})
    return _standing((dossier_id, kind, DecisionKind(kind)) for dossier_id, kind in rows)


def picks_in(session: Session, target: str, scope: Scope, unit_code: str | None = None) -> list[Decision]:
    """Dossiers of a scope (and one unit) put into the plan by who inspects and not set aside since, oldest first."""
    query = select(Decision).where(Decision.target == target, Decision.track == Track.INSPECTION).order_by(Decision.id)
    if unit_code is not None:
        query = query.where(Decision.unit_code == unit_code)
    rows = ((one.dossier_id, one.kind, one) for one in session.scalars(query) if scope.covers(one.unit_code))
    return [one for one in _standing(rows).values() if one.kind == DecisionKind.PICK]


def waiting_picks(session: Session, target: str) -> dict[str, str]:
    """dossier_id → unit_code of what was put into the plan and has no result recorded: the next plan takes it up."""
    picks = picks_in(session, target, Scope(units=None))
    with_result = {one.dossier_id for one in findings.standing(session, units={one.unit_code for one in picks})}
    return {one.dossier_id: one.unit_code for one in picks if one.dossier_id not in with_result}


def of_dossier(session: Session, dossier_id: str, *, picks: bool) -> list[Decision]:
    """The decisions about a dossier, latest first. picks: those of who inspects too, for who may read them."""
    tracks = list(Track) if picks else [Track.UNIT]
    return list(
        session.scalars(
            select(Decision)
            .where(Decision.dossier_id == dossier_id, Decision.track.in_(tracks))
            .order_by(Decision.id.desc())
        )
    )
