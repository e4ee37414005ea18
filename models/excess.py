"""Observed against expected events of officials: Gamma–Poisson shrinkage with an honest "not enough data".

For an official with k events where E were expected from the dossiers handled, k ~ Poisson(θ·E) and
θ ~ Gamma(a, rate a/μ), with the mean μ of the official's group (office and procedure), itself shrunk to 1,
and one shape a for all, fitted by the marginal (negative binomial) likelihood. The posterior of θ is again a
Gamma. DuMouchel (1999), "Bayesian data mining in large frequency tables", The American Statistician 53(3);
local false discovery rate after Efron (2010), Large-Scale Inference, chapter 5.

That probability alone is no fair order: with few dossiers it stays at the prior, with many it falls to 0 or rises
to 1, so offices with little work would stand above others though nobody does anything. `share_below` holds it
against what chance gives honest officials with just that work, and gives everybody 1/2 on average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RATIO = 1.5
"""An official is worth a look when events come at more than this multiple of what was to be expected."""

FALSE_DISCOVERY = 0.10
"""A flag is given where the probability that the ratio is not above `RATIO` is at most this."""

FEWEST_DOSSIERS = 20
"""Under so many dossiers handled no figure is shown: "not enough data" is the answer."""

GROUP_WEIGHT = 5.0
"""Expected events at ratio 1 that a group's mean starts with."""

SHAPES = (0.1, 1000.0)
TIE = 1e-9
"""Probabilities nearer to each other than this are one: rounding must not break a tie."""

LEAST_EXPECTED = 1e-6
"""Officials of whom less was expected show nothing of how officials differ."""


@dataclass(frozen=True)
class Excess:
    """Posterior of the ratio of observed to expected events, arrays [officials].

    `mean`, `low`, `high`: posterior mean and 95 % interval. `above`: probability that the ratio exceeds
    `RATIO`. `enough`: whether a figure may be shown. `flag`: enough data and local false discovery rate
    (1 - above) at most `FALSE_DISCOVERY`. `expected`: as it came; `centre`: mean of the prior; `shape` of it: large
    means that officials hardly differ beyond chance.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    above: np.ndarray
    enough: np.ndarray
    flag: np.ndarray
    expected: np.ndarray
    centre: np.ndarray
    shape: float

    def fewest(self, above: np.ndarray) -> np.ndarray:
        """Fewest events [officials] with which each official's probability is more than `above` [officials]."""
        from scipy.stats import gamma  # here and below: a second of a server's start

        rate = self.shape / self.centre + self.expected
        low, high = np.zeros(len(rate)), np.ceil(6 * rate + 10)  # so many are above any ratio beyond doubt
        while (low < high).any():
            middle = np.floor((low + high) / 2)
            enough = gamma.sf(RATIO, self.shape + middle, scale=1.0 / rate) > above
            low, high = np.where(enough, low, np.minimum(middle + 1, high)), np.where(enough, middle, high)
        return low

    def chance_of_fewer(self, events: np.ndarray) -> np.ndarray:
        """Chance [officials] that an official drawn from the prior has fewer `events` [officials]."""
        from scipy.stats import nbinom

        return np.asarray(nbinom.cdf(events - 1, self.shape, self.shape / (self.shape + self.expected * self.centre)))


def excess(observed: np.ndarray, expected: np.ndarray, group: np.ndarray, handled: np.ndarray) -> Excess:
    """The posterior of each official's ratio.

    `observed` events, `expected` events (cross-fitted, without the official's own history), `group` any
    labels, `handled` dossiers; all [officials]. ValueError for negative or non-finite input.
    """
    from scipy.stats import gamma

    observed, expected, handled = (np.asarray(a, dtype=np.float64) for a in (observed, expected, handled))
    if not (np.isfinite(observed).all() and np.isfinite(expected).all() and np.isfinite(handled).all()):
        raise ValueError("observed, expected and handled: finite numbers were wanted")
    if (observed < 0).any() or (expected < 0).any():
        raise ValueError("observed and expected: numbers from 0 on were wanted")
    centre = _group_means(observed, expected, group)
    shape = _fitted_shape(observed, expected, centre)
    # called, not frozen: a frozen distribution writes its documentation anew each time
    posterior = {"a": shape + observed, "scale": 1.0 / (shape / centre + expected)}
    above = gamma.sf(RATIO, **posterior)
    enough = handled >= FEWEST_DOSSIERS
    return Excess(
        mean=gamma.mean(**posterior),
        low=gamma.ppf(0.025, **posterior),
        high=gamma.ppf(0.975, **posterior),
        above=above,
        enough=enough,
        flag=enough & (1.0 - above <= FALSE_DISCOVERY),
        expected=expected,
        centre=centre,
        shape=shape,
    )


def exceedance_percentile(kinds: Sequence[Excess]) -> np.ndarray:
    """How many of those whom only chance sets apart would stand out less than each official, in [0, 1] [officials].

    `kinds`: one or more kinds of events of the same officials, taken as independent. Who stands out is decided by the
    highest `above` of all kinds; its distribution for an official drawn from the priors, with the same expected
    events, is exact. Ties count half (mid-p; Lancaster 1961, "Significance tests in discrete distributions"), so that
    the mean of those drawn is 1/2 whatever was expected of them.
    """
    highest = np.max([one.above for one in kinds], axis=0)
    less = np.prod([one.chance_of_fewer(one.fewest(highest - TIE)) for one in kinds], axis=0)
    not_more = np.prod([one.chance_of_fewer(one.fewest(highest + TIE)) for one in kinds], axis=0)
    return np.asarray((less + not_more) / 2)


def _group_means(observed: np.ndarray, expected: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Ratio of each official's group, the official left out, pulled towards 1 by `GROUP_WEIGHT`."""
    _, number = np.unique(group, return_inverse=True)
    others_observed = np.bincount(number, observed)[number] - observed
    others_expected = np.bincount(number, expected)[number] - expected
    return np.asarray((others_observed + GROUP_WEIGHT) / (others_expected + GROUP_WEIGHT))


def _fitted_shape(observed: np.ndarray, expected: np.ndarray, centre: np.ndarray) -> float:
    """Shape of the Gamma prior by marginal likelihood over the officials of whom something was expected."""
    from scipy.optimize import minimize_scalar
    from scipy.stats import nbinom

    informative = expected > LEAST_EXPECTED
    k, mean = observed[informative], (expected * centre)[informative]

    def loss(log_shape: float) -> float:
        shape = np.exp(log_shape)
        return -float(nbinom.logpmf(np.round(k), shape, shape / (shape + mean)).sum())

    if not informative.any():
        return SHAPES[1]
    found = minimize_scalar(loss, bounds=(np.log(SHAPES[0]), np.log(SHAPES[1])), method="bounded")
    return float(np.exp(found.x))
