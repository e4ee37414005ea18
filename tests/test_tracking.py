"""One MLflow run a training on a real tracking server, and `mlflow models serve` in a bare environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.drawn_mlflow import answering, tracking_server
from tests.drawn_training import CUTOFF, draw_record
from training.packaging import Trained
from training.promote import promote, rollback
from training.run import train

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Told:
    """A training that a tracking server was told of, promoted to champion."""

    url: str
    models: Path
    trained: Trained
    client: Any


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    home = tmp_path_factory.mktemp("home")
    with warnings.catch_warnings(), tracking_server(home / "server", home / "template.db") as url:
        warnings.simplefilter("ignore")  # mlflow, shap and matplotlib warn about their own futures
        trained = train(draw_record(home / "record"), CUTOFF, home / "models", mlflow_url=url)
        promote(home / "models", "lateness", at=datetime(2026, 7, 1, tzinfo=UTC), because="test", mlflow_url=url)
        import mlflow

        yield Told(url, home / "models", trained, mlflow.MlflowClient(tracking_uri=url, registry_uri=url))


def test_a_training_is_one_run_that_tells_the_whole_story(told: Told) -> None:
    """Run, figures, package, data, aliases: everything a later reader needs, asked of the server."""
    assert told.trained.run_id is not None
    run = told.client.get_run(told.trained.run_id)
    for tag in ("record_version", "git_commit", "lock_hash", "features_hash", "manifest_sha256", "time_travel"):
        assert run.data.tags[tag], tag
    assert run.data.tags["time_travel"] == "holds"
    assert {"blend_auc", "blend_auc_low", "blend_auc_high", "rule_auc", "blend_over_rule_brier"} <= set(
        run.data.metrics
    )
    assert run.data.params["recipe"] == told.trained.model.about["training"]["recipe"]
    assert {found.path for found in told.client.list_artifacts(told.trained.run_id)} >= {
        "about.json", "package", "shap_summary.png", "time_travel.json"}  # fmt: skip
    for alias in ("candidate", "champion"):
        assert told.client.get_model_version_by_alias("lateness", alias).run_id == told.trained.run_id


def test_runs_are_found_by_what_they_were_made_from(told: Told) -> None:
    (experiment,) = told.client.search_experiments(filter_string="name = 'lateness'")
    asked = f"tags.target = 'lateness' and tags.record_version = '{told.trained.model.about['record_version']}'"
    (found,) = told.client.search_runs([experiment.experiment_id], asked)
    assert found.info.run_id == told.trained.run_id
    (data,) = found.inputs.dataset_inputs
    assert data.dataset.name == "training landmarks"
    tags = {tag.key: tag.value for tag in data.tags}
    assert tags["rows"] == str(len(told.trained.sample))
    assert datetime.fromisoformat(tags["cutoff"]) == CUTOFF


def test_the_native_model_stands_beside_and_says_what_the_member_says(told: Told) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow

        mlflow.set_tracking_uri(told.url)
        native = mlflow.lightgbm.load_model(f"runs:/{told.trained.run_id}/trees")
    x = told.trained.model.encoder.encode(told.trained.sample.matrix.slice(0, 30))
    assert np.allclose(native.predict(x, raw_score=True), told.trained.model.members["trees"].log_odds(x), atol=1e-12)


def test_a_run_is_reproduced_from_the_server_alone(told: Told, tmp_path: Path) -> None:
    from features.record.record import Record
    from training.reproduce import folder_of_run, reproduce

    (tmp_path / "lateness").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = folder_of_run(str(told.trained.run_id), told.url, tmp_path)
    found = reproduce(Record(told.models.parent / "record"), folder)
    assert found.identical, str(found)


@pytest.fixture(scope="module")
def bare(told: Told, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the model's own logged requirements and nothing of ours."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv makes the bare environment; it is not installed")
    folder = tmp_path_factory.mktemp("bare")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow

        mlflow.set_tracking_uri(told.url)
        asked = mlflow.artifacts.download_artifacts("models:/lateness@champion/requirements.txt", dst_path=str(folder))
    made = folder / "env"
    subprocess.run([uv, "venv", "--quiet", "--python", "3.11", str(made)], check=True, cwd=folder)
    install = [uv, "pip", "install", "--quiet", "--python", str(made / "bin" / "python"), "-r", asked]
    done = subprocess.run([*install, "--offline"], cwd=folder, capture_output=True, text=True)
    if done.returncode:  # not all wheels were used on this machine before
        subprocess.run(install, check=True, cwd=folder)
    return made


def test_models_serve_answers_with_score_and_reasons_in_a_bare_environment(
    told: Told, bare: Path, tmp_path: Path
) -> None:
    from training.tracking import example_frame

    ours = subprocess.run([bare / "bin" / "python", "-c", "import training"], capture_output=True, cwd=tmp_path)
    assert ours.returncode != 0, "the environment must not hold our code"
    command = [str(bare / "bin" / "mlflow"), "models", "serve", "-m", "models:/lateness@champion",
               "--env-manager", "local", "--host", "127.0.0.1", "--workers", "1"]  # fmt: skip
    env = {"MLFLOW_TRACKING_URI": told.url, "PATH": f"{bare / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": ""}
    matrix = told.trained.sample.matrix.slice(0, 5)
    body = json.dumps({"dataframe_split": json.loads(example_frame(matrix).to_json(orient="split"))}).encode()
    with answering(command, "/ping", tmp_path / "serve.log", env) as address:
        request = urllib.request.Request(f"{address}/invocations", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            rows = json.load(answer)["predictions"]
    assert np.allclose([row["score"] for row in rows], told.trained.model.probability(matrix), atol=1e-9)
    assert all("nguy cơ" in row["reasons_vi"] and row["reasons_en"] for row in rows)


def test_a_way_back_moves_the_aliases_too(told: Told, tmp_path: Path) -> None:
    """Rollback points `champion` to the run of the model that serves again."""
    models = tmp_path / "models"
    shutil.copytree(told.models, models)
    from models import pointers

    standing = pointers.read(models / "lateness", "champion")
    assert standing is not None
    pointers.write(models / "lateness", "previous", standing)
    pointers.write(models / "lateness", "champion", {**standing, "run_id": None})
    told.client.delete_registered_model_alias("lateness", "champion")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rollback(models, "lateness", at=datetime(2026, 7, 2, tzinfo=UTC), because="test", mlflow_url=told.url)
    assert told.client.get_model_version_by_alias("lateness", "champion").run_id == told.trained.run_id
