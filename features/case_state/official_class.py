"""The class of a dossier twice: as the 766 index counts it from what its source claims, and by its events.

Rules of DOC766 (QĐ 766/QĐ-TTg, domain.md 1.7). Where the two classes differ, somebody should look at the data.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from features.calendar.working_time import HOUR, HOURS_A_DAY, Calendar, Instants
from features.case_state.courses import NONE, Mask
from features.case_state.kinds import TURNED_AWAY
from features.case_state.state import CaseState, Phase

MOST_REQUESTS = 1
"""Rule 4: more than one supplement request counts as overdue, whatever the dates."""


class OfficialClass(StrEnum):
    """Report 06a (domain.md 3.2): the first three of ended dossiers, the next two of open ones."""

    BEFORE = "before"
    ON_TIME = "on_time"
    OVERDUE = "overdue"
    WITHIN = "within"
    OVERDUE_OPEN = "overdue_open"
    UNKNOWN = "unknown"


def class_766(state: CaseState, calendar: Calendar, legal_days: float | None = None) -> OfficialClass:
    """The class by rules 1–7 of DOC766. `legal_days`: the procedure's term, for dossiers without a promise.

    Rule 5 (the citizen's time is subtracted) holds against the first promise, for the promise in force has been
    moved for it already; the dossier is on time by whichever is kinder. Of a dossier that waits for papers the time
    since the request lies after the end that rule 3 gives it, and is not subtracted: papers asked for after the
    promise had passed do not bring it back.
    """
    if state.phase is Phase.SET_ASIDE:
        return OfficialClass.UNKNOWN
    end, ended = _claimed_end(state)
    citizen = state.supplement_hours
    if state.waiting_for_papers and not ended:
        citizen -= calendar.working_hours(end, state.until)
    used = calendar.working_hours(state.received_at, end) - citizen
    if state.requests > MOST_REQUESTS:
        overdue: bool | None = True
    elif state.due_at is not None:
        first = calendar.working_hours(state.received_at, state.promises[0].due_at)
        overdue = end > state.due_at and used > first
    else:
        overdue = None if legal_days is None else used > legal_days * HOURS_A_DAY
    return _named(overdue, ended, end, state.due_at, calendar)


def class_recomputed(state: CaseState, calendar: Calendar) -> OfficialClass:
    """The class by the lawful clock: papers asked after it ran out leave a dossier overdue."""
    overdue = None if state.lawful_due_at is None or state.phase is Phase.SET_ASIDE else state.late
    return _named(overdue, state.ended_at is not None, state.ended_at or state.until, state.lawful_due_at, calendar)


def _claimed_end(state: CaseState) -> tuple[datetime, bool]:
    """Rules 2, 3, 6: done before returned before refused; waiting ends at the request; else the period's end."""
    for kinds in (("decided",), ("delivered",), TURNED_AWAY):
        moments = [at for kind, at in state.ends if kind in kinds]
        if "decided" in kinds and state.claimed_end_at and not any(kind in TURNED_AWAY for kind, _ in state.ends):
            moments.append(state.claimed_end_at)
        if moments:
            return min(moments), True
    if state.waiting_for_papers and state.paused_since is not None:
        return state.paused_since, False
    return state.until, False


def _named(
    overdue: bool | None, ended: bool, end: datetime, due_at: datetime | None, calendar: Calendar
) -> OfficialClass:
    if overdue is None:
        return OfficialClass.UNKNOWN
    if not ended:
        return OfficialClass.OVERDUE_OPEN if overdue else OfficialClass.WITHIN
    if overdue:
        return OfficialClass.OVERDUE
    zone = ZoneInfo(calendar.zone)
    early = due_at is not None and end.astimezone(zone).date() < due_at.astimezone(zone).date()
    return OfficialClass.BEFORE if early else OfficialClass.ON_TIME


@dataclass(frozen=True)
class ClassedCases:
    """What the classes of many dossiers are told from, as columns [n]: moments in microseconds, `NONE` where unknown.

    claimed_us: the first end that a source claims or tells (`CaseState.claimed_end_at`); decided_us, delivered_us,
    turned_away_us: the first of these ends; legal_days: NaN where no term is published.
    """

    calendar: Calendar
    until_us: int
    received_us: Instants
    first_due_us: Instants
    due_us: Instants
    lawful_due_us: Instants
    ended_us: Instants
    paused_us: Instants
    decided_us: Instants
    delivered_us: Instants
    turned_away_us: Instants
    claimed_us: Instants
    legal_days: npt.NDArray[np.float64]
    citizen_w: Instants
    requests: Instants
    late: Mask
    aside: Mask
    with_citizen: Mask

    def as_766(self) -> list[OfficialClass]:
        """`class_766` of each."""
        turned = self.turned_away_us != NONE
        told = np.where((self.claimed_us != NONE) & ~turned, self.claimed_us, NONE)
        decided = np.where(self.decided_us == NONE, told, np.where(told == NONE, self.decided_us,
                                                                   np.minimum(told, self.decided_us)))  # fmt: skip
        end = np.select([decided != NONE, self.delivered_us != NONE], [decided, self.delivered_us], self.turned_away_us)
        ended = end != NONE
        papers = self.with_citizen & (self.paused_us != NONE)
        end = np.where(ended, end, np.where(papers, self.paused_us, self.until_us))
        worked = self.calendar.worked_each
        end_w, received_w = worked(end), worked(self.received_us)
        until_w = self.calendar.worked(self.until_us)
        citizen = self.citizen_w / HOUR - np.where(self.with_citizen & ~ended, (until_w - end_w) / HOUR, 0.0)
        used = (end_w - received_w) / HOUR - citizen
        promised = self.due_us != NONE
        first = (worked(np.where(promised, self.first_due_us, 0)) - received_w) / HOUR
        over = np.where(promised, (end > self.due_us) & (used > first), used > self.legal_days * HOURS_A_DAY)
        many = self.requests > MOST_REQUESTS
        unknown = self.aside | (~many & ~promised & np.isnan(self.legal_days))
        return self._named(over | many, unknown, ended, end, self.due_us)

    def as_recomputed(self) -> list[OfficialClass]:
        """`class_recomputed` of each."""
        ended = self.ended_us != NONE
        end = np.where(ended, self.ended_us, self.until_us)
        return self._named(self.late, (self.lawful_due_us == NONE) | self.aside, ended, end, self.lawful_due_us)

    def _named(self, overdue: Mask, unknown: Mask, ended: Mask, end: Instants, due: Instants) -> list[OfficialClass]:
        days = self.calendar.days_each
        early = (due != NONE) & (days(end) < days(due))
        found = np.select(
            [unknown, ~ended & overdue, ~ended, overdue, early], [5, 4, 3, 2, 0], 1
        )  # of `OfficialClass`, in its order
        kinds = list(OfficialClass)
        return [kinds[place] for place in found.tolist()]
