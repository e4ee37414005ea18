"""A real MLflow tracking server for tests: started on a free port from a database that was migrated once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.port import free_port

SECONDS = 180
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "OMP_NUM_THREADS": "1"}


def migrated(template: Path) -> Path:
    """A tracking database with MLflow's tables in it, made where it does not stand yet (about ten seconds)."""
    if not template.exists():
        code = "import sys; from mlflow.tracking import MlflowClient as C; C(sys.argv[1]).search_experiments()"
        half = template.with_suffix(".half")
        subprocess.run([sys.executable, "-W", "ignore", "-c", code, f"sqlite:///{half}"], check=True,
                       env=os.environ | QUIET, capture_output=True)  # fmt: skip
        half.rename(template)
    return template


@contextmanager
def tracking_server(folder: Path, template: Path) -> Iterator[str]:
    """The address of a server that keeps runs in `folder/mlflow.db` and artefacts beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(migrated(template), folder / "mlflow.db")
    command = [
        sys.executable, "-W", "ignore", "-m", "mlflow", "server", "--workers", "1", "--host", "127.0.0.1",
        "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}",
        "--artifacts-destination", (folder / "artifacts").as_uri(),
    ]  # fmt: skip
    with answering(command, "/health", folder / "server.log") as address:
        yield address


@contextmanager
def answering(command: list[str], path: str, log: Path, env: dict[str, str] | None = None) -> Iterator[str]:
    """Runs `command` with `--port` of its own and gives its address as soon as `path` answers; ends it afterwards."""
    port = free_port()
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*command, "--port", str(port)], stdout=said, stderr=said, env=os.environ | QUIET | (env or {}),
            start_new_session=True,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(process, address + path, log)
        yield address
    finally:
        os.killpg(process.pid, 15)  # the workers that it started are of its own session
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise AssertionError(f"no answer at {url}: {log.read_text('utf-8', 'replace')[-1500:]}")
