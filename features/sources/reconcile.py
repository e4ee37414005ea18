"""A source's own counts beside the record's, by unit and period, with the part of the gap that each rule explains.

Sources count their own way (trap T5 of domain.md 1.9; DOC766): by date instead of by moment, dossiers without a
promise and returned ones as on time, by the end they claim. For each such rule the dossiers of the unit and
period are counted that fall on another side under it, so that a gap is named before anybody is asked.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import duckdb

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import Calendar
from features.case_state.cases import RecordedCase, recorded_cases
from features.case_state.kinds import TURNED_AWAY
from features.case_state.official_class import MOST_REQUESTS, OfficialClass, class_766, class_recomputed
from features.record.latest import latest
from features.record.utc import naive_utc

LATE = (OfficialClass.OVERDUE, OfficialClass.OVERDUE_OPEN)
RECEIVED, ON_TIME, OVERDUE, ENDED, OPEN = "received", "on_time", "late", "ended", "open"
COUNTERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    # what is counted: the source's own counts that add up to it
    "api766": {RECEIVED: ("totalReceived",), ON_TIME: ("totalOnTime",), OVERDUE: ("totalOverdue",)},
    "opencps": {RECEIVED: ("receivedCount",), ENDED: ("releaseCount",), ON_TIME: ("betimesCount", "ontimeCount"),
                OVERDUE: ("overtimeCount",)},
    "report06a": {RECEIVED: ("TiepNhanTrucTiepVaBCCI", "TiepNhanQuaMang"), OVERDUE: ("DaXuLyQuaHan",),
                  ON_TIME: ("DaXuLyTruocHan", "DaXuLyDungHan"), OPEN: ("DangXuLyTrongHan", "DangXuLyQuaHan")},
}  # fmt: skip
OF_RECEIVED = frozenset({"api766"})
"""Sources that class everything received in the period, open dossiers too; the others class what ended in it."""


@dataclass(frozen=True)
class CountedLine:
    """One count of one unit and period [period_from, period_to).

    theirs: the source's number; ours: the record's, by the recomputed class. rules: for each rule that the source
    may count by, how many dossiers it moves; explained: how much of the gap the rules can tell, signed like it.
    """

    source: str
    unit_code: str
    period_from: date
    period_to: date
    count: str
    theirs: float
    ours: int
    rules: tuple[tuple[str, int], ...]

    @property
    def gap(self) -> float:
        """Theirs less ours."""
        return self.theirs - self.ours

    @property
    def explained(self) -> float:
        """The part of the gap that dossiers moved by the rules can make up."""
        moved = sum(number for _, number in self.rules)
        return max(-moved, min(moved, self.gap))

    @property
    def unexplained(self) -> float:
        """The rest: dossiers never delivered, delivered twice, or counted by a rule that is not known here."""
        return self.gap - self.explained


@dataclass(frozen=True)
class _Judged:
    """One dossier with its classes as of the period's end."""

    case: RecordedCase
    official: OfficialClass
    recomputed: OfficialClass


RULES: Mapping[str, Callable[[_Judged, ZoneInfo], bool]] = {
    "so theo ngày, không theo giờ (by date alone)": lambda one, zone: one.recomputed in LATE and _same_day(one, zone),
    "kết thúc do hệ thống nguồn ghi (the claimed end)": lambda one, zone: (
        (one.official in LATE) != (one.recomputed in LATE) and one.case.state.claimed_end_at != one.case.state.ended_at
    ),
    "bổ sung quá một lần là quá hạn (more than one supplement)": lambda one, zone: (
        one.case.state.requests > MOST_REQUESTS and one.recomputed not in LATE
    ),
    "không có ngày hẹn trả (no promise)": lambda one, zone: one.case.state.due_at is None,
    "trả lại tính là đúng hạn (refused counted as on time)": lambda one, zone: (
        one.recomputed in LATE and any(kind in TURNED_AWAY for kind, _ in one.case.state.ends)
    ),
    "trừ thời gian bổ sung (the citizen's time taken off)": lambda one, zone: (
        one.official not in LATE and one.recomputed in LATE and one.case.state.supplement_hours > 0
    ),
}
"""Vietnamese (English) words of each rule, and which dossiers stand elsewhere under it."""


def _same_day(one: _Judged, zone: ZoneInfo) -> bool:
    state = one.case.state
    if state.ended_at is None or state.due_at is None:
        return False
    return state.ended_at.astimezone(zone).date() == state.due_at.astimezone(zone).date()


def reconcile(con: duckdb.DuckDBPyConnection, as_of: datetime, calendar: Calendar = VIETNAM) -> list[CountedLine]:
    """A line for each count that a source's `counter` rows give, known before `as_of`, by unit and period.

    `con`: a connection of `Record.connect`. Periods that had not ended by `as_of` are left out.
    """
    visible = "known_at < $as_of AND period_to IS NOT NULL"
    rows = con.execute(
        "SELECT source, unit_code, period_from, period_to, name, sum(value) "
        f"FROM {latest('counter', visible)} GROUP BY ALL",
        {"as_of": naive_utc(as_of)},
    ).fetchall()
    zone = ZoneInfo(calendar.zone)
    counts: dict[tuple[date, date], dict[tuple[str, str], dict[str, float]]] = {}
    for source, unit, begin, end, name, value in rows:
        if source in COUNTERS and datetime.combine(end, time(), zone) <= as_of:
            counts.setdefault((begin, end), {}).setdefault((source, unit), {})[name] = value
    lines: list[CountedLine] = []
    for (begin, end), by_unit in sorted(counts.items()):
        cutoff = datetime.combine(end, time(), zone)
        units = {unit for _, unit in by_unit}
        judged: dict[str, list[_Judged]] = {unit: [] for unit in units}
        for case in recorded_cases(con, cutoff, calendar):
            if case.unit_code in units:
                official = class_766(case.state, calendar, case.legal_days)
                judged[case.unit_code].append(_Judged(case, official, class_recomputed(case.state, calendar)))
        since = datetime.combine(begin, time(), zone)
        for (source, unit), values in sorted(by_unit.items()):
            lines += _lines(source, unit, begin, end, values, judged[unit], since, zone)
    return lines


def _lines(
    source: str, unit: str, begin: date, end: date, values: Mapping[str, float], judged: Iterable[_Judged],
    since: datetime, zone: ZoneInfo,
) -> list[CountedLine]:  # fmt: skip
    judged = list(judged)
    received = [one for one in judged if one.case.state.received_at >= since]
    ended = [one for one in judged if (at := one.case.state.ended_at) is not None and at >= since]
    pool = received if source in OF_RECEIVED else ended
    ours = {
        RECEIVED: len(received),
        ENDED: len(ended),
        OPEN: sum(one.case.state.is_open for one in judged),
        ON_TIME: sum(one.recomputed not in LATE for one in pool),
        OVERDUE: sum(one.recomputed in LATE for one in pool),
    }
    moved = tuple((words, count) for words, rule in RULES.items() if (count := sum(rule(one, zone) for one in pool)))
    return [
        CountedLine(
            source, unit, begin, end, count, sum(values[name] for name in names), ours[count],
            moved if count in (ON_TIME, OVERDUE) else (),
        )
        for count, names in COUNTERS[source].items()
        if all(name in values for name in names)
    ]  # fmt: skip
