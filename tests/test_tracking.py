"""One MLflow run a training: everything that a later reader needs, in a real tracking database."""

import warnings
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from test_training_run import CUTOFF, draw_record

from training.promote import promote
from training.run import train


@pytest.mark.slow
def test_a_training_is_one_run_that_tells_the_whole_story(tmp_path: Path) -> None:
    """Run, figures, package, input, aliases; and the pyfunc of the registered model answers with score and reasons."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mlflow, shap and matplotlib warn about their own futures
        record, url = draw_record(tmp_path / "record"), f"sqlite:///{tmp_path / 'mlflow.db'}"
        trained = train(record, CUTOFF, tmp_path / "models", mlflow_url=url)
        promote(tmp_path / "models", "lateness", at=datetime(2026, 7, 1, tzinfo=UTC), because="test", mlflow_url=url)

        import mlflow

        from training.tracking import example_frame

        client = mlflow.MlflowClient(tracking_uri=url, registry_uri=url)
        assert trained.run_id is not None
        run = client.get_run(trained.run_id)
        for tag in ("record_version", "git_commit", "lock_hash", "features_hash", "manifest_sha256", "time_travel"):
            assert run.data.tags[tag], tag
        assert run.data.tags["time_travel"] == "holds"
        assert {"blend_auc", "blend_auc_low", "blend_auc_high", "rule_auc", "blend_over_rule_brier"} <= set(
            run.data.metrics
        )
        assert run.data.params["recipe"] == trained.model.about["training"]["recipe"]
        assert {found.path for found in client.list_artifacts(trained.run_id)} >= {
            "about.json", "package", "shap_summary.png", "time_travel.json"}  # fmt: skip
        assert len(run.inputs.dataset_inputs) == 1
        for alias in ("candidate", "champion"):
            assert client.get_model_version_by_alias("lateness", alias).run_id == trained.run_id
        served = mlflow.pyfunc.load_model("models:/lateness@champion")
        matrix = trained.sample.matrix.slice(0, 20)
        answer = served.predict(example_frame(matrix))
        assert np.allclose(answer["score"], trained.model.probability(matrix), atol=1e-12)
        assert all("nguy cơ" in words for words in answer["reasons_vi"])
