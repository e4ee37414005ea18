"""The responsibility ledger of one dossier: who held it, where, for how long, and how long past the promise (S0 1a).

A stay goes from one event to the next that changes who holds the dossier, where, or in which step. In whose hands it
was, its end and its lawful promise are those of `features.case_state`: time in which the citizen had to act, or another
unit was asked, is told as theirs; while processing is suspended, or had ended before it was reopened, nobody works on
it. Shares are of working hours; they are no verdict.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa

from features.calendar.holiday import as_delivered
from features.calendar.working_time import Calendar
from features.case_state.state import CaseState
from features.record.record import Record
from serving.read.case_file import CaseFile, CaseFiles
from serving.read.delay import HOLDERS, Holder


@dataclass(frozen=True)
class CustodyInterval:
    """One stay: official and unit (None: nobody was named), the step, half-open times, working hours.

    past_due_hours: those of them after the lawful promise was missed; over all stays, how late the dossier is.
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
    stays = _stays(case, case.state(as_of, calendar), calendar)
    return Ledger(case.dossier_id, tuple(stays), tuple(_shares(stays)))


def _stays(case: CaseFile, state: CaseState, calendar: Calendar) -> list[CustodyInterval]:
    missed_at = state.lawful_due_at if state.late else None
    events = deque(case.events)
    official: str | None = None
    unit, step, asked = case.unit_code, "received", ""
    stays: list[CustodyInterval] = []
    for stretch in state.stretches:
        while events and events[0].happened_at <= stretch.since:
            event = events.popleft()
            step = event.step or step
            if event.kind == "consulted":
                asked = event.to_unit_code or asked
            elif event.kind == "consultation_answered":
                asked = ""
            else:
                official = event.official_id or official
                unit = event.to_unit_code or event.unit_code or unit
        holder = HOLDERS[stretch.phase]
        stay = CustodyInterval(
            holder,
            official if holder in (Holder.OFFICE, Holder.SUSPENDED) else None,
            None if holder is Holder.CITIZEN else asked or unit if holder is Holder.OTHER_OFFICE else unit,
            step, stretch.since, stretch.until, calendar.working_hours(stretch.since, stretch.until),
            0.0 if missed_at is None or stretch.until <= missed_at
            else calendar.working_hours(max(stretch.since, missed_at), stretch.until),
        )  # fmt: skip
        if stays and _place(stays[-1]) == _place(stay) and stays[-1].until == stay.since:
            before = stays.pop()
            stay = replace(
                stay, since=before.since, hours=before.hours + stay.hours,
                past_due_hours=before.past_due_hours + stay.past_due_hours,
            )  # fmt: skip
        stays.append(stay)
    return stays


def _place(stay: CustodyInterval) -> tuple[Holder, str | None, str | None, str]:
    return stay.holder, stay.official_id, stay.unit_code, stay.step


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


def read_ledger(record: Record, dossier_id: str, as_of: datetime, calendar: Calendar) -> tuple[CaseFile, Ledger] | None:
    """One dossier, open or ended, and its ledger, as known before `as_of`; None where the record knows none."""
    with record.connect(cutoff=as_of) as con:
        case = CaseFiles.read(con, pa.array([dossier_id], pa.string())).of(dossier_id)
        calendar = as_delivered(con, calendar)
    return None if case is None else (case, ledger(case, as_of, calendar))
