"""Whether every reader says the same of the record at hand: dossier by dossier, against the relation of states.

Each reader is asked for what it shows (late, overdue, waiting, owed, to be explained, warned of, held by whom) and
compared with `features.case_state.relation` at the same moment; the row-wise twin is compared cell by cell. The list is
compared twice: as it was scored, and as pages and API show it now (list, board, unit, official, dossier).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from features.calendar.holiday import as_delivered
from features.calendar.working_time import HOUR, Calendar
from features.case_state.cases import recorded_cases
from features.case_state.relation import case_states
from features.case_state.slip import first_of
from features.record.reading_moment import ReadingMoment
from features.record.record import Record
from features.record.utc import MOMENT, aware_table
from features.signals import DOSSIER_SIGNALS, evaluate
from models.targets import MAIN
from serving.read.case_file import CaseFiles
from serving.read.caseload import Case, Caseload
from serving.read.delay import Holder
from serving.read.on_time_statistics import WINDOW, OnTimeStatistics
from serving.read.responsibility import ledger
from serving.scoring.online import state_at
from serving.scoring.open_dossiers import OpenDossiers
from serving.scoring.risk_list import RiskList
from serving.scoring.score_files import latest_path, read_scores
from serving.warnings.policy import Policy
from serving.warnings.scoring import Scoring
from serving.work.apologies import owed, recorded_letters
from serving.work.explanations import explained
from serving.work.trackers import BACK

State = dict[str, Any]
_TWIN = (
    "phase", "first_due_at", "due_at", "lawful_due_at", "ended_at", "ended_how", "late", "late_first", "overdue",
    "is_open", "waits", "citizen_w", "suspended_w", "other_w", "own_w", "requests", "extensions", "resets", "reopened",
    "begun_at", "lawful_extension_at",
)  # fmt: skip
_HELD = {"own_w": (Holder.OFFICE,), "other_w": (Holder.OTHER_OFFICE,), "citizen_w": (Holder.CITIZEN,),
         "suspended_w": (Holder.SUSPENDED,)}  # fmt: skip
_SINGLE = ("phase", "lawful_due_at", "late", "overdue")
_OF_LETTERS = ("NO_APOLOGY", "LATE_APOLOGY")
_EVER = date(1970, 1, 1)
_SMALL = 1e-6
"""Hours by which sums of stays may differ."""


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
        states = _received(states, until)
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
        yield from _letters(con, until, calendar, month)
        with_explanation = explained(con)
        asked = {case.dossier_id for case in month.cases if case.late} - with_explanation
        yield from _sets("slips", "to be explained", asked, late - with_explanation)
        try:
            table, meta = read_scores(latest_path(scores, MAIN.name))
        except FileNotFoundError:
            return  # nothing was scored yet
        scored = RiskList(table, meta)
        if meta.as_of <= now:
            with case_states(con, until, calendar) as found:
                open_now = aware_table(found.project("dossier_id, phase, lawful_due_at, overdue").to_arrow_table())
            listed = scored.at(open_now, until, as_delivered(con, calendar))
            unscored = {key for key, one in states.items() if one["is_open"]} - set(scored.dossier_ids().to_pylist())
            yield from _list("list now", listed, states, unscored)
            yield from _dossiers(con, listed, states, calendar)
    with record.connect(version=meta.record_version, cutoff=meta.as_of) as con:
        states = _received(_states(con, meta.as_of, calendar), meta.as_of)
        yield from _dossiers(con, scored, states, calendar)
    yield from _list("list", scored, states, set())
    warned = set(Scoring.of(table, meta, Policy()).over)
    wrong = {key for key in warned if key not in states or states[key]["waits"] or states[key]["overdue"]}
    yield from _sets("warnings", "warned of", wrong, set())


def _states(con: duckdb.DuckDBPyConnection, until: datetime, calendar: Calendar) -> dict[str, State]:
    with case_states(con, until, calendar) as found:
        rows: list[State] = aware_table(found.to_arrow_table()).to_pylist()
    return {row["dossier_id"]: row for row in rows}


def _received(states: dict[str, State], until: datetime) -> dict[str, State]:
    """Without those whose receipt lies in the future: no reader shows or counts them yet."""
    return {key: one for key, one in states.items() if one["received_at"] < until}


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
        for name, shown, by_state in _compared(case, state):
            if shown != by_state:
                yield Difference(reader, case.dossier_id, name, shown, by_state)
    wanted = {
        key for key, one in states.items()
        if one["received_at"] < load.until and (one["is_open"] or (one["ended_at"] and one["ended_at"] >= load.start))
    }  # fmt: skip
    aside = {case.dossier_id for case in load.set_aside}
    yield from _sets(reader, "listed", {case.dossier_id for case in load.cases} - aside, wanted)


def _compared(case: Case, state: State) -> Iterator[tuple[str, object, object]]:
    late = state.get("late")
    yield "late", case.late, bool(late) and not state.get("waits")
    yield "open", case.is_open, state.get("is_open")
    yield "waits", case.waits, state.get("waits")
    yield "first promise", case.missed_first, state.get("late_first")
    yield "ended", case.ended_at, state.get("ended_at")
    yield "lawful promise", case.lawful_due_at, state.get("lawful_due_at")
    yield "class 766 by events", case.late_by_events, bool(late)


def _letters(
    con: duckdb.DuckDBPyConnection, until: datetime, calendar: Calendar, month: Caseload
) -> Iterator[Difference]:
    """What the signals of a missing and of a late letter show, beside the letters that `/apologies` counts; of a record
    from before these rules held too: two readers are compared here, and no finding is shown to anybody."""
    ids = pa.array([case.dossier_id for case in month.cases], pa.string())
    cases = pa.table({"dossier_id": ids, "as_of": pa.array([until] * len(ids), MOMENT)})
    named = [replace(one, valid_from=_EVER) for one in DOSSIER_SIGNALS if one.name in _OF_LETTERS]
    shown: dict[str, set[str]] = {name: set() for name in _OF_LETTERS}
    for row in evaluate(con, cases, named, calendar).to_pylist():
        shown[row["signal"]].add(row["dossier_id"])
    late = owed(month)
    written = {key: [one.at for one in letters if one.answers] for key, letters in recorded_letters(con, late).items()}
    none = {case.dossier_id for case in late if not written.get(case.dossier_id)}
    after = {
        case.dossier_id for case in late if case.dossier_id not in none and case.lawful_due_at is not None
        and min(written[case.dossier_id]) >= case.lawful_due_at
    }  # fmt: skip
    for name, by_letters in zip(_OF_LETTERS, (none, after), strict=True):
        yield from _sets("signals", name, shown[name], by_letters)


def _list(reader: str, risk_list: RiskList, states: dict[str, State], unscored: set[str]) -> Iterator[Difference]:
    """unscored: received since, so that no list can hold them yet."""
    ids = risk_list.dossier_ids().to_pylist()
    yield from _sets(reader, "open", set(ids), {key for key, one in states.items() if one["is_open"]} - unscored)
    for key in ids:
        line, state = risk_list.line(key), states.get(key)
        if line is None or state is None:
            continue
        overdue = line.left_hours is not None and line.left_hours < 0 and not line.waits
        checks = (("waits", line.waits, state["waits"]), ("due", line.due_at, state["lawful_due_at"]),
                ("overdue", overdue, state["overdue"]))  # fmt: skip
        for name, shown, by_state in checks:
            if shown != by_state:
                yield Difference(reader, key, name, shown, by_state)


def _dossiers(
    con: duckdb.DuckDBPyConnection, risk_list: RiskList, states: dict[str, State], calendar: Calendar
) -> Iterator[Difference]:
    """What a dossier's own page, its ledger and a single score say of the dossiers on a list."""
    calendar, at_hand = as_delivered(con, calendar), OpenDossiers(con)
    cases = CaseFiles.read(con, risk_list.dossier_ids())
    for key in risk_list.dossier_ids().to_pylist():
        case, state = cases.of(key), states.get(key)
        if case is None or state is None or not state["is_open"]:
            continue
        mine = case.state(risk_list.read_at, calendar)
        held = ledger(case, risk_list.read_at, calendar).stays
        checks: list[tuple[str, str, object, object]] = [
            ("dossier", name, getattr(mine, name), state[name]) for name in _SINGLE
        ]
        checks += [
            ("ledger", name, sum(one.hours for one in held if one.holder in holders), state[name] / HOUR)
            for name, holders in _HELD.items()
        ]
        rows = at_hand.of(key)
        if rows is not None:
            first = first_of(at_hand.promises(key))
            single = state_at({**rows[0], "first_due_at": first}, rows[1], risk_list.read_at, calendar, case.legal_days)
            checks += [
                ("single score", name, getattr(single, name), state[name]) for name in ("lawful_due_at", "overdue")
            ]
        for reader, name, shown, by_state in checks:
            if isinstance(shown, float) and isinstance(by_state, float):
                differs = abs(shown - by_state) >= _SMALL
            else:
                differs = shown != by_state
            if differs:
                yield Difference(reader, key, name, shown, by_state)


def _sets(reader: str, what: str, shown: set[str], expected: set[str]) -> Iterator[Difference]:
    for key in sorted(shown - expected):
        yield Difference(reader, key, what, True, False)
    for key in sorted(expected - shown):
        yield Difference(reader, key, what, False, True)
