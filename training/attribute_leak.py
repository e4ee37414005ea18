"""How much a score hangs on one attribute of a delivery (`x_…`): the outcome itself must not be learnt from.

An attribute that a source fills in afterwards, under the moment of the receipt, says the outcome to every check of the
record against itself. What gives it away is its weight: no attribute known at receipt explains most of what comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from models.risk_model import RiskModel
from training.ablate import auc_lost
from training.members import KEYS, Recipe
from training.sample import Sample

PREFIX = "x_"
DERIVED = ("_late_rate", "_known")
"""Endings of the features that the matrix makes of an attribute (`features.matrix.batch`)."""
MOST_SHARE = 0.2
"""An attribute with more of all contributions than this is not believed without a check."""
JUMP = 0.05
"""Nor is one without which the AUC on later dossiers falls by more than this, by its whole interval."""
LEAST_SHARE = 0.05
"""Below it no removal is tried: what hardly moves a score costs no jump."""
ROWS = 4_000


@dataclass(frozen=True)
class AttributeWeight:
    """An attribute, its share of all contributions, and the AUC lost without it: value, low, high; None: not tried."""

    name: str
    share: float
    lost: tuple[float, float, float] | None = None

    @property
    def suspicious(self) -> bool:
        """Whether it holds more than an attribute known at receipt would."""
        return self.share > MOST_SHARE or (self.lost is not None and self.lost[1] > JUMP)


def attributes_of(features: Iterable[str]) -> dict[str, list[str]]:
    """The attributes among matrix columns, each with all columns that are made of it."""
    names = [name for name in features if name.startswith(PREFIX)]
    found: dict[str, list[str]] = {}
    for name in names:
        base = next((name.removesuffix(end) for end in DERIVED if name.endswith(end)), name)
        found.setdefault(base if base in names else name, []).append(name)
    return found


def shares(model: RiskModel, sample: Sample) -> dict[str, float]:
    """Of each attribute its share of all contributions, in log-odds, over at most `ROWS` rows of the sample."""
    rows = np.unique(np.linspace(0, len(sample) - 1, min(ROWS, len(sample))).astype(int))
    scores = model.score(sample.take(rows).matrix)
    at = {name: number for number, name in enumerate(scores.features)}
    whole = float(np.abs(scores.contributions).sum())
    if not whole:
        return {}
    return {
        name: float(np.abs(scores.contributions[:, [at[one] for one in columns]].sum(axis=1)).sum()) / whole
        for name, columns in attributes_of(scores.features).items()
    }


def heaviest(model: RiskModel, sample: Sample, recipe: Recipe) -> AttributeWeight | None:
    """The attribute with the largest share; None without attributes. Its removal is tried where it could matter."""
    found = shares(model, sample)
    if not found:
        return None
    name = max(found, key=found.__getitem__)
    columns = attributes_of(sample.matrix.column_names).get(name, [])
    if found[name] < LEAST_SHARE or found[name] > MOST_SHARE or not columns:
        return AttributeWeight(name, found[name])
    read = [one for one in sample.matrix.column_names if one in {*KEYS, *model.encoder.features, *columns}]
    lost = auc_lost(replace(sample, matrix=sample.matrix.select(read)), recipe, columns)
    return AttributeWeight(name, found[name], None if lost is None else (lost.value, lost.low, lost.high))
