"""Pictures for people who judge a model: SHAP summary, calibration, figures over time; PNG files, never on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from models.encoding import column_of_numbers
from models.risk_model import RiskModel
from training.origin import Origin


def shap_of_model(model: RiskModel, matrix: pa.Table, path: Path) -> None:
    """The beeswarm of a risk model over the rows of a matrix."""
    scores = model.score(matrix)
    numbers = set(model.encoder.numbers)
    cells = np.column_stack(
        [column_of_numbers(matrix, name) if name in numbers else np.zeros(matrix.num_rows) for name in scores.features]
    )
    shap_summary(scores.contributions, cells, scores.features, path)


def shap_summary(contributions: np.ndarray, cells: np.ndarray, features: Sequence[str], path: Path) -> None:
    """The beeswarm of the strongest features, drawn by the shap package from SHAP values [rows × features]."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import shap

    figure = plt.figure()
    shap.summary_plot(
        contributions, cells, feature_names=list(features), show=False, max_display=15, rng=np.random.default_rng(0)
    )
    figure = plt.gcf()
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)


def ranked_plot(scores: Mapping[str, np.ndarray], path: Path) -> None:
    """Scores from the highest to the lowest, a line each: how much a few stand out."""
    figure, axis = _axes((7, 4))
    for name, values in scores.items():
        axis.plot(np.arange(1, len(values) + 1), np.sort(values)[::-1], label=name)
    axis.set_xlabel("rank")
    axis.set_ylabel("score")
    _write(figure, axis, path)


def curves_plot(curves: Mapping[str, Sequence[tuple[float, float, int]]], path: Path) -> None:
    """Late rate against mean score in bands (`training.evaluate.curve`), a line each; on the diagonal a score means
    what it says."""
    figure, axis = _axes((5, 5))
    axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, curve in curves.items():
        axis.plot([score for score, *_ in curve], [rate for _, rate, _ in curve], marker="o", label=name)
    axis.set_xlabel("score")
    axis.set_ylabel("late")
    _write(figure, axis, path)


def over_time_plot(found: Sequence[Origin], metric: str, path: Path) -> None:
    """One figure of every score at every origin, with its interval."""
    figure, axis = _axes((7, 4))
    for name in found[-1].figures:
        shown = [(one.cutoff, one.figures[name][metric]) for one in found if name in one.figures]
        shown = [
            (cutoff, interval)
            for cutoff, interval in shown
            if np.isfinite([interval.value, interval.low, interval.high]).all()
        ]
        values = np.array([interval.value for _, interval in shown])
        ends = np.array([[interval.low, interval.high] for _, interval in shown]).reshape(-1, 2)
        reach = np.maximum([values - ends[:, 0], ends[:, 1] - values], 0.0)
        axis.errorbar([cutoff for cutoff, _ in shown], values, yerr=reach, marker="o", capsize=2, label=name)
    axis.set_xlabel("origin")
    axis.set_ylabel(metric)
    figure.autofmt_xdate()
    _write(figure, axis, path)


def _axes(size: tuple[float, float]) -> tuple[Any, Any]:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size)


def _write(figure: Any, axis: Any, path: Path) -> None:
    import matplotlib.pyplot as plt

    axis.legend()
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)
