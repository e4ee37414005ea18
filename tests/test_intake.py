"""A delivery is looked at before it is taken in: by command, by API, on the page; mappings are kept by version."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import openpyxl
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as h_settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from features.record.record import Record
from features.sources.proposal import form_of, mapping_text, propose
from serving.app import create_app
from serving.cli import app as command
from serving.settings import Settings
from serving.work.intake import preview, take_in
from serving.work.mapping_store import MappingStore, slug
from tests.drawn_conduct import draw_full_office
from tests.drawn_office import settings_of
from tests.drawn_people import NOW, sit_down

HEADER = ("Số hồ sơ", "Mã TTHC", "Mã đơn vị", "Ngày tiếp nhận", "Ngày hẹn trả kết quả", "Tên đơn vị", "Ghi chú")
ROWS = [(f"H99.13-26031{n}-000{n}", "1.001612", "H99.13", f"1{n}/03/2026 08:00", f"2{n}/03/2026 17:00", "Sở A", "x")
        for n in range(1, 5)]  # fmt: skip


def sheet(path: Path) -> Path:
    """A workbook with a title and a line of totals."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (("DANH SÁCH",), HEADER, *ROWS, ("Tổng cộng: 4",)):
        book.active.append(row)
    book.save(path)
    return path


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return draw_full_office(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings, now=lambda: NOW + timedelta(days=27), poll_seconds=3600)) as opened:
        yield opened


def deliveries(settings: Settings) -> int:
    return Record(settings.record_url).version()


def test_the_page_shows_what_would_become_of_a_file_and_takes_it_in(
    settings: Settings, client: TestClient, tmp_path: Path
) -> None:
    csrf, before = sit_down(client, "quantri"), deliveries(settings)
    file = {"file": ("thang 3.xlsx", sheet(tmp_path / "a.xlsx").read_bytes())}
    shown = client.post("/intake", data={"csrf": csrf, "source": "table", "name": "Một cửa A"}, files=file)
    assert shown.status_code == 200, shown.text
    for words in (
        "Số hồ sơ",
        "chắc (100",
        "H99.13-260311-0001",
        "không phải một dòng hồ sơ",
        "Ghi chú",
        "%d/%m/%Y %H:%M",
    ):
        assert words in shown.text, words
    assert deliveries(settings) == before
    token = shown.text.split('action="/intake/')[1].split('"')[0]
    form = {"csrf": csrf, "key": uuid4().hex, "what": "take"}
    taken = client.post(f"/intake/{token}", data=form)
    assert taken.status_code == 200
    assert "nhận mới" in taken.text
    assert deliveries(settings) == before + 1
    assert client.post(f"/intake/{token}", data=form).status_code == 404  # not a second time
    (kept,) = MappingStore(settings.home / "mappings").versions("mot-cua-a")
    assert 'due_at = { from = "Ngày hẹn trả kết quả", format = "%d/%m/%Y %H:%M" }' in kept.text
    again = client.post("/intake", data={"csrf": csrf, "source": "table", "name": "Một cửa A"}, files=file)
    assert "Độ đầy các cột như lần trước" in again.text
    assert "<b>0</b> dòng mới, sẽ nhận" in again.text
    assert "0 dòng mới, đã có 4" in again.text
    receipts = client.get("/receipts", params={"action": "intake.write"})
    assert "Nhận tệp dữ liệu" in receipts.text


def test_a_mapping_can_be_changed_before_the_file_is_taken_in(client: TestClient, tmp_path: Path) -> None:
    csrf = sit_down(client, "quantri")
    file = {"file": ("a.csv", "Số,Ngày\n1,2026-03-01\n".encode())}
    shown = client.post("/intake", data={"csrf": csrf, "source": "table"}, files=file)
    token = shown.text.split('action="/intake/')[1].split('"')[0]
    told = (
        'dossier_id = "Số"',
        'procedure_code = { value = "p" }',
        'unit_code = { value = "x1" }',
        'received_at = "Ngày"',
    )
    mapping = "\n".join(["[dossier]", *told])
    form = {"csrf": csrf, "key": uuid4().hex, "what": "look", "mapping": mapping}
    assert "Hồ sơ: 1 dòng mới" in client.post(f"/intake/{token}", data=form).text
    wrong = client.post(f"/intake/{token}", data=form | {"mapping": "[dossier"})
    assert "Không đọc được tệp này" in wrong.text


def test_only_an_administrator_sends_files_in(client: TestClient) -> None:
    for login in ("thanhtra", "truongphong", "canbo", "phantich", "lanhdao"):
        csrf = sit_down(client, login)
        assert client.get("/intake").status_code == 403, login
        sent = client.post("/intake", data={"csrf": csrf, "source": "table"}, files={"file": ("a.csv", b"x")})
        assert sent.status_code == 403, login


def test_the_api_looks_first_and_confirms_once(settings: Settings, client: TestClient, tmp_path: Path) -> None:
    csrf = sit_down(client, "quantri")
    before, headers = deliveries(settings), {"X-CSRF-Token": csrf}
    text = "dossier_id,procedure_code,unit_code,received_at,due_at\nN1,p,x1,2026-03-02T08:00:00,2026-03-20\nN2,p,x1,,\n"
    found = client.post("/api/v1/deliveries/preview", data={"source": "canonical"}, headers=headers,
                        files={"file": ("dossier.csv", text.encode())})  # fmt: skip
    assert found.status_code == 200, found.text
    told = found.json()
    assert (told["outcome"]["read"], told["outcome"]["rejected"]) == (2, 1)
    assert told["outcome"]["rejects"][0]["column"] == "received_at"
    assert deliveries(settings) == before
    form = {"source": "canonical", "encodng": "tcvn3"}
    misspelt = client.post("/api/v1/deliveries/preview", data=form, headers=headers,
                           files={"file": ("dossier.csv", text.encode())})  # fmt: skip
    assert misspelt.status_code == 422
    assert "encoding" in misspelt.json()["detail"]
    confirm = f"/api/v1/deliveries/{told['token']}/confirm"
    made = client.post(confirm, headers=headers | {"Idempotency-Key": uuid4().hex}).json()
    assert (made["read"], made["appended"], made["known"], made["rejected"]) == (2, 1, 0, 1)
    again = client.post("/api/v1/deliveries/preview", data={"source": "canonical"}, headers=headers,
                        files={"file": ("dossier.csv", text.encode())}).json()["outcome"]  # fmt: skip
    assert (again["read"], again["good"], again["known"], again["rejected"]) == (2, 0, 1, 1)
    assert again["tables"][0]["new"] == [False]
    assert deliveries(settings) == before + 1
    assert client.post(confirm, headers=headers | {"Idempotency-Key": uuid4().hex}).status_code == 404


def test_the_command_shows_and_keeps_nothing(tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.xlsx")
    home = ["--home", str(tmp_path / "home")]
    shown = CliRunner().invoke(command, [*home, "ingest", str(path), "--source", "table", "--preview"])
    assert shown.exit_code == 0, shown.output
    assert "mapping: dossier.due_at = 'Ngày hẹn trả kết quả' as %d/%m/%Y %H:%M (100% sure)" in shown.output
    assert "dossier: 4 new rows, 0 known" in shown.output
    assert Record(Settings.from_env(tmp_path / "home").record_url).version() == 0
    (tmp_path / "mot-cua.toml").write_text(mapping_text(propose(HEADER, ROWS)), "utf-8")
    mapped = [*home, "ingest", str(path), "--source", "table", "--mapping"]
    taken = CliRunner().invoke(command, [*mapped, str(tmp_path / "mot-cua.toml")])
    assert "mapping mot-cua, version 1" in taken.output
    assert "rejected=1" in taken.output
    again = CliRunner().invoke(command, [*mapped, "mot-cua"])  # by the name it is kept under
    assert "appended=0" in again.output
    assert again.exit_code == 1  # nothing appended, a line of totals refused


COLUMNS = ("dossier_id", "procedure_code", "unit_code", "received_at", "due_at", "applicant_id")
LINES = st.tuples(
    st.sampled_from(["7", "8", "H99.13-260311-0001"]), st.sampled_from(["p", "q"]), st.sampled_from(["x1", "x2"]),
    st.sampled_from(["2026-03-02T08:00", "2026-03-03T08:00", "", "never"]), st.sampled_from(["2026-03-20", ""]),
    st.sampled_from(["a", "b", ""]),
)  # fmt: skip


@given(deliveries=st.lists(st.lists(LINES, max_size=6), min_size=1, max_size=3))
@h_settings(max_examples=25)
def test_what_a_preview_tells_is_what_taking_in_does(deliveries: list[list[tuple[str, ...]]]) -> None:
    """Rows new, there already, repeated in the delivery itself, broken, and of a number another office gave."""
    with TemporaryDirectory() as folder:
        settings = settings_of(Path(folder) / "home")
        for lines in deliveries:
            path = Path(folder) / "dossier.csv"
            path.write_text("\n".join(",".join(line) for line in (COLUMNS, *lines)), "utf-8")
            told = preview(settings, path, "canonical", arrived_at=NOW).outcome
            made = take_in(settings, path, "canonical", arrived_at=NOW)
            assert told is not None
            assert (told.read, told.good, told.known, told.rejected) == (
                made.read, made.appended, made.duplicates, made.rejected)  # fmt: skip
            assert told.notes == made.counts
            rejects = Record(settings.record_url).rejects(made.delivery_id)
            assert sorted(map(str, told.rejects)) == sorted(map(str, rejects))
            for table in told.tables:
                assert sum(table.new) <= table.good
                assert len(table.new) == len(table.rows)


def test_versions_of_a_mapping_stay(tmp_path: Path) -> None:
    store = MappingStore(tmp_path)
    assert [store.keep("a", text).version for text in ("1", "1", "2", "1")] == [1, 1, 2, 3]
    assert [one.text for one in store.versions("a")] == ["1", "2", "1"]
    assert store.names() == ["a"]
    assert slug("Một cửa 2026.toml") == "mot-cua-2026-toml"
    with pytest.raises(ValueError, match="small letters"):
        store.keep("../a", "x")


def test_headers_are_recognised_with_how_sure_that_is() -> None:
    found = {one.column: one for one in propose(["Mã số hồ sơ", "Hạn trả KQ", "Chữ ký"], [("1", "20260301", "")])}
    assert found["dossier.dossier_id"].confidence == 1
    assert found["dossier.due_at"].header == "Hạn trả KQ"
    assert found["dossier.due_at"].confidence < 0.9
    assert found["dossier.due_at"].format == "%Y%m%d"
    assert all(one.header != "Chữ ký" for one in found.values())
    assert form_of([46091.35, "46092.5"]) == "excel"
