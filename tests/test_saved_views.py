"""Saved views: a page's filters under a name, one's own, by page and API; they stay, and nobody else sees them."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.settings import Settings
from tests.drawn_people import NOW, sit_down, staffed_office

KEY = "view-key-000000000000000"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return staffed_office(tmp_path_factory.mktemp("views"))


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings, now=lambda: NOW + timedelta(days=1), poll_seconds=3600)) as opened:
        yield opened


def key_of(page: str, action: str) -> dict[str, str]:
    form = page.split(f'action="{action}"')[1].split("</form>")[0]
    return {
        name: html.unescape(value) for name, value in re.findall(r'name="(csrf|key|page|query)" value="([^"]*)"', form)
    }


def test_a_view_is_saved_on_the_page_stays_and_is_taken_away(client: TestClient, settings: Settings) -> None:
    sit_down(client, "thanhtra")
    page = client.get("/list?due=overdue&order=left").text
    told = key_of(page, "/views")
    saved = client.post("/views", data=told | {"name": "Quá hạn, gấp trước"})
    assert saved.status_code == 200
    assert "due=overdue" in str(saved.url)
    assert "Đã lưu: bộ lọc đã lưu" in saved.text
    with TestClient(create_app(settings, now=lambda: NOW + timedelta(days=2), poll_seconds=3600)) as another:
        sit_down(another, "thanhtra")
        page = another.get("/list").text
        assert '<a href="/list?due=overdue&amp;order=left">Quá hạn, gấp trước</a>' in page
        sit_down(another, "lanhdao")
        assert "Quá hạn, gấp trước" not in another.get("/list").text
        assert another.get("/api/v1/views").json() == []
    sit_down(client, "thanhtra")
    (view,) = client.get("/api/v1/views").json()
    assert view["address"] == "/list?due=overdue&order=left"
    sit_down(client, "lanhdao")
    csrf = key_of(client.get("/list").text, "/views")["csrf"]
    foreign = client.post(f"/api/v1/views/{view['id']}/drop", headers={"Idempotency-Key": KEY, "X-CSRF-Token": csrf})
    assert foreign.status_code == 404
    sit_down(client, "thanhtra")
    page = client.get("/list").text
    assert client.post(f"/views/{view['id']}/drop", data=key_of(page, f"/views/{view['id']}/drop")).status_code == 200
    assert client.get("/api/v1/views").json() == []


@pytest.mark.parametrize(
    ("login", "wish", "status"),
    [
        ("thanhtra", {"page": "/list", "name": "A", "query": "due=overdue"}, 200),
        ("thanhtra", {"page": "/list", "name": "A", "query": "due=waiting"}, 200),
        ("thanhtra", {"page": "/list", "name": " ", "query": ""}, 422),
        ("thanhtra", {"page": "/list", "name": "B", "query": "offset=25"}, 422),
        ("thanhtra", {"page": "/receipts", "name": "B", "query": ""}, 422),
        ("quantri", {"page": "/list", "name": "B", "query": ""}, 403),
    ],
)
def test_what_a_view_may_hold(client: TestClient, login: str, wish: dict[str, str], status: int) -> None:
    sit_down(client, login)
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)
    assert csrf is not None
    key = {"Idempotency-Key": f"{wish['query']}-{login}-0000000000000000000".replace("=", "-"), "X-CSRF-Token": csrf[1]}
    assert client.post("/api/v1/views", json=wish, headers=key).status_code == status
    if status == 200:
        assert [one["query"] for one in client.get("/api/v1/views").json()] == [wish["query"]]
