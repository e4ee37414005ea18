"""What stands out in the newest conduct lists and did not in the ones before: the news for those who inspect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from serving.access.permissions import Scope
from serving.language import LazyText as lazy
from serving.scoring.score_files import list_folder, stamped

FOREMOST = 20
"""Places of the list of dossiers that are news when a dossier comes among them: hundreds show some signal every day."""
GRAINS = {"official": lazy("{n} cán bộ"), "unit": lazy("{n} đơn vị"), "dossier": lazy("{n} hồ sơ")}
KEYS = {"official": "official_id", "unit": "unit_code", "dossier": "dossier_id"}
"""The column that names a line of each list."""


@dataclass(frozen=True)
class Newcomer:
    """An official or unit newly flagged, or a dossier newly among the foremost: `grain`, its `key`, its unit."""

    grain: str
    key: str
    unit_code: str


@dataclass(frozen=True)
class ConductNews:
    """What is new in the lists as of `as_of`; `since`: the lists before, None where there were none."""

    as_of: datetime
    since: datetime | None
    newcomers: tuple[Newcomer, ...]

    def within(self, scope: Scope) -> list[Newcomer]:
        """Those of a reader's units."""
        return [one for one in self.newcomers if scope.covers(one.unit_code)]


def conduct_news(scores: Path, until: datetime) -> ConductNews | None:
    """The news of the lists of the newest moment not after `until`; None where there are no lists."""
    found = [at for at in sorted(_moments(scores), reverse=True) if at <= until][:2]
    if not found:
        return None
    before = {(one.grain, one.key) for one in _standing_out(scores, found[1])} if len(found) > 1 else set()
    fresh = tuple(one for one in _standing_out(scores, found[0]) if (one.grain, one.key) not in before)
    return ConductNews(found[0], found[1] if len(found) > 1 else None, fresh)


def counts_by_grain(newcomers: Sequence[Newcomer]) -> str:
    """`2 cán bộ, 1 đơn vị, 5 hồ sơ`: how many of each."""
    count = Counter(one.grain for one in newcomers)
    return ", ".join(words.format(n=count[grain]) for grain, words in GRAINS.items() if count[grain])


def _moments(scores: Path) -> Iterator[datetime]:
    for path in (scores / "conduct").glob("*/official.parquet"):
        yield stamped(path.parent.name)


def _standing_out(scores: Path, as_of: datetime) -> Iterator[Newcomer]:
    for grain, key in KEYS.items():
        path = list_folder(scores, "conduct", as_of) / f"{grain}.parquet"
        columns = list(dict.fromkeys([key, "unit_code", "flag", "rank"]))
        rows: list[dict[str, Any]] = pq.read_table(path, columns=columns).to_pylist() if path.exists() else []
        for row in rows:
            if row["rank"] <= FOREMOST if grain == "dossier" else row["flag"]:
                yield Newcomer(grain, row[key], row["unit_code"] or "")
