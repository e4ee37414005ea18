"""What was known of complaints about officials: windows, verdicts, floods, joint complaints, posts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.complaints import history as complaint_history
from features.record.delivery import Chunk
from features.record.record import Record

AS_OF = datetime(2024, 1, 1, tzinfo=UTC)
OFFICIALS = [
    {"official_id": "o1", "unit_code": "U1", "valid_from": "2010-01-01"},
    {"official_id": "o2", "unit_code": "U1", "valid_from": "2010-01-01"},
    {"official_id": "o3", "unit_code": "U2", "valid_from": "2010-01-01", "valid_to": "2023-06-01"},
]


def days_before(days: float) -> str:
    return (AS_OF - timedelta(days=days)).isoformat()


def complaint(key: str, days: float, **more: object) -> dict[str, object]:
    return {"complaint_id": key, "filed_at": days_before(days), "official_id": "o1", "unit_code": "U1"} | more


def history(
    tmp_path: Path,
    complaints: list[dict[str, object]],
    findings: Sequence[dict[str, object]] = (),
    at: datetime = AS_OF,
) -> dict[str, dict[str, object]]:
    record = Record(tmp_path / "record")
    chunks = [Chunk("official", OFFICIALS), Chunk("complaint", complaints), Chunk("finding", list(findings))]
    record.append(chunks, source="test", arrived_at=AS_OF + timedelta(days=4000))
    rows = complaint_history.build(record.connect(), [AS_OF]).to_pylist()
    return {row["official_id"]: row for row in rows}


def test_windows_are_half_open_and_who_has_left_is_not_in_post(tmp_path: Path) -> None:
    rows = history(tmp_path, [complaint("a", 10), complaint("b", 40), complaint("c", 400), complaint("d", 0)])
    assert set(rows) == {"o1", "o2"}
    counted = {name: rows["o1"][f"reported_{name}"] for name in ("30d", "90d", "365d", "2y", "ever")}
    assert counted == {"30d": 1, "90d": 2, "365d": 2, "2y": 3, "ever": 3}
    assert rows["o2"]["reported_ever"] == 0
    assert rows["o2"]["days_since_reported"] is None


def test_a_verdict_counts_from_the_verdict_on_and_its_complaint_from_the_filing_on(tmp_path: Path) -> None:
    told = complaint("a", 200, verdict="upheld", verdict_at=days_before(20))
    later = complaint("b", 150, verdict="upheld", verdict_at=days_before(-20))
    row = history(tmp_path, [told, later])["o1"]
    assert (row["reported_365d"], row["upheld_365d"], row["days_since_upheld"]) == (2, 1, 20)


def test_five_hundred_complaints_by_one_person_and_fifty_by_five_count_nothing(tmp_path: Path) -> None:
    one = [complaint(f"a{n}", 1 + n % 80, complainant_id="p0") for n in range(500)]
    five = [complaint(f"b{n}", 1 + n % 40, complainant_id=f"p{n % 5}", official_id="o2") for n in range(50)]
    rows = history(tmp_path, [*one, *five])
    assert rows["o1"]["reported_90d"] == 0
    assert rows["o2"]["reported_90d"] == 0


def test_one_person_counts_once_and_anonymous_days_are_capped(tmp_path: Path) -> None:
    same = [complaint(f"a{n}", 5 + n, complainant_id="p") for n in range(3)]
    nobody = [complaint(f"b{n}", 5 + n, official_id="o2") for n in range(30)]
    rows = history(tmp_path, [*same, *nobody])
    assert rows["o1"]["reported_90d"] == 1
    assert rows["o2"]["reported_90d"] == complaint_history.ANONYMOUS_CAP


LETTER = "Cán bộ này gây khó khăn, bắt người dân đi lại nhiều lần mà không nói rõ lý do"


def test_one_letter_signed_by_many_counts_nothing_and_two_who_say_the_same_count(tmp_path: Path) -> None:
    many = [complaint(f"a{n}", 5 + n, complainant_id=f"p{n}", text=f"{LETTER}, lần {n}.") for n in range(20)]
    two = [complaint(f"b{n}", 5 + n, complainant_id=f"q{n}", text=LETTER, official_id="o2") for n in range(2)]
    rows = history(tmp_path, [*many, *two])
    assert rows["o1"]["reported_90d"] == 0
    assert rows["o2"]["reported_90d"] == 2


def test_complainants_are_people_and_a_flood_is_none(tmp_path: Path) -> None:
    same = [complaint(f"a{n}", 5 + 100 * n, complainant_id="p") for n in range(3)]
    others = [complaint("b", 5, complainant_id="q"), complaint("c", 700, complainant_id="r")]
    flood = [complaint(f"d{n}", 5, complainant_id="loud", official_id="o2") for n in range(9)]
    record = Record(tmp_path / "record")
    chunks = [Chunk("official", OFFICIALS), Chunk("complaint", [*same, *others, *flood])]
    record.append(chunks, source="test", arrived_at=AS_OF + timedelta(days=4000))
    assert complaint_history.complainants(record.connect(), AS_OF) == {"o1": 3}


def test_an_upheld_complaint_counts_even_in_a_flood(tmp_path: Path) -> None:
    flood = [complaint(f"a{n}", 30 + n, complainant_id="p") for n in range(10)]
    flood[3] |= {"verdict": "upheld", "verdict_at": days_before(2)}
    assert history(tmp_path, flood)["o1"]["reported_90d"] == 1


def test_officials_named_in_one_complaint_know_of_each_other(tmp_path: Path) -> None:
    past = [complaint(f"p{n}", 100 + 100 * n, official_id="o2") for n in range(3)]
    together = [complaint("j", 10), complaint("j", 10, official_id="o2")]
    row = history(tmp_path, [*past, *together])["o1"]
    assert (row["named_together"], row["peers_reported"]) == (2, 4)


def test_findings_of_harassment_count_and_clean_visits_do_not(tmp_path: Path) -> None:
    finding = {"inspection_id": "i", "official_id": "o1", "confirmed": True, "confirmed_at": days_before(50)}
    row = history(
        tmp_path,
        [],
        [
            finding | {"finding_id": "f", "kind": "extra_papers"},
            finding | {"finding_id": "g", "kind": "none"},
        ],
    )["o1"]
    assert (row["discovered_365d"], row["discovered_ever"]) == (1, 1)


@settings(max_examples=25)
@given(
    days=st.lists(st.integers(-300, 900), max_size=8),
    verdicts=st.lists(st.one_of(st.none(), st.integers(0, 400)), min_size=8, max_size=8),
)
def test_what_became_known_later_changes_no_cell(tmp_path_factory: Any, days: Any, verdicts: Any) -> None:
    rows = [
        complaint(f"c{n}", day, official_id=f"o{n % 2 + 1}", complainant_id=f"p{n % 3}")
        | ({"verdict": "upheld", "verdict_at": days_before(day - wait)} if wait is not None else {})
        for n, (day, wait) in enumerate(zip(days, verdicts, strict=False))
    ]
    known = [
        {key: value for key, value in row.items() if key not in ("verdict", "verdict_at")}
        if str(row.get("verdict_at", "")) >= days_before(0)
        else row
        for row in rows
        if str(row["filed_at"]) < days_before(0)
    ]
    everything = history(tmp_path_factory.mktemp("all"), rows)
    before = history(tmp_path_factory.mktemp("known"), known)
    assert {k: _told(v) for k, v in everything.items()} == {k: _told(v) for k, v in before.items()}


def _told(row: dict[str, object]) -> dict[str, object]:
    return row


def test_many_moments_at_once_equal_one_by_one(tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    rows = [complaint(f"c{n}", 37 * n, official_id=f"o{n % 3 + 1}") for n in range(30)]
    chunks = [Chunk("official", OFFICIALS), Chunk("complaint", rows)]
    record.append(chunks, source="test", arrived_at=AS_OF)
    con: duckdb.DuckDBPyConnection = record.connect()
    moments = [AS_OF - timedelta(days=d) for d in (0, 200, 500)]
    one_by_one = pa.concat_tables([complaint_history.build(con, [moment]) for moment in sorted(moments)])
    assert complaint_history.build(con, sorted(moments)).equals(one_by_one)


def test_moments_must_be_aware(tmp_path: Path) -> None:
    con = Record(tmp_path / "record").connect()
    with pytest.raises(ValueError, match="aware"):
        complaint_history.roster(con, [datetime(2024, 1, 1)])  # noqa: DTZ001 - the point of the test
