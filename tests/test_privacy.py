"""Planted people are found nowhere: not in the record, models, logs, answers; officials only in their directory."""

import sqlite3
from datetime import date, datetime
from pathlib import Path

import orjson
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from serving.access.permissions import Role
from serving.app import create_app
from serving.cli import app as command_line
from serving.settings import Settings
from tests.drawn_people import token
from tests.drawn_record import progress, synced, write_json

CODE = "H99.24-260907-0012"
CITIZEN = {
    "name": "Ứng Thị Bích Diệp",
    "identity": "099088777123",
    "phone": "0911222333",
    "mail": "bichdiep@example.org",
}
AGENT, AGENT_NUMBER = "Khúc Văn Môi", "099077666555"
OFFICIAL = "Nguyễn Phúc Thử Nghiệm"
STREET = "Số 17, tổ 4, xã Tân Mẫu"


def forms(name: str) -> set[bytes]:
    """A name as it could stand in a file: as it is, in NFD, in capitals, without diacritics, JSON-escaped."""
    import unicodedata

    from features.spelling.names import plain

    told = {name, name.upper(), name.lower(), plain(name), plain(name).title(), plain(name).upper()}
    told |= {unicodedata.normalize("NFD", one) for one in told}
    raw = {one.encode() for one in told} | {one.encode("utf-16-le") for one in told}
    return raw | {orjson.dumps(name)[1:-1], name.encode("unicode_escape")}


SECRETS = {
    "name": forms(CITIZEN["name"]), "identity": {CITIZEN["identity"].encode()}, "phone": {CITIZEN["phone"].encode()},
    "mail": {CITIZEN["mail"].encode()}, "agent": forms(AGENT), "agent number": {AGENT_NUMBER.encode()},
    "address": forms(STREET),
}  # fmt: skip


def deliveries(folder: Path) -> list[tuple[str, Path]]:
    """One citizen in every field of every source that may hold a person, well formed and malformed."""
    who = {
        "ChuHoSo": CITIZEN["name"], "SoGiayToChuHoSo": CITIZEN["identity"], "SoDienThoai": CITIZEN["phone"],
        "Email": CITIZEN["mail"], "NguoiUyQuyen": AGENT, "SoGiayToNguoiUyQuyen": AGENT_NUMBER, "DiaChi": STREET,
        "DinhDanhCHS": [{"LoaiDinhDanh": "1", "SoDinhDanh": CITIZEN["identity"]}],
        "TrichYeuHoSo": f"Đăng ký cho {CITIZEN['name']}",
    }  # fmt: skip
    note = f"Yêu cầu bổ sung: giấy tờ của bà {CITIZEN['name']}, CCCD {CITIZEN['identity']}, gọi {CITIZEN['phone']}"
    rounds = [{"NguoiYeuCauBoSung": OFFICIAL, "NoiDungBoSung": note, "NgayBoSung": "20260915101500"}]
    good = synced(CODE, "20260907083000", "20260921083000", DanhSachHoSoBoSung=rounds, **who)
    bad = [
        good | {"MaHoSo": CITIZEN["name"], "NgayTiepNhan": CITIZEN["name"]},
        good | {"MaTTHC": "", "NgayHenTra": CITIZEN["identity"]},
        good | {"MaHoSo": "", "DonViXuLy": CITIZEN["name"]},
        {"ChuHoSo": CITIZEN["name"]},
    ]
    steps = [
        progress(CODE, "20260915101500", 5, note, OFFICIAL),
        progress(CODE, CITIZEN["phone"], 5, note, OFFICIAL),
        progress(CODE, "20260916101500", CITIZEN["name"], note, OFFICIAL),
    ]
    opencps = {
        "dossierId": 7, "serviceCode": "1.990001", "dossierNo": CODE, "govAgencyCode": "000.00.24.H99",
        "receiveDate": "07/09/2026 08:30:00", "dueDate": CITIZEN["name"], "applicantName": CITIZEN["name"],
        "applicantIdNo": CITIZEN["identity"], "contactTelNo": CITIZEN["phone"], "contactEmail": CITIZEN["mail"],
        "address": STREET, "delegateName": AGENT, "delegateIdNo": AGENT_NUMBER, "dossierNote": note,
        "actions": [{"dossierActionId": 1, "actionUser": OFFICIAL, "actionName": "Thẩm định", "actionNote": note,
                     "createDate": "2026-09-08T08:30:00.000Z", "stepName": "Thẩm định"}],
    }  # fmt: skip
    igate = {
        "code": CODE, "acceptedDate": "2026-09-07T08:30:00.000+0700", "procedure": {"code": "1.990001"},
        "applicant": {"data": {"fullname": CITIZEN["name"], "identityNumber": CITIZEN["identity"],
                               "phoneNumber": CITIZEN["phone"], "address": STREET}},
        "task": [{"createdDate": "2026-09-07T09:30:00.000+0700", "assignee": {"fullname": OFFICIAL}}],
    }  # fmt: skip
    complaint = {
        "code": "1022-1", "createdDate": "2026-09-20T08:30:00.000+0700", "title": f"Phản ánh của {CITIZEN['name']}",
        "description": f"Tôi là {CITIZEN['name']}, {STREET}. {note}", "isAnonymous": False, "status": 3,
        "reporter": {"fullname": CITIZEN["name"], "phone": CITIZEN["phone"], "identityId": CITIZEN["identity"],
                     "address": STREET},
        "result": f"Đã trả lời bà {CITIZEN['name']}", "receptionMethodDescription": "Tổng đài 1022", "history": [],
    }  # fmt: skip
    form = {"HoTen": CITIZEN["name"], "SoDienThoai": CITIZEN["phone"], "Email": CITIZEN["mail"], "DiaChi": STREET,
            "TieuDe": "Chậm", "NoiDung": f"{STREET}, {CITIZEN['mail']}", "NgayGui": "2026-09-20T08:30:00"}  # fmt: skip
    rating = {"MaHoSo": CODE, "DanhGia": "HÀI LÒNG", "ThoiGianDanhGia": "2026-09-20T08:30:00",
              "NguoiDanhGia": CITIZEN["name"], "NoiDungDanhGia": note, "CreatedBy": "citizen"}  # fmt: skip
    told = {
        "dvcqg": [good, *bad, *steps], "opencps": [opencps], "igate": [igate], "petition": [complaint, form],
        "rating": [rating, rating | {"DanhGia": CITIZEN["name"]}],
    }  # fmt: skip
    return [(source, write_json(folder / f"{source}.json", items)) for source, items in told.items()]


def leaks(folder: Path, secrets: dict[str, set[bytes]], besides: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Files under `folder` in which a secret stands, but for files whose names begin as in `besides`.

    Parquet is searched as rows, for its pages are packed.
    """
    import pyarrow.parquet as pq

    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name.startswith(besides or ("\0",)):
            continue
        raw = path.read_bytes()
        if path.suffix == ".parquet":
            raw += "\n".join(map(str, pq.read_table(path).to_pylist())).encode()
        for what, writings in secrets.items():
            if any(writing in raw for writing in writings):
                found.setdefault(what, []).append(path.name)
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """An installation that took everything in through the command line, and all that it printed."""
    folder = tmp_path_factory.mktemp("privacy")
    said = ""
    for source, path in deliveries(folder / "raw"):
        run = CliRunner().invoke(
            command_line, ["--home", str(folder / "home"), "ingest", str(path), "--source", source]
        )
        assert run.exit_code == 0, run.output
        said += run.output
    return folder / "home", said


def test_citizens_are_nowhere(home: tuple[Path, str]) -> None:
    assert leaks(home[0], SECRETS) == {}


def test_rejects_and_output_show_nobody(home: tuple[Path, str]) -> None:
    from features.record.record import Record

    rows = Record(home[0] / "record").connect().execute("SELECT * FROM reject").fetchall()
    assert len(rows) >= 6, "the malformed items must have been refused for this to mean anything"
    told = (home[1] + str(rows)).encode()
    assert not [what for what, writings in SECRETS.items() if any(writing in told for writing in writings)]


def test_officials_are_in_their_directory_alone(home: tuple[Path, str]) -> None:
    names = {"official": forms(OFFICIAL)}
    assert leaks(home[0], names, besides=("state.db",)) == {}
    with sqlite3.connect(home[0] / "state.db") as state:
        assert state.execute("SELECT DISTINCT name FROM official_name").fetchall() == [(OFFICIAL,)]
        others = [row[0] for row in state.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in others:
            if table != "official_name":
                told = str(state.execute(f'SELECT * FROM "{table}"').fetchall())
                assert OFFICIAL not in told, table


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [CITIZEN["name"]]}), tmp_path / "a.parquet")
    (tmp_path / "b.log").write_bytes(CITIZEN["phone"].encode())
    assert leaks(tmp_path, SECRETS).keys() == {"name", "phone"}


def test_the_key_has_rights_of_its_own(home: tuple[Path, str]) -> None:
    keys = home[0] / "keys"
    assert keys.stat().st_mode & 0o077 == 0
    assert (keys / "pseudonyms.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_a_whole_province_leaks_nobody(tmp_path: Path) -> None:
    """Everybody named in the raw deliveries of a simulated province, searched for in all that came of them."""
    from features.simulate import simulate
    from features.simulate.raw import write_raw

    province = simulate(seed=9, dossiers=1500, start=date(2026, 1, 1), end=date(2026, 7, 1))
    write_raw(province, tmp_path / "raw")
    for source in ("roster", "dvcqg", "opencps", "petition", "rating"):
        run = CliRunner().invoke(
            command_line,
            ["--home", str(tmp_path / "home"), "ingest", str(tmp_path / "raw" / source), "--source", source],
        )
        assert run.exit_code == 0, run.output
    until, said = "2026-06-15T08:00", ""
    for line in (
        ["train", "lateness", "--cutoff", "2026-06-01"],
        ["promote", "lateness", "--because", "searched for names"],
        ["score", "--as-of", until],
        ["export", "scores", "--target", "lateness", "--as-of", until, "--out", str(tmp_path / "home" / "list.csv")],
    ):
        run = CliRunner().invoke(command_line, ["--home", str(tmp_path / "home"), *line])
        assert run.exit_code == 0, run.output
        said += run.output
    people = province.truth["person"].to_pylist()
    assert len(people) > 500
    assert list((tmp_path / "home" / "mlartifacts").rglob("*")), "what MLflow was told must be among it"
    told = b"\n".join(_everything(path) for path in sorted((tmp_path / "home").rglob("*")) if path.is_file())
    told += said.encode() + _answers(tmp_path / "home", datetime.fromisoformat(f"{until}+07:00"))
    for person in people:
        for name in ("name", "identity", "phone"):
            assert person[name].encode() not in told, name
    officials = b"\n".join(
        _everything(path) for path in sorted((tmp_path / "home" / "record").rglob("*")) if path.is_file()
    )
    for name in set(province.truth["name"]["name"].to_pylist()):
        assert name.encode() not in officials


def _answers(home: Path, now: datetime) -> bytes:
    """What the API answers to an analyst who may see everything: the list, every dossier, pages."""
    settings = Settings.from_env(home)
    bearer = {"Authorization": f"Bearer {token(settings, Role.ANALYST, now=now)}"}
    with TestClient(create_app(settings, now=lambda: now, poll_seconds=3600), headers=bearer) as client:
        listed = client.get("/api/v1/list", params={"size": 200})
        lines = listed.json()["lines"]
        assert len(lines) > 20
        asked = ["/list", *(f"/api/v1/dossiers/{line['dossier_id']}" for line in lines[:50])]
        answers = [listed, *(client.get(path) for path in asked)]
    assert {answer.status_code for answer in answers} == {200}
    return b"\n".join(answer.content for answer in answers)


def _everything(path: Path) -> bytes:
    import pyarrow.parquet as pq

    raw = path.read_bytes()
    return raw + str(pq.read_table(path).to_pylist()).encode() if path.suffix == ".parquet" else raw
