"""An exact-size draw that keeps given probabilities: systematic sampling along a seeded order.

Items of one group stand together on the line, so a group whose probabilities sum to at most its cap is never
drawn beyond it. Source: Madow 1949; Tillé, Sampling Algorithms (2006), chapter 7.
"""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from serving.plan.inclusion import Cap, Floats, Ints

BITS = 53
"""Bits of one fraction: all that a double holds exactly."""


def keyed_uniform(seed: str, label: str, name: str = "") -> float:
    """One uniform fraction in [0, 1) of this seed for this use (`label`) and this thing (`name`).

    SHA-256 of `seed NUL label NUL name`, its first 53 bits read as a fraction. It depends on nothing else, neither on
    the order of the input nor on the version of a library: a draw can be made again for years, by anybody.
    """
    digest = hashlib.sha256("\0".join((seed, label, name)).encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> (64 - BITS)) / 2.0**BITS


def fractions(seed: str, label: str, names: Iterable[str]) -> npt.NDArray[np.float64]:
    """One fraction a name, in the order of `names`."""
    return np.array([keyed_uniform(seed, label, name) for name in names], dtype=np.float64)


def seed_hash(seed: str) -> str:
    """What is published before the draw: SHA-256 of the seed, in hex."""
    return hashlib.sha256(seed.encode()).hexdigest()


UNIT = 1 << 44
"""Probabilities are laid out in whole parts of 2^-44, so that size and caps hold exactly, not nearly."""


def draw(p: Floats, names: Sequence[str], seed: str, label: str, caps: Sequence[Cap] = ()) -> Ints:
    """Positions of the drawn items, ascending; exactly round(p.sum()) of them.

    Item i is drawn with probability `p[i]` (to 2^-40) over seeds. names: what identifies each item, unique.
    label: the use of the seed, so that two draws of one seed are independent. caps: as for `inclusion`.
    """
    if len(names) != len(p) or len(set(names)) != len(names):
        raise ValueError("wanted one unique name for each probability")
    if not len(p):
        return np.zeros(0, dtype=np.int64)
    order = _order(names, seed, label, caps)
    ends = np.cumsum(_parts(p, caps)[order])
    start = int(keyed_uniform(seed, label + "/start") * UNIT)
    points_before = np.maximum(-((start - ends) // UNIT), 0)  # points start + k·UNIT that lie below each end
    taken = np.diff(points_before, prepend=0) > 0
    return np.sort(order[taken])


def _order(names: Sequence[str], seed: str, label: str, caps: Sequence[Cap]) -> Ints:
    """A seeded order in which each group, from the coarsest to the finest, stands together."""
    keys = [fractions(seed, label, names)]
    for level, cap in enumerate(caps):
        first = np.full(int(cap.groups.max()) + 1, np.inf)
        np.minimum.at(first, cap.groups, fractions(seed, f"{label}/{level}", names))
        keys += [cap.groups.astype(np.float64), first[cap.groups]]
    return np.lexsort(keys).astype(np.int64)


def _parts(p: Floats, caps: Sequence[Cap]) -> Ints:
    """The probabilities in whole parts that sum exactly to the size and break no cap."""
    parts = np.floor(p * UNIT).astype(np.int64)
    left = round(float(p.sum())) * UNIT - int(parts.sum())
    room = [cap.most * UNIT - _sums(cap, parts) for cap in caps]
    for item in np.argsort(-parts, kind="stable"):
        if left == 0:
            break
        spare = [int(free[cap.groups[item]]) for cap, free in zip(caps, room, strict=True)]
        most = min([UNIT - int(parts[item]), *spare])
        change = min(left, most) if left > 0 else max(left, 1 - int(parts[item]))
        parts[item] += change
        left -= change
        for cap, free in zip(caps, room, strict=True):
            free[cap.groups[item]] -= change
    if left:
        raise ValueError("the probabilities do not sum to a whole number within the caps")
    return parts


def _sums(cap: Cap, parts: Ints) -> Ints:
    sums = np.zeros(int(cap.groups.max()) + 1, dtype=np.int64)
    np.add.at(sums, cap.groups, parts)
    return sums
