"""One MLflow run a training of conduct: what each tier ships and why, figures, slices, plots, and the models.

The registered model `conduct` answers with the score of every tier for rows of officials' histories; beside it, where
one ships, stands the finding model for dossiers (`dossier` in the run).
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.complaints.history import KEYS
from models import artefact, official_artefact
from models.artefact import MANIFEST
from models.official_forecast import OfficialForecast, values
from training import tracking
from training.conduct import DOSSIER, TARGET, TRAINING, LearntConduct
from training.plots import ranked_plot, shap_of_model, shap_summary


def log_run(learnt: LearntConduct, url: str) -> str:
    """Logs a training in the experiment `conduct`, registers its package as `candidate`, and gives the id of its run.

    `url`: as for `tracking.connect`. Where MLflow can't be told now, `resume` does it later.
    """
    rows_file = tracking.keep_rows(learnt.folder, learnt.officials, KEYS)
    if learnt.dossier.matrix is not None:
        tracking.keep_rows(learnt.folder.with_name(f"{learnt.version}-{DOSSIER}"), learnt.dossier.matrix)
    run_id = log_package(learnt.folder, learnt.sha256, pq.read_table(rows_file), url)
    rows_file.unlink()
    tracking.note_run(learnt.folder.parent, learnt.version, run_id, url)
    return run_id


def log_package(folder: Path, sha256: str, rows: pa.Table, url: str) -> str:
    """Logs a packaged training with `rows` of officials' histories; the id of the run (`tracking.Tell`)."""
    forecasts = official_artefact.load(folder, sha256=sha256)
    about = json.loads((folder / MANIFEST).read_text("utf-8"))["about"]
    training = json.loads((folder / TRAINING).read_text("utf-8"))
    dossier = training["dossier"]
    mlflow = tracking.connect(url, TARGET)
    with mlflow.start_run(run_name=folder.name) as run:
        mlflow.set_tags({"target": TARGET, "model_version": folder.name, "manifest_sha256": sha256, **about})
        mlflow.log_params({f"ships_{tier}": one.ships for tier, one in forecasts.items()}
                          | {"ships_dossier": dossier["ships"], "dossier_cases": dossier["cases"]})  # fmt: skip
        mlflow.log_metrics(_metrics(forecasts, dossier))
        mlflow.log_dict(dossier, "dossier.json")
        mlflow.log_dict(training["without"], "without.json")
        tracking.log_slices(mlflow, training["slices"])
        mlflow.log_artifacts(str(folder), "package")
        with tempfile.TemporaryDirectory() as aside:
            _plots(forecasts, rows, Path(aside))
            matrix_file = folder.with_name(f".unlogged-{folder.name}-{DOSSIER}.parquet")
            if matrix_file.exists():
                matrix = pq.read_table(matrix_file)
                model = artefact.load(folder / DOSSIER)
                shap_of_model(model, matrix.slice(0, 500), Path(aside) / f"shap_{DOSSIER}.png")
                few = matrix.slice(0, 5)
                tracking.log_pyfunc(
                    mlflow, "pyfunc.py", folder / DOSSIER, tracking.example_frame(few),
                    tracking.answer_frame(model.probability(few)), None, DOSSIER,
                )  # fmt: skip
            mlflow.log_artifacts(aside)
        if forecasts:
            few = rows.slice(0, 5)
            scores = pd.DataFrame({tier: one.score(few) for tier, one in forecasts.items()})
            tracking.log_pyfunc(mlflow, "conduct_pyfunc.py", folder, tracking.example_frame(few), scores, TARGET)
        run_id, package = str(run.info.run_id), mlflow.get_artifact_uri("package")
    if not forecasts:  # where nobody was ever complained of, signals against peers rank: a version without a model
        client = mlflow.MlflowClient()
        if not client.search_registered_models(filter_string=f"name = '{TARGET}'"):
            client.create_registered_model(TARGET)
        client.create_model_version(TARGET, source=package, run_id=run_id)
    matrix_file.unlink(missing_ok=True)
    return run_id


def _plots(forecasts: dict[str, OfficialForecast], rows: pa.Table, folder: Path) -> None:
    if forecasts:
        ranked_plot({tier: one.score(rows) for tier, one in forecasts.items()}, folder / "scores.png")
    for tier, one in forecasts.items():
        if one.ships == "model":
            few = rows.slice(0, 500)
            shap_summary(
                one.contributions(few)[1], values(few, one.features), one.features, folder / f"shap_{tier}.png"
            )


def _metrics(forecasts: dict[str, OfficialForecast], dossier: dict[str, Any]) -> dict[str, float]:
    """AUC of each tier's model and rule, average precision for dossiers, with intervals; undefined ones left out."""
    metrics = {f"{tier}_auc_{who}": value for tier, one in forecasts.items() for who, value in one.comparison.items()}
    for who, (value, low, high) in dossier["figures"].items():
        metrics |= {f"dossier_ap_{who}": value, f"dossier_ap_{who}_low": low, f"dossier_ap_{who}_high": high}
    metrics["dossier_random_positives"] = float(dossier["random_positives"])
    return {name: float(value) for name, value in metrics.items() if np.isfinite(value)}
