"""Consultations: who was asked, until when, whether the answer came in time and said something (S4 1d, H15, H16)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb

from features.calendar.working_time import Calendar
from features.case_state.relation import case_states
from features.record.utc import aware_utc, naive_utc
from serving.language import LazyText as lazy
from serving.state import Mark

SELDOM = 0.05
"""A unit asked in less than this share of a procedure's dossiers is shown as unusual; a person says if needless."""
LEAST_DOSSIERS = 20
SHORT = 20
"""An answer of fewer characters is shown as possibly vague; a person says if it is."""
STATES = {
    "open": lazy("Đang chờ trả lời"),
    "overdue": lazy("Quá hạn chưa trả lời"),
    "late": lazy("Trả lời trễ"),
    "in_time": lazy("Trả lời đúng hạn"),
    "no_term": lazy("Đã trả lời, không đặt hạn"),
    "moot": lazy("Hồ sơ đã kết thúc, không còn chờ"),
}

_ASKED = """
SELECT t.dossier_id, d.unit_code AS lead_unit, d.procedure_code, t.kind, t.happened_at, t.step_due_at,
       t.official_id, t.reason,
       CASE WHEN t.kind = 'consulted' THEN coalesce(t.to_unit_code, t.unit_code) ELSE t.unit_code END AS asked_unit
FROM event_latest t JOIN dossier_latest d USING (dossier_id)
WHERE t.kind IN ('consulted', 'consultation_answered') AND t.happened_at < $until
ORDER BY t.dossier_id, t.happened_at, t.kind = 'consultation_answered', t.known_at, t.row_id
"""
_CONSULTED = "SELECT DISTINCT dossier_id FROM event WHERE kind = 'consulted'"


@dataclass(frozen=True)
class Consultation:
    """One question to one unit. hours: working hours waited until the answer, the dossier's end, or now.

    state: a key of `STATES`; seldom: the procedure hardly ever asks this unit; short: the answer is hardly any.
    marks: field → what a person established (`quality` vague or clear, `need` needless or needed).
    """

    dossier_id: str
    lead_unit: str
    procedure_code: str
    asked_unit: str | None
    official_id: str | None
    asked_at: datetime
    due_at: datetime | None
    answered_at: datetime | None
    hours: float
    state: str
    seldom: bool
    short: bool
    marks: Mapping[str, str] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """The subject under which marks on it are stored."""
        asked = self.asked_at.strftime("%Y%m%dT%H%M%SZ")
        return f"consultation:{self.dossier_id}/{self.asked_unit or ''}/{asked}"


@dataclass(frozen=True)
class Answerer:
    """How one consulted unit answers: how often asked, late, unanswered past its term, vague; mean working hours."""

    unit_code: str
    asked: int
    late: int
    overdue: int
    vague: int
    hours: float


def consultations(
    con: duckdb.DuckDBPyConnection, since: datetime, until: datetime, calendar: Calendar,
    marks: Mapping[str, Mapping[str, Mark]],
) -> list[Consultation]:  # fmt: skip
    """Questions asked in [since, until), or still open then, as the connection's record knows; the oldest first.

    An answer belongs to the oldest open question to its unit; one of a unit not asked answers none. Once the dossier
    has ended (`features.case_state`) nobody waits for an answer: a question unanswered then is overdue where its term
    had run out before.
    """
    rows = con.execute(_ASKED, {"until": naive_utc(until)}).fetchall()
    usual, ends = _usual(rows), _ends(con, until, calendar)
    found = []
    for _, events in groupby(rows, key=itemgetter(0)):
        for asked, answer in _paired(list(events)):
            asked_at = aware_utc(asked[4])
            answered_at = aware_utc(answer[4]) if answer else None
            ended_at = ends.get(asked[0])
            over_at = answered_at or (max(asked_at, ended_at) if ended_at is not None else None)
            if asked_at < since and over_at is not None and over_at < since:
                continue
            due_at = aware_utc(asked[5])
            one = Consultation(
                asked[0], asked[1], asked[2], asked[8], asked[6], asked_at, due_at, answered_at,
                calendar.working_hours(asked_at, over_at or until), _state(due_at, answered_at, over_at, until),
                usual.get((asked[2], asked[8]), 1.0) < SELDOM,
                answer is not None and answer[7] is not None and len(answer[7].strip()) < SHORT,
            )  # fmt: skip
            held = {name: mark.value for name, mark in marks.get(one.subject, {}).items()}
            found.append(Consultation(**{**vars(one), "marks": held}))
    waiting = ("open", "overdue")
    return sorted(found, key=lambda one: (one.state not in waiting, one.asked_at, one.dossier_id))


def answerers(asked: Iterable[Consultation]) -> list[Answerer]:
    """The consulted units, those with the most late and unanswered questions first."""
    by_unit: dict[str, list[Consultation]] = defaultdict(list)
    for one in asked:
        if one.asked_unit is not None:
            by_unit[one.asked_unit].append(one)
    found = [
        Answerer(
            unit, len(held), sum(one.state == "late" for one in held), sum(one.state == "overdue" for one in held),
            sum(one.marks.get("quality") == "vague" for one in held), sum(one.hours for one in held) / len(held),
        )
        for unit, held in by_unit.items()
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-one.late - one.overdue, one.unit_code))


def _ends(con: duckdb.DuckDBPyConnection, until: datetime, calendar: Calendar) -> dict[str, datetime]:
    """When the dossiers about which somebody was asked ended; those that have not are not among them."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE consulted_about AS {_CONSULTED}")
    try:
        with case_states(con, until, calendar, dossiers="consulted_about") as states:
            ended = states.filter("phase = 'ended'").project("dossier_id, ended_at").fetchall()
    finally:
        con.execute("DROP TABLE IF EXISTS consulted_about")
    return {dossier_id: aware_utc(moment) for dossier_id, moment in ended}


def _state(due_at: datetime | None, answered_at: datetime | None, over_at: datetime | None, until: datetime) -> str:
    if answered_at is not None:
        return "no_term" if due_at is None else "late" if due_at < answered_at else "in_time"
    if due_at is not None and due_at < (over_at or until):
        return "overdue"
    return "open" if over_at is None else "moot"


def _paired(events: list[tuple[Any, ...]]) -> list[tuple[tuple[Any, ...], tuple[Any, ...] | None]]:
    pairs: list[tuple[tuple[Any, ...], tuple[Any, ...] | None]] = []
    waiting: dict[str | None, list[int]] = defaultdict(list)
    for event in events:
        if event[3] == "consulted":
            waiting[event[8]].append(len(pairs))
            pairs.append((event, None))
        elif waiting[event[8]]:
            place = waiting[event[8]].pop(0)
            pairs[place] = (pairs[place][0], event)
    return pairs


def _usual(rows: list[tuple[Any, ...]]) -> dict[tuple[str, str], float]:
    """(procedure, unit asked) → share of the procedure's dossiers with a consultation that asked this unit."""
    dossiers: dict[str, set[str]] = defaultdict(set)
    asked: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if row[3] == "consulted":
            dossiers[row[2]].add(row[0])
            asked[row[2], row[8]].add(row[0])
    return {
        key: len(held) / len(dossiers[key[0]]) for key, held in asked.items() if len(dossiers[key[0]]) >= LEAST_DOSSIERS
    }
