"""Probabilities and log-odds, to and fro."""

from __future__ import annotations

import numpy as np

EDGE = 1e-6
"""Probabilities nearer to 0 or 1 than this are taken as this: log-odds stay finite."""


def logit(probability: np.ndarray | float) -> np.ndarray:
    """Log-odds of probabilities, same shape; NaN stays NaN."""
    clipped = np.clip(np.asarray(probability, float), EDGE, 1.0 - EDGE)
    return np.asarray(np.log(clipped / (1.0 - clipped)))
