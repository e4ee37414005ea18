"""Fires the warnings of one scored list: once a list, once a promise, in one transaction."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from models.reasons import Reason
from serving.read.delay import DelayPart
from serving.state import EarlyWarning, State, WarningScoring, WarningStreak
from serving.warnings import outbox, words
from serving.warnings.firing import OpenDossier, Streak, above, counted, ripe, share_out
from serving.warnings.heads import Heads
from serving.warnings.held_out import draw
from serving.warnings.quiet import Quiet
from serving.warnings.rules import WarningRules
from serving.warnings.scoring import Scoring

Helps = Callable[[Sequence[str]], Mapping[str, DelayPart]]
"""dossier_ids → where most of the remaining time of each is expected; those that nothing is known of are left out."""

_ONE_AT_A_TIME = 7_661_766  # names our lock among PostgreSQL's advisory locks
_REASON = tuple(Reason.__dataclass_fields__)


@dataclass(frozen=True)
class Fired:
    """What firing a list gave: warnings sent singly, left for the digest, held out."""

    single: int = 0
    digest: int = 0
    held_out: int = 0


def fire(
    state: State,
    scoring: Scoring,
    rules: WarningRules,
    heads: Heads,
    seed: bytes,
    procedures: Mapping[str, str],
    helps: Helps,
    *,
    now: datetime,
) -> Fired | None:
    """Fire the warnings of a list; None where this or a newer list was fired already.

    seed: of the draw. procedures: code → name, for the messages. The history is read before the database is locked:
    a second process that fires the same list waits, then finds it done.
    """
    watched = scoring.watched(heads)
    with state.reading() as session:
        if _done(session, scoring):
            return None
        expected = [one.dossier_id for one in _ripe(session, scoring, watched, rules)[0]]
    helped = helps(expected)
    with state.writing() as session:
        alone(session)
        if _done(session, scoring):
            return None
        found, streaks = _ripe(session, scoring, watched, rules)
        _claim(session, scoring, rules, len(streaks), len(found), now)
        _keep(session, scoring.meta.target, streaks)
        return _write(session, scoring, found, rules, seed, procedures, helped, now)


def alone(session: Session) -> None:
    """Lets one scheduler work at a time until the end of the transaction (on SQLite every writer is alone)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": _ONE_AT_A_TIME})


def key_of(target: str, dossier_id: str, due_at: datetime) -> str:
    """What fires once: a dossier under one promise."""
    return hashlib.sha256(f"{target}\0{dossier_id}\0{due_at.timestamp():.6f}".encode()).hexdigest()


def _done(session: Session, scoring: Scoring) -> bool:
    newest = session.scalar(select(func.max(WarningScoring.as_of)).where(WarningScoring.target == scoring.meta.target))
    return newest is not None and newest >= scoring.meta.as_of


def _ripe(
    session: Session, scoring: Scoring, watched: list[OpenDossier], rules: WarningRules
) -> tuple[list[OpenDossier], dict[str, Streak]]:
    target = scoring.meta.target
    rows = session.execute(
        select(WarningStreak.dossier_id, WarningStreak.due_at, WarningStreak.over).where(WarningStreak.target == target)
    )
    before = {dossier_id: Streak(due_at, over) for dossier_id, due_at, over in rows}
    fired = session.execute(
        select(EarlyWarning.dossier_id, EarlyWarning.due_at)
        .where(EarlyWarning.target == target, EarlyWarning.due_at > scoring.meta.as_of)
    )  # fmt: skip
    over = above(watched, rules.policy)
    streaks = counted(over, before)
    return ripe(over, streaks, rules.policy, {(dossier_id, due_at) for dossier_id, due_at in fired}), streaks


def _claim(session: Session, scoring: Scoring, rules: WarningRules, over: int, fired: int, now: datetime) -> None:
    session.add(
        WarningScoring(
            target=scoring.meta.target,
            as_of=scoring.meta.as_of,
            fired_at=now,
            threshold=rules.policy.costs.threshold,
            n_open=scoring.meta.n,
            n_over=over,
            n_fired=fired,
        )
    )


def _keep(session: Session, target: str, streaks: Mapping[str, Streak]) -> None:
    session.execute(delete(WarningStreak).where(WarningStreak.target == target))
    rows = [
        {"target": target, "dossier_id": dossier_id, "due_at": one.due_at, "over": one.over}
        for dossier_id, one in streaks.items()
    ]
    if rows:
        session.execute(insert(WarningStreak), rows)


def _write(
    session: Session,
    scoring: Scoring,
    found: Sequence[OpenDossier],
    rules: WarningRules,
    seed: bytes,
    procedures: Mapping[str, str],
    helped: Mapping[str, DelayPart],
    now: datetime,
) -> Fired:
    quiet = Quiet(rules.calendar)
    told_at = quiet.opens(now)
    week = quiet.week(told_at)
    spent = dict(
        session.execute(
            select(EarlyWarning.head_unit, func.count())
            .where(EarlyWarning.manner == "single", EarlyWarning.week == week)
            .group_by(EarlyWarning.head_unit)
        ).all()
    )
    policy = rules.policy
    draws = {one.dossier_id: draw(seed, scoring.meta.target, one.dossier_id) for one in found}
    warned = [one for one in found if draws[one.dossier_id] >= policy.held_out]
    single, digest = share_out(warned, spent, policy.allowance(quiet.weekday(told_at)))
    manner = {one.dossier_id: "single" for one in single} | {one.dossier_id: "digest" for one in digest}
    for one in found:
        row = scoring.over[one.dossier_id]
        how = manner.get(one.dossier_id)
        warning = _warning(scoring, one, row, rules, helped.get(one.dossier_id))
        warning.fired_at = now
        warning.draw, warning.held_out_share = draws[one.dossier_id], policy.held_out
        warning.arm, warning.manner = ("told", how) if how else ("held_out", None)
        if how == "single":
            warning.week, warning.told_at = week, told_at
        session.add(warning)
        if how == "single":
            session.flush()  # the link holds the number
            name = procedures.get(warning.procedure_code or "", warning.procedure_code or "–")
            message = words.single(warning, name, f"{rules.base_url}/warnings", rules.show_dossier)
            outbox.put(session, rules, warning.key, "warning", one.head, message, now=now, not_before=told_at)
    return Fired(len(single), len(digest), len(found) - len(warned))


def _warning(
    scoring: Scoring, one: OpenDossier, row: Mapping[str, Any], rules: WarningRules, helped: DelayPart | None
) -> EarlyWarning:
    reasons = [{name: reason[name] for name in _REASON} for reason in row["reasons"] or []]
    return EarlyWarning(
        key=key_of(scoring.meta.target, one.dossier_id, one.due_at),
        target=scoring.meta.target,
        dossier_id=one.dossier_id,
        procedure_code=row["procedure_code"],
        unit_code=row["unit_code"] or "",
        official_id=row["official_id"],
        head_unit=one.head,
        due_at=one.due_at,
        as_of=scoring.meta.as_of,
        model_version=scoring.meta.model_version,
        score=one.score,
        threshold=rules.policy.costs.threshold,
        left_hours=one.left_hours,
        step=(row["step"] or "")[:200] or None,
        help_step=helped.step[:200] if helped else None,
        help_holder=helped.holder.value if helped else None,
        help_hours=helped.hours if helped else None,
        reasons=json.dumps(reasons, ensure_ascii=False),
        note="",
    )
