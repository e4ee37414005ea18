"""Calibration and blending, both linear in log-odds, so that contributions keep adding up.

Calibration: Platt (1999) on log-odds, `intercept + slope · z`, slope ≥ 0, with a weak pull towards the identity so
that a short slice cannot turn a score over. Blending: logistic regression with weights ≥ 0 (stacking, Breiman 1996).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.optimize import minimize

from models.shrinkage import sigmoid

PULL = 4.0
"""Strength of the pull towards slope 1: that of this many dossiers at slope 0 or 2."""


def platt(log_odds: np.ndarray, label: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Intercept and slope (≥ 0) that calibrate log-odds [n] to labels [n]; `weight` [n], in dossiers."""
    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = theta[0] + theta[1] * log_odds
        residual = weight * (sigmoid(z) - label)
        value = float((weight * (np.logaddexp(0.0, z) - label * z)).sum() + PULL * (theta[1] - 1.0) ** 2)
        return value, np.array([residual.sum(), residual @ log_odds + 2 * PULL * (theta[1] - 1.0)])

    found = minimize(loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B", bounds=[(None, None), (0.0, None)])
    return float(found.x[0]), float(found.x[1])


def blend_weights(
    members: Mapping[str, np.ndarray], label: np.ndarray, weight: np.ndarray, group: np.ndarray
) -> dict[str, float]:
    """Weights ≥ 0 of the members' log-odds, by the least log-loss on rows that none of them has learnt.

    `members`: name to log-odds [n]. `group` [n] numbers the slices of time; each has an intercept of its own, so
    that members are judged by what they tell apart and not by the level of one slice. `weight` [n], in dossiers.
    """
    names = list(members)
    z = np.column_stack([members[name] for name in names])
    slices = int(group.max()) + 1

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        odds = theta[group] + z @ theta[slices:]
        residual = weight * (sigmoid(odds) - label)
        pull = theta[slices:].sum() - 1.0
        value = float((weight * (np.logaddexp(0.0, odds) - label * odds)).sum() + PULL * pull**2)
        gradient = np.concatenate([np.bincount(group, residual, minlength=slices), z.T @ residual + 2 * PULL * pull])
        return value, gradient

    start = np.concatenate([np.zeros(slices), np.full(len(names), 1.0 / len(names))])
    bounds = [(None, None)] * slices + [(0.0, None)] * len(names)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return {name: float(value) for name, value in zip(names, found.x[slices:], strict=True)}


def log_loss(log_odds: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    """Mean negative log-likelihood of labels [n] under log-odds [n]."""
    return float(np.average(np.logaddexp(0.0, log_odds) - label * log_odds, weights=weight))
