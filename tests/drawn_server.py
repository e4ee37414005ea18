"""A real server over a drawn office, in a process of its own, for tests that come by network."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2

from tests.bench.port import free_port
from tests.drawn_people import NOW

ROOT = Path(__file__).resolve().parents[1]


def start(home: Path, port: int, now: datetime = NOW, workers: int = 1) -> "subprocess.Popen[bytes]":
    """A server over `home` at `port` whose clock stands at `now`; returns when it answers."""
    environment = {**os.environ, "RISK_HOME": str(home), "RISK_TEST_NOW": now.isoformat(), "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.drawn_server", str(port), str(workers)],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300  # a busy machine takes long to import
    while time.monotonic() < deadline and server.poll() is None:
        try:
            httpx2.get(f"http://127.0.0.1:{port}/api/v1/health", timeout=2)
        except httpx2.HTTPError:
            time.sleep(0.1)
        else:
            return server
    server.kill()
    raise RuntimeError("the server did not start")


@contextmanager
def running(home: Path, now: datetime = NOW, workers: int = 1) -> Iterator[str]:
    """The address of a server over `home`, stopped at the end."""
    port = free_port()
    server = start(home, port, now, workers)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def app() -> Any:
    """The app of this process; each worker makes its own."""
    from serving.app import create_app
    from serving.settings import Settings

    moment = datetime.fromisoformat(os.environ["RISK_TEST_NOW"])
    return create_app(Settings.from_env(), now=lambda: moment, poll_seconds=0.5)


if __name__ == "__main__":
    import uvicorn

    from serving.connections import server_options

    uvicorn.run(
        "tests.drawn_server:app",
        factory=True,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        workers=int(sys.argv[2]),
        log_level="error",
        **server_options("127.0.0.1,::1"),
    )
