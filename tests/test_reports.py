"""Reports: figures equal to a recount of the delivered rows, each on its rows, and the same again for a past month."""

import re
import shutil
import subprocess
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import docx
import duckdb
import openpyxl
import pytest
from docx.document import Document
from docx.oxml.ns import qn

from features.calendar.holiday import as_delivered
from features.calendar.vietnam import VIETNAM
from features.case_state.relation import case_states
from features.record.delivery import Chunk
from features.record.reading_moment import known_until
from features.record.record import Record
from features.simulate import Province, simulate
from serving.documents.letterhead import Letterheads
from serving.read.caseload import Caseload
from serving.read.register import Register, UnitEntry
from serving.reports.files import ENDINGS, report_file
from serving.reports.make import KINDS, make, make_again
from serving.reports.period import Period
from serving.reports.report import Draft, Report
from serving.reports.workbook import EXPLAINED
from serving.state import State, open_state
from serving.work.annotations import add_mark
from tests.office_tools import converted, tool
from tests.test_small_numbers import report_of

HEAD = Letterheads().of(Register(), "")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
AS_OF = datetime(2026, 9, 4, tzinfo=ZONE)
MONTH = "2026-08"
UNIT = "H99.24"
UTF8 = "csv:Text - txt - csv (StarCalc):44,34,76"


@pytest.fixture(scope="module")
def province() -> Province:
    return simulate(seed=11, dossiers=1500, start=date(2026, 6, 1), end=date(2026, 9, 10))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home") / "record"


@pytest.fixture(scope="module")
def record(province: Province, folder: Path) -> Record:
    record = Record(folder)
    chunks = [Chunk(name, table) for name, table in province.tables.items()]
    record.append(chunks, source="canonical", arrived_at=datetime(2026, 9, 10, tzinfo=UTC))
    return record


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state(f"sqlite:///{tmp_path / 'state.db'}")


def made(record: Record, state: State, kind: str, *, unit: str = "", as_of: datetime = AS_OF) -> Report:
    with state.reading() as session:
        return make(record, session, kind, MONTH, as_of, VIETNAM, unit_code=unit or (UNIT if kind == "unit" else ""))


def value(report: Report, words: str) -> object:
    (found,) = [figure.value for figure in report.figures if figure.en == words]
    return found


RECOUNT = """
WITH told AS (SELECT * FROM event WHERE known_at < $as_of AND happened_at < $until),
ended AS (
  SELECT d.dossier_id, d.unit_code, d.procedure_code, d.received_at, d.due_at,
    coalesce((SELECT min(happened_at) FROM told e WHERE e.dossier_id = d.dossier_id
              AND kind IN ('refused', 'decided', 'withdrawn')),
             (SELECT min(happened_at) FROM told e WHERE e.dossier_id = d.dossier_id AND kind = 'delivered')) AS ended_at
  FROM dossier d WHERE coalesce(d.known_at, d.received_at) < $as_of AND d.received_at < $until)
SELECT *, coalesce((SELECT arg_max(due_at, happened_at) FROM told e WHERE e.dossier_id = ended.dossier_id
                    AND e.due_at IS NOT NULL), due_at) AS promised
FROM ended
"""


def recounted(province: Province) -> list[dict[str, Any]]:
    """The dossiers of the delivered rows by a query of its own: no clock, no view of the record."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for name in ("dossier", "event"):
        table = province.tables[name]
        if "known_at" not in table.column_names:
            clock = "received_at" if name == "dossier" else "happened_at"
            table = table.append_column("known_at", table[clock])
        con.register(name, table)
    period = Period.ending(MONTH, 1, ZONE)
    rows: list[dict[str, Any]] = (
        con.sql(RECOUNT, params={"as_of": AS_OF, "until": period.until}).to_arrow_table().to_pylist()
    )
    return rows


def test_figures_equal_a_recount_of_the_delivered_rows(province: Province, record: Record, state: State) -> None:
    report = made(record, state, "centre")
    start = Period.ending(MONTH, 1, ZONE).start
    rows = recounted(province)
    ended = [row for row in rows if row["ended_at"] is not None and row["ended_at"] >= start]
    until = Period.ending(MONTH, 1, ZONE).until - timedelta(microseconds=1)
    with record.connect(cutoff=AS_OF) as con, case_states(con, AS_OF, VIETNAM, until=until) as states:
        by_law = {row[0] for row in states.filter("late AND ended_at IS NOT NULL").select("dossier_id").fetchall()}
    late = [row for row in ended if row["dossier_id"] in by_law]
    past_first = [row for row in ended if row["due_at"] is not None and row["ended_at"] > row["due_at"]]
    assert value(report, "ended past the first promise") == len(past_first) > len(late)
    assert value(report, "received") == sum(row["received_at"] >= start for row in rows) > 100
    assert value(report, "ended") == len(ended) > 100
    assert value(report, "of these late") == len(late) > 5
    assert value(report, "open at the end") == sum(row["ended_at"] is None for row in rows) > 10
    assert value(report, "late of ended, per cent") == round(100 * len(late) / len(ended), 1)
    by_unit = Counter(row["unit_code"] for row in late)
    (table,) = [one for one in report.tables if one.en == "units with late dossiers"]
    assert {line[1]: line[4] for line in table.lines if line[4]} == by_unit


def below(province: Province, unit: str) -> set[str]:
    """A unit and everything under it, by the delivered rows."""
    parents = province.tables["unit"].select(["unit_code", "parent_code"]).to_pylist()
    found = {unit}
    while more := {one["unit_code"] for one in parents if one["parent_code"] in found} - found:
        found |= more
    return found


def counts_of(rows: list[dict[str, Any]], start: datetime) -> tuple[int, int, int, int]:
    """Received, ended, open at the end, ended past the first promise."""
    ended = [row for row in rows if row["ended_at"] is not None and row["ended_at"] >= start]
    past = [row for row in ended if row["due_at"] is not None and row["ended_at"] > row["due_at"]]
    received = sum(row["received_at"] >= start for row in rows)
    return received, len(ended), sum(row["ended_at"] is None for row in rows), len(past)


def test_over_forty_figures_of_two_units_and_the_province_equal_a_recount(
    province: Province, record: Record, state: State
) -> None:
    """By a query of its own over the delivered rows, line by line: sectors of the province, procedures of two units."""
    start = Period.ending(MONTH, 1, ZONE).start
    rows = recounted(province)
    sector = dict(zip(*(province.tables["procedure"][name].to_pylist() for name in ("procedure_code", "sector_code")),
                      strict=True))  # fmt: skip
    units = sorted({row["unit_code"] for row in rows})
    second = next(code for code in units if code not in below(province, UNIT))
    asked = [("centre", "", "by sector", [row | {"of": sector[row["procedure_code"]]} for row in rows])]
    for unit in (UNIT, second):
        inside = below(province, unit)
        mine = [row | {"of": row["procedure_code"]} for row in rows if row["unit_code"] in inside]
        asked.append(("unit", unit, "by procedure", mine))
    compared = 0
    for kind, unit, title, mine in asked:
        report = made(record, state, kind, unit=unit)
        wanted = counts_of(mine, start)
        names = ("received", "ended", "open at the end", "ended past the first promise")
        assert tuple(value(report, name) for name in names) == wanted, (kind, unit)
        (table,) = [one for one in report.tables if one.en == title]
        by_line = {
            code: counts_of([row for row in mine if row["of"] == code], start) for code in {r["of"] for r in mine}
        }
        told = {str(line[1] or line[0]): (line[2], line[3], line[8], line[12]) for line in table.lines}
        shown = {code: counts for code, counts in by_line.items() if any(counts)}
        assert {code: counts for code, counts in told.items() if any(counts)} == shown, (kind, unit)
        compared += len(names) + 4 * len(shown)
    assert compared >= 40


def test_findings_and_complaints_equal_a_recount(province: Province, record: Record, state: State) -> None:
    report = made(record, state, "centre")
    period = Period.ending(MONTH, 1, ZONE)
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.register("finding", province.tables["finding"])
    con.register("complaint", province.tables["complaint"])
    asked = {"start": period.start, "until": period.until, "as_of": AS_OF}
    (stands,) = con.sql(
        "SELECT count(*) FROM finding WHERE kind <> 'none' AND confirmed AND known_at < $as_of "
        "AND coalesce(confirmed_at, known_at) >= $start AND coalesce(confirmed_at, known_at) < $until", params=asked
    ).fetchall()[0]  # fmt: skip
    (filed,) = con.sql(
        "SELECT count(DISTINCT complaint_id) FROM complaint WHERE filed_at >= $start AND filed_at < $until "
        "AND $as_of > filed_at", params=asked
    ).fetchall()[0]  # fmt: skip
    assert value(report, "confirmed findings") == stands
    assert value(report, "complaints filed") == filed


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "year"])  # a longer half-year
def test_every_figure_stands_on_its_rows_in_the_workbook(record: Record, state: State, kind: str) -> None:
    report = made(record, state, kind)
    book = openpyxl.load_workbook(BytesIO(report_file(report, ".xlsx", ZONE, HEAD)))
    assert set(book.sheetnames) == {"Báo cáo", "Giải thích", *(f"B{n + 1}" for n in range(len(report.tables))),
                                    *(rows.key for rows in report.rows)}  # fmt: skip
    assert report.figures
    for rows in report.rows:
        sheet = book[rows.key]
        assert sheet.max_row - 4 == len(rows.lines) or (not rows.lines and sheet.max_row == 4)
    counts = [one for one in report.figures if one.rows and isinstance(one.value, int) and one.en != "least asked for"]
    for figure in counts:
        (rows,) = [one for one in report.rows if one.key == figure.rows]
        assert len(rows.lines) == figure.value, figure.vi
    keys = {rows.key for rows in report.rows}
    front = [cell for row in book["Báo cáo"].iter_rows() for cell in row]
    links = {cell.hyperlink.location for cell in front if cell.hyperlink}
    assert {f"'{figure.rows}'!A1" for figure in report.figures if figure.rows} <= links
    assert all(column.rows in keys | {""} for table in report.tables for column in table.columns)
    told = [str(cell.value) for row in book["Giải thích"].iter_rows() for cell in row]
    assert any(f"phiên bản dữ liệu {report.record_version}" in words for words in told)
    assert all(figure.vi in told and EXPLAINED[figure.en] in told for figure in report.figures)
    assert all(sheet.freeze_panes for sheet in book), "heads stay in sight"
    numbers = [cell for row in book["Báo cáo"].iter_rows() for cell in row if isinstance(cell.value, int | float)]
    assert {cell.number_format for cell in numbers} <= {"#,##0", "#,##0.0#"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].months == 1])
def test_equal_reports_give_equal_bytes(record: Record, state: State, kind: str) -> None:
    first, second = made(record, state, kind), made(record, state, kind)
    assert first is not second
    for ending in ENDINGS:
        assert report_file(first, ending, ZONE, HEAD) == report_file(second, ending, ZONE, HEAD)
    plain = report_file(first, ".csv", ZONE, HEAD).decode("utf-8-sig")
    assert all(figure.vi.splitlines()[0][:20] in plain for figure in first.figures)
    document = docx.Document(BytesIO(report_file(first, ".docx", ZONE, HEAD)))
    text = "\n".join(one.text for one in document.paragraphs)
    subject = KINDS[kind].subject or KINDS[kind].vi
    assert subject in text
    _, annexed, annex = text.partition("PHỤ LỤC")
    if annexed:
        assert f"(Kèm theo Báo cáo {subject[0].lower()}{subject[1:]} tháng 8 năm 2026)" in annex
    assert len(document.sections) == 1 + bool(annexed), "no page across where nothing is annexed"
    assert bool(re.search(r"^(Bảng|Danh sách) \d", annex, re.MULTILINE)) == bool(annexed)
    assert not re.search(r"{{|{%", text)
    _has_the_form_of_the_decree(document)


def _has_the_form_of_the_decree(document: Document) -> None:
    """Upright text with its head, addressee and recipients, heads of tables on every page, no key for a person."""
    first = document.sections[0]
    assert (first.page_width or 0) < (first.page_height or 0)
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    words = "\n".join([*cells, *(one.text for one in document.paragraphs)])
    for wanted in ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Kính gửi: ", "Nơi nhận:", "Lưu: VT", "BÁO CÁO", "STT"):
        assert wanted in words
    assert not re.search(r"as_of|[0-9a-f]{12}", words), "no hash, and no word of the machine"
    assert not re.search(r"NGƯỜI KÝ|……|\bo-[0-9a-f]{6}|(?<![\w./-])[A-Za-z0-9_-]{22}(?![\w./-])", words)
    grids = [table for table in document.tables if table.style is not None and table.style.name == "Table Grid"]
    assert grids
    for table in grids:
        kinds = [row.trPr for row in table._tbl.tr_lst]
        assert kinds[0] is not None
        assert kinds[0].find(qn("w:tblHeader")) is not None
        assert all(kind is not None and kind.find(qn("w:cantSplit")) is not None for kind in kinds)


def test_letterheads_are_stated_per_unit_and_say_what_is_wrong(tmp_path: Path) -> None:
    register = Register(units={"S": UnitEntry("S", "Sở Xây dựng", "department", None)})
    assert Letterheads.read(tmp_path).of(register, "S").symbol == "SXD"
    path = tmp_path / "letterheads.toml"
    path.write_text('[default]\nplace = "Minh Hải"\n[S]\nsigner = "Nguyễn Văn A"\nrecipients = ["Như trên"]\n', "utf-8")
    stated = Letterheads.read(tmp_path).of(register, "S")
    assert (stated.place, stated.signer, stated.recipients) == ("Minh Hải", "Nguyễn Văn A", ("Như trên",))
    path.write_text('[S]\nsinger = "x"\n', "utf-8")
    with pytest.raises(ValueError, match=r"\[S\] singer: wanted one of"):
        Letterheads.read(tmp_path)


def test_a_past_month_made_today_equals_the_one_made_then(
    record: Record, folder: Path, state: State, tmp_path: Path
) -> None:
    copied = Record(shutil.copytree(folder, tmp_path / "record"))
    then = datetime(2026, 9, 10, tzinfo=UTC)
    first = make_again(copied, state, "centre", MONTH, AS_OF, VIETNAM, now=then)
    received = datetime(2026, 8, 12, 3, tzinfo=UTC)
    rows = [
        {"dossier_id": f"muon-{n}", "procedure_code": "1.990001", "unit_code": UNIT, "received_at": received}
        for n in range(7)
    ]
    copied.append([Chunk("dossier", rows)], source="canonical", arrived_at=then + timedelta(days=40))
    again = make_again(copied, state, "centre", MONTH, AS_OF, VIETNAM, now=then + timedelta(days=41))
    for ending in (".xlsx", ".docx"):
        assert report_file(first, ending, ZONE, HEAD) == report_file(again, ending, ZONE, HEAD)
    with state.reading() as session:
        anew = make(copied, session, "centre", MONTH, AS_OF, VIETNAM)
    assert value(anew, "received") == int(str(value(first, "received"))) + 7, "the back-fill is there, and was kept out"


def test_what_became_known_later_is_not_in_it(record: Record, state: State) -> None:
    soon = made(record, state, "centre", as_of=datetime(2026, 8, 20, tzinfo=ZONE))
    assert any("chưa kết thúc" in note for note in soon.notes)
    for rows in soon.rows:
        for line in rows.lines:
            for place, cell in enumerate(line):
                if isinstance(cell, datetime) and rows.head[place] in ("Tiếp nhận", "Kết thúc"):
                    assert cell < soon.as_of


def test_a_report_of_a_record_behind_counts_until_where_it_knows(state: State, tmp_path: Path) -> None:
    """Asked two weeks after the last news, no dossier grows overdue of which nobody has told."""
    record = Record(tmp_path / "record")
    tables = simulate(seed=11, dossiers=200, start=date(2026, 6, 1), end=date(2026, 8, 14)).tables
    record.append(
        [Chunk(*one) for one in tables.items()], source="canonical", arrived_at=datetime(2026, 8, 14, tzinfo=UTC)
    )
    with record.connect() as con:
        known = known_until(con)
    assert known is not None
    then, asked = (
        made(record, state, "centre", as_of=known + timedelta(microseconds=1 + days * 86_400_000_000))
        for days in (0, 14)
    )
    assert {one.en: one.value for one in asked.figures} == {one.en: one.value for one in then.figures}
    assert any("Dữ liệu chỉ đến" in note for note in asked.notes)
    assert not any("Dữ liệu chỉ đến" in note for note in then.notes)


def test_months_add_up_to_the_half_year(record: Record, state: State) -> None:
    report = made(record, state, "half-year")
    (months,) = [table for table in report.tables if table.en == "by month"]
    for place, words in ((1, "received"), (2, "ended"), (3, "of these late")):
        assert sum(int(str(line[place])) for line in months.lines) == value(report, words)


def test_a_month_told_out_of_the_year_equals_the_month_read_by_itself(record: Record) -> None:
    with record.connect(cutoff=AS_OF) as con:
        calendar = as_delivered(con, VIETNAM)
        year = Period.ending(MONTH, 12, ZONE)
        whole = Caseload.read(con, year.start, year.until, AS_OF, calendar)
        compared = 0
        for month in year.each(ZONE)[-3:]:
            alone = Caseload.read(con, month.start, month.until, AS_OF, calendar)
            assert whole.part(con, month.start, month.until, AS_OF, calendar) == alone
            compared += len(alone.cases)
    assert compared > 1000


def test_rows_beyond_what_a_workbook_opens_are_counted_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.reports.report.MOST_LINES", 3)
    draft = Draft()
    draft.count("Hồ sơ", "dossiers", ("Mã",), [(f"D{n}",) for n in range(5)])
    assert (draft.figures[0].value, draft.rows[0].number, draft.rows[0].left) == (5, 5, 2)
    report = report_of(figures=tuple(draft.figures), rows=tuple(draft.rows))
    book = openpyxl.load_workbook(BytesIO(report_file(report, ".xlsx", ZONE, HEAD)))
    assert "Còn 2 dòng" in str(book["R1"].cell(3, 1).value)


def test_a_long_report_says_how_far_it_is(record: Record, state: State) -> None:
    told: list[str] = []
    with state.reading() as session:
        make(record, session, "quarter", MONTH, AS_OF, VIETNAM, say=told.append)
    assert [one for one in told if one.startswith("tháng")] == [f"tháng {n} năm 2026" for n in (6, 7, 8)]


def test_only_returns_that_a_person_put_down_to_an_official_are_classified(state: State, tmp_path: Path) -> None:
    record = Record(tmp_path / "returns")
    received = datetime(2026, 8, 3, 2, tzinfo=UTC)
    dossiers = [
        {"dossier_id": f"D{n}", "procedure_code": "P", "unit_code": "U", "received_at": received} for n in range(4)
    ]
    events = [
        {"dossier_id": f"D{n}", "kind": "returned", "happened_at": received + timedelta(days=day)}
        for n in range(4) for day in range(1, 1 + n)
    ]  # fmt: skip
    record.append([Chunk("dossier", dossiers), Chunk("event", events)], source="canonical", arrived_at=received)
    with state.writing() as session:
        for name, fault, at in (("D2", "official", -1), ("D3", "citizen", -1), ("D3", "official", +1)):
            now = AS_OF + timedelta(hours=at)
            add_mark(session, f"return:{name}", "U", "fault", fault, "đã xem hồ sơ giấy", now=now)
    report = made(record, state, "centre")
    assert value(report, "sent back twice or more") == 2
    assert value(report, "of these not reviewed yet") == 0
    assert value(report, "of these through an official's fault, after review") == 1
    (table,) = [one for one in report.tables if one.en.startswith("units with dossiers sent back")]
    assert table.lines == (("U", "U", 1),), "what was said after the moment does not count"
    later = made(record, state, "centre", as_of=AS_OF + timedelta(hours=2))
    assert value(later, "of these through an official's fault, after review") == 2


def test_papers_asked_for_twice_is_sent_back_twice(state: State, tmp_path: Path) -> None:
    record = Record(tmp_path / "asked")
    received = datetime(2026, 8, 3, 2, tzinfo=UTC)
    dossiers = [
        {"dossier_id": f"D{n}", "procedure_code": "P", "unit_code": "U", "received_at": received} for n in (1, 2)
    ]
    events = [
        {"dossier_id": f"D{n}", "kind": kind, "happened_at": received + timedelta(days=2 * nth + (kind[7] == "s"))}
        for n in (1, 2) for nth in range(1, 1 + n) for kind in ("papers_requested", "papers_supplied")
    ]  # fmt: skip
    record.append([Chunk("dossier", dossiers), Chunk("event", events)], source="canonical", arrived_at=received)
    report = made(record, state, "centre")
    assert value(report, "sent back twice or more") == 1
    (rows,) = [one for one in report.rows if one.words == "Hồ sơ bị trả từ 2 lần"]
    assert rows.lines[0][2] == "D2"
    assert rows.lines[0][4] == 2


@pytest.mark.parametrize(
    ("kind", "month", "unit", "as_of", "words"),
    [
        ("league", MONTH, "", AS_OF, "kind: wanted one of centre"),
        ("centre", "2026-13", "", AS_OF, "wanted a month such as"),
        ("unit", MONTH, "", AS_OF, "is of one unit"),
        ("unit", MONTH, "nowhere", AS_OF, "no unit 'nowhere'"),
        ("centre", MONTH, "", datetime(2026, 7, 1, tzinfo=ZONE), "as_of: wanted a moment after"),
        ("publication", MONTH, "", AS_OF, "kind: wanted one of centre"),
    ],
)
def test_what_cannot_be_made_says_what_was_wanted(
    record: Record, state: State, kind: str, month: str, unit: str, as_of: datetime, words: str
) -> None:
    with state.reading() as session, pytest.raises(ValueError, match=words):
        make(record, session, kind, month, as_of, VIETNAM, unit_code=unit)


def test_cells_that_a_spreadsheet_would_run_stay_text(state: State, tmp_path: Path) -> None:
    hostile = '=HYPERLINK("http://evil.example")'
    record = Record(tmp_path / "hostile")
    received = datetime(2026, 8, 5, 2, tzinfo=UTC)
    rows = [{"dossier_id": hostile, "procedure_code": "+1", "unit_code": "@u", "received_at": received}]
    record.append([Chunk("dossier", rows)], source="canonical", arrived_at=received)
    book = openpyxl.load_workbook(BytesIO(report_file(made(record, state, "centre"), ".xlsx", ZONE, HEAD)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert any(cell.value == hostile for cell in cells)
    assert not [cell for cell in cells if cell.data_type == "f"]


@pytest.mark.slow
def test_libreoffice_opens_every_report_without_repair(record: Record, state: State, tmp_path: Path) -> None:
    for kind in KINDS:
        for ending in (".docx", ".xlsx"):
            (tmp_path / f"{kind}{ending}").write_bytes(report_file(made(record, state, kind), ending, ZONE, HEAD))
    converted(tmp_path / "word", (tmp_path / f"{kind}.docx" for kind in KINDS))
    converted(tmp_path / "excel", (tmp_path / f"{kind}.xlsx" for kind in KINDS), UTF8)
    for kind in KINDS:
        assert (tmp_path / "word" / f"{kind}.pdf").stat().st_size > 5_000
        assert KINDS[kind].vi in (tmp_path / "excel" / f"{kind}.csv").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["province", "first unit", "second unit"])
def test_every_kind_is_rendered_to_pages_that_look_like_a_report(
    province: Province, record: Record, state: State, tmp_path: Path, scope: str
) -> None:
    """Pages as they come out of the printer: A4, the first upright, none empty, head and recipients, no placeholder."""
    to_pictures, to_text = tool("pdftoppm"), tool("pdftotext")
    second = next(
        code for code in sorted({row["unit_code"] for row in recounted(province)}) if code not in below(province, UNIT)
    )
    unit = {"province": "", "first unit": UNIT, "second unit": second}[scope]
    kinds = [kind for kind in KINDS if unit or not KINDS[kind].of_unit]
    with record.connect(cutoff=AS_OF) as con:
        register = Register.read(con)
    for kind in kinds:
        letterhead = Letterheads().of(register, unit, kind)
        content = report_file(made(record, state, kind, unit=unit), ".docx", ZONE, letterhead)
        (tmp_path / f"{kind}.docx").write_bytes(content)
    converted(tmp_path, (tmp_path / f"{kind}.docx" for kind in kinds))
    for kind in kinds:
        pdf = tmp_path / f"{kind}.pdf"
        subprocess.run([to_pictures, "-r", "30", "-gray", str(pdf), str(tmp_path / kind)], check=True, timeout=120)
        pages = [_read_pgm(path) for path in sorted(tmp_path.glob(f"{kind}-*.pgm"))]
        assert pages, kind
        for number, (width, height, ink) in enumerate(pages, 1):
            assert {round(width / 30 * 25.4, -1), round(height / 30 * 25.4, -1)} == {210, 300}, (kind, number)
            assert ink > 0.001, f"{kind}: page {number} is empty"
        assert pages[0][0] < pages[0][1], f"{kind}: the first page is upright"
        done = subprocess.run([to_text, str(pdf), "-"], check=True, capture_output=True, text=True, timeout=120)
        words = " ".join(done.stdout.split())
        for wanted in ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Kính gửi:", "Nơi nhận:", "BÁO CÁO"):
            assert wanted in words, (kind, wanted)
        assert not re.search(r"{{|{%|⟦|NGƯỜI KÝ", words), kind


def _read_pgm(path: Path) -> tuple[int, int, float]:
    """Width, height and the share of dark dots of a picture that pdftoppm wrote (PGM, P5)."""
    content = path.read_bytes()
    found = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", content)
    assert found is not None, path.name
    dots = content[found.end() :]
    return int(found[1]), int(found[2]), sum(dot < 160 for dot in dots) / max(len(dots), 1)
