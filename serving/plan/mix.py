"""A list for a plan that looks for several things at once: the scores of several targets, each with a stated weight.

A dossier's score is the sum of weight · score over the lists, its reasons are those of all. With weights that say how
much one finding of each kind matters the sum is still expected findings, in the unit of the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from models.targets import MAIN
from serving.scoring.score_files import SCHEMA, ListMeta, latest_path, read_scores, write_scores

MIX = "mix"


def parts(text: str) -> dict[str, float]:
    """The weights of `<target>=0.5,<target>=1`; ValueError for another form, none, or all of weight 0."""
    found: dict[str, float] = {}
    for piece in text.split(","):
        name, _, weight = piece.partition("=")
        try:
            found[name.strip()] = float(weight)
        except ValueError:
            raise ValueError(f"mix: wanted such as {MAIN.name}=0.5,conduct=1, got {text[:60]!r}") from None
    if any(weight < 0 for weight in found.values()) or not sum(found.values()):
        raise ValueError("mix: wanted weights of 0 or more, at least one above")
    return {name: weight for name, weight in sorted(found.items()) if weight}


def words(weights: Mapping[str, float]) -> str:
    """The mix as it is logged: `<target>=1,<target>=0.5`, by name."""
    return ",".join(f"{name}={weight:g}" for name, weight in sorted(weights.items()))


def mixed(root: Path, weights: Mapping[str, float]) -> Path:
    """Writes the mixed list of the latest scores of each target and gives its path.

    Where the lists were made as of different moments the mix stands as of the latest; a dossier that one list lacks has
    no part from it. FileNotFoundError where a target has no scored list.
    """
    rows: dict[str, dict[str, Any]] = {}
    metas: list[ListMeta] = []
    most = max(weights.values())
    for target, weight in sorted(weights.items()):
        table, meta = read_scores(latest_path(root, target))
        metas.append(meta)
        for row in table.to_pylist():
            share = weight / most
            new = {**row, "score": share * row["score"], "reasons": row["reasons"] or []}
            have = rows.get(row["dossier_id"])
            if have is not None:
                new = {**have, "score": have["score"] + new["score"], "reasons": [*have["reasons"], *new["reasons"]]}
            rows[row["dossier_id"]] = new
    ordered = sorted(rows.values(), key=lambda row: (-row["score"], row["dossier_id"]))
    table = pa.Table.from_pylist([{**row, "rank": rank} for rank, row in enumerate(ordered, 1)], SCHEMA)
    latest = max(metas, key=lambda meta: meta.as_of)
    meta = replace(
        latest,
        target=MIX,
        model_version=f"{words(weights)}: " + ", ".join(f"{one.target} {one.model_version}" for one in metas),
        model_sha256=" ".join(one.model_sha256 for one in metas),
        n=table.num_rows,
    )
    return write_scores(root, table, meta)
