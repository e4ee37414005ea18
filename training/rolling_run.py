"""A rolling backtest as one MLflow run: the page, its plots, every figure with its interval by origin."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from models.targets import MAIN
from training.origin import Origin, Window
from training.plots import curves_plot, over_time_plot
from training.provenance import git_commit
from training.tracking import connect, metric_name


def log_report(found: Sequence[Origin], asked: Sequence[Window], url: str, page: Path) -> str:
    """Logs the report and gives the run's id; metrics have the number of the origin as step."""
    mlflow = connect(url)
    tags = {"kind": "backtest", "target": MAIN.name, "git_commit": git_commit(), "origins": str(len(found))}
    with mlflow.start_run(run_name=f"rolling backtest until {asked[-1].until:%Y-%m-%d}", tags=tags) as run:
        first = asked[0]
        mlflow.log_params(
            {
                "most_learnt": first.most_learnt,
                "most_judged": first.most_judged,
                "seed": first.seed,
                "embargo_days": first.embargo.days,
                "span_days": (first.until - first.cutoff).days,
                "ripen_days": (first.read_at - first.until).days,
            }
        )
        mlflow.log_artifact(str(page))
        mlflow.log_dict({"origins": [as_json(one) for one in found]}, "origins.json")
        with TemporaryDirectory() as folder:
            curves_plot({f"{one.cutoff:%Y-%m-%d}": one.curve for one in found}, Path(folder) / "calibration.png")
            for metric in ("auc", "brier", "precision_at_10"):
                over_time_plot(found, metric, Path(folder) / f"{metric}.png")
            mlflow.log_artifacts(folder, "plots")
        for step, one in enumerate(found):
            mlflow.log_metrics(_metrics(one), step=step)
        return str(run.info.run_id)


def as_json(origin: Origin) -> dict[str, Any]:
    """An origin as plain JSON: figures as [value, low, high], undefined numbers null, moments ISO 8601."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [plain(one) for one in value]
        if dataclasses.is_dataclass(value):
            return [plain(getattr(value, name)) for name in ("value", "low", "high")]
        if isinstance(value, float):
            return value if np.isfinite(value) else None
        return value.isoformat() if hasattr(value, "isoformat") else value

    return {each.name: plain(getattr(origin, each.name)) for each in dataclasses.fields(origin)}


def _metrics(origin: Origin) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for kind, scores in (("", origin.figures), ("product_minus_", origin.differences)):
        for name, figures in scores.items():
            for metric, figure in figures.items():
                for ending, number in (("", figure.value), ("_low", figure.low), ("_high", figure.high)):
                    if np.isfinite(number):
                        metrics[metric_name(f"{kind}{name}_{metric}{ending}")] = number
    return metrics
