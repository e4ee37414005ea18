"""The relation over a record and the row-wise twin say the same of every dossier, at any moment, of any course."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.calendar.vietnam import VIETNAM
from features.case_state.relation import case_states
from features.case_state.replay import Happening, replay
from features.case_state.state import CaseState
from features.record.delivery import Chunk
from features.record.record import Record

START = datetime(2026, 9, 1, 1, tzinfo=UTC)
KINDS = (
    "assigned", "forwarded", "papers_requested", "papers_supplied", "suspended", "resumed", "consulted",
    "consultation_answered", "extended", "reset", "returned", "refused", "decided", "delivered", "withdrawn",
    "reopened", "note",
)  # fmt: skip
GIVES = ("extended", "reset", "papers_supplied", "resumed", "reopened", "note")
SHARED = (
    "first_due_at", "due_at", "lawful_due_at", "ended_at", "ended_how", "paused_since", "late", "late_first",
    "overdue", "is_open", "waits", "citizen_w", "suspended_w", "other_w", "own_w", "requests", "extensions", "resets",
    "reopened", "begun_at", "lawful_extension_at",
)  # fmt: skip

Row = dict[str, Any]


def drawn(seed: int, number: int) -> tuple[list[Row], dict[str, list[Row]]]:
    """Dossiers of September with events of any kind in any order, some told late."""
    chance = random.Random(seed)
    dossiers, events = [], {}
    for n in range(number):
        received = START + timedelta(minutes=chance.randrange(60 * 24 * 5))
        due = received + timedelta(hours=chance.randrange(2, 24 * 12)) if chance.random() < 0.85 else None
        name = f"D{n}"
        dossiers.append(
            {"dossier_id": name, "procedure_code": chance.choice("PQ"), "unit_code": "U", "received_at": received,
             "due_at": due, "known_at": received}
        )  # fmt: skip
        events[name] = [_event(chance, name, place, received, due) for place in range(chance.randrange(12))]
    return dossiers, events


def _event(chance: random.Random, name: str, place: int, received: datetime, due: datetime | None) -> Row:
    kind = chance.choice(KINDS)
    if kind in ("delivered", "decided", "refused", "withdrawn") and chance.random() < 0.5:
        kind = "papers_requested"
    minutes = (
        chance.randrange(-30, 60 * 24 * 20), chance.randrange(-30, 60 * 24 * 60), 15 * chance.randrange(-2, 200)
    )  # fmt: skip
    at = received + timedelta(minutes=chance.choice(minutes))
    known_at = at + timedelta(minutes=chance.choice([0, 0, 0, 600]))
    row = {"dossier_id": name, "kind": kind, "happened_at": at, "known_at": known_at, "event_id": f"{name}-{place}"}
    if kind in GIVES and chance.random() < 0.7:
        row["due_at"] = (due or received) + timedelta(hours=chance.randrange(-40, 24 * 15))
    if chance.random() < 0.6:
        row["reason"] = "lý do"
    return row


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_relation_and_twin_agree(seed: int, tmp_path: Path) -> None:
    dossiers, events = drawn(seed, 600)
    record = Record(tmp_path)
    published = [{"procedure_code": "P", "procedure_name": "P", "sector_code": "S", "legal_working_days": 3.0}]
    rows = [row for told in events.values() for row in told]
    chunks = [Chunk("procedure", published), Chunk("dossier", dossiers), Chunk("event", rows)]
    record.append(chunks, source="canonical", arrived_at=START + timedelta(days=400))
    for until in (START + timedelta(days=4, hours=3), START + timedelta(days=12), START + timedelta(days=90)):
        as_of = until + timedelta(days=1)
        with record.connect() as con:
            order = dict(con.execute("SELECT event_id, row_id FROM event").fetchall())
            with case_states(con, as_of, VIETNAM, until=until) as relation:
                found = {row["dossier_id"]: row for row in relation.to_arrow_table().to_pylist()}
        known = [row for row in dossiers if row["known_at"] < as_of]
        assert set(found) == {row["dossier_id"] for row in known}
        for row in known:
            told = [one for one in events[row["dossier_id"]] if one["known_at"] < as_of]
            told.sort(key=lambda one: (one["happened_at"], one["known_at"], order[one["event_id"]]))
            assert _said(found[row["dossier_id"]]) == _of(_twin(row, told, until)), row["dossier_id"]


def _twin(row: Row, told: list[Row], until: datetime) -> CaseState:
    happenings = [Happening(one["kind"], one["happened_at"], one.get("due_at"), one.get("reason")) for one in told]
    legal = 3.0 if row["procedure_code"] == "P" else None
    return replay(row["received_at"], row["due_at"], happenings, until, VIETNAM, legal)


def _of(state: CaseState) -> Row:
    return {name: getattr(state, name) for name in SHARED} | {"phase": state.phase.value, "flags": sorted(state.flags)}


def _said(row: Row) -> Row:
    cells = {name: row[name] for name in SHARED}
    aware = {name: cell.replace(tzinfo=UTC) for name, cell in cells.items() if isinstance(cell, datetime)}
    return cells | aware | {"phase": row["phase"], "flags": sorted(row["flags"])}
