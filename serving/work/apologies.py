"""Apologies for late dossiers: written, sent, and whether the office met the new day (S3 1l, H11).

What counts as a letter stands in `features.case_state.letters`. One extension given in time, with its reason, moves the
lawful promise: kept, nothing more is owed; broken, the dossier is late, and another letter is owed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import duckdb
import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from features.case_state.letters import answers
from features.record.utc import MOMENT, aware_utc, naive_column
from serving.language import LazyText as lazy
from serving.read.caseload import Case, Caseload
from serving.state import Apology

PROMISES = {
    "kept": lazy("Đã giữ hẹn mới"),
    "broken": lazy("Lỡ hẹn mới"),
    "pending": lazy("Chưa đến hẹn mới"),
    "none": lazy("Không có hẹn mới"),
}
LONGEST_REASON = 1_000

_LETTERS = f"""
SELECT e.dossier_id, e.happened_at, e.due_at, {answers("e", "l")} AS answers
FROM event_latest e JOIN asked_letters l USING (dossier_id)
WHERE e.kind IN ('apologised', 'extended') AND e.happened_at >= l.begun_at
ORDER BY e.dossier_id, e.happened_at, e.known_at, e.row_id
"""


@dataclass(frozen=True)
class ApologyStanding:
    """How one late dossier stands: sent_at None where nobody has apologised; promise: a key of `PROMISES`.

    in_time: sent before the lawful promise was missed. times: how often a new day was given, the lawful extension
    among them; more than once is told.
    """

    case: Case
    sent_at: datetime | None
    new_due_at: datetime | None
    promise: str
    in_time: bool
    times: int


def draft(
    session: Session, dossier_id: str, unit_code: str, old_due_at: datetime | None, new_due_at: datetime, reason: str,
    *, now: datetime, by: int | None = None,
) -> Apology:  # fmt: skip
    """A letter to be signed. ValueError without a reason, or where the new day does not lie ahead."""
    if new_due_at <= now:
        raise ValueError("new_due_at: wanted a moment to come")
    if not 5 <= len(reason.strip()) <= LONGEST_REASON:
        raise ValueError(f"reason: wanted 5 to {LONGEST_REASON} characters, got {len(reason.strip())}")
    row = Apology(
        dossier_id=dossier_id, unit_code=unit_code, old_due_at=old_due_at, new_due_at=new_due_at,
        reason=reason.strip(), drafted_at=now, drafted_by=by, sent_at=None, sent_by=None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def send(apology: Apology, *, now: datetime, by: int | None = None) -> None:
    """Notes that the letter went out, once; ValueError the second time."""
    if apology.sent_at is not None:
        raise ValueError("this apology has been sent")
    apology.sent_at, apology.sent_by = now, by


def owed(load: Caseload) -> list[Case]:
    """The dossiers for which an apology is owed: those that missed the lawful promise (S3 1l).

    None is owed for time that the citizen took, nor beyond its own letter for a promise moved once, in time and with a
    reason, and kept.
    """
    return [case for case in load.cases if case.late]


@dataclass(frozen=True)
class RecordedLetter:
    """A new day that the office gave, or its letter, from the record; answers: for the day that was missed."""

    at: datetime
    due_at: datetime | None
    answers: bool


def recorded_letters(con: duckdb.DuckDBPyConnection, cases: Iterable[Case]) -> dict[str, list[RecordedLetter]]:
    """Of each of these dossiers its letters and extensions since its clock began, in order. con: `Record.connect`."""
    asked = list(cases)
    con.register("asked_letters", pa.table({
        "dossier_id": pa.array([case.dossier_id for case in asked], pa.string()),
        "begun_at": _naive([case.begun_at for case in asked]),
        "lawful_extension_at": _naive([case.lawful_extension_at for case in asked]),
    }))  # fmt: skip
    try:
        rows = con.execute(_LETTERS).fetchall()
    finally:
        con.unregister("asked_letters")
    return {
        key: [RecordedLetter(aware_utc(at), aware_utc(due_at), answers) for _, at, due_at, answers in letters]
        for key, letters in groupby(rows, key=itemgetter(0))
    }


def _naive(moments: list[datetime | None]) -> pa.ChunkedArray:
    return naive_column(pa.chunked_array([pa.array(moments, MOMENT)]))


def standings(
    con: duckdb.DuckDBPyConnection, session: Session, late: Iterable[Case], as_of: datetime,
    sent_before: datetime | None = None,
) -> list[ApologyStanding]:  # fmt: skip
    """How each late dossier stands at `as_of`, by the record and our own letters; those without first.

    sent_before: which letters count; those before `as_of` where left out.
    """
    late = list(late)
    recorded = recorded_letters(con, late)
    ours: dict[str, list[Apology]] = {}
    for one in session.scalars(
        select(Apology).where(Apology.sent_at < (sent_before or as_of)).order_by(Apology.sent_at)
    ):
        ours.setdefault(one.dossier_id, []).append(one)
    found = [_standing(case, recorded.get(case.dossier_id, ()), ours.get(case.dossier_id, []), as_of) for case in late]
    return sorted(found, key=lambda one: (one.sent_at is not None, one.case.unit_code, one.case.dossier_id))


def _standing(case: Case, recorded: Sequence[RecordedLetter], ours: list[Apology], as_of: datetime) -> ApologyStanding:
    ours = [one for one in ours if one.sent_at is not None and one.sent_at >= case.begun_at]
    sent = [one.sent_at for one in ours if one.sent_at is not None] + [one.at for one in recorded if one.answers]
    days = {one.at: one.due_at for one in recorded if one.due_at is not None}
    new_due_at = ours[-1].new_due_at if ours else days[max(days)] if days else None
    sent_at = min(sent, default=None)
    in_time = sent_at is not None and case.lawful_due_at is not None and sent_at < case.lawful_due_at
    return ApologyStanding(case, sent_at, new_due_at, _promise(case, new_due_at, as_of), in_time, len(days) + len(ours))


def _promise(case: Case, new_due_at: datetime | None, as_of: datetime) -> str:
    if new_due_at is None:
        return "none"
    if (case.ended_at or as_of) > new_due_at:
        return "broken"
    return "kept" if case.ended_at is not None else "pending"


def letters(session: Session, dossier_ids: Iterable[str]) -> dict[str, list[Apology]]:
    """Our own letters by dossier, in order."""
    found: dict[str, list[Apology]] = {}
    wanted = set(dossier_ids)
    for one in session.scalars(select(Apology).order_by(Apology.id)):
        if one.dossier_id in wanted:
            found.setdefault(one.dossier_id, []).append(one)
    return found
