"""The walk of `models.tree_walk` compiled. Importing this imports numba, and the first call of an installation compiles
(three seconds)."""

import numpy as np

from models.compiled import compiled


@compiled
def walk(
    x: np.ndarray,
    of: np.ndarray,
    start: np.ndarray,
    column: np.ndarray,
    changed_to: np.ndarray,
    root: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    nan_left: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    value: np.ndarray,
    asked: np.ndarray,
    out: np.ndarray,
) -> None:
    """Fills `out` [m] with the sums of the leaf values that variants reach (`models.tree_walk.Variants`, whose values
    are `changed_to`).

    root: first node of each tree; of each node `feature`, `threshold`, whether a missing cell goes left, and its
    children, a leaf `-child - 1`; of each leaf its `value` and the columns that the way to it reads (`asked`).
    """
    trees = len(root)
    reached, asks = np.empty(trees), np.empty(trees, np.uint64)  # what the row itself reaches
    cells = np.empty(x.shape[1])
    last = -1
    for nth in range(len(of)):
        row = of[nth]
        if row != last:
            last = row
            cells[:] = x[row]
            for tree in range(trees):
                node = root[tree]
                while node >= 0:
                    cell = cells[feature[node]]
                    goes_left = cell <= threshold[node] or (nan_left[node] and np.isnan(cell))
                    node = left[node] if goes_left else right[node]
                reached[tree], asks[tree] = value[-node - 1], asked[-node - 1]
        changed = np.uint64(0)
        for at in range(start[nth], start[nth + 1]):
            cells[column[at]] = changed_to[at]
            changed |= np.uint64(1) << np.uint64(column[at] % 64)
        total = 0.0
        for tree in range(trees):
            if asks[tree] & changed:
                node = root[tree]
                while node >= 0:
                    cell = cells[feature[node]]
                    goes_left = cell <= threshold[node] or (nan_left[node] and np.isnan(cell))
                    node = left[node] if goes_left else right[node]
                total += value[-node - 1]
            else:
                total += reached[tree]
        out[nth] = total
        for at in range(start[nth], start[nth + 1]):
            cells[column[at]] = x[row, column[at]]
