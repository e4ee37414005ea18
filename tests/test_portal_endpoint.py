"""The receiving endpoint speaks the portal's protocol; dropped files are taken in when whole."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from features.record.delivery import DeliveryError, DeliveryReceipt
from features.record.record import Record
from serving.access.permissions import Role
from serving.app import create_app
from serving.cli import app as command_line
from serving.jobs.folder_watcher import FolderWatcher
from serving.settings import Settings
from serving.state import open_state
from tests.drawn_people import NOW, PASSWORD, Clock, Person, add_people, token
from tests.drawn_record import progress, synced, write_json

CODE = "H99.24-260302-0001"
DOSSIER = synced(CODE, "20260302083000", "20260316083000", ChuHoSo="Âu Thị Kín", SoGiayToChuHoSo="099088000777")
EVENT = progress(CODE, "20260302083000", 2, "Tiếp nhận hồ sơ", "Lê Thị Cửa")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[tuple[TestClient, Settings, Clock]]:
    settings = Settings.from_env(tmp_path / "home")
    state = open_state(settings.database_url)
    add_people(state, (Person("donvi", Role.ANALYST), Person("truongphong", Role.UNIT_HEAD, "x1")))
    state.close()
    clock = Clock()
    with TestClient(create_app(settings, clock, poll_seconds=3600)) as client:
        yield client, settings, clock


def session(client: TestClient) -> str:
    answer = client.post("/portal/login", json={"username": "donvi", "password": PASSWORD}).json()
    assert answer["error_code"] == 0
    return str(answer["session"])


def push(client: TestClient, told: str, service: str, data: list[Any], **more: Any) -> dict[str, Any]:
    envelope = {"session": told, "madonvi": "000.00.24.H99", "service": service, "data": data, **more}
    found: dict[str, Any] = client.post("/portal/service", json=envelope, headers={"dstcode": "VN:COM:1"}).json()
    return found


def test_a_system_pushes_as_it_pushes_to_the_portal(office: tuple[TestClient, Settings, Clock]) -> None:
    client, settings, clock = office
    key = session(client)
    lookup = {"session": key, "madonvi": "000.00.24.H99", "service": "TraCuuHoSo", "mahoso": CODE}
    assert client.post("/portal/service", json=lookup).json()["error_code"] == "-1"
    assert push(client, key, "DongBoHoSoMC", [DOSSIER], isUpdating="False")["error_code"] == "0"
    assert client.post("/portal/service", json=lookup).json()["error_code"] == "0"
    again = push(client, key, "DongBoHoSoMC", [DOSSIER], isUpdating="False")
    assert again["error_code"] == "-3"
    assert "đã tồn tại" in again["message"]
    assert "appended=0" in push(client, key, "DongBoHoSoMC", [DOSSIER], isUpdating="True")["message"]
    clock.now = NOW + timedelta(hours=1)
    assert push(client, key, "CapNhatTienDoHoSoMC", [EVENT])["error_code"] == "0"
    con = Record(settings.record_url).connect()
    known = con.execute("SELECT kind, known_at FROM event ORDER BY known_at").fetchall()
    assert known[0] == ("received", NOW.replace(tzinfo=None))  # live: known when it came, not when it happened
    names = open_state(settings.database_url)
    with names.reading() as rows:
        assert [row[0] for row in rows.connection().exec_driver_sql("SELECT name FROM official_name")] == ["Lê Thị Cửa"]
    names.close()


def test_only_a_session_that_may_deliver_opens_the_door(office: tuple[TestClient, Settings, Clock]) -> None:
    client, settings, clock = office
    for name, word in (("donvi", "sai"), ("truongphong", PASSWORD), ("nobody", PASSWORD), (None, 3)):
        answer = client.post("/portal/login", json={"username": name, "password": word}).json()
        assert answer["error_code"] != 0
        assert not answer["session"]
    for told in ("", "00000000-0000-0000-0000-000000000000", None):
        assert push(client, told, "DongBoHoSoMC", [DOSSIER])["error_code"] == "401"  # type: ignore[arg-type]
    key = session(client)
    clock.now = NOW + timedelta(hours=11)
    assert push(client, key, "DongBoHoSoMC", [DOSSIER])["error_code"] == "401"
    assert Record(settings.record_url).version() == 0


def test_whatever_comes_is_answered_in_the_protocol(office: tuple[TestClient, Settings, Clock]) -> None:
    for body in (b"", b"[]", b"\xff\xfe", b'{"session": ', b'{"session": "x", "service": 3}', b"null", b'"text"'):
        answer = office[0].post("/portal/service", content=body)
        assert answer.status_code in (200, 401), body
        assert answer.json()["error_code"] not in ("0", 0), body


def test_bad_rows_are_named_without_their_data_and_good_ones_land(office: tuple[TestClient, Settings, Clock]) -> None:
    client, settings, _ = office
    bad = synced("H99.24-260302-0002", "hôm qua", "20260316083000", ChuHoSo="Âu Thị Kín")
    answer = push(client, session(client), "DongBoHoSoMC", [DOSSIER, bad, 7], isUpdating="True")
    assert answer["error_code"] == "1"
    assert {row["dong"] for row in answer["result"]} == {2, 3}
    assert "Âu Thị Kín" not in orjson.dumps(answer).decode()
    assert Record(settings.record_url).connect().execute("SELECT dossier_id FROM dossier").fetchall() == [(CODE,)]
    assert push(client, session(client), "XoaHoSo", [DOSSIER])["error_code"] == "1"
    assert push(client, session(client), "DongBoHoSoMC", [])["error_code"] == "1"


def test_a_file_is_taken_once_it_rests_and_put_aside(tmp_path: Path) -> None:
    taken: list[tuple[str, str]] = []

    def take(path: Path, source: str) -> DeliveryReceipt:
        taken.append((path.name, source))
        if "bad" in path.name:
            raise DeliveryError("a JSON delivery was wanted")
        return DeliveryReceipt(1, 1, 0, 0, "d")

    box = FolderWatcher(tmp_path, take)
    now = datetime(2026, 9, 7, tzinfo=UTC)
    place = tmp_path / "dvcqg"
    write_json(place / "a.json", [EVENT])
    write_json(place / "b.json.part", [EVENT])
    assert list(box.look(now)) == []  # seen for the first time: it may still grow
    with (place / "a.json").open("ab") as grows:
        grows.write(b" ")
    os.utime(place / "a.json", ns=(1, 1))
    assert list(box.look(now)) == []
    assert [one.path.name for one in box.look(now)] == ["a.json"]
    assert taken == [("a.json", "dvcqg")]
    assert (tmp_path / "done" / "dvcqg" / "2026-09-07" / "a.json").exists()
    write_json(place / "bad.json", [EVENT])
    write_json(place / "a.json", [EVENT])
    assert list(box.look(now)) == []
    found = {one.path.name: one.reason for one in box.look(now)}
    assert found == {"a.json": "", "bad.json": "a JSON delivery was wanted"}
    assert (tmp_path / "done" / "dvcqg" / "2026-09-07" / "a.2.json").exists()
    refused = tmp_path / "refused" / "dvcqg" / "2026-09-07"
    assert (refused / "bad.json.reason.txt").read_text(encoding="utf-8").strip() == "a JSON delivery was wanted"
    assert (place / "b.json.part").exists()


def test_receive_takes_what_lies_in_the_inbox(tmp_path: Path) -> None:
    write_json(tmp_path / "inbox" / "dvcqg" / "2026-09-07.json", [DOSSIER])
    write_json(tmp_path / "inbox" / "rating" / "empty.json", [])
    run = CliRunner().invoke(
        command_line, ["--home", str(tmp_path / "home"), "receive", str(tmp_path / "inbox"), "--once"]
    )
    assert run.exit_code == 0, run.output
    assert "dvcqg/2026-09-07.json: read=4 appended=4 known=0 rejected=0" in run.output
    assert not list((tmp_path / "inbox" / "dvcqg").glob("*.json"))


def test_a_dossiers_signals_are_shown_to_who_may_see_them(office: tuple[TestClient, Settings, Clock]) -> None:
    client, settings, clock = office
    key = session(client)
    late = DOSSIER | {"NgayKetThucXuLy": "20260316083000"}  # to the second of the promise: T1
    assert push(client, key, "DongBoHoSoMC", [late], isUpdating="True")["error_code"] == "0"
    clock.now = NOW + timedelta(days=1)
    bearer = {"Authorization": f"Bearer {token(settings, Role.ANALYST, now=clock.now)}"}
    found = client.get(f"/api/v1/signals/{CODE}", headers=bearer).json()
    told = {one["code"]: one for one in found["signals"]}
    assert told["END_EQUALS_DUE"]["vi"].startswith("Thời điểm kết thúc")
    before = {"as_of": (NOW - timedelta(days=1)).isoformat()}
    assert client.get(f"/api/v1/signals/{CODE}", params=before, headers=bearer).status_code == 404
    assert client.get("/api/v1/signals/H99.1-260101-0001", headers=bearer).status_code == 404
    head = {"Authorization": f"Bearer {token(settings, Role.UNIT_HEAD, now=clock.now, unit='H99.24')}"}
    assert client.get(f"/api/v1/signals/{CODE}", headers=head).status_code == 403
