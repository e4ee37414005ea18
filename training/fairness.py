"""Does a score mean the same for every group of dossiers? Calibration gaps and selection rates by group.

Groups are crossed (channel × kind of applicant, where known), small ones merged. The figures are those of fairlearn's
`MetricFrame` (Bird et al. 2020); the gap of a group is its mean score minus its late rate, with an interval over
dossiers. Citizens' traits are for this audit alone, never inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from features.intervals import bootstrap
from models.encoding import column_of_text
from training.evaluate import Metric

BY = ("channel", "applicant_kind")
LEAST = 100
"""Dossiers that a group must have to stand alone."""
OTHERS = "others"


@dataclass(frozen=True)
class DossierGroup:
    """A group of dossiers: how many, how often late, their mean score, the gap between, the share on the list."""

    name: str
    n: int
    late: float
    score: float
    gap: Metric
    selected: float


def groups_of(matrix: pa.Table, dossier: np.ndarray, by: tuple[str, ...] = BY) -> np.ndarray:
    """The crossed group of every row [n] as text; groups under `LEAST` dossiers are merged into one."""
    present = [name for name in by if name in matrix.column_names]
    if not present:
        return np.full(matrix.num_rows, OTHERS, dtype=object)
    parts = [column_of_text(matrix, name) for name in present]
    crossed = np.array(
        [" × ".join(cell or "unknown" for cell in row) for row in zip(*parts, strict=True)], dtype=object
    )
    for name in np.unique(crossed.astype(str)):
        if len(np.unique(dossier[crossed == name])) < LEAST:
            crossed[crossed == name] = OTHERS
    return crossed


def audit(
    label: np.ndarray,
    score: np.ndarray,
    dossier: np.ndarray,
    group: np.ndarray,
    *,
    share: float = 0.1,
    draws: int = 300,
    seed: int = 0,
) -> list[DossierGroup]:
    """Every group's figures. `share`: of all rows the highest scored share is the list that `selected` is about."""
    from fairlearn.metrics import MetricFrame, mean_prediction, selection_rate

    if not len(label):
        return []
    listed = (score >= np.quantile(score, 1 - share)).astype(float)
    means = MetricFrame(metrics=mean_prediction, y_true=label, y_pred=score, sensitive_features=group.astype(str))
    chosen = MetricFrame(metrics=selection_rate, y_true=label, y_pred=listed, sensitive_features=group.astype(str))
    rng = np.random.default_rng(seed)
    found = []
    for name in sorted(means.by_group.index):
        mine = group == name
        gap = calibration_gap(label[mine], score[mine], dossier[mine], draws, rng)
        found.append(
            DossierGroup(
                str(name),
                int(mine.sum()),
                float(label[mine].mean()),
                float(means.by_group[name]),
                gap,
                float(chosen.by_group[name]),
            )
        )
    return found


def as_json(groups: list[DossierGroup]) -> dict[str, Any]:
    """The groups as the card takes them."""
    return {
        one.name: {
            "n": one.n,
            "late": one.late,
            "score": one.score,
            "selected": one.selected,
            "gap": [one.gap.value, one.gap.low, one.gap.high],
        }
        for one in groups
    }


def calibration_gap(
    label: np.ndarray, score: np.ndarray, dossier: np.ndarray, draws: int, rng: np.random.Generator
) -> Metric:
    """Mean score minus late rate of rows [n], with an interval over dossiers."""
    clusters = np.unique(dossier, return_inverse=True)[1]
    n = int(clusters.max()) + 1
    difference = np.bincount(clusters, weights=score - label, minlength=n)
    rows = np.bincount(clusters, minlength=n)
    drawn = rng.integers(0, n, (draws, n))
    gaps = difference[drawn].sum(1) / rows[drawn].sum(1)
    return Metric(float((score - label).mean()), *bootstrap(gaps))
