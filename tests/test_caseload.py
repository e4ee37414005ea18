"""The caseload in columns tells of every dossier what a replay of its rows tells, by itself, in nasty courses too."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from features.calendar.holiday import as_delivered
from features.calendar.vietnam import VIETNAM
from features.case_state.cases import recorded_cases
from features.case_state.official_class import class_766, class_recomputed
from features.record.delivery import Chunk
from features.record.record import Record
from features.record.schema import EVENT_KINDS
from features.record.utc import aware_utc
from features.simulate import simulate
from serving.read.caseload import Caseload

_HANDS = """SELECT dossier_id, happened_at, official_id, coalesce(step, kind) FROM event_latest
            WHERE official_id IS NOT NULL ORDER BY dossier_id, happened_at, known_at, row_id"""
Told = dict[str, tuple[Any, ...]]


def replayed(con: duckdb.DuckDBPyConnection, start: datetime, until: datetime) -> Told:
    """By dossier what `Caseload` tells, one by one."""
    calendar = as_delivered(con, VIETNAM)
    hands = {key: list(rows) for key, rows in groupby(con.execute(_HANDS).fetchall(), key=itemgetter(0))}
    found: Told = {}
    for one in recorded_cases(con, until, calendar):
        state = one.state
        if state.received_at >= until or (state.ended_at is not None and state.ended_at < start):
            continue
        late, lawful = state.late and not state.waits, state.lawful_due_at
        held, at = hands.get(one.dossier_id, []), lawful if late else state.ended_at or until
        holder: tuple[str | None, str | None] = (None, None)
        if held and at is not None:
            place = bisect_right(held, at, key=lambda row: aware_utc(row[1]))
            holder = held[max(place - 1, 0)][2:]
        moved = any(two.by_office and two.due_at > before.due_at for before, two in pairwise(state.promises))
        over = calendar.working_hours(lawful, state.ended_at or until) if late and lawful else 0.0
        found[one.dossier_id] = (
            one.unit_code, *holder, state.received_at, state.begun_at, state.first_due_at, state.due_at, lawful,
            state.lawful_extension_at, state.ended_at, state.phase, late, state.late_first, moved, state.flags,
            class_766(state, calendar, one.legal_days), class_recomputed(state, calendar), round(over, 9),
            state.citizen_hours, state.own_hours, state.other_hours, state.requests, state.resets,
        )  # fmt: skip
    return found


def in_columns(con: duckdb.DuckDBPyConnection, start: datetime, until: datetime) -> Told:
    return {
        one.dossier_id: (
            one.unit_code, one.official_id, one.step, one.received_at, one.begun_at, one.first_due_at, one.due_at,
            one.lawful_due_at, one.lawful_extension_at, one.ended_at, one.phase, one.late, one.missed_first,
            one.moved_by_office, one.flags, one.official_class, one.event_class, round(one.over_hours, 9),
            one.citizen_hours, one.own_hours, one.other_hours, one.requests, one.resets,
        )
        for one in Caseload.read(con, start, until, until, VIETNAM).cases
    }  # fmt: skip


def nasty(number: int) -> Iterator[Chunk]:
    """Dossiers with events of every kind in any order, promises anywhere, some claimed as ends, some without a term."""
    chance = np.random.default_rng(4)
    first = datetime(2026, 1, 5, 1, tzinfo=UTC)
    dossiers, events = [], []
    for n in range(number):
        received = first + timedelta(minutes=int(chance.integers(0, 60 * 24 * 60)))
        due = received + timedelta(hours=int(chance.integers(1, 500)))
        dossiers.append(
            {"dossier_id": f"D{n}", "procedure_code": f"P{n % 3}", "unit_code": "U", "received_at": received,
             "due_at": due if chance.random() < 0.8 else None}
        )  # fmt: skip
        for m in range(int(chance.integers(0, 9))):
            kind = EVENT_KINDS[int(chance.integers(0, len(EVENT_KINDS)))]
            at = received + timedelta(minutes=int(chance.integers(-40, 60 * 24 * 75)))
            given = at + timedelta(hours=int(chance.integers(-100, 400)))
            events.append(
                {"dossier_id": f"D{n}", "kind": kind, "happened_at": at, "due_at": given if m % 3 == 0 else None,
                 "official_id": f"o{m % 3}" if m % 4 else None, "reason": "lý do" if m % 2 else None,
                 "event_id": f"state:decided@{n}-{m}" if chance.random() < 0.1 else f"e{n}-{m}"}
            )  # fmt: skip
    terms = [{"procedure_code": f"P{n}", "procedure_name": "P", "sector_code": "S", "legal_working_days": days}
             for n, days in enumerate((3.0, 10.0))]  # fmt: skip
    yield from (Chunk("procedure", terms), Chunk("dossier", dossiers), Chunk("event", events))


@pytest.mark.parametrize("drawn", ["province", "nasty"])
def test_columns_and_replay_tell_the_same(tmp_path: Path, drawn: str) -> None:
    record, until = Record(tmp_path), datetime(2026, 4, 20, 3, tzinfo=UTC)
    if drawn == "province":
        tables = simulate(seed=5, dossiers=300, start=date(2026, 1, 1), end=date(2026, 4, 25)).tables
        chunks = [Chunk(*one) for one in tables.items()]
    else:
        chunks = list(nasty(500))
    record.append(chunks, source="canonical", arrived_at=datetime(2026, 4, 25, tzinfo=UTC))
    compared = 0
    for moment in (until, until - timedelta(days=40)):
        with record.connect(cutoff=moment) as con:
            for days in (20, 400):
                start = moment - timedelta(days=days)
                told, wanted = in_columns(con, start, moment), replayed(con, start, moment)
                assert told.keys() == wanted.keys()
                assert {key: one for key, one in told.items() if one != wanted[key]} == {}
                compared += len(told)
    assert compared > 300
