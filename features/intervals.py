"""Intervals of 95 % in one place: shares (Wilson, Jeffreys), counts (Byar), figures drawn again (bootstrap).

Wilson and Byar in Python and as SQL for relations that hold many counts; `tests/test_intervals.py` holds both against
each other and against scipy's. SciPy is loaded where Jeffreys is asked for, for the service starts without it.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

Z = 1.96
"""Standard deviations of a normal on either side."""


def wilson(hits: int, tries: int, z: float = Z) -> tuple[float, float]:
    """Score interval of a share (Wilson 1927, JASA 22); ZeroDivisionError without tries."""
    middle = (hits + z * z / 2) / (tries + z * z)
    half = z * sqrt(hits * (tries - hits) / tries + z * z / 4) / (tries + z * z)
    return max(0.0, middle - half), min(1.0, middle + half)


def newcombe(one: tuple[int, int], other: tuple[int, int]) -> tuple[float, float]:
    """The 95 % interval of the difference of two shares, each (hits, tries), in [−1, 1].

    Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10.
    """
    p, q = one[0] / one[1], other[0] / other[1]
    (low1, high1), (low2, high2) = wilson(*one), wilson(*other)
    below, above = sqrt((p - low1) ** 2 + (high2 - q) ** 2), sqrt((high1 - p) ** 2 + (q - low2) ** 2)
    return p - q - below, p - q + above


def wilson_sql(hits: str, tries: str) -> tuple[str, str]:
    """`wilson` as SQL expressions of two columns, low and high."""
    root = f"{Z} * sqrt({hits} * ({tries} - {hits}) / {tries} + {Z**2 / 4})"
    low, high = (f"({hits} + {Z**2 / 2} {sign} {root}) / ({tries} + {Z**2})" for sign in "-+")
    return f"greatest(0.0, {low})", f"least(1.0, {high})"


def jeffreys(hits: int, tries: int) -> tuple[float, float]:
    """Interval of a share by a Beta(½, ½) prior; 0 and 1 where none or all hit (Brown, Cai, DasGupta 2001)."""
    from scipy import stats

    low, high = stats.beta.ppf((0.025, 0.975), hits + 0.5, tries - hits + 0.5)
    return 0.0 if hits == 0 else float(low), 1.0 if hits == tries else float(high)


def byar(count: int) -> tuple[float, float]:
    """Limits of a Poisson mean of which `count` was seen: Byar's approximation to the exact ones (Breslow & Day 1987,
    2.13).
    """
    low = count * (1 - 1 / (9 * count) - Z / (3 * sqrt(count))) ** 3 if count else 0.0
    more = count + 1
    return max(0.0, low), more * (1 - 1 / (9 * more) + Z / (3 * sqrt(more))) ** 3


def byar_sql(count: str) -> tuple[str, str]:
    """`byar` as SQL expressions of a column, low and high."""
    low = f"CASE WHEN {count} = 0 THEN 0 ELSE {count} * power(1 - 1 / (9 * {count}) - {Z} / (3 * sqrt({count})), 3) END"
    more = f"({count} + 1)"
    return low, f"{more} * power(1 - 1 / (9 * {more}) + {Z} / (3 * sqrt({more})), 3)"


def sum_of_chances(chances: np.ndarray) -> tuple[int, int]:
    """Between which whole numbers a sum of independent events lies: `chances` [n] of each, one below 0 counts down.

    The Poisson-binomial distribution by convolution (scipy 1.17 takes no quantile of more than 62); 0 to 0 without any.
    """
    down = chances < 0
    mass = np.ones(1)
    for chance in np.where(down, 1.0 + chances, chances):  # of what counts down, that it does not happen
        mass = np.convolve(mass, (1.0 - chance, chance))
    low, high = np.searchsorted(np.cumsum(mass), (0.025, 0.975))
    return int(low - down.sum()), int(min(high, len(chances)) - down.sum())


def bootstrap(draws: np.ndarray) -> tuple[float, float]:
    """Percentile interval of a figure drawn again [draws]; draws in which it is not defined (NaN) are left out."""
    defined = draws[~np.isnan(draws)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, (0.025, 0.975))
    return float(low), float(high)
