"""One MLflow run a training: what went in, what was chosen, how good it is, and the model itself as text.

MLflow is imported here, late, and nowhere in the service. The registered model, named as its target, carries the alias
`candidate`; promotion moves `champion`. The model of a run is a pyfunc made from code (no pickle) around the packaged
folder, so `mlflow models serve` answers with score and reasons; beside it stands the native LightGBM model.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models import artefact, pointers
from models.artefact import MANIFEST
from models.booster import TreeMember
from models.risk_model import RiskModel
from models.targets import MAIN
from training.members import KEYS, is_category
from training.packaging import Trained
from training.plots import curves_plot, shap_of_model
from training.provenance import ROOT
from training.tracking_check import insist_on_tracking

REQUIREMENTS = (
    "mlflow", "numpy", "scipy", "pyarrow", "lightgbm", "cryptography", "duckdb", "sqlglot", "pandas", "numba",
)  # fmt: skip
"""What a bare environment needs to answer with score and reasons; logged with the versions that trained."""


LOGGED_ROWS = 1000
"""Rows of a training that the run shows as its data, and the plots are made from."""

ALIASES = ("candidate", "champion", "previous")

Tell = Callable[[Path, str, pa.Table, str], str]
"""Logs a package (its folder and the SHA-256 of its manifest) with rows of its training at a URL; the run's id."""


def connect(url: str, experiment: str = MAIN.name) -> Any:
    """The mlflow module, pointed at a tracking server or a SQLite file (made and migrated on first use)."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # by default a closed port takes minutes to refuse
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    insist_on_tracking(url, experiment)
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
    """Logs a training as one run, registers its model as `candidate`, and gives the training with its run id.

    The rows that the log needs are kept beside the package until the run is whole, so that `resume` can tell MLflow
    later what it could not be told now.
    """
    rows_file = keep_rows(trained.folder, trained.sample.matrix)
    run_id = log_package(trained.folder, trained.sha256, pq.read_table(rows_file), url)
    rows_file.unlink()
    return replace(trained, run_id=run_id)


def keep_rows(folder: Path, matrix: pa.Table, keys: Sequence[str] = KEYS) -> Path:
    """Keeps the first rows of a training, without the keys of cases, where `resume` finds them."""
    path = folder.parent / f".unlogged-{folder.name}.parquet"
    rows = matrix.slice(0, LOGGED_ROWS)
    pq.write_table(rows.select([name for name in rows.column_names if name not in keys]), path)
    return path


def unlogged(models: Path, target: str = MAIN.name) -> list[Path]:
    """Packages of trainings that are not in MLflow yet, oldest first."""
    found = sorted((models / target).glob(".unlogged-*.parquet"))
    names = [path.name.removeprefix(".unlogged-").removesuffix(".parquet") for path in found]
    return [models / target / name for name in names if (models / target / name).is_dir()]


def log_package(folder: Path, sha256: str, rows: pa.Table, url: str) -> str:
    """Logs a packaged risk model as one run with `rows` of its training; the id of the run."""
    model = artefact.load(folder, sha256=sha256)
    mlflow = connect(url, model.target)
    about = model.about
    version = int(about["record_version"])
    with mlflow.start_run(run_name=folder.name) as run:
        mlflow.set_tags(
            {
                name: str(about[name])
                for name in ("cutoff", "record_version", "git_commit", "lock_hash", "features_hash", "columns_hash")
            }
            | {"target": model.target, "manifest_sha256": sha256, "model_version": folder.name}
        )
        mlflow.log_params(_parameters(model, folder))
        mlflow.log_metrics(_metrics(about.get("figures", {})))
        mlflow.log_dict(dict(about), "about.json")
        mlflow.log_dict(dict(about["time_travel"]), "time_travel.json")
        mlflow.set_tag("time_travel", "holds" if about["time_travel"]["holds"] else "fails")
        log_slices(mlflow, [{"slice": name, **figures} for name, figures in about.get("groups", {}).items()])
        frame = example_frame(rows.slice(0, 5))
        mlflow.log_input(
            mlflow.data.from_pandas(
                example_frame(rows),
                source=f"record version {version}",
                name="training landmarks",
            ),
            context="training",
            tags={
                "record_version": str(version),
                "cutoff": str(about["cutoff"]),
                "rows": str(about["training"]["rows"]),
            },
        )
        mlflow.log_artifacts(str(folder), "package")
        with tempfile.TemporaryDirectory() as aside:
            shap_of_model(model, rows.slice(0, 500), Path(aside) / "shap_summary.png")
            if about.get("curve"):
                curves_plot({"blend": about["curve"]}, Path(aside) / "calibration.png")
            mlflow.log_artifacts(aside)
        log_pyfunc(mlflow, "pyfunc.py", folder, frame, answer_frame(model.probability(rows.slice(0, 5))), model.target)
        for name, member in model.members.items():
            if isinstance(member, TreeMember):
                native = lightgbm.Booster(model_str=member.text)
                mlflow.lightgbm.log_model(native, name=name, pip_requirements=pinned("lightgbm"))
        run_id = str(run.info.run_id)
    move_alias(url, run_id, "candidate", model.target)
    return run_id


def log_pyfunc(
    mlflow: Any, code: str, folder: Path, example: Any, answer: Any, registered: str | None, name: str = "model"
) -> None:
    """Logs a packaged folder behind the pyfunc of `training/<code>`, with its signature and an example [rows].

    `answer`: what it says to the example. `registered`: under which name it stands in the registry; None: nowhere.
    """
    from mlflow.models import infer_signature

    mlflow.pyfunc.log_model(
        name=name,
        python_model=str(ROOT / "training" / code),
        artifacts={"package": str(folder)},
        code_paths=[str(ROOT / "models"), str(ROOT / "features")],
        pip_requirements=requirements(),
        signature=infer_signature(example, answer),
        input_example=example,
        registered_model_name=registered,
    )


def log_slices(mlflow: Any, slices: Sequence[Mapping[str, Any]]) -> None:
    """Figures by group of cases as a table, `slices.json`; nothing where there are none."""
    if slices:
        names = list(dict.fromkeys(name for one in slices for name in one))
        mlflow.log_table({name: [one.get(name) for one in slices] for name in names}, "slices.json")


def resume(models: Path, url: str, target: str = MAIN.name, tell: Tell = log_package) -> list[str]:
    """Logs the trainings that are not in MLflow yet, and points the aliases; the ids of the runs."""
    runs = []
    for folder in unlogged(models, target):
        rows = folder.parent / f".unlogged-{folder.name}.parquet"
        sha256 = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
        run_id = tell(folder, sha256, pq.read_table(rows), url)
        note_run(models / target, folder.name, run_id, url)
        rows.unlink()
        runs.append(run_id)
    point_aliases(url, models / target)
    return runs


def note_run(folder: Path, version: str, run_id: str, url: str) -> None:
    """Writes the run into every pointer that names the version, and points the aliases there."""
    with pointers.held(folder):
        for name in ALIASES:
            pointer = pointers.read(folder, name)
            if pointer is not None and pointer["version"] == version:
                pointers.write(folder, name, {**pointer, "run_id": run_id})
    point_aliases(url, folder)


def point_aliases(url: str, folder: Path) -> None:
    """Points each alias of the registered model named as the folder to where the pointer of that name stands, where
    that has a run."""
    for alias in ALIASES:
        pointer = pointers.read(folder, alias)
        if pointer is not None and pointer.get("run_id"):
            move_alias(url, pointer["run_id"], alias, folder.name)


def requirements() -> list[str]:
    """`REQUIREMENTS`, each with the version that is installed here."""
    return [line for name in REQUIREMENTS for line in pinned(name)]


def pinned(name: str) -> list[str]:
    """A requirement of the version installed here, as a list of one."""
    return [f"{name}=={version_of(name)}"]


def move_alias(url: str, run_id: str, alias: str, target: str) -> None:
    """Points an alias of the registered model of `target` to the version that a run made; one write in the registry."""
    mlflow = connect(url, target)
    client = mlflow.MlflowClient()
    found = client.search_model_versions(f"name = '{target}' and run_id = '{run_id}'")
    if not found:
        raise ValueError(f"MLflow knows no model {target} of the run {run_id}: removed there, or another server's")
    client.set_registered_model_alias(target, alias, max(found, key=lambda one: int(one.version)).version)


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


def answer_frame(scored: np.ndarray) -> Any:
    """What the pyfunc of a risk model answers to rows with these scores [n], in form."""
    import pandas as pd

    return pd.DataFrame(
        {"score": scored, "log_odds": scored, "reasons_vi": [""] * len(scored), "reasons_en": [""] * len(scored)}
    )


def _parameters(model: RiskModel, folder: Path) -> dict[str, Any]:
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    training = model.about["training"]
    return {
        "recipe": training["recipe"],
        "rule": model.rule,
        "rows": training["rows"],
        "dossiers": training["dossiers"],
        "features": len(manifest["features"]),
        "intercept": model.intercept,
        "slope": model.slope,
        **{f"weight_{metric_name(name)}": weight for name, weight in model.weights.items()},
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
