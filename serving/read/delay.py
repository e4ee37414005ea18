"""Delay by step: where the remaining time of an open dossier is expected to sit, and who holds it there.

Expected from dossiers of the same procedure that ended lately and passed the same step (Aalst, Schonenberg & Song
2011, time prediction by the remaining time of past cases in the same state): the mean working hours that they
spent from there on, by step and holder. The parts are means over the same dossiers, so they add up to the whole.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

import duckdb

from features.calendar.holiday import as_delivered
from features.calendar.working_time import HOUR, Calendar
from features.case_state.relation import NAME, case_states
from features.case_state.replay import Hands
from features.case_state.state import Phase
from features.record.schema import ALL_ENDS
from serving.read.case_file import CaseFile

MOST_ENDED = 20_000
"""Ended dossiers that are looked at, the latest first."""
LEAST = 5
"""Fewer past dossiers than this give no answer."""

_CANDIDATES = f"""
    SELECT dossier_id FROM event_latest WHERE kind IN {ALL_ENDS} GROUP BY dossier_id
    ORDER BY max(happened_at) DESC LIMIT {MOST_ENDED}
"""
_ENDED = f"""
    SELECT s.procedure_code, s.unit_code AS competent, e.dossier_id, e.kind, coalesce(e.step, e.kind) AS step,
           e.unit_code, e.to_unit_code, epoch_us(e.happened_at) AS happened_us
    FROM event_latest e JOIN {NAME} s USING (dossier_id)
    WHERE s.phase = 'ended' AND e.happened_at <= s.ended_at
    ORDER BY e.dossier_id, e.happened_at, e.known_at, e.row_id
"""


class Holder(StrEnum):
    """Who holds a dossier: the citizen who must act, the competent unit, another unit that was asked, or nobody, while
    processing is suspended or had ended before it was taken up again."""

    CITIZEN = "citizen"
    OFFICE = "office"
    OTHER_OFFICE = "other_office"
    SUSPENDED = "suspended"
    CLOSED = "closed"


HOLDERS = {
    Phase.RUNNING: Holder.OFFICE, Phase.CITIZEN: Holder.CITIZEN, Phase.OTHER_OFFICE: Holder.OTHER_OFFICE,
    Phase.SUSPENDED: Holder.SUSPENDED, Phase.ENDED: Holder.CLOSED,
}  # fmt: skip
"""Who holds a dossier in each phase of its state."""


@dataclass(frozen=True)
class DelayPart:
    """Working hours that are expected in one step with one holder."""

    step: str
    holder: Holder
    hours: float


@dataclass(frozen=True)
class Delay:
    """Expected working hours until the end of processing, and its parts, largest first; they add up.

    step, holder: where the dossier is now. n: past dossiers that it is expected from.
    """

    step: str
    holder: Holder
    hours: float
    parts: list[DelayPart]
    n: int


@dataclass
class _Past:
    """What past dossiers of one procedure did from their first visit of one step on."""

    stays: list[float] = field(default_factory=list)
    later: dict[tuple[str, Holder], float] = field(default_factory=lambda: defaultdict(float))


class Delays:
    """Remaining times from the record; made once for a list, asked for single dossiers."""

    def __init__(self, events: Iterable[dict[str, Any]], calendar: Calendar) -> None:
        """events: of ended dossiers, those of one dossier together, in order and none after its end, columns of the
        record's `event` and procedure_code, competent (unit), happened_us."""
        self._calendar = calendar
        self._past: dict[tuple[str, str], _Past] = defaultdict(_Past)
        mine: list[dict[str, Any]] = []
        for event in events:
            if mine and mine[0]["dossier_id"] != event["dossier_id"]:
                self._learn(mine)
                mine = []
            mine.append(event)
        self._learn(mine)
        for past in self._past.values():
            past.stays.sort()

    @classmethod
    def read(cls, con: duckdb.DuckDBPyConnection, as_of: datetime, calendar: Calendar) -> "Delays":
        """From a connection of `Record.connect(cutoff=as_of)`, of what had ended by then."""
        calendar = as_delivered(con, calendar)
        con.execute(f"CREATE OR REPLACE TEMP TABLE lately_ended AS {_CANDIDATES}")
        with case_states(con, as_of, calendar, dossiers="lately_ended"):
            rows = con.execute(_ENDED)
            names = [column[0] for column in rows.description or []]
            ended = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
        con.execute("DROP TABLE lately_ended")
        return cls(ended, calendar)

    def of(self, case: CaseFile, as_of: datetime) -> Delay | None:
        """The expected delay of an open dossier at `as_of`; None where too few past dossiers are like it."""
        events: list[dict[str, Any]] = [
            {"kind": one.kind, "step": one.step or one.kind, "unit_code": one.unit_code,
             "to_unit_code": one.to_unit_code, "competent": case.unit_code, "at": one.happened_at}
            for one in case.events if one.happened_at < as_of
        ]  # fmt: skip
        if not events:
            return None
        step, holder = events[-1]["step"], _holders(events)[-1]
        past = self._past.get((case.procedure_code, step))
        if past is None or len(past.stays) < LEAST:
            return None
        begun = next(e["at"] for e in reversed(events) if e["step"] == step)
        stay = self._still(past.stays, self._calendar.working_hours(begun, as_of))
        parts = defaultdict(float, {place: hours / len(past.stays) for place, hours in past.later.items()})
        parts[step, holder] += stay
        delay_parts = [DelayPart(*place, hours=hours) for place, hours in parts.items() if hours > 0]
        delay_parts.sort(key=lambda part: -part.hours)
        return Delay(step, holder, sum(part.hours for part in delay_parts), delay_parts, len(past.stays))

    @staticmethod
    def _still(stays: Sequence[float], gone: float) -> float:
        """Expected further hours of a stay of which `gone` have passed: the mean rest of those that lasted longer."""
        longer = stays[bisect_right(stays, gone) :]
        return sum(stay - gone for stay in longer) / len(longer) if longer else 0.0

    def _learn(self, events: list[dict[str, Any]]) -> None:
        if not events:
            return
        holders = _holders(events)
        worked = [self._calendar.worked(event["happened_us"]) for event in events]
        spent = [(b - a) / HOUR for a, b in pairwise(worked)]
        seen: set[str] = set()
        for start, event in enumerate(events[:-1]):
            if event["step"] in seen:
                continue
            seen.add(event["step"])
            past = self._past[event["procedure_code"], event["step"]]
            past.stays.append(spent[start])
            for place in range(start + 1, len(spent)):
                past.later[events[place]["step"], holders[place]] += spent[place]


def _holders(events: Sequence[dict[str, Any]]) -> list[Holder]:
    """Who holds the dossier after each event."""
    holders, hands = [], Hands()
    for event in events:
        hands.take(event["kind"])
        holder = HOLDERS[hands.phase]
        at = event["to_unit_code"] or event["unit_code"]
        away = holder is Holder.OFFICE and at is not None and at != event["competent"]
        holders.append(Holder.OTHER_OFFICE if away else holder)
    return holders
