"""A server answers once lists, names and counts are read; what is read behind is waited for, never shown empty."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serving.access.permissions import Role
from serving.app import create_app
from serving.scoring.online import OnlineScorer
from serving.settings import Settings
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import dossier_id
from tests.drawn_people import NOW, sit_down, staffed_office, token

SHOWN = ("/list?due=all", "/unit?id=x1", f"/dossier?id={dossier_id(0)}", "/official?id=o1")
"""Pages of an inspector; the last shows what is read behind the first answers."""


@pytest.fixture
def office(tmp_path: Path) -> Settings:
    settings = staffed_office(tmp_path)
    ship(settings.models, drawn_model(), "v1")
    return settings


def text_of(client: TestClient, page: str) -> str:
    """What a page shows, without its keys."""
    answer = client.get(page)
    assert answer.status_code == 200, page
    shown = re.sub(r'value="[A-Za-z0-9_-]{32,}"', "", answer.text.split("<main", 1)[1])
    return shown.split('id="looked"')[0].split("Ai đã xem")[0]


def test_what_is_read_behind_is_waited_for_and_the_rest_is_shown_at_once(
    office: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TestClient(create_app(office, now=lambda: NOW, poll_seconds=3600)) as whole:
        sit_down(whole, "thanhtra")
        wanted = {page: text_of(whole, page) for page in SHOWN}
    received = NOW - timedelta(days=6)
    posted = {"dossier": {"dossier_id": "m", "procedure_code": "1.001000", "unit_code": "x1",
                          "received_at": received.isoformat(), "due_at": (NOW + timedelta(days=3)).isoformat()},
              "as_of": NOW.isoformat()}  # fmt: skip
    bearer = {"Authorization": f"Bearer {token(office, Role.ANALYST)}"}
    go_on, real = threading.Event(), OnlineScorer.refresh

    def slow(self: OnlineScorer, *words: object) -> None:
        assert go_on.wait(120)
        real(self, *words)  # type: ignore[arg-type]

    monkeypatch.setattr(OnlineScorer, "refresh", slow)
    app = create_app(office, now=lambda: NOW, poll_seconds=3600, at_once=True)
    try:
        with TestClient(app) as client, ThreadPoolExecutor(1) as beside:
            sit_down(client, "thanhtra")
            assert client.get("/api/v1/health").json()["list_as_of"] is not None
            for page in SHOWN[:-1]:
                assert text_of(client, page) == wanted[page], page
            ready = client.get("/api/v1/ready")
            assert ready.status_code == 503
            assert [one["holds"] for one in ready.json()["promises"] if one["name"] == "start"] == [False]
            refused = client.post("/api/v1/score", json=posted, headers=bearer)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
            waiting = beside.submit(text_of, client, SHOWN[-1])
            time.sleep(0.5)
            assert not waiting.done()
            go_on.set()
            assert waiting.result(120) == wanted[SHOWN[-1]]
            assert client.post("/api/v1/score", json=posted, headers=bearer).status_code == 200
            assert all(one["name"] != "start" for one in client.get("/api/v1/ready").json()["promises"])
            assert app.state.context.serving.desk.ready(NOW)
    finally:
        go_on.set()


def test_a_record_that_is_away_at_the_start_holds_nobody_up(office: Settings) -> None:
    (Path(office.record_url)).rename(office.home / "away")
    with TestClient(create_app(office, now=lambda: NOW, poll_seconds=3600, at_once=True)) as client:
        known = client.app.state.context.read_model  # type: ignore[attr-defined]
        assert client.get("/api/v1/health").status_code == 200
        until = time.monotonic() + 60
        while not known.whole and time.monotonic() < until:
            time.sleep(0.1)
        assert known.whole
