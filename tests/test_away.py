"""The working state away: readers read on and are told how old it is, writers are sent back, no look is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from serving.app import create_app
from serving.settings import Settings
from serving.state import State
from tests.drawn_office import dossier_id
from tests.drawn_people import NOW, Clock, sit_down, staffed_office


@pytest.fixture
def office(tmp_path: Path) -> Settings:
    return staffed_office(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(office: Settings, clock: Clock) -> Iterator[TestClient]:
    with TestClient(create_app(office, now=clock, poll_seconds=3600)) as opened:
        yield opened


@contextmanager
def away(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No connection to the working state can be had, whoever asks."""

    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("connect", None, ConnectionRefusedError("no database"))

    state: State = client.app.state.context.people.state  # type: ignore[attr-defined]
    with monkeypatch.context() as patched:
        patched.setattr(state.engine, "connect", refuse)
        patched.setattr(state._writing, "connect", refuse)
        yield


def decision(csrf: str, number: int) -> dict[str, str]:
    key = f"{number:024d}"
    return {"csrf": csrf, "dossier": dossier_id(number), "kind": "dismiss", "reason": "đủ căn cứ", "key": key}


def test_readers_read_on_and_are_told_how_old_it_is(
    client: TestClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    csrf = sit_down(client, "thanhtra")
    assert client.post("/decisions", data=decision(csrf, 0)).status_code == 200
    clock.now = NOW + timedelta(minutes=1)
    client.app.state.context.refresh()  # type: ignore[attr-defined]
    assert client.get("/list").status_code == 200
    clock.now = NOW + timedelta(minutes=20)
    with away(client, monkeypatch):
        for path in ("/list", "/list?sector=DD", f"/dossier?id={dossier_id(0)}", "/conduct"):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert "bản chụp lúc 02/03/2026 09:01, chỉ đọc" in answer.text, path
        assert "Gác lại" in client.get("/list?due=all").text  # the mark that was last seen
        clock.now = NOW + timedelta(minutes=80)  # an hour after the session was last seen it ends here too
        assert client.get("/list").status_code == 503
    assert "bản chụp" not in client.get("/login").text


def test_heads_keep_their_board(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    sit_down(client, "truongphong")
    assert client.get("/board").status_code == 200
    with away(client, monkeypatch):
        assert client.get("/board").status_code == 200
        assert client.get(f"/dossier?id={dossier_id(1)}").status_code == 404  # scope holds without the database


def test_writes_and_strangers_are_sent_back(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    csrf = sit_down(client, "thanhtra")
    client.get("/list")
    with away(client, monkeypatch):
        answer = client.post("/decisions", data=decision(csrf, 1))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert "nội dung đã nhập vẫn còn" in answer.text
        client.cookies.clear()
        client.cookies.set("risk_session", "somebody-else")
        assert client.get("/list").status_code == 503
        assert client.get("/api/v1/list", headers={"Authorization": "Bearer risk_x"}).status_code == 503
    client.cookies.clear()
    csrf = sit_down(client, "thanhtra")
    assert client.post("/decisions", data=decision(csrf, 1), follow_redirects=False).status_code == 303


def test_who_looked_meanwhile_joins_the_chain_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    receipts = client.app.state.context.people.receipts  # type: ignore[attr-defined]
    sit_down(client, "thanhtra")
    client.get("/list")
    before = len(receipts.latest(action="list.read"))
    with away(client, monkeypatch):
        for _ in range(3):
            assert client.get("/list").status_code == 200
    spool = receipts.witness._spool
    assert len(list(spool.glob("*.json"))) == 3
    forged = spool / "20260302T000000000000-forged.json"
    forged.write_text("00 {}", encoding="utf-8")
    kept = {path: path.read_bytes() for path in spool.glob("*.json")}
    assert receipts.unspool() == 3
    for path, content in kept.items():  # cut short before the files were taken away: the second time adds nothing
        path.write_bytes(content)
    assert receipts.unspool() == 0
    assert len(receipts.latest(action="list.read")) == before + 3
    assert receipts.verify() == []
    assert forged.exists()


def test_a_page_that_cannot_be_read_says_so_and_what_can(
    client: TestClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for login, closed, still, shut in (
        ("thanhtra", "/contests", ("/list", "/conduct"), "/board"),
        ("thanhtra", "/plan", ("/list",), "/board"),
        ("truongphong", "/warnings", ("/board",), "/list"),
        ("lanhdao", "/reports", ("/leadership", "/list"), "/analyst"),
        ("canbo", "/own", (), "/list"),
    ):
        sit_down(client, login)
        client.get(closed)
        with away(client, monkeypatch):
            answer = client.get(closed)
            assert answer.status_code == 503, closed
            assert "không kết nối được cơ sở dữ liệu" in answer.text
            assert "Danh sách tốt gần nhất chấm lúc 02/03/2026 08:00" in answer.text
            body = answer.text.split("<section", 1)[1]
            assert all(f'href="{path}"' in body for path in still)
            assert f'href="{shut}"' not in body
            assert "Traceback" not in answer.text
            for path in still:
                assert client.get(path).status_code == 200, path
