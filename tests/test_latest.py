"""Which version of a row stands: the last known, of several known at once the one with the greatest row id."""

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.record.delivery import Chunk
from features.record.latest import KEYS, latest
from features.record.record import Record
from features.record.schema import TABLES
from models.finding import reported
from models.official_events import UPHELD, labels
from tests.drawn_record import ARRIVED, connect_drawn, local


@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 3)), max_size=12))
def test_the_last_known_version_stands_and_the_row_id_decides_between_equals(rows: list[tuple[str, int]]) -> None:
    told = [(key, known, f"r{place}") for place, (key, known) in enumerate(rows)]
    with duckdb.connect() as con:
        con.register(
            "rating",
            pa.table({
                "rating_id": pa.array([key for key, _, _ in told], pa.string()),
                "known_at": pa.array([known for _, known, _ in told], pa.int64()),
                "row_id": pa.array([row for _, _, row in told], pa.string()),
            }),
        )  # fmt: skip
        found = dict(con.execute(f"SELECT rating_id, row_id FROM {latest('rating')}").fetchall())
    assert found == {key: max((known, row) for other, known, row in told if other == key)[1] for key, _, _ in told}


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_a_view_of_its_standing_versions(table: str, tmp_path: Path) -> None:
    with Record(tmp_path / "record").connect() as con:
        assert con.table(f"{table}_latest").columns == con.table(table).columns
    assert KEYS[table]


def test_the_view_shows_what_was_known_at_the_cutoff(tmp_path: Path) -> None:
    told = {"dossier_id": "D", "procedure_code": "P", "received_at": "2026-06-01T08:00:00"}
    versions = [{**told, "unit_code": f"U{day}", "known_at": f"2026-06-0{day}T09:00:00"} for day in (1, 2)]
    record = Record(tmp_path / "record")
    record.append([Chunk("dossier", versions)], source="drawn", arrived_at=ARRIVED)
    for cutoff, unit in ((local("2026-06-02 00:00"), "U1"), (None, "U2")):
        with record.connect(cutoff=cutoff) as con:
            assert con.execute("SELECT unit_code FROM dossier_latest").fetchall() == [(unit,)]


def test_readers_of_a_complaint_see_one_verdict_where_two_became_known_at_once(tmp_path: Path) -> None:
    told = {
        "complaint_id": "C", "filed_at": "2026-06-01T08:00:00", "known_at": "2026-07-01T08:00:00", "topic": "conduct",
        "complainant_id": "K", "official_id": "O", "dossier_id": "D",
    }  # fmt: skip
    verdicts = [{**told, "verdict": verdict, "verdict_at": "2026-06-20T08:00:00"} for verdict in ("upheld", "rejected")]
    dossier = {"dossier_id": "D", "procedure_code": "P", "unit_code": "U", "received_at": "2026-05-01T08:00:00"}
    con = connect_drawn(tmp_path, complaint=verdicts, dossier=[dossier])
    stands = con.execute("SELECT verdict FROM complaint_latest WHERE complaint_id = 'C'").fetchall()
    case = pa.table({"official_id": ["O"], "as_of": [datetime(2026, 5, 31)]})  # noqa: DTZ001 (a moment of the views)
    upheld = labels(con, case, UPHELD, timedelta(days=365), local("2026-08-01 00:00"))[0]
    assert bool(upheld) == bool(reported(con, local("2026-08-01 00:00")).num_rows) == (stands == [("upheld",)])
