"""Tokens that would outlive themselves, one's own password, locks by strangers, and what refused logins leave."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from serving.access import login as door
from serving.access.account import find_account
from serving.access.permissions import IN_PERSON, Role, reach_of
from serving.access.token import issue_token
from serving.app import create_app
from serving.state import ApiToken
from tests.drawn_people import NOW, PASSWORD, PEOPLE, log_in, sit_down, staffed_office

NEW = "Núi Tản cao 1296 thước"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    settings = staffed_office(tmp_path / "home")
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=3600)) as opened:
        yield opened


def test_no_token_makes_another_that_outlives_it(client: TestClient) -> None:
    people = client.app.state.context.people  # type: ignore[attr-defined]
    with people.state.writing() as session:
        account = find_account(session, "phantich")
        assert account is not None
        with pytest.raises(ValueError, match=r"token\.write"):
            issue_token(session, account, "t", frozenset({"token.write"}), now=NOW, expires_at=NOW.replace(year=2027))
        old = issue_token(session, account, "old", frozenset({"list.read"}), now=NOW, expires_at=NOW.replace(year=2027))
        for row in session.scalars(select(ApiToken)):
            row.actions = "list.read token.write account.write password.write"  # as one issued before could be
    bearer = {"Authorization": f"Bearer {old}"}
    assert client.get("/api/v1/list", headers=bearer).status_code == 200
    form = {"name": "child", "days": "366", "actions": "list.read"}
    assert client.post("/tokens", data=form, headers=bearer).status_code == 403
    assert client.get("/tokens", headers=bearer).status_code == 403
    assert client.post("/password", data={}, headers=bearer).status_code == 403
    csrf = sit_down(client, "phantich")
    for action in IN_PERSON:
        made = client.post("/tokens", data={**form, "actions": action, "csrf": csrf})
        assert made.status_code == 422, action


@pytest.mark.parametrize("person", PEOPLE, ids=lambda one: one.login)
def test_everybody_changes_their_own_password(client: TestClient, person: object) -> None:
    login = person.login  # type: ignore[attr-defined]
    assert all(reach_of(role, "password.write") for role in Role)
    csrf = log_in(client, login)
    assert 'action="/password"' in client.get("/password").text
    form = {"present": PASSWORD, "wanted": NEW, "repeated": NEW, "csrf": csrf}
    wrong = client.post("/password", data={**form, "present": "không phải"})
    assert wrong.status_code == 422
    assert client.post("/password", data={**form, "repeated": NEW + "x"}).status_code == 422
    assert client.post("/password", data={**form, "wanted": "ngan", "repeated": "ngan"}).status_code == 422
    done = client.post("/password", data=form, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/login")
    assert client.get("/", follow_redirects=False).status_code == 303, "the session is over"
    receipts = client.app.state.context.people.receipts  # type: ignore[attr-defined]
    assert [one.action for one in receipts.latest(actor=login, most=2)] == ["password.write", "session.refused"]


def attempt(client: TestClient, login: str, password: str) -> int:
    page = client.get("/login").text
    token = page.split('name="door" value="')[1].split('"')[0]
    answer = client.post("/login", data={"login": login, "password": password, "door": token}, follow_redirects=False)
    return answer.status_code


def test_strangers_lock_nobody_out_of_the_browser_they_always_use(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "MOST_PER_LOGIN", 4)
    monkeypatch.setattr(door, "MOST_PER_LOGIN_AND_ADDRESS", 3)
    log_in(client, "thanhtra")
    mark = client.cookies["risk_device"]
    people = client.app.state.context.people  # type: ignore[attr-defined]
    for place in range(4):
        found = door.log_in(
            people.state, "thanhtra", "đoán", door.LoginOrigin(f"10.0.0.{place}"), key=people.login_key, now=NOW
        )
        assert found is None
    client.cookies.clear()
    assert attempt(client, "thanhtra", PASSWORD) == 429, "a strange browser waits"
    client.cookies.clear()
    client.cookies.set("risk_device", mark)
    assert attempt(client, "thanhtra", PASSWORD) == 303
    # the mark opens nothing by itself, is of one name, and its own wrong tries count
    client.cookies.clear()
    client.cookies.set("risk_device", mark)
    assert [attempt(client, "thanhtra", "sai") for _ in range(4)] == [401, 401, 401, 429]
    assert door.known_device(people.login_key, "quantri", mark) is None
    assert door.known_device(people.login_key, "thanhtra", mark[:-1] + "0") is None or mark[-1] == "0"


def test_a_refused_login_leaves_a_receipt_without_what_was_typed(client: TestClient) -> None:
    assert attempt(client, "thanhtra", "đoán mò") == 401
    assert attempt(client, "mật khẩu gõ nhầm ô", "x") == 401
    receipts = client.app.state.context.people.receipts  # type: ignore[attr-defined]
    told = [(one.actor, one.action, one.detail) for one in receipts.latest(action="session.refused")]
    assert told == [("", "session.refused", '{"by":"password"}'), ("thanhtra", "session.refused", '{"by":"password"}')]
    assert receipts.verify() == []
