"""Explanations: every late dossier asks its official why, once, with a term (S0 1d); the official explains, the head
reviews, the level above closes; and what was said is handed to the record as one more delivery.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
from rapidfuzz import fuzz, process
from sqlalchemy import select
from sqlalchemy.orm import Session

from features.calendar.working_time import Calendar
from features.record.delivery import Chunk, DeliveryReceipt
from features.record.latest import newest
from features.record.schema import TABLES
from features.record.utc import aware_utc
from serving.access.permissions import Scope
from serving.language import LazyText as lazy
from serving.read.caseload import Case
from serving.state import ExplanationAct, ExplanationSlip, State
from serving.state.engine import insert_once
from serving.work.findings import Appends

CAUSES = TABLES["explanation"]["cause"].choices
AFTER: Mapping[str, tuple[str, ...]] = {
    "explained": ("open", "returned", "refused"),
    "returned": ("explained",),
    "accepted": ("explained",),
    "refused": ("accepted",),
    "closed": ("accepted",),
}
"""Act → the states in which it may be done. `returned`, `accepted`: the head; `refused`, `closed`: the level above."""
STATES = {
    "open": lazy("Chờ giải trình"),
    "excused": lazy("Hệ thống ngừng, không phải giải trình"),
    "explained": lazy("Chờ thủ trưởng xem xét"),
    "returned": lazy("Thủ trưởng yêu cầu giải trình lại"),
    "accepted": lazy("Thủ trưởng chấp nhận, chờ cấp trên"),
    "refused": lazy("Cấp trên yêu cầu giải trình lại"),
    "closed": lazy("Đã xong"),
}
LONGEST_TEXT = 4_000
ALIKE = 90.0
"""Two texts alike to this degree (of 100, words in any order) are shown as the same."""
LOOKED_BACK = timedelta(days=180)
MOST_COMPARED = 500


@dataclass(frozen=True)
class Explanation:
    """One slip as it stands. state: a key of `STATES`; alike: how many other recent texts of the unit say the same."""

    slip: ExplanationSlip
    state: str
    overdue: bool
    cause: str | None
    text: str
    alike: int
    acts: tuple[ExplanationAct, ...]


def explain(
    session: Session, slip: ExplanationSlip, cause: str, text: str, *, now: datetime, by: int | None = None
) -> ExplanationAct:
    """The official's explanation. ValueError for an unknown cause, an empty text, or where none is waited for."""
    if cause not in CAUSES:
        raise ValueError(f"cause: wanted one of {', '.join(CAUSES)}, got {cause[:40]!r}")
    return _add(session, slip, "explained", cause, text, now, by)


def review(
    session: Session, slip: ExplanationSlip, act: str, text: str, *, now: datetime, by: int | None = None
) -> ExplanationAct:
    """A head's or the level above's answer to an explanation; nobody answers their own act.

    ValueError where the act does not follow from the slip's state, or says no without words.
    """
    if act not in AFTER or act == "explained":
        raise ValueError(f"act: wanted returned, accepted, refused or closed, got {act[:20]!r}")
    last = _acts(session, [slip.id]).get(slip.id, ())
    if by is not None and last and last[-1].acted_by == by:
        raise ValueError("nobody answers their own act")
    if act in ("accepted", "closed") and not text.strip():
        text = "Đồng ý"
    return _add(session, slip, act, None, text, now, by)


def explanations(
    session: Session, scope: Scope, now: datetime, *, state: str = "", most: int = 200, slip_id: int | None = None
) -> list[Explanation]:
    """The slips of a scope as they stand, those that wait longest first; of one state, or all for an empty one."""
    query = select(ExplanationSlip).where(scope.rows(ExplanationSlip.unit_code, ExplanationSlip.official_id))
    if slip_id is not None:
        query = query.where(ExplanationSlip.id == slip_id)
    slips = list(session.scalars(query.order_by(ExplanationSlip.answer_due_at, ExplanationSlip.id)))
    acts = _acts(session, [one.id for one in slips])
    found = [_standing(one, acts.get(one.id, ()), now) for one in slips]
    shown = [one for one in found if not state or one.state == state]
    shown.sort(key=lambda one: (one.state in ("closed", "excused"), one.slip.answer_due_at, one.slip.id))
    return _same_texts(session, shown[:most], now)


def state_of(slip: ExplanationSlip, acts: Sequence[ExplanationAct]) -> str:
    """The state that the last act left, or that the outages give where nothing was said."""
    if acts:
        return acts[-1].act
    return "excused" if 0 < slip.over_hours <= slip.outage_hours else "open"


def alike(text: str, others: Sequence[str]) -> int:
    """How many of `others` say the same as `text`, but for case, order of words and small changes."""
    found = process.extract(
        text, others, scorer=fuzz.token_sort_ratio, processor=str.casefold, score_cutoff=ALIKE, limit=None
    )
    return len(found)


def _standing(slip: ExplanationSlip, acts: Sequence[ExplanationAct], now: datetime) -> Explanation:
    explained = next((one for one in reversed(acts) if one.act == "explained"), None)
    state = state_of(slip, acts)
    late = state in ("open", "returned", "refused") and slip.answer_due_at < now
    return Explanation(
        slip, state, late, explained.cause if explained else None, explained.text if explained else "", 0, tuple(acts)
    )


def _same_texts(session: Session, shown: list[Explanation], now: datetime) -> list[Explanation]:
    units = {one.slip.unit_code for one in shown if one.text}
    texts: dict[str, list[tuple[int, str]]] = {}
    query = (
        select(ExplanationSlip.unit_code, ExplanationSlip.id, ExplanationAct.text)
        .join(ExplanationAct, ExplanationAct.slip_id == ExplanationSlip.id)
        .where(ExplanationSlip.unit_code.in_(units), ExplanationAct.act == "explained")
        .where(ExplanationAct.acted_at >= now - LOOKED_BACK)
        .order_by(ExplanationAct.id.desc())
    )
    for unit, slip_id, text in session.execute(query):
        if len(held := texts.setdefault(unit, [])) < MOST_COMPARED:
            held.append((slip_id, text))
    return [
        Explanation(
            one.slip, one.state, one.overdue, one.cause, one.text,
            alike(one.text, [text for key, text in texts.get(one.slip.unit_code, ()) if key != one.slip.id])
            if one.text else 0,
            one.acts,
        )
        for one in shown
    ]  # fmt: skip


def _acts(session: Session, slip_ids: list[int]) -> dict[int, tuple[ExplanationAct, ...]]:
    found: dict[int, tuple[ExplanationAct, ...]] = {}
    for start in range(0, len(slip_ids), 500):
        wanted = ExplanationAct.slip_id.in_(slip_ids[start : start + 500])
        for act in session.scalars(select(ExplanationAct).where(wanted).order_by(ExplanationAct.id)):
            found[act.slip_id] = (*found.get(act.slip_id, ()), act)
    return found


def _add(
    session: Session, slip: ExplanationSlip, act: str, cause: str | None, text: str, now: datetime, by: int | None
) -> ExplanationAct:
    state = state_of(slip, _acts(session, [slip.id]).get(slip.id, ()))
    if state not in AFTER[act] and not (act == "explained" and state == "excused"):
        raise ValueError(f"{act}: wanted a slip that is {' or '.join(AFTER[act])}, this one is {state}")
    if not 5 <= len(text.strip()) <= LONGEST_TEXT:
        raise ValueError(f"text: wanted 5 to {LONGEST_TEXT} characters, got {len(text.strip())}")
    row = ExplanationAct(
        slip_id=slip.id, act=act, cause=cause, text=text.strip(), acted_at=now, acted_by=by, delivered_at=None
    )
    session.add(row)
    session.flush()
    return row


ACCEPTED = {"explained": None, "returned": False, "accepted": True, "refused": False, "closed": True}


def deliver_explanations(state: State, record: Appends, *, now: datetime) -> DeliveryReceipt | None:
    """Every act that the record lacks, as one delivery; None where there is none.

    A death between record and state repeats the delivery, which changes nothing: the record knows rows by content.
    """
    with state.reading() as session:
        rows = [
            (act, slip)
            for act, slip in session.execute(
                select(ExplanationAct, ExplanationSlip)
                .join(ExplanationSlip, ExplanationSlip.id == ExplanationAct.slip_id)
                .order_by(ExplanationAct.id)
            )
        ]
    waiting = [act.id for act, _ in rows if act.delivered_at is None]
    if not waiting:
        return None
    delivered = list(_rows(rows, set(waiting)))
    receipt = record.append(
        [Chunk("explanation", delivered, file="explanations")], source="explanations", arrived_at=now
    )
    with state.writing() as session:
        for act in session.scalars(select(ExplanationAct).where(ExplanationAct.id.in_(waiting))):
            act.delivered_at = now
    return receipt


def _rows(rows: Iterable[tuple[ExplanationAct, ExplanationSlip]], waiting: set[int]) -> Iterable[dict[str, Any]]:
    explained_by_slip: dict[int, ExplanationAct] = {}
    for act, slip in rows:
        if act.act == "explained":
            explained_by_slip[slip.id] = act
        if act.id in waiting:
            explained = explained_by_slip[slip.id]
            yield {
                "dossier_id": slip.dossier_id,
                "official_id": slip.official_id,
                "given_at": explained.acted_at,
                "cause": explained.cause,
                "accepted": ACCEPTED[act.act],
                "known_at": act.acted_at,
            }


TERM_HOURS = 24.0
"""Working hours to explain: three days. The directives set no number; an office may set its own."""


_EXPLAINED = f"""
SELECT dossier_id FROM (
    SELECT dossier_id, accepted FROM explanation_latest {newest("dossier_id", first="given_at DESC")}
) WHERE coalesce(accepted, true)
"""


def explained(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Late dossiers that were explained, the last explanation accepted or not yet judged, as `con` knows."""
    return frozenset(row[0] for row in con.execute(_EXPLAINED).fetchall())


_OUTAGES = """
SELECT unit_code, starts_at, ends_at FROM outage_latest ORDER BY starts_at
"""


@dataclass(frozen=True)
class Outage:
    """A system was down for one unit, or for all (None), from `starts_at` until `ends_at` (None: still down)."""

    unit_code: str | None
    starts_at: datetime
    ends_at: datetime | None


def outages(con: duckdb.DuckDBPyConnection) -> list[Outage]:
    """The outages that a connection of the record knows, in order of their beginning."""
    return [Outage(unit, aware_utc(start), aware_utc(end)) for unit, start, end in con.execute(_OUTAGES).fetchall()]


def down_hours(
    outages: Iterable[Outage], unit_code: str, start: datetime, until: datetime, calendar: Calendar
) -> float:
    """Working hours of [start, until) in which a system of the unit was down; overlapping outages count once."""
    hours, reached = 0.0, start
    for one in outages:  # in order of their beginning
        if one.unit_code in (None, unit_code):
            begun, over = max(one.starts_at, reached), min(one.ends_at or until, until)
            if begun < over:
                hours += calendar.working_hours(begun, over)
                reached = over
    return hours


def open_slips(
    session: Session, late: Iterable[Case], outages: Iterable[Outage], calendar: Calendar, *, now: datetime,
    explained: Set[str] = frozenset(),
) -> int:  # fmt: skip
    """Opens a slip for each late dossier that has none; gives how many. Twice, or in two processes, changes nothing.

    late: dossiers that missed the lawful promise. explained: those that the record explains already.
    """
    outages = list(outages)
    there = explained | set(session.scalars(select(ExplanationSlip.dossier_id)))
    opened = 0
    for case in late:
        if case.lawful_due_at is None or case.dossier_id in there:
            continue
        opened += insert_once(
            session,
            ExplanationSlip,
            dossier_id=case.dossier_id,
            unit_code=case.unit_code,
            official_id=case.official_id,
            step=case.step,
            missed_due_at=case.lawful_due_at,
            over_hours=case.over_hours,
            outage_hours=down_hours(outages, case.unit_code, case.received_at, case.ended_at or now, calendar),
            opened_at=now,
            answer_due_at=calendar.add(now, TERM_HOURS),
        )
    return opened
