"""The latest conduct lists, held for the pages; each grain in its own order, no tier mixed with another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from models.conduct import GRAINS, ConductLine
from serving.access.permissions import Scope
from serving.scoring.conduct_lists import COLUMNS
from serving.scoring.conduct_news import KEYS, ConductNews, Newcomer, conduct_news
from serving.scoring.reloadable import Reloadable
from serving.scoring.score_files import stamped

FEWEST_DOSSIERS = 20
FEWEST_PEOPLE = 3
"""Under these no figure about an official or a unit is shown: dossiers (signals), people who complained (reports)."""


def has_enough_data(line: ConductLine) -> bool:
    """Whether there is enough behind a line to show its figures; else "not enough data" is the answer."""
    if line.dossier_id is not None:
        return True
    return line.score is not None and line.n >= (FEWEST_DOSSIERS if line.tier == "signal" else FEWEST_PEOPLE)


def _order(line: ConductLine) -> tuple[bool, bool, bool, float, int]:
    """Flagged first, by the lower end of the ratio; those of whom nothing was seen come last."""
    enough = has_enough_data(line)
    flagged = enough and line.flag
    return not enough, not flagged, line.observed == 0, -(line.low or 0.0) if flagged else 0.0, line.rank


@dataclass(frozen=True)
class ConductShelf:
    """The lists of one moment by grain (`official`, `unit`, `dossier`), each by rank; what in them is `news`."""

    as_of: datetime
    lists: Mapping[str, tuple[ConductLine, ...]]
    news: ConductNews | None = None
    _at: Mapping[tuple[str, str | None], ConductLine] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Lays the lines out by key, so that a page finds one without a walk."""
        lines = ((grain, line) for grain, found in self.lists.items() for line in found)
        object.__setattr__(self, "_at", {(grain, getattr(line, KEYS[grain])): line for grain, line in lines})

    def of(self, grain: str, key: str | None) -> ConductLine | None:
        """The line of one official, unit or dossier; None where the lists say nothing of it."""
        return self._at.get((grain, key))

    def tiers(self, grain: str) -> list[str]:
        """The tiers that the list of a grain holds, in order of appearance."""
        return list(dict.fromkeys(line.tier for line in self.lists.get(grain, ())))

    def newcomers(self, scope: Scope) -> list[Newcomer]:
        """What newly stands out within a scope."""
        return self.news.within(scope) if self.news else []

    def within(self, grain: str, tier: str, scope: Scope, unit: str = "", new: bool = False) -> list[ConductLine]:
        """The lines of one tier in a scope: flagged ones by the lower end of the ratio, then the others with enough
        behind them, then the rest, each part by rank. `new`: only what newly stands out.
        """
        lines: Iterable[ConductLine] = self.lists.get(grain, ())
        mine = [line for line in lines if line.tier == tier and scope.covers(line.unit_code)]
        if new:
            fresh = {one.key for one in self.newcomers(scope) if one.grain == grain}
            mine = [line for line in mine if getattr(line, KEYS[grain]) in fresh]
        return sorted((line for line in mine if unit in ("", line.unit_code)), key=_order)


def _rows(path: Path) -> list[dict[str, Any]]:
    """The lines on disk; lists from before a column was written lack it."""
    held = set(pq.read_schema(path).names)
    rows: list[dict[str, Any]] = pq.read_table(path, columns=[name for name in COLUMNS if name in held]).to_pylist()
    return rows


def reloadable_conduct(scores: Path) -> Reloadable[ConductShelf]:
    """The latest conduct lists under the scores folder, taken over whenever newer ones are written."""

    def folder() -> Path:
        found = sorted(path.parent for path in (scores / "conduct").glob("*/official.parquet"))
        if not found:
            raise FileNotFoundError("no conduct list yet; run: risk train conduct, then risk score --as-of T")
        return found[-1]

    def sign() -> str:
        latest = folder()
        return f"{latest.name} {[path.stat().st_mtime_ns for path in sorted(latest.glob('*.parquet'))]}"

    def load() -> ConductShelf:
        latest = folder()
        lists = {}
        for grain in GRAINS:
            path = latest / f"{grain}.parquet"
            rows = _rows(path) if path.exists() else []
            lists[grain] = tuple(ConductLine(**row) for row in rows)
        as_of = stamped(latest.name)
        return ConductShelf(as_of, lists, conduct_news(scores, as_of))

    return Reloadable("lists of conduct", sign, load)
