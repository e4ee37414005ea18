"""The province as raw deliveries: what its sources send comes back as planted, in any order, sent twice."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import orjson
import pandas as pd
import pytest

from features.record.delivery import Chunk
from features.record.record import Record
from features.simulate import Province, simulate
from features.simulate.raw import Planted, write_raw
from features.sources import SOURCES, FeedOptions
from features.sources.unit_directory import UnitDirectory

KEY = b"k" * 32
NOW = datetime(2026, 11, 1, tzinfo=UTC)
ORDER = ("dvcqg", "opencps", "petition", "rating")


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> tuple[Province, Planted, Path]:
    folder = tmp_path_factory.mktemp("raw")
    province = simulate(seed=3, dossiers=1_200, end=pd.Timestamp("2026-01-01").date())
    return province, write_raw(province, folder), folder


def _ingest(record: Record, source: str, path: Path, options: FeedOptions) -> None:
    def known() -> Iterator[Chunk]:
        for chunk in SOURCES[source].read(path, options):
            if chunk.table == "directory":  # names go to the working state, which this test does without
                continue
            yield replace(chunk)

    receipt = record.append(known(), source=source, arrived_at=NOW)
    assert receipt.read == receipt.appended + receipt.duplicates + receipt.rejected
    assert receipt.rejected == 0, record.rejects(receipt.delivery_id)[:3]


def _record(folder: Path, home: Path, order: tuple[str, ...], times: int = 1) -> duckdb.DuckDBPyConnection:
    record = Record(home)
    _ingest(record, "canonical", folder / "reference", FeedOptions())
    _ingest(record, "canonical", folder / "inspectorate", FeedOptions())
    _ingest(record, "roster", folder / "roster", FeedOptions(key=KEY))
    with record.connect() as con:
        book = UnitDirectory.from_rows(con.sql("SELECT * FROM unit").to_arrow_table().to_pylist())
    for _ in range(times):
        for source in order:
            _ingest(record, source, folder / source, FeedOptions(key=KEY, units=book))
    return record.connect()


@pytest.fixture(scope="module")
def read_back(
    raw: tuple[Province, Planted, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    con = _record(raw[2], tmp_path_factory.mktemp("record"), ORDER)
    yield con
    con.close()


def _told(con: duckdb.DuckDBPyConnection) -> set[tuple[str, str, pd.Timestamp]]:
    """(own dossier code, kind, moment) of every event as delivered."""
    rows = con.sql(
        "SELECT DISTINCT coalesce(a.dossier_id, b.dossier_id, e.dossier_id), e.kind, e.happened_at "
        "FROM event_raw e LEFT JOIN alias b ON b.other_id = e.dossier_id "
        "LEFT JOIN alias a ON a.other_id = b.dossier_id"
    ).fetchall()
    return {(dossier, kind, pd.Timestamp(at)) for dossier, kind, at in rows}


def _planted(planted: Planted) -> set[tuple[str, str, pd.Timestamp]]:
    event = planted.event
    return set(zip(event.dossier_id, event.kind, event.happened_at.dt.tz_localize(None), strict=True))


def test_dossiers_and_events_come_back_as_planted(
    raw: tuple[Province, Planted, Path], read_back: duckdb.DuckDBPyConnection
) -> None:
    planted = raw[1]
    rows = read_back.sql("SELECT * FROM dossier ORDER BY known_at").df()
    rows = rows.groupby("dossier_id").last().sort_index()
    wanted = planted.dossier.set_index("dossier_id").sort_index()
    assert rows.index.tolist() == wanted.index.tolist()
    assert (rows.received_at == wanted.received_at.dt.tz_localize(None)).all()
    for column in ("procedure_code", "unit_code", "channel"):
        assert (rows[column] == wanted[column]).all(), column
    assert _told(read_back) == _planted(planted)


def test_ends_and_promises_are_those_of_the_sources(
    raw: tuple[Province, Planted, Path], read_back: duckdb.DuckDBPyConnection
) -> None:
    planted = raw[1]
    classes = planted.classes().set_index("dossier_id")
    received = planted.dossier.set_index("dossier_id").received_at.dt.tz_localize(None)
    told = pd.DataFrame(list(_told(read_back)), columns=["dossier_id", "kind", "at"])
    ends = told[told.kind.isin(["decided", "refused", "withdrawn"])]
    ends = ends[ends["at"].to_numpy() > received.loc[ends.dossier_id].to_numpy()]  # T2, T4
    assert_moments(ends.groupby("dossier_id")["at"].min().reindex(classes.index), classes.ended_at)
    rows = read_back.sql("SELECT dossier_id, due_at FROM dossier ORDER BY known_at").df()
    moves = read_back.sql("SELECT dossier_id, due_at FROM event WHERE due_at IS NOT NULL ORDER BY happened_at")
    due = rows.groupby("dossier_id").due_at.last().reindex(classes.index)
    due = moves.df().groupby("dossier_id").due_at.last().reindex(classes.index).fillna(due)
    assert_moments(due, classes.due_at)


def assert_moments(came: pd.Series, wanted: pd.Series) -> None:
    wanted = wanted.dt.tz_localize(None)
    differ = (came != wanted) & (came.notna() | wanted.notna())
    assert not differ.any(), pd.DataFrame({"came": came, "wanted": wanted})[differ].head()


def test_order_and_repetition_of_deliveries_do_not_matter(
    raw: tuple[Province, Planted, Path], read_back: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    again = _record(raw[2], tmp_path / "record", tuple(reversed(ORDER)), times=2)
    query = "SELECT row_id FROM {} ORDER BY 1"
    for table in ("dossier_raw", "event_raw", "complaint_raw", "rating_raw", "alias"):
        assert again.sql(query.format(table)).fetchall() == read_back.sql(query.format(table)).fetchall(), table
    again.close()


def test_every_trap_is_planted_and_told(raw: tuple[Province, Planted, Path]) -> None:
    province, planted, _ = raw
    found = planted.traps.groupby("trap").dossier_id.nunique()
    assert set(found.index) >= {"T1", "T2", "T3", "T4", "T5", "T6", "T7", "T9", "T10", "T11", "T12"}
    assert set(planted.traps.dossier_id) <= set(province.tables["dossier"]["dossier_id"].to_pylist())


def test_complaints_and_ratings_come_back(
    raw: tuple[Province, Planted, Path], read_back: duckdb.DuckDBPyConnection
) -> None:
    tables = raw[0].tables
    wanted = tables["complaint"].to_pandas().groupby("complaint_id").first().sort_index()
    rows = read_back.sql("SELECT * FROM complaint").df().groupby("complaint_id").first().sort_index()
    assert rows.index.tolist() == wanted.index.tolist()
    assert (rows.filed_at == wanted.filed_at.dt.tz_localize(None)).all()
    assert (rows.dossier_id.fillna("") == wanted.dossier_id.fillna("")).all()
    [counted] = read_back.sql("SELECT count(*), count(*) FILTER (by_staff) FROM rating").fetchall()
    by_staff = tables["rating"]["by_staff"].to_pylist()
    assert counted == (len(by_staff), sum(by_staff))


def test_the_same_province_writes_the_same_files(raw: tuple[Province, Planted, Path], tmp_path: Path) -> None:
    province, _, folder = raw
    write_raw(province, tmp_path)
    for path in sorted(folder.rglob("*.json")):
        assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes(), path.name


def test_the_people_of_the_deliveries_can_be_looked_for(raw: tuple[Province, Planted, Path]) -> None:
    province, _, folder = raw
    sent = unicodedata.normalize("NFC", " ".join(path.read_text() for path in folder.rglob("*.json")))
    people = province.truth["person"].to_pandas()
    assert people.identity.str.fullmatch(r"099\d{9}").all()
    assert people.phone.str.fullmatch(r"09\d{8}").all()
    assert people.name.map(lambda name: name in sent).all()
    officials = set(province.truth["name"]["name"].to_pylist())
    assert not officials & set(people.name)
    assert any(re.search(r"_lan2\.json$", str(path)) for path in folder.rglob("*.json"))
    assert any(re.search(r"_tre\d", str(path)) for path in folder.rglob("*.json"))


def test_the_envelopes_are_those_of_the_portal(raw: tuple[Province, Planted, Path]) -> None:
    for path in sorted(raw[2].glob("dvcqg/*/DongBoHoSoMC_*.json"))[:20]:
        envelope = orjson.loads(path.read_bytes())
        assert envelope["service"] == "DongBoHoSoMC"
        assert envelope["isUpdating"] in ("True", "False")
        assert all(len(item["NgayTiepNhan"]) == 14 for item in envelope["data"])
