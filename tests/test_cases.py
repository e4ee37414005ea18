"""The inputs of `../shared/cases`, drawn after public bug reports: what is right of each, kind by kind."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from features.calendar.vietnam import VIETNAM
from features.case_state.official_class import OfficialClass, class_766, class_recomputed
from features.case_state.replay import Happening, replay
from features.record.delivery import DeliveryReceipt, Reject
from features.record.early_ends import BEFORE
from features.record.record import Record
from features.sources import SOURCES, FeedOptions
from serving.access.permissions import UnitTree
from serving.cli import app

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


class Case:
    """One case's folder and a record of its own."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home, self.record = folder, home, Record(home)

    def take(self, name: str, source: str = "table", **options: object) -> DeliveryReceipt:
        """One delivery of the case, by its mapping where it has one."""
        mapping = self.folder / "map.toml"
        told = FeedOptions(mapping=mapping if mapping.exists() else None, key=b"k" * 32, **options)  # type: ignore[arg-type]
        chunks = SOURCES[source].read(self.folder / name if name else self.folder, told)
        self.last = self.record.append(chunks, source=source, arrived_at=NOW)
        assert self.last.read == self.last.appended + self.last.duplicates + self.last.rejected
        return self.last

    @property
    def rejects(self) -> list[Reject]:
        return self.record.rejects(self.last.delivery_id)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.record.connect().execute(sql).fetchall()

    @property
    def days(self) -> dict[str, tuple[date, date | None]]:
        """Of every dossier its local days of receipt and promise."""
        rows = self.rows("SELECT dossier_id, received_at, due_at FROM dossier_latest")
        local = lambda at: at and at.replace(tzinfo=UTC).astimezone(ZONE).date()  # noqa: E731
        return {str(code): (local(received), local(due)) for code, received, due in rows}

    def tells(self, words: str) -> bool:
        return any(words in note for note in self.last.notes)


@pytest.fixture
def case(request: pytest.FixtureRequest, shared: Path, tmp_path: Path) -> Case:
    (folder,) = (shared / "cases").glob(f"{request.param}-*")
    return Case(folder, tmp_path / "home")


def of(number: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [number], indirect=True)


@of("02")
def test_a_renamed_promise_refuses_the_file_and_names_it(case: Case) -> None:
    assert case.take("thang-4.csv").refused
    assert case.rejects[0].column == "Ngày hẹn trả"
    assert "Ngày hẹn trả kết quả" in case.rejects[0].came
    assert case.tells("columns never mapped: 'Ngày hẹn trả kết quả'")
    mapped = ["--source", "table", "--mapping", str(case.folder / "map.toml")]
    told = CliRunner().invoke(
        app, ["--home", str(case.home / "cli"), "ingest", str(case.folder / "thang-4.csv"), *mapped]
    )
    assert told.exit_code == 1


@of("03")
def test_numbers_of_a_spreadsheet_are_the_codes_they_stand_for(case: Case) -> None:
    case.take("so.xlsx")
    case.take("so-thuan.xlsx")
    assert case.rows("SELECT DISTINCT dossier_id, procedure_code FROM dossier ORDER BY 1") == [
        ("20260001", "2.000520"), ("20260002", "2.000520"), ("20260003", "1.012200"), ("20260004-BS", "1.001612"),
    ]  # fmt: skip


@of("04")
@pytest.mark.parametrize(("name", "aside"), [("bao-cao.xlsx", 2), ("bao-cao.csv", 0)])
def test_titles_totals_and_signatures_are_no_rows(case: Case, name: str, aside: int) -> None:
    assert case.take(name).rejected == aside
    assert len(case.days) == 4
    assert {reject.came for reject in case.rejects} <= {"a line of totals", "a line of signatures or remarks"}


@of("05")
def test_every_visible_sheet_is_read_and_no_hidden_one(case: Case) -> None:
    case.take("quy-1.xlsx")
    assert len(case.days) == 9
    hidden = Case(case.folder, case.home / "other")
    hidden.take("an.xlsx")
    assert sorted(hidden.days) == ["H99.13-260315-0005", "H99.13-260316-0006", "H99.13-260317-0007"]
    assert hidden.tells("hidden sheets, not read: '_cũ'")


@of("06")
def test_days_that_a_spreadsheet_turned_round_are_held(case: Case) -> None:
    case.take("ngay.xlsx")
    assert case.days == {"H99.13-260222-0003": (date(2026, 2, 20), date(2026, 2, 27))}
    assert case.last.rejected == 3
    assert case.tells("'Ngày tiếp nhận' has 2 dates beside 2 texts")


@of("09")
def test_utf_16_is_read_and_older_encodings_are_named(case: Case) -> None:
    case.take("utf16-excel.txt")
    assert len(case.days) == 4
    assert case.rows("SELECT DISTINCT unit_name FROM unit") == [("Sở Tài nguyên và Môi trường",)]
    assert case.take("cp1258.csv").refused
    assert "Windows-1258" in case.rejects[0].came
    case.take("tcvn3-as-utf8.csv")
    assert {reject.column for reject in case.rejects} == {"unit_name"}
    assert "TCVN3" in case.rejects[0].came
    assert len(case.rows("SELECT DISTINCT unit_name FROM unit")) == 1


@of("09")
@pytest.mark.parametrize(("name", "encoding"), [("cp1258.csv", "cp1258"), ("tcvn3-as-utf8.csv", "tcvn3")])
def test_older_encodings_are_converted_when_asked(case: Case, name: str, encoding: str) -> None:
    assert case.take(name, encoding=encoding).rejected == 0
    assert len(case.days) == 4
    assert case.rows("SELECT DISTINCT unit_name FROM unit") == [("Sở Tài nguyên và Môi trường",)]


@of("11")
def test_an_activity_only_planned_ends_nothing(case: Case) -> None:
    case.take("log.xes", "xes")
    assert case.rows("SELECT happened_at FROM event WHERE kind = 'decided'") == [
        (datetime(2026, 3, 16, 3),)  # noqa: DTZ001 — as the views tell it
    ]
    assert case.tells("not complete by the log itself")


@of("12")
def test_events_outside_of_traces_are_read_and_told(case: Case) -> None:
    case.take("log.xes", "xes")
    assert case.rows("SELECT kind FROM event ORDER BY happened_at") == [("note",), ("decided",)]
    assert case.tells("events outside of traces")
    assert case.tells("no attribute 'case:start' for dossier.received_at")


@of("13")
def test_one_number_of_two_offices_is_never_a_newer_version(case: Case) -> None:
    assert str(case.take("", "canonical")) == "read=9 appended=7 known=0 rejected=2"
    assert case.rows("SELECT dossier_id, unit_code FROM dossier_latest ORDER BY 1") == [
        ("00123", "H99.13"),
        ("00124", "H99.18"),
    ]
    assert case.rows("SELECT kind FROM event_latest WHERE dossier_id = '00123' ORDER BY happened_at") == [
        ("received",), ("decided",),
    ]  # fmt: skip
    assert [reject.came for reject in case.rejects] == ["00123 of H99.18, given by H99.13"] * 2
    again = case.take("", "canonical")
    assert (again.appended, again.rejected) == (0, 2)


@of("14")
def test_an_end_before_receipt_is_told_and_leaves_nothing_overdue(case: Case) -> None:
    case.take("", "canonical")
    assert case.tells("an end more than 15 minutes before receipt")
    assert case.last.counts[BEFORE] == 1
    later = Case(case.folder, case.home / "apart")  # the dossier in the record, the event in a later delivery
    later.take("dossier.csv", "canonical")
    later.take("event.csv", "canonical")
    assert later.tells("an end more than 15 minutes before receipt")
    received = datetime(2026, 3, 2, 8, tzinfo=ZONE)
    end = Happening("decided", datetime(2026, 3, 1, 10, tzinfo=ZONE))
    clock = replay(received, datetime(2026, 3, 10, 17, tzinfo=ZONE), [end], NOW, VIETNAM)
    assert class_recomputed(clock, VIETNAM) is not OfficialClass.OVERDUE_OPEN


@of("15")
def test_one_cell_turns_no_column_of_numbers(case: Case) -> None:
    for month in ("thang-3", "thang-4", "thang-5"):
        assert case.take(month, "canonical").rejected == 0
    assert case.rows("SELECT x_area FROM dossier WHERE dossier_id IN ('N10', 'N11', 'N21') ORDER BY dossier_id") == [
        (80.0,), (None,), (1250.5,),
    ]  # fmt: skip


@of("16")
def test_serial_days_are_read_where_the_mapping_says_so(case: Case, tmp_path: Path) -> None:
    text = (case.folder / "map.toml").read_text("utf-8")
    for name in ("Ngày tiếp nhận", "Ngày hẹn trả"):
        text = text.replace(f'"{name}"', f'{{ from = "{name}", format = "excel" }}')
    (tmp_path / "map.toml").write_text(text, "utf-8")
    for name in ("so-ngay.xlsx", "so-ngay.csv"):
        (tmp_path / name).write_bytes((case.folder / name).read_bytes())
    mapped = Case(tmp_path, case.home)
    assert mapped.take("so-ngay.xlsx").rejected == 0
    assert mapped.take("so-ngay.csv").appended == 0  # the same to the second
    assert mapped.days["H99.13-260310-0001"] == (date(2026, 3, 10), date(2026, 3, 18))


@of("17")
def test_a_merged_cell_says_the_same_in_each_of_its_rows(case: Case) -> None:
    assert case.take("gop-o.xlsx").rejected == 0
    assert case.rows("SELECT unit_code, count(*) FROM dossier GROUP BY 1 ORDER BY 1") == [("H99.13", 3), ("H99.18", 3)]


@of("18")
def test_a_day_as_promise_means_until_its_end(case: Case) -> None:
    case.take("", "canonical")
    dues: dict[Any, Any] = dict(case.rows("SELECT dossier_id, due_at FROM dossier"))  # type: ignore[arg-type]
    for code in ("H99.13-260914-9001", "H99.13-260914-9003"):
        due = dues[code].replace(tzinfo=UTC)
        received = datetime(2026, 9, 14, 8, tzinfo=ZONE)
        clock = replay(received, due, [Happening("decided", datetime(2026, 9, 21, 10, tzinfo=ZONE))], NOW, VIETNAM)
        assert class_766(clock, VIETNAM, None) is OfficialClass.ON_TIME
        assert class_recomputed(clock, VIETNAM) is OfficialClass.ON_TIME
    assert dues["H99.13-260925-9002"].replace(tzinfo=UTC) > datetime(2026, 10, 1, 8, tzinfo=ZONE)  # type: ignore[attr-defined]
    assert VIETNAM.hours(date(2026, 10, 1))[-1][1] >= time(17)


@of("19")
@pytest.mark.parametrize(("name", "source"), [("", "canonical"), ("roster.json", "roster")])
def test_a_successor_stands_above_all_it_took_over(case: Case, name: str, source: str) -> None:
    case.take(name, source)
    from serving.read.register import Register

    assert Register.read(case.record.connect()).tree.subtree("H99.204") == {"H99.104", "H99.105", "H99.204"}
    assert UnitTree.of([("n", None, "a;b")]).subtree("n") == {"a", "b", "n"}


@of("25")
def test_types_of_parquet_stay_what_they_are(case: Case) -> None:
    assert case.take("dossier.parquet", "canonical").rejected == 0
    assert [code for (code,) in case.rows("SELECT procedure_code FROM dossier ORDER BY 1")] == [
        "1.001612", "1.012200", "2.000520",
    ]  # fmt: skip


@of("26")
def test_a_page_that_did_not_come_is_told(case: Case) -> None:
    assert case.take("", "api766").appended == 20
    assert case.tells("pages missing from an answer: 2 of 3, 4 of 6 items came")


@of("27")
def test_a_mixed_log_is_read_and_its_faults_are_told(case: Case) -> None:
    assert str(case.take("log.xes", "xes")) == "read=9 appended=6 known=0 rejected=3"
    assert case.rows("SELECT dossier_id FROM dossier") == [("Té1",)]


@of("28")
def test_days_of_other_forms_are_rejected_with_the_reason(case: Case) -> None:
    case.take("", "canonical")
    assert sorted(case.days) == ["D3", "D4", "D6"]
    assert case.rows("SELECT due_at FROM dossier WHERE dossier_id = 'D4'")[0][0] == datetime(2026, 3, 10, 17)  # noqa: DTZ001
    assert case.last.rejected == 6
