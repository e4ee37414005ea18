"""The inner loop of `models.tree_shap` compiled, for batches: numpy passes over memory once for each step of it.

Importing this imports numba, and the first call of an installation compiles (`models.compiled`), so only many rows
pay for it.
The sums are added in the same order as without it, so the values are the same to the last bit.
"""

import numpy as np

from models.compiled import compiled

_BLOCK = 512  # rows whose codes and sums stay in the processor's second cache while all paths go over them


@compiled
def add_paths(
    codes: np.ndarray,
    gone: np.ndarray,
    start: np.ndarray,
    feature: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    missing: np.ndarray,
    entry: np.ndarray,
    values: np.ndarray,
    out: np.ndarray,
) -> None:
    """Adds what all paths say of some rows to `out` [columns × n].

    codes: of cells by the thresholds of their column, uint16 [columns × n]; gone: the code that stands for a
    missing cell [columns]. Of each path p the slots start[p] to start[p + 1]: `feature`, the condition
    `low < code <= high` or missing where `missing` says so, and the place `entry` of its 2^d values in `values`.
    """
    pattern = np.empty(_BLOCK, np.uint16)
    for begin in range(0, codes.shape[1], _BLOCK):
        rows = min(_BLOCK, codes.shape[1] - begin)
        for path in range(len(start) - 1):
            pattern[:rows] = 0
            for slot in range(start[path], start[path + 1]):
                cells = codes[feature[slot], begin : begin + rows]
                first = np.uint16(low[slot] + 1)
                wide = np.uint16(high[slot] - low[slot])  # codes that hold; below `first` wraps round to the greatest
                bit = np.uint16(1 << (slot - start[path]))
                if missing[slot]:
                    spared = np.uint16(gone[feature[slot]])
                    for row in range(rows):
                        holds = (np.uint16(cells[row] - first) < wide) | (cells[row] == spared)
                        pattern[row] |= np.uint16(holds * bit)
                else:
                    for row in range(rows):
                        pattern[row] |= np.uint16((np.uint16(cells[row] - first) < wide) * bit)
            for slot in range(start[path], start[path + 1]):
                sums = out[feature[slot], begin : begin + rows]
                by_pattern = values[entry[slot] :]
                for row in range(rows):
                    sums[row] += by_pattern[pattern[row]]
