"""The responsibility ledger of one dossier: who held it, where, for how long, and how long past the promise (S0 1a).

A stay goes from one event to the next that changes who holds the dossier, where, or in which step. Time in which the
citizen had to act, or another unit was asked, is told as theirs. Shares are of working hours; they are no verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import pyarrow as pa

from features.calendar.working_time import Calendar
from features.case_state.kinds import RUNS, STOPS
from features.record.record import Record
from features.record.schema import ENDS
from serving.read.case_file import CaseEvent, CaseFile, CaseFiles
from serving.read.delay import Holder


@dataclass(frozen=True)
class CustodyInterval:
    """One stay: official and unit (None: nobody was named), the step, half-open times, working hours.

    past_due_hours: those of them after the promise in force at the end of the stay.
    """

    holder: Holder
    official_id: str | None
    unit_code: str | None
    step: str
    since: datetime
    until: datetime
    hours: float
    past_due_hours: float
    official_name: str | None = None


@dataclass(frozen=True)
class Share:
    """What one holder's stays add up to; share: of all working hours."""

    holder: Holder
    official_id: str | None
    unit_code: str | None
    hours: float
    past_due_hours: float
    share: float
    official_name: str | None = None


@dataclass(frozen=True)
class Ledger:
    """The stays in order of time, the shares, largest first, and what nobody holds by name."""

    dossier_id: str
    stays: tuple[CustodyInterval, ...]
    shares: tuple[Share, ...]

    @property
    def nameless_hours(self) -> float:
        """Working hours in which the office held the dossier and no official was named (S1 1đ: one focal point)."""
        return sum(one.hours for one in self.stays if one.holder is Holder.OFFICE and one.official_id is None)


def ledger(case: CaseFile, as_of: datetime, calendar: Calendar) -> Ledger:
    """The ledger from receipt to the end of processing, or to `as_of`."""
    events = [one for one in case.events if one.happened_at < as_of]
    ended = next((one.happened_at for one in events if one.kind in ENDS), None)
    if ended is None:
        ended = next((one.happened_at for one in events if one.kind == "delivered"), as_of)
    stays = _stays(case, [one for one in events if one.happened_at < ended], ended, calendar)
    return Ledger(case.dossier_id, tuple(stays), tuple(_shares(stays)))


def _stays(case: CaseFile, events: Sequence[CaseEvent], end: datetime, calendar: Calendar) -> list[CustodyInterval]:
    due = case.due_at
    official: str | None = None
    unit, step = case.unit_code, "received"
    waits, asked = False, ""
    told: list[tuple[datetime, Holder, str | None, str | None, str, datetime | None]] = [
        (case.received_at, Holder.OFFICE, None, unit, step, due)
    ]
    for event in events:
        due = event.due_at or due
        step = event.step or step
        waits = event.kind in STOPS or (waits and event.kind not in RUNS)
        if event.kind == "consulted":
            asked = event.to_unit_code or asked
        elif event.kind == "consultation_answered":
            asked = ""
        else:
            official = event.official_id or official
            unit = event.to_unit_code or event.unit_code or unit
        holder = Holder.CITIZEN if waits else Holder.OTHER_OFFICE if asked else Holder.OFFICE
        who = official if holder is Holder.OFFICE else None
        where = None if waits else asked or unit
        told.append((max(event.happened_at, case.received_at), holder, who, where, step, due))
    told.append((end, *told[-1][1:]))
    stays: list[CustodyInterval] = []
    for now, then in pairwise(told):
        since, holder, who, where, step, due = now
        if then[0] <= since:
            continue
        past = calendar.working_hours(max(since, due), then[0]) if due is not None and due < then[0] else 0.0
        stay = CustodyInterval(holder, who, where, step, since, then[0], calendar.working_hours(since, then[0]), past)
        if stays and (stays[-1].holder, stays[-1].official_id, stays[-1].unit_code, stays[-1].step) == now[1:5]:
            before = stays.pop()
            stay = CustodyInterval(
                holder, who, where, step, before.since, then[0], before.hours + stay.hours,
                before.past_due_hours + stay.past_due_hours,
            )  # fmt: skip
        stays.append(stay)
    return stays


def _shares(stays: Sequence[CustodyInterval]) -> list[Share]:
    total = sum(one.hours for one in stays)
    held: dict[tuple[Holder, str | None, str | None], list[CustodyInterval]] = {}
    for one in stays:
        held.setdefault((one.holder, one.official_id, one.unit_code), []).append(one)
    shares = []
    for key, ones in held.items():
        hours = sum(one.hours for one in ones)
        past = sum(one.past_due_hours for one in ones)
        shares.append(Share(*key, hours, past, hours / total if total else 0.0))
    return sorted(shares, key=lambda one: (-one.hours, one.official_id or "", one.unit_code or ""))


def case_known(record: Record, dossier_id: str, as_of: datetime) -> CaseFile | None:
    """The case file of one dossier, open or ended, as known before `as_of`; None where the record knows none."""
    with record.connect(cutoff=as_of) as con:
        return CaseFiles.read(con, pa.array([dossier_id], pa.string())).of(dossier_id)
