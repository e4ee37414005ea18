"""Findings: what a visit concluded on each pulled dossier, kept as it was said and handed to the record.

A conclusion is never changed: a correction is a new version with its reason, and the record keeps both with
their `known_at`. "Nothing wrong" is a finding too (kind `none`): the difference between that and no finding
carries the whole learning from inspections.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from features.record.delivery import Chunk, DeliveryReceipt
from features.record.schema import TABLES
from serving.state import Finding, State

KINDS = TABLES["finding"]["kind"].choices
CAUSES = TABLES["explanation"]["cause"].choices
LONGEST_NOTE = 4_000


@dataclass(frozen=True)
class SampledDossier:
    """Which visit pulled which dossier, and with what chance; filled from the plan where there is one.

    inspection_id: the plan's visit_id. unit_chosen_by, unit_probability: of the visit; chosen_by,
    probability: of the dossier at it.
    """

    inspection_id: str
    unit_code: str
    visited_at: datetime
    dossier_id: str
    official_id: str | None = None
    team_id: str | None = None
    planned_at: datetime | None = None
    unit_chosen_by: str = "unknown"
    unit_probability: float | None = None
    chosen_by: str = "other"
    probability: float | None = None


@dataclass(frozen=True)
class Conclusion:
    """What was concluded. severity 1–3 where something was found; evidence: where it can be seen."""

    kind: str
    severity: int | None = None
    confirmed: bool | None = None
    evidence: str = ""
    cause: str | None = None
    step: str | None = None

    def __post_init__(self) -> None:
        """Refuses what contradicts itself, and names what was wanted."""
        if self.kind not in KINDS:
            raise ValueError(f"kind: wanted one of {', '.join(KINDS)}, got {self.kind[:40]!r}")
        if (self.kind == "none") != (self.severity is None):
            raise ValueError("severity: wanted 1, 2 or 3 where something was found, and nothing for kind none")
        if self.severity is not None and self.severity not in (1, 2, 3):
            raise ValueError(f"severity: wanted 1, 2 or 3, got {self.severity}")
        if self.cause is not None and self.cause not in CAUSES:
            raise ValueError(f"cause: wanted one of {', '.join(CAUSES)}, got {self.cause[:40]!r}")
        if self.kind != "none" and not self.evidence.strip():
            raise ValueError("evidence: wanted a note on what was seen and where it is kept")
        if len(self.evidence) > LONGEST_NOTE:
            raise ValueError(f"evidence: wanted at most {LONGEST_NOTE} characters")


def add(
    session: Session, pulled: SampledDossier, found: Conclusion, *, now: datetime, by: int | None = None
) -> Finding:
    """Adds the first conclusion on a pulled dossier; ValueError where there is one already."""
    name = f"{pulled.inspection_id}/{pulled.dossier_id}"
    if latest(session, name) is not None:
        raise ValueError(f"{name} has a conclusion; it stands, and a correction says why it differs")
    return _insert(session, name, 1, vars(pulled), found, "", now, by)


def correct(
    session: Session, finding_id: str, found: Conclusion, because: str, *, now: datetime, by: int | None = None
) -> Finding:
    """Adds a corrected version beside those before; LookupError for an unknown finding."""
    before = latest(session, finding_id)
    if before is None:
        raise LookupError(f"no finding {finding_id}")
    if len(because.strip()) < 5:
        raise ValueError("a correction needs a reason of at least 5 characters")
    if now <= before.recorded_at:
        raise ValueError("a correction comes after what it corrects")
    pulled = {name: getattr(before, name) for name in SampledDossier.__dataclass_fields__}
    return _insert(session, finding_id, before.version + 1, pulled, found, because.strip(), now, by)


def _insert(
    session: Session, name: str, version: int, pulled: Mapping[str, Any], found: Conclusion, because: str,
    now: datetime, by: int | None,
) -> Finding:  # fmt: skip
    row = Finding(
        finding_id=name, version=version, **pulled, **vars(found), because=because, recorded_at=now,
        recorded_by=by, delivered_at=None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def latest(session: Session, finding_id: str) -> Finding | None:
    """The version of a finding that holds."""
    return session.scalars(
        select(Finding).where(Finding.finding_id == finding_id).order_by(Finding.version.desc()).limit(1)
    ).first()


def standing(
    session: Session, inspection_id: str | None = None, units: Iterable[str] | None = None, *,
    dossier_id: str | None = None, official_id: str | None = None,
) -> list[Finding]:  # fmt: skip
    """The findings that hold, by id; of one visit, some units, one dossier, one official, or all."""
    newest = select(Finding.finding_id, func.max(Finding.version).label("version")).group_by(Finding.finding_id)
    last = newest.subquery()
    query = select(Finding).join(last, (Finding.finding_id == last.c.finding_id) & (Finding.version == last.c.version))
    if inspection_id is not None:
        query = query.where(Finding.inspection_id == inspection_id)
    if dossier_id is not None:
        query = query.where(Finding.dossier_id == dossier_id)
    if official_id is not None:
        query = query.where(Finding.official_id == official_id)
    if units is not None:
        query = query.where(Finding.unit_code.in_(list(units)))
    return list(session.scalars(query.order_by(Finding.finding_id)))


class Appends(Protocol):
    """What takes a delivery: the record."""

    def append(self, chunks: Iterable[Chunk], *, source: str, arrived_at: datetime) -> DeliveryReceipt:
        """Takes the chunks in as one delivery."""


def deliver(state: State, record: Appends, *, now: datetime) -> DeliveryReceipt | None:
    """Hands every conclusion that the record lacks to it as one delivery; None where there is none.

    A death between record and state repeats the delivery next time, which changes nothing: the rows carry
    their own `known_at`, and the record knows them by content.
    """
    with state.reading() as session:
        waiting = list(session.scalars(select(Finding).where(Finding.delivered_at.is_(None)).order_by(Finding.id)))
    if not waiting:
        return None
    receipt = record.append(_chunks(waiting), source="findings", arrived_at=now)
    with state.writing() as session:
        for row in session.scalars(select(Finding).where(Finding.id.in_([one.id for one in waiting]))):
            row.delivered_at = now
    return receipt


def _chunks(rows: Iterable[Finding]) -> Iterator[Chunk]:
    rows = list(rows)
    visits: dict[str, Finding] = {}
    for row in rows:
        visits.setdefault(row.inspection_id, row)
    yield Chunk("inspection", [_inspection(row) for row in visits.values()], file="findings")
    yield Chunk("finding", [_finding(row) for row in rows], file="findings")


def _inspection(row: Finding) -> dict[str, Any]:
    return {
        "inspection_id": row.inspection_id,
        "unit_code": row.unit_code,
        "planned_at": row.planned_at,
        "visited_at": row.visited_at,
        "team_id": row.team_id,
        "chosen_by": row.unit_chosen_by,
        "probability": row.unit_probability,
        "known_at": row.visited_at,
    }


def _finding(row: Finding) -> dict[str, Any]:
    return {
        "finding_id": row.finding_id,
        "inspection_id": row.inspection_id,
        "dossier_id": row.dossier_id,
        "official_id": row.official_id,
        "chosen_by": row.chosen_by,
        "probability": row.probability,
        "kind": row.kind,
        "severity": row.severity,
        "confirmed": row.confirmed,
        "confirmed_at": None if row.confirmed is None else row.recorded_at,
        "known_at": row.recorded_at,
    }
