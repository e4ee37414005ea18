"""Remediation: what a unit must put right after a finding, until when, and how it stands."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.language import LazyText as lazy
from serving.state import Remediation, RemediationAct
from serving.work.findings import latest
from serving.work.findings import standing as standing_findings

ACTS = ("reported", "accepted", "refused", "extended")
STATES = {
    "open": lazy("Đang thực hiện"),
    "overdue": lazy("Quá hạn"),
    "reported": lazy("Đơn vị đã báo cáo"),
    "done": lazy("Đã hoàn thành"),
}


@dataclass(frozen=True)
class RemedyAct:
    """One act of ACTS; due_on: the new date of an extension."""

    act: str
    note: str
    due_on: date | None
    acted_at: datetime


@dataclass(frozen=True)
class RemedyStanding:
    """How one remediation stands on a day.

    state: a key of STATES; due_on: the date in force. acts: what was said since, in order.
    """

    remediation_id: int
    finding_id: str
    unit_code: str
    what: str
    due_on: date
    state: str
    acts: tuple[RemedyAct, ...]


def demand(
    session: Session, finding_id: str, what: str, due_on: date, *, now: datetime, by: int | None = None
) -> Remediation:
    """Opens a remediation of a finding; LookupError for an unknown one, ValueError for none to remedy."""
    finding = latest(session, finding_id)
    if finding is None:
        raise LookupError(f"no finding {finding_id}")
    if finding.kind == "none" or finding.confirmed is False:
        raise ValueError("a finding of kind none, or one found not to hold, leaves nothing to put right")
    if len(what.strip()) < 5:
        raise ValueError("what: wanted at least 5 characters on what must be put right")
    if due_on < now.date():
        raise ValueError("due_on: wanted a day to come")
    row = Remediation(
        finding_id=finding_id, unit_code=finding.unit_code, what=what.strip(), due_on=due_on, opened_at=now,
        opened_by=by,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def act(
    session: Session, remediation_id: int, kind: str, note: str, *, now: datetime, due_on: date | None = None,
    by: int | None = None,
) -> RemediationAct:  # fmt: skip
    """Adds an act; nothing before it is changed. `extended` needs the new date, the others none."""
    if session.get(Remediation, remediation_id) is None:
        raise LookupError(f"no remediation {remediation_id}")
    if kind not in ACTS:
        raise ValueError(f"act: wanted one of {', '.join(ACTS)}, got {kind[:40]!r}")
    if (kind == "extended") != (due_on is not None):
        raise ValueError("due_on: wanted the new date where the act is extended, and only there")
    row = RemediationAct(
        remediation_id=remediation_id, act=kind, note=note.strip(), due_on=due_on, acted_at=now, acted_by=by
    )
    session.add(row)
    session.flush()
    return row


def standing(
    session: Session,
    on: date,
    units: Iterable[str] | None = None,
    *,
    before: datetime | None = None,
    findings: Collection[str] | None = None,
) -> list[RemedyStanding]:
    """How every remediation stands on a day, the most urgent first; of some units or findings, or all.

    before: only what had been entered before that moment. What rests on a finding that was found not to hold is none.
    """
    query = select(Remediation)
    if before is not None:
        query = query.where(Remediation.opened_at < before)
    if units is not None:
        query = query.where(Remediation.unit_code.in_(list(units)))
    if findings is not None:
        query = query.where(Remediation.finding_id.in_(findings))
    refuted = {
        one.finding_id for one in standing_findings(session, units=units)
        if one.confirmed is False or one.kind == "none"
    }  # fmt: skip
    rows = [row for row in session.scalars(query) if row.finding_id not in refuted]
    acts: dict[int, list[RemediationAct]] = {row.id: [] for row in rows}
    for one in session.scalars(select(RemediationAct).order_by(RemediationAct.id)):
        if before is not None and one.acted_at >= before:
            continue
        acts.get(one.remediation_id, []).append(one)
    found = [_stands(row, acts[row.id], on) for row in rows]
    return sorted(found, key=lambda one: (one.state == "done", one.due_on, one.remediation_id))


def _stands(row: Remediation, acts: list[RemediationAct], on: date) -> RemedyStanding:
    due_on = max([row.due_on, *(one.due_on for one in acts if one.due_on is not None)])
    last = next((one.act for one in reversed(acts) if one.act != "extended"), None)
    if last == "accepted":
        state = "done"
    elif last == "reported":
        state = "reported"
    else:
        state = "overdue" if due_on < on else "open"
    return RemedyStanding(
        row.id, row.finding_id, row.unit_code, row.what, due_on, state,
        tuple(RemedyAct(one.act, one.note, one.due_on, one.acted_at) for one in acts),
    )  # fmt: skip
