"""Calibration and blending, both linear in log-odds, so that contributions keep adding up.

Calibration: Platt (1999) on log-odds, `intercept + slope · z`, slope ≥ 0, with a weak pull towards the identity so
that a short slice cannot turn a score over. Blending: logistic regression with weights ≥ 0 (stacking, Breiman 1996).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

PULL = 4.0
"""Strength of the pull towards slope 1, in units of log-loss at slope 0 or 2."""
HOLD = 50.0
"""How firmly the latest slice is held to the calibration of all; about that of 500 dossiers."""


def platt(
    log_odds: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    toward: tuple[float, float] = (0.0, 1.0),
    pull: tuple[float, float] = (0.0, PULL),
) -> tuple[float, float]:
    """Intercept and slope (≥ 0) that calibrate log-odds [n] to labels [n]; `weight` [n], in dossiers.

    `toward`: the intercept and slope to which the answer is pulled, each by its `pull`.
    """

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = theta[0] + theta[1] * log_odds
        residual = weight * (expit(z) - label)
        away, tilt = theta[0] - toward[0], theta[1] - toward[1]
        value = float((weight * (np.logaddexp(0.0, z) - label * z)).sum() + pull[0] * away**2 + pull[1] * tilt**2)
        return value, np.array([residual.sum() + 2 * pull[0] * away, residual @ log_odds + 2 * pull[1] * tilt])

    found = minimize(loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B", bounds=[(None, None), (0.0, None)])
    return float(found.x[0]), float(found.x[1])


def latest(log_odds: np.ndarray, label: np.ndarray, weight: np.ndarray, group: np.ndarray) -> tuple[float, float]:
    """Calibration for the time of the latest slice: that of all slices, moved as far as the latest can show.

    `group` [n] numbers the slices. A slice of hundreds of dossiers hardly moves it, one of thousands does.
    """
    overall = platt(log_odds, label, weight)
    last = group == group.max()
    return platt(log_odds[last], label[last], weight[last], overall, (HOLD, HOLD))


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
        residual = weight * (expit(odds) - label)
        pull = theta[slices:].sum() - 1.0
        value = float((weight * (np.logaddexp(0.0, odds) - label * odds)).sum() + PULL * pull**2)
        gradient = np.concatenate([np.bincount(group, residual, minlength=slices), z.T @ residual + 2 * PULL * pull])
        return value, gradient

    start = np.concatenate([np.zeros(slices), np.full(len(names), 1.0 / len(names))])
    bounds = [(None, None)] * slices + [(0.0, None)] * len(names)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return {name: float(value) for name, value in zip(names, found.x[slices:], strict=True)}
