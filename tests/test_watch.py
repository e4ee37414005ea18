"""What is seen of requests from outside: ids, log lines, figures, and a closed door when there are too many."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from serving.access.permissions import Role
from serving.api.watch import RequestMonitor
from serving.app import create_app
from serving.log_lines import JsonLines
from serving.settings import Settings
from tests.drawn_people import NOW, token


def test_every_answer_has_an_id_and_a_line_that_names_no_dossier(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings.from_env(tmp_path)
    bearer = {"Authorization": f"Bearer {token(settings, Role.ANALYST)}"}
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=3600), headers=bearer) as client:
        caplog.set_level(logging.INFO, logger="serving.requests")
        given = client.get("/api/v1/health", headers={"X-Request-ID": "abc-12345678"})
        assert given.headers["X-Request-ID"] == "abc-12345678"
        forged = client.get("/api/v1/dossiers/H99.24-secret?x=1", headers={"X-Request-ID": "a b{}"})
        assert len(forged.headers["X-Request-ID"]) == 32
        told = client.get("/api/v1/metrics")
        assert told.status_code == 200
        assert 'risk_requests_total{method="GET",route="/api/v1/health",status="200"}' in told.text
    lines = [JsonLines().format(one) for one in caplog.records if one.name == "serving.requests"]
    assert len(lines) == 3
    assert json.loads(lines[0]) | {"at": "", "ms": 0} == {
        "at": "", "level": "INFO", "from": "serving.requests", "message": "request",
        "id": "abc-12345678", "method": "GET", "route": "/api/v1/health", "status": 200, "ms": 0,
    }  # fmt: skip
    assert "secret" not in caplog.text + "".join(lines)


def test_too_many_at_once_are_told_to_come_back_and_health_is_not() -> None:
    release = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    watched = RequestMonitor(slow, most_at_once=2)

    async def ask(path: str) -> Message:
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        async def nothing() -> Message:
            return {"type": "http.request"}

        await watched({"type": "http", "method": "GET", "path": path, "headers": []}, nothing, keep)
        return sent[0]

    async def scene() -> tuple[list[Message], Message, Message]:
        first = [asyncio.create_task(ask("/x")) for _ in range(2)]
        await asyncio.sleep(0)
        refused = await asyncio.wait_for(ask("/x"), 10)  # let in it would wait for ever
        alive = asyncio.create_task(ask("/api/v1/health"))
        await asyncio.sleep(0)
        release.set()
        return [await one for one in first], refused, await alive

    first, refused, alive = asyncio.run(scene())
    assert [one["status"] for one in first] == [200, 200]
    assert refused["status"] == 503
    assert dict(refused["headers"])[b"retry-after"] == b"1"
    assert alive["status"] == 200
    assert asyncio.run(ask("/x"))["status"] == 200


def test_a_log_message_can_not_forge_a_line_and_an_exception_tells_no_words() -> None:
    try:
        raise ValueError("0900000001 Nguyễn Văn A")
    except ValueError:
        info = sys.exc_info()
    record = logging.LogRecord("x", logging.ERROR, "f", 1, 'bad\n{"level": "INFO"}', None, info)
    told = JsonLines().format(record)
    assert "\n" not in told
    assert "Nguyễn" not in told
    assert json.loads(told)["error"] == "ValueError"


def test_several_processes_tell_one_sum(tmp_path: Path) -> None:
    """Prometheus asks one process of a server, and is told of all; `risk serve --workers 2` sets the folder."""
    code = (
        "from serving.api import watch\n"
        "from prometheus_client import generate_latest\n"
        "watch.REQUESTS.labels('GET', '/x', 200).inc(3)\n"
        "watch.JOB_LATE.labels('score').set(1)\n"
        "print(generate_latest(watch.joined()).decode())\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1],
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        ).stdout
        for _ in range(2)
    ]  # fmt: skip
    for count, text in zip(("3.0", "6.0"), told, strict=True):
        assert f'risk_requests_total{{method="GET",route="/x",status="200"}} {count}' in text
        assert 'risk_job_late{job="score"} 1.0' in text
