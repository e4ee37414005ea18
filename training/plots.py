"""Pictures for people who judge a model: SHAP summary, calibration; written as PNG files, never on a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from models.encoding import column_of_numbers
from models.risk_model import RiskModel


def shap_summary(model: RiskModel, matrix: pa.Table, path: Path) -> None:
    """The beeswarm of the strongest features over the rows of a matrix, drawn by the shap package."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import shap

    scores = model.score(matrix)
    numbers = set(model.encoder.numbers)
    cells = np.column_stack(
        [column_of_numbers(matrix, name) if name in numbers else np.zeros(matrix.num_rows) for name in scores.features]
    )
    figure = plt.figure()
    shap.summary_plot(
        scores.contributions,
        cells,
        feature_names=list(scores.features),
        show=False,
        max_display=15,
        rng=np.random.default_rng(0),
    )
    figure = plt.gcf()
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)


def calibration_plot(label: np.ndarray, scores: dict[str, np.ndarray], path: Path, bands: int = 10) -> None:
    """Late rate against mean score in bands of equal size; on the diagonal a score means what it says."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(5, 5))
    axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, score in scores.items():
        edges = np.quantile(score, np.linspace(0, 1, bands + 1))
        band = np.clip(np.searchsorted(edges, score, side="right") - 1, 0, bands - 1)
        n = np.maximum(np.bincount(band, minlength=bands), 1)
        axis.plot(np.bincount(band, score, bands) / n, np.bincount(band, label, bands) / n, marker="o", label=name)
    axis.set_xlabel("score")
    axis.set_ylabel("late")
    axis.legend()
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)
