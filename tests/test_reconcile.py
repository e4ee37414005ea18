"""The sources' own counters beside the record's: equal where they count alike, the gap named where they do not."""

from pathlib import Path
from typing import Any

from features.record.delivery import Chunk
from features.record.record import Record
from features.sources.reconcile import CountedLine, reconcile
from tests.drawn_record import ARRIVED, deliver, local, write_json

AS_OF = ARRIVED


def drawn(folder: Path) -> Record:
    """Five dossiers of one unit in September: on time, late, late by hours, late with two requests, open within."""
    base = {"procedure_code": "P", "unit_code": "H99.24", "due_at": "2026-09-21 08:30"}
    names = ("early", "late", "same_day", "twice", "open")
    dossiers = [base | {"dossier_id": name, "received_at": "2026-09-07 08:30"} for name in names]
    dossiers[4]["due_at"] = "2026-10-20 08:30"
    dossiers.append(base | {"dossier_id": "august", "received_at": "2026-08-20 08:30", "due_at": "2026-09-10 08:30"})

    def event(name: str, kind: str, at: str) -> dict[str, Any]:
        return {"dossier_id": name, "kind": kind, "happened_at": f"2026-09-{at}"}

    events = [
        event("early", "decided", "18 08:30"), event("late", "decided", "25 08:30"),
        event("same_day", "decided", "21 16:00"),
        event("twice", "papers_requested", "08 08:30"), event("twice", "papers_supplied", "09 08:30"),
        event("twice", "papers_requested", "10 08:30"), event("twice", "papers_supplied", "11 08:30"),
        event("twice", "decided", "18 08:30"), event("august", "decided", "09 08:30"),
    ]  # fmt: skip
    record = Record(folder / "record")
    record.append(iter([Chunk("dossier", dossiers), Chunk("event", events)]), source="drawn", arrived_at=ARRIVED)
    return record


def by_count(lines: list[CountedLine], source: str) -> dict[str, CountedLine]:
    return {line.count: line for line in lines if line.source == source}


def api766(folder: Path, **counts: int) -> Path:
    """An answer of the reporting API for September 2026."""
    return write_json(folder / "api.json", {
        "request": {"body": {"timeType": "month", "year": 2026, "month": 9}},
        "response": {"code": "OK", "data": {"items": [{"departmentCode": "000.00.24.H99", **counts}]}},
    })  # fmt: skip


def test_received_on_time_and_late_against_the_portal(tmp_path: Path) -> None:
    record = drawn(tmp_path)
    deliver(
        record,
        api766(tmp_path, totalReceived=5, totalOnTime=3, totalOverdue=2),
        "api766",
        live_at=local("2026-10-05 08:00"),
    )
    lines = by_count(reconcile(record.connect(), AS_OF), "api766")
    assert (lines["received"].ours, lines["received"].gap) == (5, 0)
    # by the events: early, twice and the open one are on time, late and same_day are not
    assert (lines["on_time"].ours, lines["late"].ours) == (3, 2)
    assert lines["on_time"].unexplained == lines["late"].unexplained == 0


def test_a_gap_is_told_by_the_rule_that_makes_it(tmp_path: Path) -> None:
    record = drawn(tmp_path)
    deliver(
        record,
        api766(tmp_path, totalReceived=7, totalOnTime=4, totalOverdue=3),
        "api766",
        live_at=local("2026-10-05 08:00"),
    )
    lines = by_count(reconcile(record.connect(), AS_OF), "api766")
    rules = dict(lines["on_time"].rules)
    assert rules["so theo ngày, không theo giờ (by date alone)"] == 1
    assert rules["bổ sung quá một lần là quá hạn (more than one supplement)"] == 1
    assert (lines["on_time"].gap, lines["on_time"].unexplained) == (1, 0)
    assert (lines["received"].gap, lines["received"].unexplained) == (2, 2)  # two dossiers never came here


def test_opencps_counts_what_ended_in_the_month(tmp_path: Path) -> None:
    record = drawn(tmp_path)
    statistic = {"month": 9, "year": 2026, "govAgencyCode": "000.00.24.H99", "domainCode": "D", "receivedCount": 5,
                 "releaseCount": 5, "betimesCount": 2, "ontimeCount": 1, "overtimeCount": 2}  # fmt: skip
    deliver(record, write_json(tmp_path / "s.json", statistic), "opencps", live_at=local("2026-10-05 08:00"))
    lines = by_count(reconcile(record.connect(), AS_OF), "opencps")
    assert {name: line.ours for name, line in lines.items()} == {"received": 5, "ended": 5, "on_time": 3, "late": 2}
    assert all(line.gap == 0 for line in lines.values())


def test_only_finished_periods_known_by_then_are_compared(tmp_path: Path) -> None:
    record = drawn(tmp_path)
    deliver(record, api766(tmp_path, totalReceived=5), "api766", live_at=local("2026-10-05 08:00"))
    assert reconcile(record.connect(), local("2026-10-04 08:00")) == []
    assert reconcile(record.connect(), local("2026-10-06 08:00")) != []
    corrected = api766(tmp_path, totalReceived=6)
    deliver(record, corrected, "api766", live_at=local("2026-10-10 08:00"))
    before, after = (reconcile(record.connect(), local(f"2026-10-{day} 08:00"))[0].theirs for day in ("06", "11"))
    assert (before, after) == (5, 6)


def test_the_samples_reports_load_as_counters(shared: Path, tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    for number, source in (("10", "opencps"), ("14", "api766"), ("15", "api766")):
        deliver(record, next((shared / "samples").glob(f"{number}_*.json")), source)
    lines = reconcile(record.connect(), local("2027-06-01 00:00"))
    told = {(line.source, line.unit_code, line.count): line.theirs for line in lines}
    assert told["api766", "H99.24", "received"] == 12400
    assert told["api766", "H99.137", "late"] == 208
    assert told["opencps", "H99.24", "on_time"] == 310 + 330


def test_what_is_set_aside_is_not_open(tmp_path: Path) -> None:
    """An end told long before the receipt: neither open nor ended, as everywhere else."""
    record = drawn(tmp_path)
    aside = {"dossier_id": "aside", "procedure_code": "P", "unit_code": "H99.24", "received_at": "2026-09-10 08:30",
             "due_at": "2026-09-21 08:30"}  # fmt: skip
    end = {"dossier_id": "aside", "kind": "decided", "happened_at": "2026-09-01 08:30"}
    record.append(iter([Chunk("dossier", [aside]), Chunk("event", [end])]), source="drawn", arrived_at=ARRIVED)
    counts = [
        {"source": "report06a", "unit_code": "H99.24", "period_from": "2026-09-01", "period_to": "2026-10-01",
         "name": name, "value": value, "known_at": "2026-10-05 08:00"}
        for name, value in (("DangXuLyTrongHan", 1), ("DangXuLyQuaHan", 0))
    ]  # fmt: skip
    record.append(iter([Chunk("counter", counts)]), source="drawn", arrived_at=ARRIVED)
    lines = by_count(reconcile(record.connect(), AS_OF), "report06a")
    assert (lines["open"].ours, lines["open"].gap) == (1, 0)
