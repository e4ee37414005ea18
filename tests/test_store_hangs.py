"""An object store that takes connections and answers nothing costs a page seconds, not minutes."""

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from features.record import delta
from features.record.delta import RecordUnreachable
from features.record.record import Record
from serving.access.permissions import Role
from serving.app import create_app
from serving.cli import main
from serving.jobs.record_copy import put
from serving.settings import STORE_PATIENCE
from tests import drawn_store
from tests.drawn_model import drawn_model, ship
from tests.drawn_people import NOW, Clock, sit_down, staffed_office, token
from tests.drawn_relay import relayed

LONGEST = 15
"""Seconds of a page; the test's own waits are shorter, so that it is cheap."""


def test_no_page_waits_long_for_a_store_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(delta._PATIENCE, "retry_timeout", "1s")
    with drawn_store.object_store(tmp_path) as store, relayed(store, tmp_path) as relay:
        for name, value in (drawn_store.environment(relay.address) | {"AWS_TIMEOUT": "2s"}).items():
            monkeypatch.setenv(name, value)
        settings = staffed_office(tmp_path / "home")
        ship(settings.models, drawn_model(), "v1")
        url = drawn_store.bucket(store, "tinh")
        put(url, tmp_path / "home" / "record")
        (tmp_path / "home" / "record").rename(tmp_path / "was")
        clock = Clock()
        bearer = {"Authorization": f"Bearer {token(settings, Role.ANALYST)}"}
        event = {"dossier_id": "H0", "kind": "note", "happened_at": NOW.isoformat()}
        with TestClient(create_app(replace(settings, record_url=url), now=clock, poll_seconds=3600)) as client:
            sit_down(client, "thanhtra")
            assert client.get("/list?due=all").status_code == 200
            relay.hang()
            waits = {}
            for page, wanted in (("/", 503), ("/explanations", 503), ("/list?due=all", 200), ("/", 503)):
                begun = time.monotonic()
                answer = client.get(page)
                waits[page] = time.monotonic() - begun
                assert answer.status_code == wanted, page
                assert wanted == 200 or "Tạm thời không đọc được kho dữ liệu" in answer.text
            assert waits["/"] < 1, "asked once a minute: the others do not wait behind it"
            begun = time.monotonic()
            refused = client.post("/api/v1/events", json={"events": [event]}, headers=bearer)
            assert refused.status_code == 503
            assert max(*waits.values(), time.monotonic() - begun) < LONGEST
            relay.go_on()
            clock.now += timedelta(minutes=2)
            assert client.get("/").status_code == 200
            relay.hang()
            clock.now += timedelta(minutes=2)
            assert client.get("/").status_code == 200, "what was read before is shown"
            relay.go_on()


def test_the_store_is_asked_within_fifteen_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is waited for by default, to the second: the sum of what one request may cost."""
    for name in STORE_PATIENCE:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr("sys.argv", ["risk", "--home", str(tmp_path), "jobs", "--help"])
    with pytest.raises(SystemExit):
        main()
    with relayed("http://127.0.0.1:9", tmp_path) as relay:
        relay.hang()
        for name, value in drawn_store.environment(relay.address).items():
            monkeypatch.setenv(name, value)
        begun = time.monotonic()
        with pytest.raises(RecordUnreachable, match=r"s3://tinh/record/delivery: .*timed out"):
            Record("s3://tinh/record").version()
        assert 5 < time.monotonic() - begun < LONGEST
