"""Reproducible chance: fractions in [0, 1) that anybody can recompute from a seed and a name.

Each one is SHA-256 of `seed NUL label NUL name`, its first 53 bits read as a fraction. It depends on nothing
else: not on the order of the input, not on the version of a library. That keeps a draw verifiable for years.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

BITS = 53
"""Bits of one fraction: all that a double holds exactly."""


def keyed_uniform(seed: str, label: str, name: str = "") -> float:
    """One uniform fraction in [0, 1) of this seed for this use (`label`) and this thing (`name`)."""
    digest = hashlib.sha256("\0".join((seed, label, name)).encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> (64 - BITS)) / 2.0**BITS


def fractions(seed: str, label: str, names: Iterable[str]) -> npt.NDArray[np.float64]:
    """One fraction a name, in the order of `names`."""
    return np.array([keyed_uniform(seed, label, name) for name in names], dtype=np.float64)


def seed_hash(seed: str) -> str:
    """What is published before the draw: SHA-256 of the seed, in hex."""
    return hashlib.sha256(seed.encode()).hexdigest()
