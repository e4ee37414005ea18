"""Rules of warning and accounts, by page and API under one right and with receipts; a token makes no other."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.settings import Settings
from serving.state import open_state
from serving.warnings.policy import Policy
from serving.warnings.rule_sets import rules_in_force
from tests.drawn_people import NOW, sit_down, staffed_office


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return staffed_office(tmp_path_factory.mktemp("rules"))


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings, now=lambda: NOW + timedelta(days=1), poll_seconds=3600)) as opened:
        yield opened


def headers(csrf: str, key: str) -> dict[str, str]:
    return {"Idempotency-Key": key.ljust(30, "0"), "X-CSRF-Token": csrf}


def test_rules_set_on_the_page_hold_for_the_next_turn_and_leave_a_receipt(
    client: TestClient, settings: Settings
) -> None:
    csrf = sit_down(client, "quantri")
    page = client.get("/warnings/rules").text
    form = dict(
        re.findall(r'type="hidden" name="(csrf|key)" value="([^"]*)"', page.split('action="/warnings/rules"')[1])
    )
    fields = dict(re.findall(r'name="(\w+)" step="[^"]+" min="0" value="([^"]*)"', page))
    wish = form | fields | {"a_week": "3", "c_out": "20", "hours": "08:00-11:00", "because": "bớt làm phiền"}
    assert client.post("/warnings/rules", data=wish).status_code == 200
    state = open_state(settings.database_url)
    held = rules_in_force(state, settings.warnings)
    state.close()
    assert held.policy.a_week == 3
    assert held.policy.costs.threshold < Policy().costs.threshold
    assert not held.calendar.working_hours(NOW.replace(hour=6), NOW.replace(hour=8))  # 13:00 to 15:00 in Vietnam
    receipt = client.app.state.context.people.receipts.latest(most=1)[0]  # type: ignore[attr-defined]
    assert receipt.action == "rule.write"
    told = client.get("/api/v1/warnings/rules").json()
    assert told["rules"]["a_week"] == 3
    assert told["sets"][0]["because"] == "bớt làm phiền"
    none_pays = {"c_in": 100, "because": "thử"}
    assert client.post("/api/v1/warnings/rules", json=none_pays, headers=headers(csrf, "a")).status_code == 422
    assert client.post("/api/v1/warnings/rules", json={"a_week": 3}, headers=headers(csrf, "b")).status_code == 422
    sit_down(client, "truongphong")
    assert client.get("/warnings/rules").status_code == 200
    assert "Đặt quy tắc" not in client.get("/warnings/rules").text


def test_accounts_are_made_and_closed_by_api_as_on_the_page(client: TestClient) -> None:
    csrf = sit_down(client, "quantri")
    wish = {"login": "moi.tao", "name": "Người Mới", "role": "inspector", "password": "sen-hong-no-giua-ao-2026"}
    for _ in range(2):  # sent twice: one account
        assert client.post("/api/v1/accounts", json=wish, headers=headers(csrf, "new")).status_code == 200
    assert client.post("/api/v1/accounts", json=wish, headers=headers(csrf, "other")).status_code == 422
    (made,) = [one for one in client.get("/api/v1/accounts").json() if one["login"] == "moi.tao"]
    assert "password" not in str(made)
    lead = {"team": "to-1", "login": "moi.tao"}
    assert client.post("/api/v1/team-leads", json=lead, headers=headers(csrf, "lead")).status_code == 200
    assert client.get("/api/v1/team-leads").json()[0]["login"] == "moi.tao"
    head = lead | {"login": "truongphong"}
    assert client.post("/api/v1/team-leads", json=head, headers=headers(csrf, "head")).status_code == 422
    closed = client.post(f"/api/v1/accounts/{made['id']}/close", headers=headers(csrf, "close"))
    assert closed.status_code == 200
    latest = client.app.state.context.people.receipts.latest(most=1)[0]  # type: ignore[attr-defined]
    assert latest.action == "account.write"
    sit_down(client, "thanhtra")
    assert client.get("/api/v1/accounts").status_code == 403


def test_a_token_is_made_at_a_session_and_makes_no_other(client: TestClient) -> None:
    csrf = sit_down(client, "thanhtra")
    wish = {"name": "máy", "days": 3, "actions": ["list.read", "token.write", "model.train"]}
    secret = client.post("/api/v1/tokens", json=wish, headers={"X-CSRF-Token": csrf}).json()["secret"]
    (mine,) = client.get("/api/v1/tokens").json()
    assert mine["actions"] == ["list.read"]
    client.cookies.clear()
    by_token = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/list", headers=by_token).status_code == 200
    assert client.get("/api/v1/tokens", headers=by_token).status_code == 403
    assert client.post("/api/v1/tokens", json=wish, headers=by_token).status_code == 403
    csrf = sit_down(client, "thanhtra")
    ended = client.post(f"/api/v1/tokens/{mine['id']}/revoke", headers=headers(csrf, "end"))
    assert ended.status_code == 200
    client.cookies.clear()
    assert client.get("/api/v1/list", headers=by_token).status_code == 401
