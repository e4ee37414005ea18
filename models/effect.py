"""What warnings do: the difference of late rates between dossiers warned of and dossiers held out by a draw.

The draw alone carries the conclusion, not the model: the score only takes away noise. Sources: Neyman 1923
(difference of means under randomisation); Lin 2013, Annals of Applied Statistics 7 (adjustment by regression with
interactions cannot hurt the precision of a randomised comparison in large samples, with sandwich errors); HC2
errors with degrees of freedom of the smaller arm, as its size decides; Fisher 1935 for the test by drawing anew.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
LEAST = 10
"""Dossiers in each arm under which no effect is given."""
DRAWS = 1000


@dataclass(frozen=True)
class Effect:
    """Late rate of the warned less that of the held out, with its 95 % interval; below zero, warnings help.

    plain: without adjustment by the score. p_value: of the test that warnings change nothing for anybody. The rates
    are of the arms as drawn. NaN where an arm holds fewer than `LEAST` dossiers.
    """

    value: float
    low: float
    high: float
    plain: float
    p_value: float
    told: int
    held_out: int
    rate_told: float
    rate_held_out: float


def effect(late: Floats, warned: Flags, score: Floats, held_out_share: Floats) -> Effect:
    """The effect of a warning on being late; all [n].

    late: 0 or 1. warned: the arm. score: the probability of being late when the warning fired, known before the draw.
    held_out_share: chance of being held out at that time, in (0, 1): where it changed over time, rows are weighted
    by the inverse of the chance of their own arm. ValueError for shares outside, or rows without a chance.
    """
    if len(late) and not ((held_out_share > 0) & (held_out_share < 1)).all():
        raise ValueError("wanted a share held out between 0 and 1 for each dossier")
    n_warned, n_held = int(warned.sum()), int((~warned).sum())
    rates = [float(late[arm].mean()) if arm.any() else np.nan for arm in (warned, ~warned)]
    if min(n_warned, n_held) < LEAST:
        nan = float("nan")
        return Effect(nan, nan, nan, nan, nan, n_warned, n_held, *rates)
    weight = 1 / np.where(warned, 1 - held_out_share, held_out_share)
    plain, _ = _difference(late, warned, weight, np.zeros((len(late), 0)))
    value, error = _difference(late, warned, weight, _spread(score)[:, None])
    half = float(stdtrit(min(n_warned, n_held) - 1, 0.975)) * error
    p_value = _by_drawing(late, score, warned, held_out_share, weight)
    return Effect(value, value - half, value + half, plain, p_value, n_warned, n_held, *rates)


def _spread(score: Floats) -> Floats:
    """Log-odds of the score about their mean."""
    inside = np.clip(score, 1e-6, 1 - 1e-6)
    odds = np.log(inside / (1 - inside))
    centred: Floats = odds - odds.mean()
    return centred


def _difference(late: Floats, warned: Flags, weight: Floats, x: Floats) -> tuple[float, float]:
    """Coefficient of `warned` in a weighted regression with x and its interactions, and its HC2 error."""
    arm = warned.astype(np.float64)
    design = np.column_stack([np.ones(len(late)), arm, x, x * arm[:, None]])
    root = np.sqrt(weight)[:, None]
    inverse = np.linalg.pinv((design * root).T @ (design * root))
    fitted = inverse @ (design * weight[:, None]).T @ late
    rest = late - design @ fitted
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design) * weight
    spread = (weight * rest) ** 2 / np.maximum(1 - leverage, 1e-9)
    covariance = inverse @ ((design * spread[:, None]).T @ design) @ inverse
    return float(fitted[1]), float(np.sqrt(covariance[1, 1]))


def _by_drawing(late: Floats, score: Floats, warned: Flags, share: Floats, weight: Floats) -> float:
    """Fisher's test: how often a draw anew parts the arms as widely, if nobody's outcome hung on the warning.

    What the score explains is taken off before, which a draw cannot touch.
    """
    x = np.column_stack([np.ones(len(late)), _spread(score)])
    rest = late - x @ np.linalg.lstsq(x, late, rcond=None)[0]

    def apart(arms: Flags, weights: Floats) -> Floats:
        inside = (arms * weights).sum(axis=-1)
        outside = (~arms * weights).sum(axis=-1)
        a = (arms * weights * rest).sum(axis=-1) / np.maximum(inside, 1e-9)
        b = (~arms * weights * rest).sum(axis=-1) / np.maximum(outside, 1e-9)
        return np.asarray(np.abs(a - b))

    seen = float(apart(warned, weight))
    random = np.random.default_rng(0)
    wider = 0
    for _ in range(DRAWS // 100):
        drawn = random.random((100, len(late))) >= share
        wider += int((apart(drawn, 1 / np.where(drawn, 1 - share, share)) >= seen - 1e-12).sum())
    return (wider + 1) / (DRAWS + 1)
