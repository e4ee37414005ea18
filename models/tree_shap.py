"""Exact SHAP values of boosted trees from tables, without walking a tree once a row comes.

What a leaf adds to the SHAP value of a feature on its path depends on the row only through which of the
path's conditions hold (Lundberg et al. 2020, path-dependent TreeSHAP; the sum over subsets collapses to one
entry for each of the 2^d patterns, as in Fast TreeSHAP v2, Yang 2021, and Woodelf, Nadel & Wettenstein 2025).
So all entries are worked out when the model is loaded; a row then costs comparisons, one lookup for each
(leaf, feature) and a sum. The values are those of LightGBM's `pred_contrib` up to the order of summation.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import factorial

import numpy as np

MOST_FEATURES = 10
"""Features on one path at most: a leaf has a table of 2^d rows."""
MOST_ENTRIES = 40_000_000
CHUNK = 8192  # rows worked on together: their codes stay in the processor's cache
COMPILED_FROM = 20_000
"""Rows from which compiling the inner loop (`models.tree_shap_kernel`) pays."""

_LEAF = -1


@dataclass(frozen=True)
class Tree:
    """Arrays of one tree as LightGBM writes them; a child below zero is leaf `-child - 1`."""

    feature: list[int]
    threshold: list[float]
    left: list[int]
    right: list[int]
    nan_left: list[bool]
    node_count: list[int]
    value: list[float]
    leaf_count: list[int]

    def count(self, node: int) -> int:
        return self.node_count[node] if node >= 0 else self.leaf_count[-node - 1]


@dataclass(frozen=True)
class _Slot:
    """The conditions of one path on one feature: `low < x <= high`, or missing where `missing` holds."""

    feature: int
    low: float = -np.inf
    high: float = np.inf
    missing: bool = True
    share: float = 1.0
    """Share of training rows that go the path's way at these nodes (the path's `zero fraction`)."""


class TreeShap:
    """SHAP values of one LightGBM model.

    `base`: mean log-odds over the training rows. Raises ValueError for a model it has no tables for: native
    categories, linear leaves, zero as missing, more than `MOST_FEATURES` features on a path.
    """

    def __init__(self, text: str, columns: int, threads: int = 1) -> None:
        """text: LightGBM's model text, checked before. columns: of the rows to come. threads: of a batch."""
        self.columns = columns
        self._threads = threads
        paths = [path for tree in trees_of(text) for path in _paths(tree)]
        self.base = float(sum(value * share for value, share, _ in paths))
        paths = [path for path in paths if path[2]]
        if max((len(slots) for _, _, slots in paths), default=0) > MOST_FEATURES:
            raise ValueError(f"wanted at most {MOST_FEATURES} features on a path")
        if sum(len(slots) << len(slots) for _, _, slots in paths) > MOST_ENTRIES:
            raise ValueError("wanted smaller trees: their tables would not fit")
        tables = _tables(paths)
        slots = [slot for _, _, path in paths for slot in path]
        if any(slot.feature >= columns for slot in slots):
            raise ValueError(f"wanted trees over {columns} columns")
        self._feature = np.array([slot.feature for slot in slots], np.intp)
        self._low = np.array([slot.low for slot in slots])
        self._high = np.array([slot.high for slot in slots])
        self._missing = np.array([slot.missing for slot in slots], bool)
        width = np.array([len(path) for _, _, path in paths], np.intp)
        self._starts = np.cumsum(width) - width
        place = np.arange(len(slots)) - np.repeat(self._starts, width)
        self._bit = (1 << place).astype(np.intp)
        size = np.array([table.size for table in tables], np.intp)
        offset = np.cumsum(size) - size
        self._entry = np.repeat(offset, width) + (place << np.repeat(width, width))
        self._values = np.concatenate([table.ravel() for table in tables]) if tables else np.zeros(0)
        self._leaf = np.repeat(np.arange(len(paths)), width)
        self._batch = list(zip(tables, self._starts.tolist(), width.tolist(), strict=True))
        self._edges = [self._thresholds(column) for column in range(columns)]
        self._gone = np.array([len(edges) + 1 for edges in self._edges], np.int32)
        if self.columns and self._gone.max() >= 2**16:
            raise ValueError("wanted fewer thresholds of a column")
        self._low_code = np.array([self._code(slot.feature, slot.low) for slot in slots], np.int32)
        self._high_code = np.array([self._code(slot.feature, slot.high) for slot in slots], np.int32)

    def row(self, x: np.ndarray) -> np.ndarray:
        """SHAP values [columns] of one row [columns]; NaN is missing."""
        if not len(self._values):
            return np.zeros(self.columns)
        cell = x[self._feature]
        holds = (cell > self._low) & (cell <= self._high) | self._missing & np.isnan(cell)
        pattern = np.add.reduceat(holds * self._bit, self._starts)
        found = self._values[self._entry + pattern[self._leaf]]
        return np.bincount(self._feature, weights=found, minlength=self.columns)

    def rows(self, x: np.ndarray) -> np.ndarray:
        """SHAP values [n × columns] of many rows [n × columns]; NaN is missing."""
        out = np.zeros((self.columns, len(x)))
        starts = range(0, len(x), CHUNK)
        add = self._add_compiled if len(x) >= COMPILED_FROM else self._add
        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(lambda at: add(self._codes(x[at : at + CHUNK]), out[:, at : at + CHUNK]), starts))
        return out.T

    def _codes(self, x: np.ndarray) -> np.ndarray:
        """The cells of some rows as codes, uint16 [columns × n]; a missing one has its column's `_gone`."""
        codes = np.empty((self.columns, len(x)), np.uint16)
        for column, edges in enumerate(self._edges):
            cells = x[:, column]
            codes[column] = np.searchsorted(edges, cells)
            codes[column, np.isnan(cells)] = self._gone[column]
        return codes

    def _add_compiled(self, codes: np.ndarray, out: np.ndarray) -> None:
        """Adds the values of the rows coded [columns × n] to `out` [columns × n]."""
        from models.tree_shap_kernel import add_paths  # numba takes a second to import: for batches alone

        add_paths(
            codes, self._gone, np.append(self._starts, len(self._feature)), self._feature, self._low_code,
            self._high_code, self._missing, self._entry, self._values, out,
        )  # fmt: skip

    def _add(self, codes: np.ndarray, out: np.ndarray) -> None:
        """The same, every step over all rows at once."""
        missing = [cells == gone for cells, gone in zip(codes, self._gone, strict=True)]
        found = np.empty(codes.shape[1])
        for table, start, width in self._batch:
            pattern = np.zeros(codes.shape[1], np.uint8 if width <= 8 else np.uint16)
            for place in range(width):
                slot = start + place
                column = int(self._feature[slot])
                low, high = self._low_code[slot], self._high_code[slot]
                holds = (codes[column] > low) & (codes[column] <= high) if low >= 0 else codes[column] <= high
                if self._missing[slot]:
                    holds = np.logical_or(holds, missing[column])
                pattern = pattern | (holds.view(np.uint8).astype(pattern.dtype) << place)
            index = pattern.astype(np.intp)
            for place in range(width):
                np.take(table[place], index, out=found, mode="clip")
                out[self._feature[start + place]] += found

    def _thresholds(self, column: int) -> np.ndarray:
        """The finite thresholds of a column, rising: a cell is coded by how many of them lie below it."""
        mine = self._feature == column
        edges: np.ndarray = np.unique(np.concatenate([self._low[mine], self._high[mine]]))
        finite: np.ndarray = edges[np.isfinite(edges)]
        return finite

    def _code(self, column: int, threshold: float) -> int:
        edges = self._edges[column]
        if np.isneginf(threshold):
            return -1
        return len(edges) if np.isposinf(threshold) else int(np.searchsorted(edges, threshold))


_Path = tuple[float, float, list[_Slot]]
"""A leaf: its value, its share of the training rows, and the conditions on the way to it by feature."""


def trees_of(text: str) -> Iterator[Tree]:
    for block in text.partition("end of trees")[0].split("Tree=")[1:]:
        found = dict(line.split("=", 1) for line in block.splitlines()[1:] if "=" in line)
        if int(found["num_cat"]) or found.get("is_linear", "0") != "0":
            raise ValueError("wanted trees without native categories and linear leaves")
        if int(found["num_leaves"]) < 2:
            value = float(found["leaf_value"].split()[0])
            yield Tree([], [], [], [], [], [], [value], [1])
            continue
        kinds = [int(kind) for kind in found["decision_type"].split()]
        if any(kind & 1 or kind >> 2 == 1 for kind in kinds):
            raise ValueError("wanted trees without native categories and zero as missing")
        threshold = [float(value) for value in found["threshold"].split()]
        yield Tree(
            feature=[int(value) for value in found["split_feature"].split()],
            threshold=threshold,
            left=[int(value) for value in found["left_child"].split()],
            right=[int(value) for value in found["right_child"].split()],
            # missing goes the default way, or counts as zero where training saw none missing
            nan_left=[
                bool(kind & 2) if kind >> 2 == 2 else limit >= 0 for kind, limit in zip(kinds, threshold, strict=True)
            ],
            node_count=[int(value) for value in found["internal_count"].split()],
            value=[float(value) for value in found["leaf_value"].split()],
            leaf_count=[int(value) for value in found["leaf_count"].split()],
        )


def _paths(tree: Tree) -> Iterator[_Path]:
    """Every leaf of `tree` with the merged conditions of its path."""
    if not tree.feature:
        yield tree.value[0], 1.0, []
        return
    ways: list[tuple[int, dict[int, _Slot]]] = [(0, {})]
    while ways:
        node, slots = ways.pop()
        if node <= _LEAF:
            leaf = -node - 1
            yield tree.value[leaf], tree.leaf_count[leaf] / tree.node_count[0], list(slots.values())
            continue
        feature, limit = tree.feature[node], tree.threshold[node]
        before = slots.get(feature, _Slot(feature))
        for child, left in ((tree.left[node], True), (tree.right[node], False)):
            slot = _Slot(
                feature,
                before.low if left else max(before.low, limit),
                min(before.high, limit) if left else before.high,
                before.missing and tree.nan_left[node] == left,
                before.share * tree.count(child) / tree.count(node),
            )
            ways.append((child, {**slots, feature: slot}))


def _tables(paths: list[_Path]) -> list[np.ndarray]:
    """For each leaf what it adds [d features × 2^d patterns of held conditions]."""
    tables: list[np.ndarray] = [np.zeros((0, 1))] * len(paths)
    for width in {len(slots) for _, _, slots in paths}:
        places = [place for place, (_, _, slots) in enumerate(paths) if len(slots) == width]
        for start in range(0, len(places), 512):
            some = places[start : start + 512]
            value = np.array([paths[place][0] for place in some])
            share = np.array([[slot.share for slot in paths[place][2]] for place in some])
            for place, table in zip(some, _shapley(value, share), strict=True):
                tables[place] = table
    return tables


def _shapley(value: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Shapley values [leaves × d × 2^d] of games in which a leaf of `value` [leaves] is reached with
    probability 1 or 0 by the features told (their condition holds or not) and `share` [leaves × d] by the
    others.

    The sum over subsets goes by size: the k-th coefficient of Π_j (share_j + held_j · t), without the feature
    itself, weighted by k! (d-1-k)! / d!.
    """
    leaves, width = share.shape
    held = (np.arange(1 << width)[:, None] >> np.arange(width)) & 1
    out = np.empty((leaves, width, 1 << width))
    weight = [factorial(size) * factorial(width - 1 - size) / factorial(width) for size in range(width)]
    for one in range(width):
        sizes = np.zeros((width, leaves, 1 << width))
        sizes[0] = 1.0
        for other in (place for place in range(width) if place != one):
            by_told = sizes[:-1] * held[:, other]
            sizes *= share[:, other, None]
            sizes[1:] += by_told
        total = np.tensordot(weight, sizes, axes=1)
        out[:, one] = value[:, None] * (held[:, one] - share[:, one, None]) * total
    return out
