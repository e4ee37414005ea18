"""MLflow is asked before anything is learnt; what it can't be told at the end is told later. Cases 23 and 24."""

import sqlite3
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from features.record.record import Record
from serving.jobs.mlflow_paths import relocate
from tests.bench.port import free_port
from tests.drawn_training import CUTOFF, Office
from training.run import train
from training.tracking import keep_rows, unlogged
from training.tracking_check import TrackingRefused, insist_on_tracking


def mlflow_database(path: Path, stage: str, location: str = "file:///old/place/mlartifacts/1") -> str:
    con = sqlite3.connect(path)
    con.executescript(
        "CREATE TABLE experiments (experiment_id INTEGER, name TEXT, lifecycle_stage TEXT, artifact_location TEXT);"
        "CREATE TABLE runs (run_uuid TEXT, artifact_uri TEXT);"
    )
    con.execute("INSERT INTO experiments VALUES (1, 'lateness', ?, ?)", [stage, location])
    con.execute("INSERT INTO runs VALUES ('r', ?), ('s', 's3://bucket/mlartifacts/r')", [f"{location}/r/artifacts"])
    con.commit()
    con.close()
    return f"sqlite:///{path}"


def never(*_: object, **__: object) -> None:
    raise AssertionError("something was read or learnt before MLflow was asked")


@pytest.mark.parametrize("case", ["23-mlflow-experiment-deleted", "24-mlflow-server-down"])
def test_a_training_asks_first_and_says_what_to_do(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deleted = case.startswith("23")
    url = mlflow_database(tmp_path / "mlflow.db", "deleted") if deleted else f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr(Record, "version", never)
    monkeypatch.setattr(Record, "connect", never)
    begun = time.monotonic()
    todo = "mlflow experiments restore" if deleted else "start it, or correct RISK_MLFLOW_URL"
    with pytest.raises(TrackingRefused, match=todo):
        train(Record(tmp_path / "record"), CUTOFF, tmp_path / "models", mlflow_url=url)
    assert time.monotonic() - begun < 10


def test_a_server_that_hangs_is_given_up(tmp_path: Path) -> None:
    with answers(lambda handler: time.sleep(3)) as url, pytest.raises(TrackingRefused, match="does not answer"):
        insist_on_tracking(url.replace("http://", "http://user:secret@"), "lateness", seconds=0.3)


class answers:
    """A server on a free port that does one thing with every request."""

    def __init__(self, do: Callable[[BaseHTTPRequestHandler], None]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                do(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_a_password_in_the_url_is_not_told() -> None:
    with pytest.raises(TrackingRefused) as told:
        insist_on_tracking(f"http://user:secret@127.0.0.1:{free_port()}", "lateness")
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(("stage", "takes"), [("active", True), ("deleted", False)])
def test_what_the_server_says_of_the_experiment_counts(stage: str, takes: bool) -> None:
    def say(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(f'{{"experiment": {{"lifecycle_stage": "{stage}"}}}}'.encode())

    with answers(say) as url:
        if takes:
            insist_on_tracking(url, "lateness")
        else:
            with pytest.raises(TrackingRefused, match="is deleted in MLflow"):
                insist_on_tracking(url, "lateness")


def test_a_new_experiment_or_database_is_no_reason_to_refuse(tmp_path: Path) -> None:
    insist_on_tracking(f"sqlite:///{tmp_path / 'new.db'}", "lateness")
    insist_on_tracking(mlflow_database(tmp_path / "mlflow.db", "active"), "conduct")
    (tmp_path / "text.db").write_text("not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(TrackingRefused, match=r"text\.db is not MLflow's database"):
        insist_on_tracking(f"sqlite:///{tmp_path / 'text.db'}", "lateness")


def test_a_home_that_moved_finds_its_artefacts(tmp_path: Path) -> None:
    mlflow_database(tmp_path / "mlflow.db", "active")
    assert relocate(tmp_path) == 2
    assert relocate(tmp_path) == 0
    con = sqlite3.connect(tmp_path / "mlflow.db")
    here = (tmp_path / "mlartifacts").as_uri()
    assert con.execute("SELECT artifact_location FROM experiments").fetchall() == [(f"{here}/1",)]
    assert con.execute("SELECT artifact_uri FROM runs").fetchall() == [
        (f"{here}/1/r/artifacts",), ("s3://bucket/mlartifacts/r",)]  # fmt: skip
    con.close()


def test_a_training_that_mlflow_was_not_told_of_waits_beside_its_package(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "lateness" / office.trained.version
    folder.mkdir(parents=True)
    rows = keep_rows(folder, office.trained.sample.matrix)
    assert unlogged(tmp_path) == [folder]
    import pyarrow.parquet as pq

    kept = pq.read_table(rows)
    assert "dossier_id" not in kept.column_names
    assert kept.num_rows == min(1000, len(office.trained.sample))
