"""Event logs and tables through mapping files."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.record.delivery import Chunk, DeliveryError, DeliveryReceipt
from features.record.record import Record
from features.sources import SOURCES, FeedOptions
from features.sources.mapping import SHIPPED, load_mapping

NOW = datetime(2026, 1, 1, tzinfo=UTC)

LOG = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <global scope="event"><string key="concept:name" value="UNKNOWN"/></global>
  <trace>
    <string key="concept:name" value="A1"/><date key="start" value="2025-03-03T08:00:00"/>
    <event>
      <string key="concept:name" value="register"/>
      <date key="time:timestamp" value="2025-03-03T09:00:00+07:00"/>
      <string key="org:resource" value="r7"/>
    </event>
    <event>
      <string key="concept:name" value="send"/><date key="time:timestamp" value="2025-03-05T09:00:00+07:00"/>
      <string key="entered" value="2025-03-06 10:00:00"/>
    </event>
  </trace>
  <trace>
    <string key="concept:name" value="A2"/><date key="start" value="2025-03-04T08:00:00"/>
    <date key="stopped" value="2025-03-07T00:00:00"/>
    <list key="parts"><values><string key="part" value="x"/></values></list>
  </trace>
</log>
"""

MAPPING = """
[dossier]
dossier_id = { from = "case:concept:name", prefix = "T-" }
procedure_code = { value = "p" }
unit_code = { value = "u" }
received_at = "case:start"
due_at = { from = "case:start", plus_days = 10 }
x_first = "org:resource"

[event]
dossier_id = { from = "case:concept:name", prefix = "T-" }
happened_at = "time:timestamp"
known_at = { latest = ["time:timestamp", "entered"] }
official_id = "org:resource"

[kinds]
activity = "concept:name"
send = "decided"

[[case_event]]
kind = "withdrawn"
happened_at = "case:stopped"
step = { value = "stopped" }
unless = "decided"
"""


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def ingest(home: Path, source: str, path: Path, mapping: Path) -> tuple[DeliveryReceipt, Record]:
    record = Record(home)
    chunks = SOURCES[source].read(path, FeedOptions(mapping=mapping))
    receipt = record.append(chunks, source=source, arrived_at=NOW)
    assert receipt.read == receipt.appended + receipt.duplicates + receipt.rejected
    return receipt, record


def moment(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize("packed", [False, True])
def test_a_log_becomes_dossiers_and_events(tmp_path: Path, packed: bool) -> None:
    text = gzip.compress(LOG.encode()) if packed else LOG.encode()
    log = written(tmp_path / ("a.xes.gz" if packed else "a.xes"), text)
    receipt, record = ingest(tmp_path / "home", "xes", log, written(tmp_path / "m.toml", MAPPING))
    assert str(receipt) == "read=5 appended=5 known=0 rejected=0"
    con = record.connect()
    assert con.execute("SELECT dossier_id, received_at, due_at, x_first FROM dossier ORDER BY 1").fetchall() == [
        ("T-A1", moment(2025, 3, 3, 1), moment(2025, 3, 13, 1), "r7"),
        ("T-A2", moment(2025, 3, 4, 1), moment(2025, 3, 14, 1), None),
    ]
    told = con.execute("SELECT kind, step, happened_at, known_at, known_by FROM event ORDER BY known_at").fetchall()
    assert told == [
        ("note", "register", moment(2025, 3, 3, 2), moment(2025, 3, 3, 2), "feed"),
        ("decided", "send", moment(2025, 3, 5, 2), moment(2025, 3, 6, 3), "feed"),
        ("withdrawn", "stopped", moment(2025, 3, 6, 17), moment(2025, 3, 6, 17), "clock"),
    ]


BOMB = """<?xml version="1.0"?>
<!DOCTYPE log [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<log><trace><string key="concept:name" value="&b;"/></trace></log>
"""
FILE = """<?xml version="1.0"?>
<!DOCTYPE log [<!ENTITY secret SYSTEM "file:///etc/hostname">]>
<log><trace><string key="concept:name" value="x">&secret;</string></trace></log>
"""


@pytest.mark.parametrize("text", [BOMB, FILE])
@pytest.mark.parametrize(("encoding", "says"), [("utf-8", "entities"), ("utf-16", "UTF-8 was wanted")])
def test_a_log_with_entities_is_refused(tmp_path: Path, text: str, encoding: str, says: str) -> None:
    log = written(tmp_path / "a.xes", text.encode(encoding))
    receipt, record = ingest(tmp_path / "home", "xes", log, written(tmp_path / "m.toml", MAPPING))
    assert str(receipt) == "read=1 appended=0 known=0 rejected=1"
    assert says in record.rejects(receipt.delivery_id)[0].came


@pytest.mark.parametrize(
    ("text", "came", "appended"),
    [
        ("", "an empty file", 0),
        ("not a log", "something else", 0),
        (LOG[: LOG.index("<trace>", LOG.index("<trace>") + 5) + 30], "something else", 3),
    ],
)
def test_a_broken_log_gives_its_whole_traces(tmp_path: Path, text: str, came: str, appended: int) -> None:
    log, mapping = written(tmp_path / "a.xes", text), written(tmp_path / "m.toml", MAPPING)
    receipt, record = ingest(tmp_path / "home", "xes", log, mapping)
    assert (receipt.appended, receipt.rejected) == (appended, 1)
    assert came in record.rejects(receipt.delivery_id)[0].came


def test_a_truncated_packed_log_gives_its_whole_traces(tmp_path: Path) -> None:
    traces = "".join(
        f'<trace><string key="concept:name" value="A{n}"/><date key="start" value="2025-03-03"/></trace>'
        for n in range(5_000)
    )
    packed = gzip.compress(f"<log>{traces}</log>".encode())
    log = written(tmp_path / "a.xes.gz", packed[: len(packed) // 2])
    receipt, record = ingest(tmp_path / "home", "xes", log, written(tmp_path / "m.toml", MAPPING))
    assert receipt.appended > 500
    assert "it ends early" in record.rejects(receipt.delivery_id)[0].came


def test_bad_events_are_told_by_line(tmp_path: Path) -> None:
    log = written(tmp_path / "a.xes", LOG.replace("2025-03-05T09:00:00+07:00", "9999-03-05T09:00:00+07:00"))
    receipt, record = ingest(tmp_path / "home", "xes", log, written(tmp_path / "m.toml", MAPPING))
    (reject,) = record.rejects(receipt.delivery_id)
    assert (reject.line, reject.column, reject.wanted) == (11, "happened_at", "a time from 1990 to 2100")
    assert receipt.appended == 4


@pytest.mark.parametrize(
    ("whole", "line", "appended"),
    [
        ('<string key="org:resource" value="r7"/>', 9, 5),  # of an event, which stands without it
        ('<date key="stopped" value="2025-03-07T00:00:00"/>', 18, 4),  # of a trace, whose withdrawal it told
        ('<string key="part" value="x"/>', 0, 5),  # within a list, which is not read
    ],
)
def test_an_attribute_without_key_is_told_by_line(tmp_path: Path, whole: str, line: int, appended: int) -> None:
    torn = whole.replace("key=", "kez=")
    log = written(tmp_path / "a.xes", LOG.replace(whole, torn))
    receipt, record = ingest(tmp_path / "home", "xes", log, written(tmp_path / "m.toml", MAPPING))
    rejects = record.rejects(receipt.delivery_id)
    assert [(one.line, one.wanted) for one in rejects] == [(line, "an attribute with its key")] * (line > 0)
    assert receipt.appended == appended


def test_an_event_in_no_trace_with_an_attribute_without_key_is_told(tmp_path: Path) -> None:
    event = '<event>\n<string key="case:concept:name" value="A9"/><string value="r7"/></event>'
    log = written(tmp_path / "a.xes", f"<log>\n{event}</log>")
    chunks = list(SOURCES["xes"].read(log, FeedOptions(mapping=written(tmp_path / "m.toml", MAPPING))))
    rejects = [reject for chunk in chunks for reject in chunk.rejects]
    assert [(one.line, one.came) for one in rejects] == [(3, "a value alone")]


PLAIN = """
zone = "Asia/Ho_Chi_Minh"

[dossier]
dossier_id = "Số hồ sơ"
procedure_code = "Thủ tục"
unit_code = { from = "Đơn vị", words = { "Sở A" = "H01.1" } }
received_at = { from = "Ngày nhận", format = "%d/%m/%Y" }
x_area = "Diện tích"
"""
ROWS = [("Số hồ sơ", "Thủ tục", "Đơn vị", "Ngày nhận", "Diện tích"),
        ("1", "p", "Sở A", "03/03/2025", "12.5"), ("2", "p", "Sở B", "04/03/2025", "7"),
        ("3", "p", "Sở B", "2025-03-05", "7")]  # fmt: skip


def _as_csv(path: Path) -> Path:
    return written(path / "a.csv", "\n".join(";".join(row) for row in ROWS))


def _as_parquet(path: Path) -> Path:
    columns = {name: [row[i] for row in ROWS[1:]] for i, name in enumerate(ROWS[0])}
    pq.write_table(pa.table(columns), path / "a.parquet")
    return path / "a.parquet"


def _as_excel(path: Path) -> Path:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in ROWS:
        book.active.append(row)
    book.save(path / "a.xlsx")
    return path / "a.xlsx"


@pytest.mark.parametrize("write", [_as_csv, _as_parquet, _as_excel])
def test_one_mapping_reads_csv_parquet_and_excel(tmp_path: Path, write) -> None:  # type: ignore[no-untyped-def]
    mapping = written(tmp_path / "m.toml", PLAIN)
    _, record = ingest(tmp_path / "home", "table", write(tmp_path), mapping)
    con = record.connect()
    told = con.execute("SELECT dossier_id, unit_code, received_at FROM dossier ORDER BY 1").fetchall()
    assert told == [
        ("1", "H01.1", moment(2025, 3, 2, 17)),
        ("2", "Sở B", moment(2025, 3, 3, 17)),
        ("3", "Sở B", moment(2025, 3, 4, 17)),
    ]


def test_excel_cells_that_are_dates_and_numbers(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["id", "day", "moment", "area"])
    book.active.append([17, date(2025, 3, 3), datetime(2025, 3, 3, 8, 30), 12.5])  # noqa: DTZ001 — as Excel has it
    book.save(tmp_path / "a.xlsx")
    text = """
    [dossier]
    dossier_id = "id"
    procedure_code = { value = "p" }
    unit_code = { value = "u" }
    received_at = "day"
    submitted_at = "moment"
    x_area = "area"
    """
    _, record = ingest(tmp_path / "home", "table", tmp_path / "a.xlsx", written(tmp_path / "m.toml", text))
    told = record.connect().execute("SELECT dossier_id, received_at, submitted_at, x_area FROM dossier").fetchall()
    assert told == [("17", moment(2025, 3, 2, 17), moment(2025, 3, 3, 1, 30), 12.5)]


def test_a_damaged_workbook_and_a_foreign_table_are_told(tmp_path: Path) -> None:
    mapping = written(tmp_path / "m.toml", PLAIN)
    receipt, record = ingest(tmp_path / "home", "table", written(tmp_path / "a.xlsx", b"PK\x03\x04 broken"), mapping)
    assert record.rejects(receipt.delivery_id)[0].wanted == "a whole table"
    with pytest.raises(DeliveryError, match="columns such as 'Diện tích' were wanted"):
        ingest(tmp_path / "home", "table", written(tmp_path / "b.csv", "a,b\n1,2\n"), mapping)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[dossier", "a TOML file was wanted"),
        ('[wages]\na = "b"', "'wages' is neither a table nor an option"),
        ('[dossier]\nwage = "b"', "has no column 'wage'"),
        ("[dossier]\ndossier_id = 3", "a name, names, or"),
        ('[dossier]\ndossier_id = { form = "b" }', "a name, names, or"),
        ('[kinds]\nactivity = "a"', "at least one canonical table"),
        ('[event]\nkind = "a"\n[kinds]\nactivity = "a"\nx = "solved"', "'solved' is not an event kind"),
        ('zone = "Moon/Base"\n[unit]\nunit_code = "a"', "zone 'Moon/Base' is not known"),
    ],
)
def test_a_wrong_mapping_says_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DeliveryError, match="mapping") as error:
        load_mapping(written(tmp_path / "m.toml", text))
    assert says in str(error.value)


def test_a_missing_mapping_names_the_shipped_ones() -> None:
    with pytest.raises(DeliveryError, match="bpic15_1, receipt"):
        load_mapping(None)
    assert {load_mapping(Path(file.stem)).is_log for file in SHIPPED.glob("*.toml")} == {True}


def test_the_receipt_log_gives_the_canonical_rows(tmp_path: Path, shared: Path) -> None:
    """The flat export through its mapping is row by row what the canonical set says."""
    data = shared / "data"
    receipt, record = ingest(tmp_path, "table", data / "raw/receipt.csv.gz", Path("receipt"))
    assert str(receipt) == "read=11345 appended=11345 known=0 rejected=0"
    chunks = SOURCES["canonical"].read(data / "wabo_receipt", FeedOptions())
    again = record.append(chunks, source="canonical", arrived_at=NOW)
    assert str(again) == "read=11345 appended=0 known=11345 rejected=0"


def test_the_building_permits_agree_with_the_canonical_set(tmp_path: Path, shared: Path) -> None:
    """The canonical set leaves out some cases and what comes after the decision; the rest is the same."""
    data = shared / "data"
    receipt, record = ingest(tmp_path, "xes", data / "raw/BPIC15_1.xes.gz", Path("bpic15_1"))
    assert (receipt.read, receipt.rejected) == (53_663, 0)
    ours = receipt.delivery_id
    record.append(SOURCES["canonical"].read(data / "bpic15_m1_m2", FeedOptions()), source="canonical", arrived_at=NOW)
    con = record.connect()
    con.execute("CREATE TABLE told AS SELECT * FROM event WHERE delivery_id = ?", [ours])
    dossiers = con.execute(
        "SELECT count(*) FROM (SELECT dossier_id, procedure_code, received_at, due_at FROM dossier"
        " WHERE dossier_id LIKE 'M1-%' GROUP BY ALL)"
    ).fetchall()
    assert dossiers == [(1_199,)]  # not one dossier is told in two ways
    missing = con.execute(
        "SELECT count(*) FROM event e ANTI JOIN told t ON (e.dossier_id, e.kind, e.happened_at) ="
        " (t.dossier_id, t.kind, t.happened_at) WHERE e.dossier_id LIKE 'M1-%' AND e.kind <> 'decided'"
    ).fetchall()
    assert missing[0][0] <= 10


def test_rejects_of_a_feed_come_with_its_chunks(tmp_path: Path) -> None:
    """A log of nothing but a broken file still gives one answer."""
    log = written(tmp_path / "a.xes", "")
    chunks = list(SOURCES["xes"].read(log, FeedOptions(mapping=written(tmp_path / "m.toml", MAPPING))))
    assert [type(chunk) for chunk in chunks] == [Chunk]
    assert len(chunks[0].rejects) == 1
