"""One dossier worked out in Python has the cells that the matrix gives it, to the last bit."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.calendar.vietnam import VIETNAM
from features.matrix.batch import FEATURES, attributes, build
from features.matrix.daily_snapshot import local_day, take_day
from features.matrix.online import OnlineFeatures
from features.matrix.sql_eval import Unsupported, aggregate, scalar
from features.record.delivery import Chunk
from features.record.record import Record
from features.record.schema import EVENT_KINDS
from models.cases import cohort

START = datetime(2026, 1, 5, 1, tzinfo=UTC)
FEW = st.sampled_from


def moments(last_hour: int) -> st.SearchStrategy[datetime]:
    """Whole hours, so that ties are common."""
    return st.integers(0, last_hour).map(lambda hour: START + timedelta(hours=hour))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    dossiers: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 6))):
        received = draw(moments(300))
        dossiers.append({
            "dossier_id": f"d{number}", "procedure_code": draw(FEW(["p1", "p2", "p3"])),
            "unit_code": draw(FEW(["u1", "u2"])), "received_at": received,
            "due_at": draw(st.none() | st.integers(1, 400).map(lambda hours: received + timedelta(hours=hours))),  # noqa: B023 -- drawn at once
            "channel": draw(FEW([None, "counter", "online"])), "x_ward": draw(FEW([None, "a", "b"])),
            "x_area": draw(FEW([None, 1.5, 7.0])),
        })  # fmt: skip
        for place in range(draw(st.integers(0, 7))):
            happened = received + timedelta(hours=draw(st.integers(0, 200)))
            events.append({
                "dossier_id": f"d{number}", "kind": draw(FEW(EVENT_KINDS)), "happened_at": happened,
                "known_at": happened + timedelta(hours=draw(FEW([0, 0, 0, 5, 60]))),
                "official_id": draw(FEW([None, "o1", "o2", "o3"])), "step": draw(FEW([None, "s1", "s2"])),
                "due_at": draw(FEW([None, None, received + timedelta(hours=500)])),
                "event_id": draw(FEW([None, f"e{place // 2}"])),
            })  # fmt: skip
    return dossiers, events


CHANGE = START + timedelta(days=4)
PROCEDURES = [
    {"procedure_code": "p1", "sector_code": "s1", "legal_working_days": 5.0},
    {"procedure_code": "p2", "sector_code": "s2", "legal_working_days": 9.0, "valid_from": CHANGE},
    {"procedure_code": "p2", "sector_code": "s3", "legal_working_days": 3.0, "valid_to": CHANGE},
]  # fmt: skip


def recorded(folder: Path, dossiers: list[dict[str, Any]], events: list[dict[str, Any]]) -> Record:
    record = Record(folder)
    chunks = [Chunk("procedure", PROCEDURES), Chunk("dossier", dossiers), Chunk("event", events)]
    record.append(chunks, source="test", arrived_at=START + timedelta(days=400))
    return record


def rows(con: duckdb.DuckDBPyConnection, table: str) -> list[dict[str, Any]]:
    """Rows of the record in the order in which versions count, times aware."""
    found = con.sql(f"SELECT * FROM {table} ORDER BY known_at, row_id").to_arrow_table()
    aware = [
        found[name].cast(pa.timestamp("us", "UTC")) if pa.types.is_timestamp(found[name].type) else found[name]
        for name in found.column_names
    ]
    told: list[dict[str, Any]] = pa.table(dict(zip(found.column_names, aware, strict=True))).to_pylist()
    return told


def differences(record: Record, as_of: datetime) -> dict[str, tuple[Any, Any]]:
    """Cells of open dossiers that differ between `OnlineFeatures` and the matrix."""
    con = record.connect(cutoff=as_of)
    features = [*FEATURES, *attributes(con)]
    matrix = build(con, cohort(con, as_of, overdue=True), features, VIETNAM)
    dossiers = {row["dossier_id"]: row for row in rows(con, "dossier")}
    events: dict[str, list[dict[str, Any]]] = {}
    for row in rows(record.connect(), "event"):  # what is known later must not matter
        events.setdefault(row["dossier_id"], []).append(row)
    single = OnlineFeatures(features, VIETNAM)
    day = take_day(record.connect(), local_day(as_of, VIETNAM), features, VIETNAM)
    found: dict[str, tuple[Any, Any]] = {}
    for row in matrix.to_pylist():
        cells = single.cells(dossiers[row["dossier_id"]], events.get(row["dossier_id"], []), as_of, day)
        assert cells.keys() == row.keys() - {"dossier_id", "as_of"}
        found |= {f"{row['dossier_id']}.{name}": (cells[name], row[name]) for name in cells if cells[name] != row[name]}
    return found


@given(history=histories(), hour=st.integers(24, 700))
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
def test_single_and_matrix_agree(
    tmp_path_factory: pytest.TempPathFactory,
    history: tuple[list[dict[str, Any]], list[dict[str, Any]]],
    hour: int,
) -> None:
    record = recorded(tmp_path_factory.mktemp("record"), *history)
    assert differences(record, START + timedelta(hours=hour)) == {}


@pytest.mark.slow
def test_single_and_matrix_agree_on_real_logs(shared: Path, tmp_path: Path) -> None:
    from features.sources import SOURCES, FeedOptions

    for feed, as_of in (
        ("wabo_receipt", datetime(2011, 10, 3, 5, tzinfo=UTC)),
        ("bpic15_m1_m2", datetime(2014, 1, 7, 9, tzinfo=UTC)),
    ):
        record = Record(tmp_path / feed)
        chunks = SOURCES["canonical"].read(shared / "data" / feed, FeedOptions())
        record.append(chunks, source="canonical", arrived_at=datetime(2026, 1, 1, tzinfo=UTC))
        assert differences(record, as_of) == {}


EXPRESSIONS = [
    "a + b * 2", "(a - b) / 3.6e9", "a // 3 + (b + 3) % 7", "COALESCE(a, b, 7)", "a / NULLIF(b, 0)",
    "CASE WHEN a > 2 THEN 1 WHEN b IS NULL THEN 0 END", "GREATEST(a, b, 3) - LEAST(a, b)",
    "a IN ('x', 'y') OR a IS NULL",
    "NOT (a > b) AND b <= 3", "CAST(a AS DOUBLE) / 7", "-a", "CASE a WHEN 1 THEN 'one' ELSE 'other' END",
]  # fmt: skip


@given(a=st.none() | st.integers(-50, 50), b=st.none() | st.integers(-50, 50), sql=FEW(EXPRESSIONS))
@settings(max_examples=300)
def test_expressions_mean_what_the_engine_means(a: int | None, b: int | None, sql: str) -> None:
    value: int | str | None
    if "'x'" in sql:
        value, typed = None if a is None else str(a), "VARCHAR"
    else:
        value, typed = a, "BIGINT"
    query = f"SELECT {sql} FROM (SELECT CAST(? AS {typed}) AS a, CAST(? AS BIGINT) AS b)"
    engine = duckdb.execute(query, [value, b]).fetchall()[0][0]
    assert scalar(sql)({"a": value, "b": b}) == engine


def test_aggregates_pass_over_missing_values() -> None:
    three: list[dict[str, Any]] = [{"a": 1, "k": "x"}, {"a": None, "k": "y"}, {"a": 5, "k": "x"}]
    assert aggregate("SUM(a)")(three) == 6
    assert aggregate("MAX(a) / 2")(three) == 2.5
    assert aggregate("COUNT(*)")(three) == 3
    assert aggregate("SUM(CASE WHEN k = 'x' THEN 1 ELSE 0 END) - COUNT(*)")(three) == -1
    assert aggregate("SUM(a)")([]) is None


@pytest.mark.parametrize("sql", ["regexp_matches(a, 'x')", "a::DATE", "SUM(a) OVER ()", "MEDIAN(a)"])
def test_what_only_an_engine_can_do_is_refused_at_once(sql: str) -> None:
    with pytest.raises(Unsupported):
        aggregate(sql)
