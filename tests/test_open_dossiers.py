"""Rows of open dossiers at hand: the same as the record tells of them one by one, and only theirs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.record.delivery import Chunk
from features.record.record import Record
from features.record.schema import ENDS
from serving.scoring import open_dossiers
from serving.scoring.open_dossiers import OpenDossiers
from serving.scoring.record_snapshot import rows_of

NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)
KINDS = st.sampled_from(["received", "assigned", "note", *ENDS, "delivered", "reopened"])


def record_of(folder: Path, ways: list[list[str]]) -> Record:
    record = Record(folder)
    for versions in (1, 2):  # told twice: the later version counts
        dossiers = [
            {"dossier_id": f"d{n}", "procedure_code": "p", "unit_code": f"u{versions}", "received_at": NOW, "x_area": n}
            for n in range(len(ways))
        ]
        events = [
            {"dossier_id": f"d{n}", "kind": kind, "happened_at": NOW + timedelta(minutes=i), "official_id": "o"}
            for n, way in enumerate(ways)
            for i, kind in enumerate(way)
        ]
        at = NOW + timedelta(days=versions)
        record.append([Chunk("dossier", dossiers), Chunk("event", events)], source="api", arrived_at=at, live=True)
    return record


@settings(max_examples=12)
@given(ways=st.lists(st.lists(KINDS, max_size=4), max_size=6))
def test_what_is_at_hand_is_what_the_record_tells(
    tmp_path_factory: pytest.TempPathFactory, ways: list[list[str]]
) -> None:
    with record_of(tmp_path_factory.mktemp("record"), ways).connect() as con:
        at_hand = OpenDossiers(con)
        for n, way in enumerate(ways):
            found = at_hand.of(f"d{n}")
            if set(way) & {*ENDS, "delivered"} and "reopened" not in way:
                assert found is None
            else:
                dossier, events = rows_of(con, f"d{n}")
                assert found is not None
                assert found[0] == dossier
                assert sorted(found[1], key=lambda row: row["row_id"]) == sorted(events, key=lambda row: row["row_id"])
        assert at_hand.of("unknown") is None


def test_too_many_rows_are_left_to_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = record_of(tmp_path, [["received"], ["assigned", "note"]])
    monkeypatch.setattr(open_dossiers, "MOST_ROWS", 2)
    with record.connect() as con:
        assert OpenDossiers(con).of("d1") is None
    monkeypatch.setattr(open_dossiers, "MOST_ROWS", 3)
    with record.connect() as con:
        assert OpenDossiers(con).of("d1") is not None
