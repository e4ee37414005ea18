"""One MLflow run a training of conduct: what each tier ships and why, the figures, and the packaged files."""

from __future__ import annotations

import numpy as np

from training.conduct import TARGET, LearntConduct
from training.tracking import connect


def log_run(learnt: LearntConduct, url: str) -> str:
    """Logs a training in the experiment `conduct`, registers its package as `candidate`, and gives the id of its run.

    `url`: as for `tracking.connect`.
    """
    mlflow = connect(url, TARGET)
    with mlflow.start_run(run_name=learnt.version) as run:
        mlflow.set_tags({"target": TARGET, "model_version": learnt.version, **learnt.about})
        mlflow.log_params({f"ships_{tier}": one.ships for tier, one in learnt.forecasts.items()}
                          | {"ships_dossier": learnt.dossier.ships, "dossier_cases": learnt.dossier.cases})  # fmt: skip
        mlflow.log_metrics(_metrics(learnt))
        mlflow.log_dict(learnt.dossier.about(), "dossier.json")
        mlflow.log_dict(learnt.without, "without.json")
        mlflow.log_artifacts(str(learnt.folder), "package")
        run_id = str(run.info.run_id)
        package = mlflow.get_artifact_uri("package")
    client = mlflow.MlflowClient()
    if not client.search_registered_models(filter_string=f"name = '{TARGET}'"):
        client.create_registered_model(TARGET)
    registered = client.create_model_version(TARGET, source=package, run_id=run_id)
    client.set_registered_model_alias(TARGET, "candidate", registered.version)
    return run_id


def champion(url: str, version: str) -> None:
    """Points the alias `champion` to the registered package of a version; ValueError where none was logged."""
    client = connect(url, TARGET).MlflowClient()
    for registered in client.search_model_versions(f"name = '{TARGET}'"):
        if client.get_run(registered.run_id).data.tags.get("model_version") == version:
            client.set_registered_model_alias(TARGET, "champion", registered.version)
            return
    raise ValueError(f"no run of MLflow holds version {version}")


def _metrics(learnt: LearntConduct) -> dict[str, float]:
    """AUC of each tier's model and rule, average precision for dossiers, with intervals; undefined ones left out."""
    told = {
        f"{tier}_auc_{who}": value for tier, one in learnt.forecasts.items() for who, value in one.comparison.items()
    }
    for who, figure in learnt.dossier.figures.items():
        told |= {f"dossier_ap_{who}": figure.value, f"dossier_ap_{who}_low": figure.low,
                 f"dossier_ap_{who}_high": figure.high}  # fmt: skip
    told["dossier_random_positives"] = float(learnt.dossier.found)
    return {name: float(value) for name, value in told.items() if np.isfinite(value)}
