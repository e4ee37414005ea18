"""Whether every reader says the same of the record at hand: dossier by dossier, against the relation of states.

Each reader is asked for what it shows (late, overdue, waiting, owed, to be explained, warned of) and compared with
`features.case_state.relation` at the same moment; the row-wise twin is compared cell by cell.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from features.calendar.working_time import Calendar
from features.case_state.cases import recorded_cases
from features.case_state.relation import case_states
from features.record.reading_moment import ReadingMoment
from features.record.record import Record
from features.record.utc import aware_table
from features.sources.reconcile import LATE
from models.targets import MAIN
from serving.read.caseload import Case, Caseload
from serving.read.on_time_statistics import WINDOW, OnTimeStatistics
from serving.scoring.risk_list import RiskList
from serving.scoring.score_files import latest_path, read_scores
from serving.warnings.policy import Policy
from serving.warnings.scoring import Scoring
from serving.work.apologies import owed
from serving.work.explanation_requests import explained
from serving.work.trackers import BACK

State = dict[str, Any]
_TWIN = (
    "phase", "first_due_at", "due_at", "lawful_due_at", "ended_at", "ended_how", "late", "late_first", "overdue",
    "is_open", "waits", "citizen_w", "suspended_w", "other_w", "own_w", "requests", "extensions", "resets", "reopened",
)  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """What one reader says of one dossier (or unit) beside what its state says."""

    reader: str
    key: str
    what: str
    shown: object
    state: object


def differences(record: Record, scores: Path, now: datetime, calendar: Calendar) -> Iterator[Difference]:
    """Every difference on the record as known at `now`, read where it has fallen behind at its end."""
    with record.connect(cutoff=now) as con:
        until = ReadingMoment.read(con, now, calendar).as_of
        states = _states(con, until, calendar)
        yield from _twin(con, until, calendar, states)
        yield from _figures(OnTimeStatistics.read(con, until, calendar), states, until)
        year = Caseload.read(con, until - WINDOW, until, until, calendar)
        yield from _cases("caseload", year, states)
        month = Caseload.read(con, until - BACK, until, until, calendar)
        yield from _cases("reports", month, states)
        late = {
            key for key, one in states.items()
            if one["late"] and not one["waits"] and (one["is_open"] or one["ended_at"] >= until - BACK)
        }  # fmt: skip
        yield from _sets("apologies", "owed", {case.dossier_id for case in owed(month)}, late)
        told = explained(con)
        asked = {case.dossier_id for case in month.cases if case.late} - told
        yield from _sets("slips", "to be explained", asked, late - told)
    try:
        table, meta = read_scores(latest_path(scores, MAIN.name))
    except FileNotFoundError:
        return  # nothing was scored yet
    with record.connect(version=meta.record_version, cutoff=meta.as_of) as con:
        states = _states(con, meta.as_of, calendar)
    yield from _list(RiskList(table, meta), states)
    warned = set(Scoring.of(table, meta, Policy()).over)
    wrong = {key for key in warned if key not in states or states[key]["waits"] or states[key]["overdue"]}
    yield from _sets("warnings", "warned of", wrong, set())


def _states(con: duckdb.DuckDBPyConnection, until: datetime, calendar: Calendar) -> dict[str, State]:
    with case_states(con, until, calendar) as found:
        rows: list[State] = aware_table(found.to_arrow_table()).to_pylist()
    return {row["dossier_id"]: row for row in rows}


def _twin(
    con: duckdb.DuckDBPyConnection, until: datetime, calendar: Calendar, states: dict[str, State]
) -> Iterator[Difference]:
    seen = set()
    for case in recorded_cases(con, until, calendar):
        seen.add(case.dossier_id)
        for name in _TWIN:
            mine, theirs = getattr(case.state, name), states.get(case.dossier_id, {}).get(name)
            if mine != theirs:
                yield Difference("twin", case.dossier_id, name, mine, theirs)
    yield from _sets("twin", "known", seen, set(states))


def _figures(figures: OnTimeStatistics, states: dict[str, State], until: datetime) -> Iterator[Difference]:
    since = until - WINDOW
    counted: dict[str, Counter[str]] = {}
    for one in states.values():
        ended = one["ended_at"] is not None and one["ended_at"] >= since
        unit = counted.setdefault(one["unit_code"], Counter())
        unit["received"] += one["received_at"] >= since
        unit["ended"] += ended and one["lawful_due_at"] is not None
        unit["late"] += ended and one["late"]
        unit["past_first"] += ended and one["late_first"]
        unit["open"] += one["is_open"]
        unit["overdue"] += one["overdue"]
        unit["waiting"] += one["waits"]
    for code, unit in counted.items():
        shown = figures.units.get(code)
        for name, count in unit.items():
            mine = getattr(shown, name) if shown else 0
            if mine != count:
                yield Difference("on-time figures", code, name, mine, count)


def _cases(reader: str, load: Caseload, states: dict[str, State]) -> Iterator[Difference]:
    for case in load.cases:
        state = states.get(case.dossier_id, {})
        for name, shown, said in _said(case, state):
            if shown != said:
                yield Difference(reader, case.dossier_id, name, shown, said)
    wanted = {
        key for key, one in states.items()
        if one["received_at"] < load.until and (one["is_open"] or (one["ended_at"] and one["ended_at"] >= load.start))
    }  # fmt: skip
    aside = {case.dossier_id for case in load.set_aside}
    yield from _sets(reader, "listed", {case.dossier_id for case in load.cases} - aside, wanted)


def _said(case: Case, state: State) -> Iterator[tuple[str, object, object]]:
    late = state.get("late")
    yield "late", case.late, bool(late) and not state.get("waits")
    yield "open", case.is_open, state.get("is_open")
    yield "waits", case.waits, state.get("waits")
    yield "first promise", case.missed_first, state.get("late_first")
    yield "ended", case.ended_at, state.get("ended_at")
    yield "lawful promise", case.lawful_due_at, state.get("lawful_due_at")
    yield "class 766 by events", case.event_class in LATE, bool(late)


def _list(risk_list: RiskList, states: dict[str, State]) -> Iterator[Difference]:
    ids = risk_list.dossier_ids().to_pylist()
    yield from _sets("list", "open", set(ids), {key for key, one in states.items() if one["is_open"]})
    for key in ids:
        line, state = risk_list.line(key), states.get(key)
        if line is None or state is None:
            continue
        overdue = line.left_hours is not None and line.left_hours < 0 and not line.waits
        for name, shown, said in (("waits", line.waits, state["waits"]), ("due", line.due_at, state["lawful_due_at"])):
            if shown != said:
                yield Difference("list", key, name, shown, said)
        if overdue and not state["overdue"]:
            yield Difference("board", key, "overdue", overdue, state["overdue"])


def _sets(reader: str, what: str, shown: set[str], said: set[str]) -> Iterator[Difference]:
    for key in sorted(shown - said):
        yield Difference(reader, key, what, True, False)
    for key in sorted(said - shown):
        yield Difference(reader, key, what, False, True)
