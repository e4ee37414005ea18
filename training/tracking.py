"""One MLflow run a training: what went in, what was chosen, how good it is, and the model itself as text.

MLflow is imported here, late, and nowhere in the service. The registered model `lateness` carries the alias
`candidate`; promotion moves `champion`. The model of a run is a pyfunc made from code (no pickle) around the packaged
folder, so `mlflow models serve` answers with score and reasons; beside it stands the native LightGBM model.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa

from models.artefact import MANIFEST
from models.booster import TreeMember
from training.members import KEYS, is_category
from training.plots import shap_summary
from training.provenance import ROOT
from training.run import Trained

EXPERIMENT = "lateness"
REQUIREMENTS = ("mlflow", "numpy", "pyarrow", "lightgbm", "cryptography", "duckdb", "sqlglot", "pandas")
"""What a bare environment needs to answer with score and reasons; logged with the versions that trained."""


def connect(url: str, experiment: str = EXPERIMENT) -> Any:
    """The mlflow module, pointed at a tracking server or a SQLite file (made and migrated on first use)."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow

    mlflow.set_tracking_uri(url)
    if mlflow.get_experiment_by_name(experiment) is None:
        mlflow.create_experiment(experiment, artifact_location=artifact_location(url))
    mlflow.set_experiment(experiment)
    return mlflow


def artifact_location(url: str) -> str | None:
    """Where a SQLite tracking database keeps its artefacts: `mlartifacts/` beside it; None where a server decides."""
    if not url.startswith("sqlite:///"):
        return None
    folder = Path(url.removeprefix("sqlite:///")).resolve().parent / "mlartifacts"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.as_uri()


def log_run(trained: Trained, url: str) -> Trained:
    """Logs a training as one run, registers its model as `candidate`, and gives the training with its run id."""
    mlflow = connect(url)
    about = trained.model.about
    version = int(about["record_version"])
    sample = trained.sample
    with mlflow.start_run(run_name=trained.version) as run:
        mlflow.set_tags(
            {
                name: str(about[name])
                for name in ("cutoff", "record_version", "git_commit", "lock_hash", "features_hash", "columns_hash")
            }
            | {"target": trained.model.target, "manifest_sha256": trained.sha256, "model_version": trained.version}
        )
        mlflow.log_params(_parameters(trained))
        mlflow.log_metrics(_metrics(about.get("figures", {})))
        mlflow.log_dict(dict(about), "about.json")
        mlflow.log_dict(dict(about["time_travel"]), "time_travel.json")
        mlflow.set_tag("time_travel", "holds" if about["time_travel"]["holds"] else "fails")
        frame = example_frame(sample.matrix.slice(0, 5))
        mlflow.log_input(
            mlflow.data.from_pandas(
                example_frame(sample.matrix.slice(0, 1000)),
                source=f"record version {version}",
                name="training landmarks",
            ),
            context="training",
            tags={"record_version": str(version), "cutoff": str(about["cutoff"]), "rows": str(len(sample))},
        )
        mlflow.log_artifacts(str(trained.folder), "package")
        with tempfile.TemporaryDirectory() as folder:
            plot = Path(folder) / "shap_summary.png"
            shap_summary(trained.model, sample.matrix.slice(0, 500), plot)
            mlflow.log_artifact(str(plot))
        from mlflow.models import infer_signature

        scored = trained.model.probability(sample.matrix.slice(0, 5))
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(ROOT / "training" / "served.py"),
            artifacts={"package": str(trained.folder)},
            code_paths=[str(ROOT / "models"), str(ROOT / "features")],
            pip_requirements=requirements(),
            signature=infer_signature(frame, _answer(scored)),
            input_example=frame,
            registered_model_name=EXPERIMENT,
        )
        for name, member in trained.model.members.items():
            if isinstance(member, TreeMember):
                native = lightgbm.Booster(model_str=member.text)
                mlflow.lightgbm.log_model(native, name=name, pip_requirements=pinned("lightgbm"))
        run_id = str(run.info.run_id)
    client = mlflow.MlflowClient()
    registered = max(client.search_model_versions(f"run_id = '{run_id}'"), key=lambda found: int(found.version))
    client.set_registered_model_alias(EXPERIMENT, "candidate", registered.version)
    return replace(trained, run_id=run_id)


def requirements() -> list[str]:
    """`REQUIREMENTS`, each with the version that is installed here."""
    return [line for name in REQUIREMENTS for line in pinned(name)]


def pinned(name: str) -> list[str]:
    """A requirement of the version installed here, as a list of one."""
    return [f"{name}=={version_of(name)}"]


def move_alias(url: str, run_id: str, alias: str) -> None:
    """Points an alias of the registered model to the version that a run made; one write in the registry."""
    mlflow = connect(url)
    client = mlflow.MlflowClient()
    registered = max(client.search_model_versions(f"run_id = '{run_id}'"), key=lambda found: int(found.version))
    client.set_registered_model_alias(EXPERIMENT, alias, registered.version)


def example_frame(matrix: pa.Table) -> Any:
    """Matrix rows as pandas: every number a double (missing: NaN), categories text; without the keys of cases."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for name in matrix.column_names:
        if name in KEYS:
            continue
        if is_category(matrix[name]):
            columns[name] = pd.array([cell or "" for cell in matrix[name].to_pylist()], dtype="object")
        else:
            columns[name] = matrix[name].cast(pa.float64()).to_numpy(zero_copy_only=False).astype(float)
    return pd.DataFrame(columns)


def _answer(scored: np.ndarray) -> Any:
    import pandas as pd

    return pd.DataFrame(
        {"score": scored, "log_odds": scored, "reasons_vi": [""] * len(scored), "reasons_en": [""] * len(scored)}
    )


def _parameters(trained: Trained) -> dict[str, Any]:
    manifest = json.loads((trained.folder / MANIFEST).read_text("utf-8"))
    training = trained.model.about["training"]
    return {
        "recipe": training["recipe"],
        "rule": trained.model.rule,
        "rows": training["rows"],
        "dossiers": training["dossiers"],
        "features": len(manifest["features"]),
        "intercept": trained.model.intercept,
        "slope": trained.model.slope,
        **{f"weight_{metric_name(name)}": weight for name, weight in trained.model.weights.items()},
        **{f"recipe_{name}": value for name, value in training["parameters"].items()},
    }


def _metrics(figures: dict[str, Any]) -> dict[str, float]:
    """Figures as metrics: `auc`, `auc_low`, `auc_high`, `rule_auc`, `auc_over_rule`, …; undefined ones are left out."""
    flat = {}
    for who, metrics in figures.items():
        for metric, (value, low, high) in metrics.items():
            for ending, number in (("", value), ("_low", low), ("_high", high)):
                if number is not None and np.isfinite(number):
                    flat[f"{who}_{metric}{ending}"] = float(number)
    return flat


def metric_name(name: str) -> str:
    """A name as MLflow takes it for a metric or parameter."""
    return "".join(letter if letter.isalnum() or letter in "_-. " else "_" for letter in name)
