"""One MLflow run a training on a real tracking server, `mlflow models serve` in a bare environment, and conduct."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.record.delivery import Chunk
from features.record.record import Record
from models import official_artefact
from models.artefact import ArtefactError
from tests.drawn_finding import drawn_cases
from tests.drawn_mlflow import answering, tracking_server
from tests.drawn_office import settings_of
from tests.drawn_training import CUTOFF, draw_record
from tests.test_official_forecast import CUTOFF as TAUGHT
from tests.test_official_forecast import province
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
        "about.json", "calibration.png", "package", "shap_summary.png", "slices.json", "time_travel.json"}  # fmt: skip
    groups = told.trained.model.about["groups"]
    found = {one["slice"]: one for one in slices(told.client, told.trained.run_id)}
    assert found.keys() == groups.keys()
    assert all(found[name]["gap"] == pytest.approx(groups[name]["gap"], abs=1e-9) for name in groups)
    for alias in ("candidate", "champion"):
        assert told.client.get_model_version_by_alias("lateness", alias).run_id == told.trained.run_id


def slices(client: Any, run_id: str) -> list[dict[str, Any]]:
    """The figures by group that a run tells."""
    with tempfile.TemporaryDirectory() as aside:
        said = json.loads(Path(client.download_artifacts(run_id, "slices.json", aside)).read_text("utf-8"))
    return [dict(zip(said["columns"], row, strict=True)) for row in said["data"]]


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


def test_conduct_is_registered_with_all_that_a_reader_needs_and_answers_as_it_is_served(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained while MLflow is away, told later, promoted; its pyfunc says what the packages say, to 1e-9."""
    from features.complaints.history import build
    from models import pointers
    from serving.cli import conduct as steps
    from training import finding
    from training.tracking import example_frame

    settings = settings_of(tmp_path / "home")
    province(settings.record_url, 1, drift=40.0)
    units = [{"unit_code": f"U{n}", "unit_name": f"Xã {n}", "parent_code": f"H{n % 2}", "level": "commune"}
             for n in range(10)]  # fmt: skip
    Record(settings.record_url).append([Chunk("unit", units)], source="test", arrived_at=TAUGHT - timedelta(days=900))
    con = Record(settings.record_url).connect()
    dossiers = finding.fitted(drawn_cases(2000), finding.SEEDS[:2])
    assert dossiers.model is not None
    monkeypatch.setattr(finding, "learn", lambda con, cutoff: dossiers)
    away = replace(settings, mlflow_url="http://127.0.0.1:9")
    with monkeypatch.context() as patch:  # it went away after it was asked
        patch.setattr("training.tracking_check.insist_on_tracking", lambda *_: None)
        said = steps.train(away, TAUGHT, lambda line: None)
    assert said.endswith("later: risk log conduct")
    settings = replace(settings, mlflow_url=told.url)
    (run_id,) = steps.log_later(settings)
    assert steps.log_later(settings) == []
    steps.promote(settings, "test", lambda line: None)

    candidate = pointers.read(settings.models / "conduct", "champion")
    assert candidate is not None
    assert candidate["run_id"] == run_id
    for alias in ("candidate", "champion"):
        assert told.client.get_model_version_by_alias("conduct", alias).run_id == run_id
    artifacts = {found.path for found in told.client.list_artifacts(run_id)}
    assert artifacts >= {"dossier.json", "package", "scores.png", "shap_dossier.png", "shap_reported.png"}
    regions = [one for one in slices(told.client, run_id) if one["tier"] == "reported" and one["by"] == "region"]
    assert [one["slice"] for one in regions] == ["H0", "H1"]
    assert {"reported_auc_model", "reported_auc_low", "dossier_ap_gain_low"} <= set(
        told.client.get_run(run_id).data.metrics
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow

        mlflow.set_tracking_uri(told.url)
        officials = mlflow.pyfunc.load_model("models:/conduct@champion")
        of_dossiers = mlflow.pyfunc.load_model(f"runs:/{run_id}/dossier")
        history = build(con, [TAUGHT])
        forecasts = official_artefact.load(settings.models / "conduct" / candidate["version"],
                                           sha256=candidate["sha256"])  # fmt: skip
        asked = history.drop_columns(["official_id", "unit_code", "as_of"])
        answer = officials.predict(example_frame(asked))
        rows = drawn_cases(2000).matrix.slice(0, 300)
        chances = of_dossiers.predict(example_frame(rows))
    assert forecasts["reported"].ships == "model"
    assert list(answer.columns) == list(forecasts)
    for tier, one in forecasts.items():
        assert np.allclose(answer[tier], one.score(history), rtol=0, atol=1e-9), tier
    assert np.allclose(chances["score"], dossiers.model.probability(rows), rtol=0, atol=1e-9)
    for model in (officials, of_dossiers):
        assert model.metadata.signature.inputs is not None
        assert model.input_example is not None

    folder = settings.models / "conduct"
    pointers.write(folder, "previous", candidate)
    assert steps.rollback(settings, "test", lambda line: None) == f"champion conduct {candidate['version']}"
    (folder / candidate["version"] / "manifest.json").write_text("{}", "utf-8")
    with pytest.raises(ArtefactError):
        steps.rollback(settings, "test", lambda line: None)
