"""What a list is worth: events found and expected, from a sample drawn with known probabilities.

Sources: Hájek 1971 (ratio estimator and variance of fixed-size designs); Cassel, Särndal, Wretman 1976 (the
difference estimator, doubly robust when model or probabilities hold); Zhao, Small, Bhattacharya 2019 (bounds
when the true odds of selection differ from the logged ones by a factor up to Γ); Manski 1990 (no assumption).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean over the whole population with its 95 % interval. n: how many were looked at."""

    value: float
    low: float
    high: float
    n: int


def hajek(y: Floats, p: Floats) -> Estimate:
    """The population mean of `y` from a fixed-size draw: y and p of the drawn ones, p in (0, 1]; both [n].

    With fewer than two drawn nothing is known of the spread: the interval is all of the line. Where few were
    drawn and some with a very small p, the interval is too short: one hit with p = 0.02 weighs fifty.
    """
    _check(y, p)
    if not len(y):
        return Estimate(np.nan, -np.inf, np.inf, 0)
    total = (1 / p).sum()
    mean = float((y / p).sum() / total)
    return _interval(mean, (y - mean) / p, p, total)


def doubly_robust(y: Floats, p: Floats, predicted: Floats, everywhere: Floats) -> Estimate:
    """The same with a model's help: right if either the probabilities or the model are.

    predicted: the model's `y` of the drawn ones [n]; everywhere: of the whole population [N].
    """
    _check(y, p)
    size = float(len(everywhere))
    rest = y - predicted
    mean = float(everywhere.mean() + (rest / p).sum() / size)
    return _interval(mean, rest / p, p, size)


def _interval(mean: float, weighted: Floats, p: Floats, size: float) -> Estimate:
    """Hájek's variance for fixed-size draws with high entropy, Student's t with n − 1 degrees of freedom."""
    n = len(weighted)
    if n < 2:
        return Estimate(mean, -np.inf, np.inf, n)
    c = (1 - p) * n / (n - 1)
    held = c.sum()
    if held <= 0:  # a census: everything was looked at
        return Estimate(mean, mean, mean, n)
    middle = float((c * weighted).sum() / held)
    error = float(np.sqrt((c * (weighted - middle) ** 2).sum()) / size * stdtrit(n - 1, 0.975))
    return Estimate(mean, mean - error, mean + error, n)


def bounds(y: Floats, p: Floats, gamma: float = 2.0) -> tuple[float, float]:
    """Least and greatest Hájek mean when the odds of selection differ from the logged ones by up to `gamma`.

    gamma 1 gives the estimate itself. Weights 1/p may be anything from 1 + (1/p − 1)/γ to 1 + (1/p − 1)·γ.
    """
    _check(y, p)
    if gamma < 1:
        raise ValueError(f"gamma: wanted at least 1, got {gamma}")
    odds = 1 / p - 1
    low, high = 1 + odds / gamma, 1 + odds * gamma
    return -_greatest(-y, low, high), _greatest(y, low, high)


def _greatest(y: Floats, low: Floats, high: Floats) -> float:
    """The greatest weighted mean of `y`: the weights are high down to some value of y and low below it."""
    order = np.argsort(-y, kind="stable")
    y, low, high = y[order], low[order], high[order]
    top = np.concatenate([[0.0], np.cumsum(high * y)]) + np.concatenate([np.cumsum((low * y)[::-1])[::-1], [0.0]])
    weight = np.concatenate([[0.0], np.cumsum(high)]) + np.concatenate([np.cumsum(low[::-1])[::-1], [0.0]])
    return float((top / weight).max())


def _check(y: Floats, p: Floats) -> None:
    if len(y) != len(p) or not ((p > 0) & (p <= 1)).all():
        raise ValueError("wanted one probability in (0, 1] for each value")
