"""What is usual among peers: medians of every number at training time, by unit and by procedure.

Peers of what an official or a dossier's handling shows are the dossiers of the same unit; of a dossier's own clock
and way, those of the same procedure; of what a unit or a procedure shows, all dossiers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from features.matrix.declaration import Feature, Grain
from models.encoding import column_of_numbers, column_of_text

LEAST = 20
"""Dossiers that a group of peers must have; smaller ones are measured against all."""

PEERS = {
    Grain.OFFICIAL: "unit_code",
    Grain.OFFICIAL_PROCEDURE: "unit_code",
    Grain.DOSSIER: "procedure_code",
    Grain.HISTORY: "procedure_code",
}


def usual_values(matrix: pa.Table, numbers: tuple[str, ...], features: Mapping[str, Feature]) -> dict[str, Any]:
    """Medians as plain JSON: `peers` (feature → column that names its peers, "" for all) and `groups`.

    `groups[column][value]` = {"n": rows, "median": {feature: number}}; `groups[""][""]` holds those of all rows.
    """
    peers = {name: PEERS.get(features[name].grain, "") if name in features else "" for name in numbers}
    cells = {name: column_of_numbers(matrix, name) for name in numbers}
    groups: dict[str, dict[str, Any]] = {"": {"": _median(cells, numbers, slice(None), matrix.num_rows)}}
    for column in sorted({peer for peer in peers.values() if peer}):
        values, inverse = np.unique(column_of_text(matrix, column).astype(str), return_inverse=True)
        mine = tuple(name for name in numbers if peers[name] == column)
        order = np.argsort(inverse, kind="stable")
        bounds = np.searchsorted(inverse[order], np.arange(len(values) + 1))
        groups[column] = {
            str(value): _median(cells, mine, order[start:end], int(end - start))
            for value, start, end in zip(values, bounds[:-1], bounds[1:], strict=True)
            if end - start >= LEAST
        }
    return {"peers": peers, "groups": groups}


def _median(cells: Mapping[str, np.ndarray], names: tuple[str, ...], rows: Any, n: int) -> dict[str, Any]:
    medians = {}
    for name in names:
        seen = cells[name][rows]
        seen = seen[~np.isnan(seen)]
        if len(seen):
            medians[name] = float(np.median(seen))
    return {"n": n, "median": medians}


def usual_of(usual: Mapping[str, Any], name: str, row: Mapping[str, str]) -> tuple[float | None, int, str]:
    """The usual value of a number for the peers of a case, how many rows they are, and the column that names them.

    `row`: the case's `unit_code` and `procedure_code`. None where nothing is known.
    """
    groups = usual.get("groups", {})
    column = usual.get("peers", {}).get(name, "")
    found = groups.get(column, {}).get(row.get(column, ""))
    if found is None or name not in found["median"]:
        column, found = "", groups.get("", {}).get("")
    if found is None or name not in found["median"]:
        return None, 0, ""
    return float(found["median"][name]), int(found["n"]), column
