"""The time-travel check: cells from the record truncated at `as_of` equal those that the training learns.

Every training stores the result with its model; a model without it is not promoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.calendar.working_time import Calendar
from features.matrix import batch as matrix
from features.record.record import Record


@dataclass(frozen=True)
class TimeTravel:
    """What the check found: moments and cases looked at, and the columns in which any cell differed."""

    moments: int
    cases: int
    differing: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether something was looked at and nothing differed."""
        return self.cases > 0 and not self.differing

    def __str__(self) -> str:
        if self.holds:
            return f"{self.cases} cases at {self.moments} moments: every cell the same"
        return f"{self.cases} cases at {self.moments} moments: cells differ in {', '.join(self.differing) or 'nothing'}"


def time_travel(
    record: Record,
    cells: pa.Table,
    calendar: Calendar,
    *,
    version: int | None = None,
    moments: int = 3,
    most: int = 200,
    seed: int = 0,
) -> TimeTravel:
    """Compares the `cells` that are learnt (rows of the matrix) with those of the record truncated at their `as_of`, at
    up to `moments` random `as_of`s, `most` cases at each.

    A moment is drawn as often as it has cases: not the many arrivals of one dossier each, but weekly landmarks.
    """
    when = cells["as_of"].cast(pa.int64())
    found, count = np.unique(when.to_numpy(), return_counts=True)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(found, min(moments, len(found)), replace=False, p=count / count.sum()) if len(found) else found
    differing: dict[str, None] = {}
    seen = 0
    for moment in chosen:
        full = cells.filter(pc.equal(when, pa.scalar(int(moment)))).slice(0, most)
        as_of = datetime.fromtimestamp(int(moment) // 1_000_000, UTC).replace(microsecond=int(moment) % 1_000_000)
        truncated = record.connect(version=version, cutoff=as_of, copied=True)
        cut = matrix.build(truncated, full.select(["dossier_id", "as_of"]), calendar=calendar)
        seen += full.num_rows
        for name in full.column_names:
            if name not in cut.column_names or full[name].to_pylist() != cut[name].to_pylist():
                differing[name] = None
    return TimeTravel(len(chosen), seen, tuple(differing))
