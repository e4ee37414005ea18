"""Deliveries that are broken: each gets a clear answer, the good rows land, nothing is lost."""

import gzip
import io
import resource
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from features.record.delivery import Chunk, DeliveryError, DeliveryReceipt, Reject, describe
from features.record.record import Record
from features.sources import SOURCES, FeedOptions, files
from serving.cli import app

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = "dossier_id,procedure_code,unit_code,received_at,due_at\n"
GOOD = "d1,p,u,2025-03-03T08:00:00,2025-03-10T17:00:00\n"


def ingest(home: Path, path: Path, source: str = "canonical") -> tuple[DeliveryReceipt, list[Reject], Record]:
    record = Record(home)
    receipt = record.append(SOURCES[source].read(path, FeedOptions()), source=source, arrived_at=NOW)
    assert receipt.read == receipt.appended + receipt.duplicates + receipt.rejected
    return receipt, record.rejects(receipt.delivery_id), record


def delivered(folder: Path, text: str | bytes, name: str = "dossier.csv") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


@pytest.mark.parametrize(
    ("row", "column", "wanted", "came"),
    [
        (",p,u,2025-03-03,", "dossier_id", "a value", "nothing"),
        ("d,p,u,,", "received_at", "a value", "nothing"),
        ("d,p,u,2025-02-30,", "received_at", "a time in ISO 8601", "2025-02-30"),
        ("d,p,u,03/04/2025 10:00,", "received_at", "a time in ISO 8601", "03/04/2025 10:00"),
        ("d,p,u,Nguyễn Văn An,", "received_at", "a time in ISO 8601", "text of 13 characters"),
        ("d,p,u,001203012345,", "received_at", "a time in ISO 8601", "text of 12 characters"),
        ("d,p,u,1900-01-01,", "received_at", "a time from 1990 to 2100", "1900-01-01"),
        ("d,p,u,1989-12-31T23:59:59Z,", "received_at", "a time from 1990 to 2100", "1989-12-31T23:59:59Z"),
        ("d,p,u,2025-03-03,9999-12-31", "due_at", "a time from 1990 to 2100", "9999-12-31"),
        ("d,p,u,2025-03-03,2025-03-02", "due_at", "not before received_at", "2025-03-02"),
        ("d,p,u,2025-03-03", "", "5 cells", "4 cells"),
        ("d,p,u,2025-03-03,,,x", "", "5 cells", "7 cells"),  # empty cells behind the last are borne
    ],
)
def test_a_bad_row_is_kept_aside_with_its_reason(tmp_path: Path, row: str, column: str, wanted: str, came: str) -> None:
    folder = delivered(tmp_path / "in", f"{HEADER}{GOOD}{row}\n{GOOD.replace('d1', 'd2')}")
    receipt, rejects, _ = ingest(tmp_path / "home", folder)
    assert str(receipt) == "read=3 appended=2 known=0 rejected=1"
    assert rejects == [Reject("dossier.csv", 3, column, wanted, came)]


@pytest.mark.parametrize(
    ("table", "header", "row", "bad", "wanted"),
    [
        ("procedure", "procedure_code,sector_code,legal_working_days", "p,s,-3", 2, "from 0 to 10000"),
        ("procedure", "procedure_code,sector_code,legal_working_days", "p,s,NaN", 2, "a decimal number"),
        ("procedure", "procedure_code,sector_code,max_supplements", "p,s,1.5", 2, "a whole number"),
        ("sector", "sector_code,prior_weight", "s,1.2", 1, "from 0 to 1"),
        ("rating", "rating_id,dossier_id,score,rated_at", "r,d,6,2025-03-03", 2, "from 1 to 5"),
        ("rating", "rating_id,dossier_id,score,rated_at,by_staff", "r,d,5,2025-03-03,so", 4, "true or false"),
        ("outage", "starts_at,ends_at", "2025-03-03,2025-03-01", 1, "not before starts_at"),
        ("finding", "finding_id,inspection_id,kind", "f,i,theft", 2, "one of the list"),
        ("holiday", "date,kind", "2025-02-31,off", 0, "a day in ISO 8601"),
        ("event", "kind,dossier_id,happened_at", ",d,2025-03-03", 0, "a value"),
    ],
)
def test_every_table_has_its_rules(tmp_path: Path, table: str, header: str, row: str, bad: int, wanted: str) -> None:
    folder = delivered(tmp_path / "in", f"{header}\n{row}\n", f"{table}.csv")
    receipt, rejects, _ = ingest(tmp_path / "home", folder)
    assert (receipt.read, receipt.rejected) == (1, 1)
    assert (rejects[0].column, rejects[0].wanted) == (header.split(",")[bad], wanted)


def test_values_outside_an_optional_list_are_read_gently_and_told(tmp_path: Path) -> None:
    rows = [{"complaint_id": "c", "filed_at": "2025-03-03", "topic": "Noise", "verdict": "maybe"}]
    receipt = Record(tmp_path).append([Chunk("complaint", rows)], source="canonical", arrived_at=NOW)
    con = Record(tmp_path).connect()
    assert con.execute("SELECT topic, verdict FROM complaint").fetchall() == [("other", None)]
    assert receipt.notes == (
        "complaint.topic: outside the list, read as other",
        "complaint.verdict: outside the list, read as nothing",
    )


def test_validity_of_an_office_may_be_open(tmp_path: Path) -> None:
    folder = delivered(tmp_path / "in", "unit_code,valid_from,valid_to\nu,1900-01-01,9999-12-31\n", "unit.csv")
    _, _, record = ingest(tmp_path / "home", folder)
    assert record.connect().execute("SELECT valid_from, valid_to FROM unit").fetchall() == [(None, None)]


@pytest.mark.parametrize("name", ["dossier.csv", "dossier.jsonl", "dossier.parquet"])
def test_an_empty_file_is_told_and_the_others_land(tmp_path: Path, name: str) -> None:
    folder = delivered(delivered(tmp_path / "in", b"", name), "unit_code\nu\n", "unit.csv")
    receipt, rejects, _ = ingest(tmp_path / "home", folder)
    assert (receipt.appended, receipt.rejected) == (1, 1)
    assert (rejects[0].file, rejects[0].came) == (name, "an empty file")


@pytest.mark.parametrize("source", ["canonical", "xes", "table"])
def test_the_wrong_source_is_refused_with_what_was_wanted(tmp_path: Path, source: str) -> None:
    folder = delivered(tmp_path / "in", b"\x89PNG", "scan.png")
    options = FeedOptions(mapping=Path("bpic15_1" if source == "xes" else "receipt"))
    with pytest.raises(DeliveryError, match="wanted"):
        list(SOURCES[source].read(folder, options))
    with pytest.raises(DeliveryError, match="there is none"):
        list(SOURCES[source].read(tmp_path / "nowhere", options))
    assert Record(tmp_path / "home").version() == 0


def test_a_truncated_gzip_gives_the_rows_before_its_end(tmp_path: Path) -> None:
    lines = "".join(GOOD.replace("d1", f"d{n:05d}") for n in range(20_000))
    packed = gzip.compress((HEADER + lines).encode())
    folder = delivered(tmp_path / "in", packed[: len(packed) // 2], "dossier.csv.gz")
    receipt, rejects, _ = ingest(tmp_path / "home", folder)
    assert receipt.appended > 5_000
    assert rejects[-1].came == "damaged from here on (it ends early)"
    assert rejects[-1].line == receipt.appended + 2


def test_a_line_of_a_gigabyte_is_refused_by_number_in_bounded_memory(tmp_path: Path) -> None:
    folder = delivered(tmp_path / "in", HEADER + GOOD)
    with (folder / "dossier.csv").open("r+b") as file:
        file.seek(2**30, io.SEEK_END)  # a hole: zeros that take no disk
        file.write(b"\n" + GOOD.replace("d1", "d2").encode())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    receipt, rejects, _ = ingest(tmp_path / "home", folder)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert str(receipt) == "read=3 appended=2 known=0 rejected=1"
    assert (rejects[0].line, rejects[0].came) == (3, f"{2**30 + 1} bytes")
    assert grown < 300 * 1024


def test_bytes_that_are_no_utf8_cost_their_line_only(tmp_path: Path) -> None:
    text = (HEADER + GOOD).encode() + b"d\xff,p,u,2025-03-03,\n" + GOOD.replace("d1", "d2").encode()
    receipt, rejects, _ = ingest(tmp_path / "home", delivered(tmp_path / "in", text))
    assert (receipt.appended, receipt.rejected) == (2, 1)
    assert rejects == [Reject("dossier.csv", 3, "", "text in UTF-8", "other bytes at position 2")]


def test_a_stray_quote_costs_its_line_only(tmp_path: Path) -> None:
    lines = [GOOD.replace("d1", f"d{n}") for n in range(500)]
    lines[100] = 'd100,"p,u,2025-03-03T08:00:00,\n'
    receipt, rejects, _ = ingest(tmp_path / "home", delivered(tmp_path / "in", HEADER + "".join(lines)))
    assert (receipt.appended, receipt.rejected) == (499, 1)
    assert (rejects[0].line, rejects[0].wanted) == (102, "a CSV record")


def test_a_carriage_return_amid_a_line_costs_no_more_than_what_it_stands_in(tmp_path: Path) -> None:
    """Found by a hundred thousand damaged deliveries: in the header it was no CSV at all."""
    text = "dossier_id,kind,happened_at,rea\rson\nd1,note,2025-03-03,x\nd2,no\rte,2025-03-03,x\n"
    receipt, rejects, record = ingest(tmp_path / "home", delivered(tmp_path / "in", text, "event.csv"))
    assert (receipt.appended, receipt.rejected) == (1, 1)
    assert (rejects[0].line, rejects[0].wanted) == (3, "a CSV record")
    assert record.connect().execute("SELECT dossier_id, reason FROM event").fetchall() == [("d1", None)]


def test_a_quoted_cell_may_run_over_lines(tmp_path: Path) -> None:
    text = 'dossier_id,kind,happened_at,reason\nd1,note,2025-03-03,"one\ntwo"\nd2,note,bad,\n'
    receipt, rejects, record = ingest(tmp_path / "home", delivered(tmp_path / "in", text, "event.csv"))
    assert record.connect().execute("SELECT reason FROM event").fetchall() == [("one\ntwo",)]
    assert (receipt.appended, rejects[0].line) == (1, 4)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_and_a_byte_order_mark_are_read(tmp_path: Path, separator: str) -> None:
    text = "\ufeff" + (HEADER + GOOD).replace(",", separator)
    receipt, _, _ = ingest(tmp_path / "home", delivered(tmp_path / "in", text))
    assert receipt.appended == 1


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    text = 'dossier_id,kind,happened_at,reason\nd1,note,2025-03-03,"=HYPERLINK(""http://x"")"\n'
    _, _, record = ingest(tmp_path / "home", delivered(tmp_path / "in", text, "event.csv"))
    assert record.connect().execute("SELECT reason FROM event").fetchall() == [('=HYPERLINK("http://x")',)]


def test_lines_of_json_that_are_no_objects(tmp_path: Path) -> None:
    good = '{"dossier_id": 7, "kind": "note", "happened_at": "2025-03-03"}'
    lines = [good, "[1]", "{", '"x"', "", good.replace("7", '"8"'), '{"kind": "note"}']
    folder = delivered(tmp_path / "in", "\n".join(lines), "event.jsonl")
    receipt, rejects, record = ingest(tmp_path / "home", folder)
    assert (receipt.appended, receipt.rejected) == (2, 4)
    assert [reject.line for reject in rejects] == [2, 3, 4, 7]
    assert record.connect().execute("SELECT dossier_id FROM event ORDER BY ALL").fetchall() == [
        ("7",),
        ("8",),
    ]


def test_a_damaged_parquet_is_told(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"unit_code": ["u"]}), buffer)
    folder = delivered(tmp_path / "in", buffer.getvalue()[:-20], "unit.parquet")
    receipt, rejects, _ = ingest(tmp_path / "home", folder)
    assert (receipt.read, receipt.rejected, rejects[0].wanted) == (1, 1, "a Parquet file")


def zipped(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_a_zip_is_read_and_never_leads_out_of_itself(tmp_path: Path) -> None:
    parquet = io.BytesIO()
    pq.write_table(pa.table({"unit_code": ["u"]}), parquet)
    members: dict[str, str | bytes] = {
        "day/dossier.csv": HEADER + GOOD,
        "day/unit.parquet": parquet.getvalue(),
        "../sector.csv": "sector_code\ns\n",
        "/etc/event.csv": "x\n",
        "__MACOSX/._dossier.csv": "x",
    }
    receipt, rejects, _ = ingest(tmp_path / "home", zipped(tmp_path / "in.zip", members))
    assert (receipt.appended, receipt.rejected) == (2, 2)
    assert {reject.came for reject in rejects} == {"a path that leads out of it"}
    assert not (tmp_path.parent / "sector.csv").exists()


def test_a_bomb_is_refused_and_the_rest_lands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_RATIO_FREE", 2**17)
    monkeypatch.setattr(files, "MAX_RATIO", 30)
    bomb = HEADER + ("d,p,u,2025-03-03,\n" * 60_000) + " " * 2**23
    path = zipped(tmp_path / "in.zip", {"dossier.csv": bomb, "unit.csv": "unit_code\nu\n"})
    assert len(bomb) > files.MAX_RATIO * path.stat().st_size
    receipt, rejects, record = ingest(tmp_path / "home", path)
    assert "unpacks at most" in rejects[0].came
    assert record.connect().execute("SELECT count(*) FROM unit").fetchall() == [(1,)]
    packed = delivered(tmp_path / "in", gzip.compress(b"unit_code\n" + b"u" * 2**22), "unit.csv.gz")
    assert "unpacks at most" in ingest(tmp_path / "home", packed)[1][0].came
    assert receipt.rejected == 1


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "in.zip", {"dossier.csv": HEADER})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DeliveryError, match="damaged"):
        ingest(tmp_path / "home", path)


def test_a_table_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="'wages' came"):
        Record(tmp_path).append([Chunk("wages", [{"a": 1}])], source="canonical", arrived_at=NOW)


def test_what_came_never_shows_a_person() -> None:
    for cell in (
        "Trần Thị Bình",
        "0912345678",
        "001203012345",
        "binh@example.vn",
        "=cmd|'/c calc'!A1",
        b"\x00",
    ):
        assert str(cell) not in describe(cell)
    assert describe("2025-13-01", personal=True) == "text of 10 characters"


cell = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.binary(max_size=4),
    st.datetimes(), st.dates(), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.none()),
    st.sampled_from([[2**64], "2025-03-03", "2025-03-03T08:00:00Z", "received", "d1", "\ud800", "\x00", "9" * 400]),
)  # fmt: skip
names = st.sampled_from(["dossier_id", "kind", "happened_at", "known_at", "received_at", "unit_code", "score", "x"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.sampled_from(["dossier", "event", "complaint", "rating", "holiday"]),
    rows=st.lists(st.dictionaries(names, cell, max_size=6), max_size=6),
)
def test_whatever_comes_is_counted(
    tmp_path_factory: pytest.TempPathFactory, table: str, rows: list[dict[str, object]]
) -> None:
    record = Record(tmp_path_factory.mktemp("home"))
    receipt = record.append([Chunk(table, rows)], source="canonical", arrived_at=NOW)
    assert receipt.read == len(rows) == receipt.appended + receipt.duplicates + receipt.rejected


@pytest.mark.parametrize("other", [5.0, "u2"])
def test_nan_is_no_code(tmp_path: Path, other: object) -> None:
    row = {"dossier_id": "d1", "procedure_code": "p", "unit_code": float("nan"), "received_at": "2025-03-03"}
    receipt = Record(tmp_path).append(
        [Chunk("dossier", [row, row | {"dossier_id": "d2", "unit_code": other}])], source="canonical", arrived_at=NOW
    )
    assert (receipt.appended, receipt.rejected) == (1, 1)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=60), ending=st.sampled_from(["csv", "jsonl", "parquet", "csv.gz"]))
def test_whatever_bytes_come_there_is_an_answer(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, ending: str
) -> None:
    folder = delivered(tmp_path_factory.mktemp("in"), noise, f"event.{ending}")
    chunks = list(SOURCES["canonical"].read(folder, FeedOptions()))
    assert all(isinstance(reject, Reject) for chunk in chunks for reject in chunk.rejects)


def test_the_command_line_tells_what_was_kept_aside(tmp_path: Path) -> None:
    folder = delivered(tmp_path / "in", HEADER + GOOD + "d2,p,u,soon,\n" * 12)
    run = CliRunner()
    home = ["--home", str(tmp_path / "home")]
    told = run.invoke(app, [*home, "ingest", str(folder), "--source", "canonical"])
    assert told.exit_code == 0
    assert told.stdout == "read=13 appended=1 known=0 rejected=12\n"
    assert told.stderr.count("rejected: dossier.csv:") == 10
    assert "2 more: risk rejects --delivery" in told.stderr
    every = run.invoke(app, [*home, "rejects"]).stdout.splitlines()
    assert len(every) == 12
    assert every[0] == "dossier.csv:3 received_at: a time in ISO 8601 was wanted, soon came"
