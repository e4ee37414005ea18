"""The record: appended to, never changed; what was known, and when."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.record import record as record_module
from features.record.delivery import Chunk
from features.record.record import Record
from features.record.schema import TABLES
from tests.drawn_rows import DAY, NOW, column, content, dossier, event, take, utc


def test_receipt_counts_every_row_once(tmp_path: Path) -> None:
    record = Record(tmp_path)
    rows = [dossier(1), dossier(2), dossier(1), dossier(3, received_at="nonsense")]
    receipt = take(record, Chunk("dossier", rows, file="dossier.csv", lines=2))
    assert str(receipt) == "read=4 appended=2 known=1 rejected=1"
    (reject,) = record.rejects(receipt.delivery_id)
    assert (reject.file, reject.line, reject.column) == ("dossier.csv", 5, "received_at")
    assert (reject.wanted, reject.came) == ("a time in ISO 8601", "nonsense")


def test_same_delivery_again_changes_no_row(tmp_path: Path) -> None:
    record = Record(tmp_path)
    chunks = Chunk("dossier", [dossier(1), dossier(2)]), Chunk("event", [event(1), event(2)])
    take(record, *chunks)
    before = content(record)
    assert take(record, *chunks, arrived_at=NOW + DAY).duplicates == 4
    assert take(record, *chunks, live=True, arrived_at=NOW + 2 * DAY).appended == 0
    assert content(record) == before


def test_empty_record_has_every_view_and_column(tmp_path: Path) -> None:
    con = Record(tmp_path).connect()
    for table in TABLES.values():
        names = [row[0] for row in con.execute(f"DESCRIBE {table.name}").fetchall()]
        assert set(table.names) < set(names), table.name
        assert con.execute(f"SELECT count(*) FROM {table.name}").fetchall() == [(0,)]
    assert con.execute("SELECT count(*) FROM conflict").fetchall() == [(0,)]
    assert Record(tmp_path).version() == 0


def test_back_fill_takes_the_rows_own_clock_and_live_the_arrival(tmp_path: Path) -> None:
    complaint = {"complaint_id": "c", "filed_at": "2025-03-01T00:00:00Z", "verdict": "upheld"}
    complaint["verdict_at"] = "2025-06-01T00:00:00Z"
    given_known = event(2, known_at="2025-09-09T00:00:00Z")
    back = Record(tmp_path / "back")
    take(back, Chunk("event", [event(1), given_known]), Chunk("complaint", [complaint]))
    known = column(back, "SELECT known_at FROM event ORDER BY dossier_id")
    assert known == [utc(2025, 3, 4, 2), utc(2025, 9, 9)]
    assert column(back, "SELECT known_by FROM event ORDER BY dossier_id") == ["clock", "feed"]
    assert column(back, "SELECT max(known_at) FROM complaint") == [utc(2025, 6, 1)]
    live = Record(tmp_path / "live")
    take(live, Chunk("event", [event(1), given_known]), live=True)
    assert column(live, "SELECT known_at FROM event ORDER BY dossier_id") == [
        NOW.replace(tzinfo=None),
        utc(2025, 9, 9),
    ]


def test_a_back_filled_complaint_is_known_from_its_filing_and_its_verdict_later(tmp_path: Path) -> None:
    record = Record(tmp_path)
    told = {"complaint_id": "c", "filed_at": "2025-03-01T00:00:00Z", "verdict": "upheld"}
    told |= {"answered_at": "2025-04-01T00:00:00Z", "verdict_at": "2025-06-01T00:00:00Z"}
    take(record, Chunk("complaint", [told]))
    sql = "SELECT verdict FROM complaint ORDER BY known_at"
    assert column(record, sql) == [None, "upheld"]
    assert column(record, sql, cutoff=datetime(2025, 5, 1, tzinfo=UTC)) == [None]
    assert column(record, sql, cutoff=datetime(2025, 3, 1, tzinfo=UTC)) == []
    live = Record(tmp_path / "live")
    take(live, Chunk("complaint", [told]), live=True)
    assert column(live, sql) == ["upheld"]


def test_a_back_filled_finding_is_known_from_its_visit(tmp_path: Path) -> None:
    record = Record(tmp_path)
    found = {"finding_id": "f1", "inspection_id": "i", "kind": "harassment"}
    confirmed = found | {"finding_id": "f2", "confirmed": True, "confirmed_at": "2025-09-01T00:00:00Z"}
    take(record, Chunk("finding", [found, confirmed]))  # the visit comes later: order does not matter
    visit = {"inspection_id": "i", "unit_code": "u", "visited_at": "2025-05-05T00:00:00Z"}
    take(record, Chunk("inspection", [visit]))
    con = record.connect()
    assert con.execute("SELECT finding_id, known_at, confirmed FROM finding ORDER BY ALL").fetchall() == [
        ("f1", utc(2025, 5, 5), None),
        ("f2", utc(2025, 5, 5), None),
        ("f2", utc(2025, 9, 1), True),
    ]
    assert column(record, "SELECT finding_id FROM finding", cutoff=datetime(2025, 5, 5, tzinfo=UTC)) == []


def test_lasting_knowledge_is_known_since_ever(tmp_path: Path) -> None:
    record = Record(tmp_path)
    units = [{"unit_code": "a"}, {"unit_code": "b", "valid_from": "2025-07-01T00:00:00+07:00"}]
    take(record, Chunk("unit", units))
    assert column(record, "SELECT known_at FROM unit ORDER BY ALL") == [
        utc(1990, 1, 1),
        utc(2025, 6, 30, 17),
    ]


def test_cutoff_shows_what_was_known_before_it(tmp_path: Path) -> None:
    record = Record(tmp_path)
    take(record, Chunk("event", [event(1), event(2), event(3)]))
    at = datetime(2025, 3, 5, 2, tzinfo=UTC)  # the very moment of the second event: not before it
    assert column(record, "SELECT dossier_id FROM event", cutoff=at) == ["d1"]
    later = column(record, "SELECT dossier_id FROM event ORDER BY ALL", cutoff=at + timedelta(microseconds=1))
    assert later == ["d1", "d2"]
    with pytest.raises(ValueError, match="aware"):
        record.connect(cutoff=utc(2025, 3, 5))


def test_a_record_kept_open_sees_what_others_deliver_and_what_was_restored(tmp_path: Path) -> None:
    kept = Record(tmp_path / "record")
    take(kept, Chunk("dossier", [dossier(1)]))
    shutil.copytree(tmp_path / "record", tmp_path / "copy")
    take(Record(tmp_path / "record"), Chunk("dossier", [dossier(2)]))
    assert kept.version() == 2
    assert column(kept, "SELECT dossier_id FROM dossier ORDER BY 1") == ["d1", "d2"]
    shutil.rmtree(tmp_path / "record")
    shutil.copytree(tmp_path / "copy", tmp_path / "record")
    take(Record(tmp_path / "record"), Chunk("dossier", [dossier(3)]))
    assert kept.version() == 2
    assert column(kept, "SELECT dossier_id FROM dossier ORDER BY 1") == ["d1", "d3"]
    assert str(take(kept, Chunk("dossier", [dossier(1), dossier(4)]))).startswith("read=2 appended=1 known=1")


def test_a_version_stays_what_it_was(tmp_path: Path) -> None:
    record = Record(tmp_path)
    take(record, Chunk("dossier", [dossier(1)]))
    take(record, Chunk("dossier", [dossier(2, x_floor=3), dossier(1, due_at=None)]))
    assert record.version() == 2
    assert column(record, "SELECT dossier_id FROM dossier", version=1) == ["d1"]
    assert "x_floor" not in column(record, "SELECT column_name FROM (DESCRIBE dossier)", version=1)
    assert len(column(record, "SELECT dossier_id FROM dossier", version=2)) == 3
    assert column(record, "SELECT count(*) FROM dossier", version=0) == [0]
    with pytest.raises(ValueError, match="0 to 2 was wanted, 3 came"):
        record.connect(version=3)


def test_times_without_offset_are_local_to_the_feed(tmp_path: Path) -> None:
    record = Record(tmp_path)
    told = ["2025-03-03T08:00:00", "2025-03-03 01:00:00Z", "2025-03-03T08:00:00.000000+07:00"]
    told_cells = [*told, utc(2025, 3, 3, 8), datetime(2025, 3, 3, 1, tzinfo=UTC)]
    take(record, *(Chunk("event", [event(1, happened_at=cell)]) for cell in told_cells))
    assert column(record, "SELECT happened_at FROM event") == [utc(2025, 3, 3, 1)]
    take(record, Chunk("event", [event(1, happened_at=told[0])], zone="Europe/Amsterdam"))
    assert max(column(record, "SELECT happened_at FROM event")) == utc(2025, 3, 3, 7)  # type: ignore[type-var]


def test_unknown_columns_of_dossier_are_attributes(tmp_path: Path) -> None:
    record = Record(tmp_path)
    rows = [dossier(1, **{"Land area (m²)": 12.5, "x_ward": "7", "code": "007", "big": True})]
    receipt = take(record, Chunk("dossier", rows), Chunk("event", [event(1, colour="red")]))
    con = record.connect()
    types = dict(con.execute("SELECT column_name, column_type FROM (DESCRIBE dossier)").fetchall())
    assert types["x_land_area_m²"] == "DOUBLE"
    assert {types[name] for name in ("x_ward", "x_code", "x_big")} == {"VARCHAR"}
    assert con.execute('SELECT "x_land_area_m²", x_ward, x_code, x_big FROM dossier').fetchall() == [
        (12.5, "7", "007", "true")
    ]
    assert receipt.notes == ("event.colour: column not read",)


def test_an_attribute_is_what_most_of_its_values_are(tmp_path: Path) -> None:
    record = Record(tmp_path)
    take(record, Chunk("dossier", [dossier(1, x_floor=3), dossier(2, x_floor=4)]))
    assert column(record, "SELECT x_floor FROM dossier ORDER BY dossier_id") == [3.0, 4.0]
    take(record, Chunk("dossier", [dossier(3, x_floor="ground")]))
    assert column(record, "SELECT x_floor FROM dossier ORDER BY dossier_id") == [3.0, 4.0, None]  # one cell turns none
    told = take(record, Chunk("dossier", [dossier(4, x_floor="attic"), dossier(5, x_floor="cellar")]))
    assert told.notes == ("dossier.x_floor: from here on read as text, for most of its values are",)
    assert column(record, "SELECT x_floor FROM dossier ORDER BY dossier_id") == ["3", "4", "ground", "attic", "cellar"]
    assert column(record, "SELECT x_floor FROM dossier ORDER BY dossier_id", version=1) == [3.0, 4.0]


def test_two_stories_of_one_moment_are_kept_and_flagged(tmp_path: Path) -> None:
    record = Record(tmp_path)
    take(record, Chunk("dossier", [dossier(1), dossier(2)]))
    take(record, Chunk("dossier", [dossier(1, unit_code="other")]))
    correction = dossier(2, unit_code="other", known_at="2025-08-01T00:00:00Z")  # a later version is none
    take(record, Chunk("dossier", [correction]))
    con = record.connect()
    assert con.execute("SELECT table_name, id, versions FROM conflict").fetchall() == [("dossier", "d1", 2)]
    assert len(con.execute("SELECT * FROM dossier").fetchall()) == 4


def test_an_event_may_come_before_its_dossier(tmp_path: Path) -> None:
    record = Record(tmp_path)
    take(record, Chunk("event", [event(1)]))
    take(record, Chunk("dossier", [dossier(1)]))
    assert column(record, "SELECT kind FROM event JOIN dossier USING (dossier_id)") == ["assigned"]


def test_unknown_kinds_become_notes_that_keep_the_sources_word(tmp_path: Path) -> None:
    record = Record(tmp_path)
    rows = [event(1, "Inspect site"), event(2, "RECEIVED", step="desk"), event(3, "Odd", step="7")]
    receipt = take(record, Chunk("event", rows))
    con = record.connect()
    assert con.execute("SELECT kind, step FROM event ORDER BY dossier_id").fetchall() == [
        ("note", "Inspect site"),
        ("received", "desk"),
        ("note", "Odd / 7"),
    ]
    assert receipt.notes == ("event.kind: outside the list, kept as note",)


def test_a_delivery_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    record = Record(tmp_path)

    def broken():  # type: ignore[no-untyped-def]
        yield Chunk("dossier", [dossier(1)])
        raise OSError("the cable")

    with pytest.raises(OSError, match="cable"):
        record.append(broken(), source="canonical", arrived_at=NOW)
    assert record.version() == 0
    assert list((tmp_path / "staging").glob("*.lock")) == []


def test_bytes_of_a_record_elsewhere_by_url(tmp_path: Path) -> None:
    record = Record(f"file://{tmp_path}/tỉnh%20A")
    take(record, Chunk("dossier", [dossier(1)]))
    assert Record(tmp_path / "tỉnh A").version() == 1


steps = st.sampled_from([None, "a", "b"])
channels = st.sampled_from([None, "online"])
events = st.builds(event, st.integers(1, 3), st.just("note"), st.integers(0, 2), step=steps)
dossiers = st.builds(dossier, st.integers(1, 3), channel=channels)
rows = st.tuples(st.just("event"), events) | st.tuples(st.just("dossier"), dossiers)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(rows, min_size=1, max_size=10), data=st.data())
def test_order_splitting_and_repetition_lead_to_one_state(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, dict[str, object]]], data: st.DataObject
) -> None:
    once = Record(tmp_path_factory.mktemp("once"))
    take(once, *(Chunk(table, [row]) for table, row in told))
    again = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=3))))
    cut = data.draw(st.integers(0, len(again)))
    parts = Record(tmp_path_factory.mktemp("parts"))
    receipts = [take(parts, *(Chunk(t, [row]) for t, row in part)) for part in (again[:cut], again[cut:])]
    assert all(r.read == r.appended + r.duplicates + r.rejected for r in receipts)
    assert content(parts) == content(once)


def test_a_connection_for_many_statements_shows_the_same_and_copies_no_large_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record(tmp_path / "record")
    for moment in (NOW, NOW + DAY):  # the second delivery corrects the first
        later = {} if moment == NOW else {"due_at": NOW + 9 * DAY}
        take(record, Chunk("dossier", [dossier(n, **later) for n in range(4)], []), arrived_at=moment)
        take(record, Chunk("event", [event(n, after=moment.day) for n in range(4)], []), arrived_at=moment)
    for limit, kind in ((record_module.COPIED, "BASE TABLE"), (15, "VIEW")):
        monkeypatch.setattr(record_module, "COPIED", limit)
        con = record.connect(cutoff=NOW + DAY, copied=True)
        for name in ("dossier", "dossier_latest", "event", "event_latest"):
            kinds = con.execute(
                f"SELECT table_type FROM information_schema.tables WHERE table_name = '{name}'"
            ).fetchall()
            assert kinds == [(kind,)]
            asked = f"FROM {name} ORDER BY row_id"
            assert con.sql(asked).fetchall() == record.connect(cutoff=NOW + DAY).sql(asked).fetchall() != []
