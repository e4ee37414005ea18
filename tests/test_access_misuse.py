"""Tokens that would outlive themselves, one's own password, locks by strangers, and what refused logins leave."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from serving.access import login as door
from serving.access.account import TEMPORARY, find_account
from serving.access.permissions import IN_PERSON, Role, reach_of
from serving.access.token import issue_token
from serving.app import create_app
from serving.state import Account, ApiToken
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


def enter(client: TestClient, login: str, password: str) -> str:
    """Logs in with any password; returns the key of the session's forms, off the page that all reach."""
    client.cookies.delete("risk_session")
    assert attempt(client, login, password) == 303
    return client.get("/password").text.split('name="csrf" value="')[1].split('"')[0]


def test_a_password_from_another_opens_the_form_for_an_own_one_alone(tmp_path: Path) -> None:
    settings, now = staffed_office(tmp_path / "home"), [NOW]
    with TestClient(create_app(settings, now=lambda: now[0], poll_seconds=3600)) as client:
        csrf = log_in(client, "quantri")
        suggested = client.get("/accounts").text.split('id="password" name="password"')[1].split('value="')[1][:23]
        wish = {"login": "moi.den", "name": "Người mới", "role": "analyst", "password": suggested}
        assert client.post("/accounts", data={**wish, "csrf": csrf, "key": "k" * 32}).status_code == 200
        wish = {**wish, "login": "den.sau"}
        assert client.post("/accounts", data={**wish, "csrf": csrf, "key": "l" * 32}).status_code == 200

        csrf = enter(client, "moi.den", suggested)
        shut = client.get("/list", follow_redirects=False)
        assert (shut.status_code, shut.headers["location"]) == (303, "/password")
        assert client.get("/api/v1/list").status_code == 403
        assert "mật khẩu tạm" in client.get("/password").text
        form = {"present": suggested, "wanted": suggested, "repeated": suggested, "csrf": csrf}
        assert client.post("/password", data=form).status_code == 422, "the same again is not an own one"
        own = {**form, "wanted": NEW, "repeated": NEW}
        assert client.post("/password", data=own, follow_redirects=False).status_code == 303
        enter(client, "moi.den", NEW)
        assert client.get("/list", follow_redirects=False).status_code == 200

        now[0] = NOW + TEMPORARY
        client.cookies.clear()
        assert attempt(client, "den.sau", suggested) == 401, "after seven days it opens nothing"
        csrf = enter(client, "quantri", PASSWORD)
        people = client.app.state.context.people  # type: ignore[attr-defined]
        with people.state.reading() as session:
            numbers = {one.login: one.id for one in session.scalars(select(Account))}
        given = {"password": suggested, "csrf": csrf}
        for login, status in (("quantri", 422), ("den.sau", 200)):
            about = {"account": numbers[login], "key": login[0] * 32}
            assert client.post("/accounts/password", data={**given, **about}).status_code == status
        enter(client, "den.sau", suggested)


def test_a_person_sees_and_ends_their_sessions_elsewhere(client: TestClient) -> None:
    log_in(client, "thanhtra")
    elsewhere = client.cookies["risk_session"]
    csrf = enter(client, "thanhtra", PASSWORD)
    assert client.get("/password").text.count("dùng lần cuối") == 2
    assert client.post("/sessions/end", data={"csrf": csrf}).text.count("dùng lần cuối") == 1
    here = client.cookies["risk_session"]
    client.cookies.clear()
    for session, status in ((elsewhere, 303), (here, 200)):
        cookie = {"Cookie": f"risk_session={session}"}
        assert client.get("/list", headers=cookie, follow_redirects=False).status_code == status


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
