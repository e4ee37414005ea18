"""The rate of few, pulled towards that of a wider circle: (k + m·r) / (n + m).

The mean of a rate after k of n, when m chances at rate r are assumed beforehand: the Beta–binomial estimate of
empirical Bayes (Efron & Morris 1975, JASA 70), in Python and as SQL for relations that hold many rates.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

Rates = TypeVar("Rates", float, np.ndarray)

PRIOR = 20
"""Chances at the wider circle's rate that a rate starts with, where nothing else is said (m of data/README.md)."""


def shrunk(hits: Rates, tries: Rates, rate: Rates | float, prior: float = PRIOR) -> Rates:
    """The rate of `hits` in `tries` that starts with `prior` tries at `rate`; `rate` itself where nothing was tried."""
    return (hits + prior * rate) / (tries + prior)


def shrunk_sql(hits: str, tries: str, rate: str, prior: float = PRIOR) -> str:
    """`shrunk` as SQL of columns or expressions of columns."""
    return f"({hits} + {prior} * {rate}) / ({tries} + {prior})"
