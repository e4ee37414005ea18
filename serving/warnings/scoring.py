"""A scored list as warnings see it: the dossiers above the threshold, and all that are open."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.case_state.state import WAITING
from serving.scoring.score_files import ListMeta, read_scores, scores_path, stamp, stamped
from serving.warnings.firing import OpenDossier
from serving.warnings.heads import Heads
from serving.warnings.policy import Policy


@dataclass(frozen=True)
class Scoring:
    """One list. over: its lines above the threshold, as dictionaries of `score_files.SCHEMA`, by dossier_id."""

    meta: ListMeta
    over: dict[str, dict[str, Any]]
    table: pa.Table

    @classmethod
    def of(cls, table: pa.Table, meta: ListMeta, policy: Policy) -> "Scoring":
        """From a list; lines without a promise, whose promise has passed or whose clock stands cannot be warned of."""
        keep = pc.and_(pc.greater(table["score"], policy.costs.threshold), pc.greater(table["left_hours"], 0.0))
        keep = pc.and_(pc.fill_null(keep, False), table["due_at"].is_valid())
        keep = pc.and_(keep, pc.invert(pc.is_in(table["phase"], pa.array(WAITING, pa.string()))))
        rows = table.filter(keep).to_pylist()
        return cls(meta, {row["dossier_id"]: row for row in rows}, table)

    def watched(self, heads: Heads) -> list[OpenDossier]:
        """The lines above the threshold with the unit whose head would be warned of each."""
        return [
            OpenDossier(
                row["dossier_id"],
                row["due_at"],
                heads.of(row["unit_code"] or "", row["official_id"]),
                row["score"],
                row["left_hours"],
            )
            for row in self.over.values()
        ]

    @cached_property
    def waiting(self) -> frozenset[str]:
        """Those whose clock stands: no warning of them before it runs again."""
        stands = pc.fill_null(pc.is_in(self.table["phase"], pa.array(WAITING, pa.string())), False)
        return frozenset(self.table.filter(stands)["dossier_id"].to_pylist())

    @cached_property
    def open(self) -> frozenset[str]:
        """All open dossiers of the list."""
        return frozenset(self.table["dossier_id"].to_pylist())


def scoring_at(root: Path, target: str, until: datetime, policy: Policy) -> Scoring | None:
    """The newest list of `target` under the scores folder that is not newer than `until`; None where there is none."""
    folders = sorted(path.name for path in (root / target).glob("*Z") if path.name <= stamp(until))
    if not folders:
        return None
    as_of = stamped(folders[-1])
    return Scoring.of(*read_scores(scores_path(root, target, as_of)), policy)
