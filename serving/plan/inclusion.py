"""Inclusion probabilities of a list: tempered by utility, never zero, exact to the budget, within caps.

`p = clip(floor, λ·u^a, 1)`, with λ found by bisection (methods.md 4). The floor holds the random share: its
mass, `random_share · budget`, is spread evenly, so that every item stays possible and the record keeps labels
that risk did not choose. Caps bind the expected number in a group (one official, one unit); the draw
(`serving.plan.draw`) turns that into a cap on the number drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST_LOG_WEIGHT = -1e5
"""Log of the weight of utility zero: such items fill a budget only when all others are sure."""

_LOW, _HIGH = -60.0, 1e5 + 60.0  # natural log of λ: from below any floor to where every item is sure
_HALVINGS = 64


@dataclass(frozen=True)
class Cap:
    """At most `most` items of each group; `groups` gives the group of each item, int [n], counted from 0."""

    groups: Ints
    most: int


def inclusion(
    utility: Floats, budget: int, random_share: float = 0.2, power: float = 4.0, caps: Sequence[Cap] = (),
    most: float = 1.0,
) -> Floats:  # fmt: skip
    """The probability of each item, float [n] in (0, 1], summing to `budget` to 1e-9.

    utility: expected findings × severity, ≥ 0, any unit. power: `a`; 0 treats all alike, large is greedy.
    caps: from the finest grouping to the coarsest, each nested in the next. most: no item's probability is above it.
    Raises ValueError where the budget exceeds what the caps, or the number of items, allow.
    """
    n = len(utility)
    if not 0 < budget <= n:
        raise ValueError(f"wanted a budget from 1 to the {n} items, got {budget}")
    if not 0 < most <= 1 or budget > most * n + 1e-9:
        raise ValueError(f"{n} items of probability {most:g} at most leave no room for a budget of {budget}")
    if not 0 <= random_share <= 1 or power < 0:
        raise ValueError(f"wanted a random share from 0 to 1 and a power from 0, got {random_share} and {power}")
    if not (np.isfinite(utility).all() and (utility >= 0).all()):
        raise ValueError("utilities must be finite and not negative")
    top = utility.max()
    with np.errstate(divide="ignore"):
        ratio = np.log(utility / top) if top > 0 else np.zeros(n)
    log_weight = np.maximum(power * ratio, LEAST_LOG_WEIGHT) if power > 0 else np.zeros(n)
    floor = np.minimum(_floor(n, budget, random_share, caps), most)
    top_log = float(np.log(most))
    ceiling = np.full(n, np.inf)  # the log of the greatest λ that the caps leave to an item

    def at(log_scale: Floats) -> Floats:
        p: Floats = np.clip(np.exp(np.minimum(np.minimum(log_scale, ceiling) + log_weight, top_log)), floor, most)
        return p

    for cap in caps:
        ceiling = np.minimum(ceiling, _capped(cap, at, n))
    reachable = float(at(np.full(n, _HIGH)).sum())
    if reachable < budget - 1e-9:
        raise ValueError(f"the caps leave room for {reachable:.0f} of the {budget} wanted")
    scale = np.full(n, _bisect(lambda one: at(np.full(n, one[0])).sum(keepdims=True), budget, 1)[0])
    return _polished(at(scale), floor, scale < ceiling, budget, most)


def _capped(cap: Cap, at: Callable[[Floats], Floats], n: int) -> Floats:
    """The log of the greatest λ that one cap leaves to each item; infinite where the cap does not bind."""
    size = int(cap.groups.max()) + 1

    def held(scale: Floats) -> Floats:
        return np.bincount(cap.groups, at(scale[cap.groups]), minlength=size).astype(np.float64)

    binds = np.bincount(cap.groups, at(np.full(n, _HIGH)), minlength=size) > cap.most
    limit: Floats = np.where(binds, _bisect(held, cap.most, size), np.inf)[cap.groups]
    return limit


def _floor(n: int, budget: int, random_share: float, caps: Sequence[Cap]) -> Floats:
    """The random share's own probability, smaller in groups so large that it alone would break their cap."""
    floor = np.full(n, min(1.0, random_share * budget / n))
    for cap in caps:
        held = np.bincount(cap.groups, floor)
        floor = floor * np.minimum(1.0, cap.most / np.maximum(held, 1e-300))[cap.groups]
    return floor


def _bisect(total: Callable[[Floats], Floats], wanted: float, size: int) -> Floats:
    """For each of `size` groups the log scale at which its rising total meets `wanted`, from below."""
    low, high = np.full(size, _LOW), np.full(size, _HIGH)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        under = total(middle) <= wanted
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return low


def _polished(p: Floats, floor: Floats, free: npt.NDArray[np.bool_], budget: int, most: float) -> Floats:
    """Spreads the last rounding error over items that neither floor, nor certainty, nor a cap holds."""
    free = free & (p > floor) & (p < most)
    mass = p[free].sum()
    if mass > 0:
        p[free] = np.minimum(p[free] * (1 + (budget - p.sum()) / mass), most)
    return p
