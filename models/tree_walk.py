"""Log-odds of rows that are others with a few changed cells, for batches: only trees that ask for such a cell are
walked again.

A counterfactual reason scores a row once more for each of its sentences. The leaf that a row reaches in a tree stays
where no condition on the way to it reads a changed cell, which is so in most trees. Leaf values are added tree by tree
as LightGBM adds them, so the sums are those of its `predict(raw_score=True)` to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from models.tree_shap import Tree, trees_of

WALKED_FROM = 100_000
"""Variants from which compiling the walk (`models.tree_walk_kernel`) costs less than LightGBM's predictions."""
AT_ONCE = 20_000
"""Variants that are written out at once."""
_BITS = 64


@dataclass(frozen=True)
class Variants:
    """Rows that are others with a few changed cells: variant v is row `of[v]` of `x` [n × columns] with `value[i]` in
    `column[i]` for i from `start[v]` to before `start[v + 1]`; `of` [m] rises."""

    x: np.ndarray
    of: np.ndarray
    start: np.ndarray
    column: np.ndarray
    value: np.ndarray

    @classmethod
    def of_cells(
        cls, x: np.ndarray, of: np.ndarray, variant: np.ndarray, column: np.ndarray, value: np.ndarray
    ) -> Variants:
        """Of changed cells in any order: the `variant` [k] of each, its `column` and its `value`."""
        order = np.argsort(variant, kind="stable")
        start = np.searchsorted(variant[order], np.arange(len(of) + 1))
        return cls(x, of, start, column[order], value[order])

    def part(self, begin: int, end: int) -> Variants:
        """Those from `begin` to before `end`."""
        bounds = self.start[begin : end + 1]
        cells = slice(bounds[0], bounds[-1])
        return Variants(self.x, self.of[begin:end], bounds - bounds[0], self.column[cells], self.value[cells])

    def rows(self) -> Iterator[np.ndarray]:
        """All of them written out [· × columns], some at a time."""
        for begin in range(0, len(self.of), AT_ONCE):
            some = self.part(begin, min(begin + AT_ONCE, len(self.of)))
            written = some.x[some.of]
            written[np.repeat(np.arange(len(some.of)), np.diff(some.start)), some.column] = some.value
            yield written

    def column_at(self, column: int) -> np.ndarray:
        """What the variants hold [m] in one column."""
        held = self.x[self.of, column]
        mine = self.column == column
        held[np.repeat(np.arange(len(self.of)), np.diff(self.start))[mine]] = self.value[mine]
        return np.asarray(held)


class TreeWalk:
    """The trees of one LightGBM model as arrays: a child below zero is leaf `-child - 1` of all trees together.

    ValueError for a model with native categories, linear leaves, or zero as missing.
    """

    def __init__(self, text: str, threads: int = 1) -> None:
        """text: LightGBM's model text, checked before. threads: of a batch."""
        self._threads = threads
        root, left, right = [], [], []
        trees = list(trees_of(text))
        nodes = leaves = 0
        for tree in trees:
            root.append(nodes if tree.feature else -leaves - 1)
            left += [child + nodes if child >= 0 else child - leaves for child in tree.left]
            right += [child + nodes if child >= 0 else child - leaves for child in tree.right]
            nodes, leaves = nodes + len(tree.feature), leaves + len(tree.value)
        self._root, self._left, self._right = (np.array(one, np.int32) for one in (root, left, right))
        self._feature = np.array([one for tree in trees for one in tree.feature], np.int32)
        self._threshold = np.array([one for tree in trees for one in tree.threshold], float)
        self._nan_left = np.array([one for tree in trees for one in tree.nan_left], np.bool_)
        self._value = np.array([one for tree in trees for one in tree.value], float)
        self._asked = np.concatenate([_asked(tree) for tree in trees])

    def log_odds(self, variants: Variants) -> np.ndarray:
        """Log-odds [m] of the variants."""
        from models.tree_walk_kernel import walk  # numba takes a second to import: for batches alone

        out = np.empty(len(variants.of))
        bounds = np.linspace(0, len(out), self._threads + 1).astype(int).tolist()

        def part(at: int) -> None:
            mine = variants.part(bounds[at], bounds[at + 1])
            walk(
                mine.x, mine.of, mine.start, mine.column, mine.value, self._root, self._feature, self._threshold,
                self._nan_left, self._left, self._right, self._value, self._asked, out[bounds[at] : bounds[at + 1]],
            )  # fmt: skip

        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(part, range(self._threads)))
        return out


def _asked(tree: Tree) -> np.ndarray:
    """Of each leaf the columns that the way to it reads, a bit each, those 64 apart sharing one (uint64 [leaves])."""
    found = np.zeros(len(tree.value), np.uint64)
    ways = [(0, 0)] if tree.feature else []
    while ways:
        node, bits = ways.pop()
        bits |= 1 << tree.feature[node] % _BITS
        for child in (tree.left[node], tree.right[node]):
            if child >= 0:
                ways.append((child, bits))
            else:
                found[-child - 1] = bits
    return found
