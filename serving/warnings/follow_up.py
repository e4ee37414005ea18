"""What follows the firing: one digest a head and day, and escalation of what nobody answered."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from serving.state import EarlyWarning, State, WarningEscalation
from serving.warnings import outbox, words
from serving.warnings.fire import alone
from serving.warnings.heads import Heads
from serving.warnings.quiet import Quiet
from serving.warnings.rules import WarningRules

URGED_FOR = timedelta(days=30)
"""How long after its promise a warning can still go up; the ledger keeps what was never answered."""


def tell_digests(
    state: State, rules: WarningRules, procedures: Mapping[str, str], clock_stands: Collection[str] = (), *,
    now: datetime,
) -> int:  # fmt: skip
    """One digest for each head with warnings that wait for it and none today; gives how many were made.

    clock_stands: dossiers that wait for the citizen by now; they are sent once the clock runs again. Nothing in quiet
    hours.
    """
    quiet = Quiet(rules.calendar)
    if not quiet.open(now):
        return 0
    with state.writing() as session:
        alone(session)
        last = select(EarlyWarning.head_unit, func.max(EarlyWarning.told_at)).where(EarlyWarning.manner == "digest")
        served = {
            head for head, told_at in session.execute(last.group_by(EarlyWarning.head_unit))
            if told_at is not None and quiet.day(told_at) == quiet.day(now)
        }  # fmt: skip
        waiting: dict[str, list[EarlyWarning]] = defaultdict(list)
        for one in session.scalars(
            select(EarlyWarning)
            .where(EarlyWarning.manner == "digest", EarlyWarning.told_at.is_(None))
            .order_by(EarlyWarning.score.desc(), EarlyWarning.id)
        ):
            if one.head_unit not in served and one.dossier_id not in clock_stands:
                waiting[one.head_unit].append(one)
        for head, warnings in waiting.items():
            for one in warnings:
                one.told_at, one.week = now, quiet.week(now)
            text = words.digest(
                warnings, _names(warnings, procedures), f"{rules.base_url}/warnings", rules.show_dossier
            )
            outbox.put(session, rules, quiet.day(now), "digest", head, text, now=now, not_before=now)
        return len(waiting)


def escalate(
    state: State,
    rules: WarningRules,
    heads: Heads,
    still_open: Collection[str],
    procedures: Mapping[str, str],
    *,
    now: datetime,
) -> int:
    """Brings warnings that nobody answered before the heads above, each level once; gives how many.

    still_open: dossiers that have not ended and do not wait for the citizen. A head gets one message of it a day; what
    comes later waits for the next day. Nothing in quiet hours.
    """
    quiet, policy = Quiet(rules.calendar), rules.policy
    if not quiet.open(now) or not policy.levels:
        return 0
    count = 0
    with state.writing() as session:
        alone(session)
        served = _escalated_today(session, quiet, now)
        going: dict[str, list[tuple[EarlyWarning, int]]] = defaultdict(list)
        for warning, level in _unanswered(session, policy.levels, now - URGED_FOR):
            if warning.dossier_id not in still_open or warning.told_at is None:
                continue
            if quiet.calendar.working_hours(warning.told_at, now) < (level + 1) * policy.escalate_hours:
                continue
            to_unit: str | None = warning.head_unit
            for _ in range(level + 1):
                to_unit = heads.above(to_unit) if to_unit is not None else None
            if to_unit is not None and to_unit not in served:
                going[to_unit].append((warning, level + 1))
        for to_unit, escalated in going.items():
            for warning, level in escalated:
                session.add(WarningEscalation(warning_id=warning.id, level=level, to_unit=to_unit, escalated_at=now))
            warnings = [warning for warning, _ in escalated]
            text = words.escalation(
                warnings, _names(warnings, procedures), f"{rules.base_url}/warnings", rules.show_dossier
            )
            outbox.put(session, rules, quiet.day(now), "escalation", to_unit, text, now=now, not_before=now)
            count += len(escalated)
    return count


def _escalated_today(session: Session, quiet: Quiet, now: datetime) -> set[str]:
    last = select(WarningEscalation.to_unit, func.max(WarningEscalation.escalated_at))
    rows = session.execute(last.group_by(WarningEscalation.to_unit))
    return {unit for unit, at in rows if quiet.day(at) == quiet.day(now)}


def _unanswered(session: Session, levels: int, since: datetime) -> list[tuple[EarlyWarning, int]]:
    """Warnings sent and not acknowledged whose promise lies after `since` and that can go further up, with the level
    each has reached, most urgent first."""
    level = func.coalesce(func.max(WarningEscalation.level), 0)
    rows = session.execute(
        select(EarlyWarning, level)
        .outerjoin(WarningEscalation, WarningEscalation.warning_id == EarlyWarning.id)
        .where(EarlyWarning.told_at.is_not(None), EarlyWarning.acknowledged_at.is_(None), EarlyWarning.due_at > since)
        .group_by(EarlyWarning.id)
        .having(level < levels)
        .order_by(EarlyWarning.due_at, EarlyWarning.id)
    )
    return [(warning, reached) for warning, reached in rows]


def _names(warnings: Sequence[EarlyWarning], procedures: Mapping[str, str]) -> list[str]:
    return [procedures.get(one.procedure_code or "", one.procedure_code or "–") for one in warnings]
