"""Work on models asked for on a page: one at a time, in a process of its own, noted from start to end."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.jobs import model_jobs
from serving.jobs.run_log import DONE, RUNNING
from tests.drawn_people import NOW, sit_down, staffed_office


@pytest.fixture
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = staffed_office(tmp_path_factory.mktemp("office"))
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=3600)) as opened:
        yield opened


def asked(client: TestClient, csrf: str, kind: str, key: str, target: str = "lateness") -> int:
    form = {"csrf": csrf, "key": key * 24, "kind": kind, "target": target, "reason": "dữ liệu tháng mới"}
    return client.post("/analyst/work", data=form).status_code


def test_one_work_at_a_time_is_done_by_command_and_noted(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[list[str]] = []
    may_end = threading.Event()

    def command(home: Path, words: list[str], longest: timedelta) -> tuple[str, str]:
        assert longest == model_jobs.LONGEST
        lines.append(words)
        assert may_end.wait(60)
        return DONE, "champion lateness v2"

    monkeypatch.setattr(model_jobs, "_command", command)
    csrf = sit_down(client, "phantich")
    assert asked(client, csrf, "model-train", "a") == 200
    assert asked(client, csrf, "model-train", "a") == 200  # the same form once more begins nothing
    assert asked(client, csrf, "model-rolling", "b") == 422  # one at a time
    assert "đang chạy" in client.get("/analyst").text
    may_end.set()
    for _ in range(600):
        (done,) = [one for one in client.get("/api/v1/models/work").json() if one["name"] == "model-train"]
        if done["outcome"] != RUNNING:
            break
        time.sleep(0.1)
    assert lines == [["train", "lateness", f"--cutoff={NOW.isoformat()}", "--by=phantich"]]
    assert (done["outcome"], done["told"]) == (DONE, "champion lateness v2")
    assert asked(client, csrf, "model-rollback", "c", "conduct") == 422
    assert asked(client, csrf, "anything", "d") == 422
    csrf = sit_down(client, "thanhtra")
    assert asked(client, csrf, "model-train", "e") == 403
