"""Where units, sectors and procedures stand: received, on time, late, open, with intervals.

Recounted from the record.

Late: processing ended after the promise then in force, or has not ended and the promise is past (QĐ
766/QĐ-TTg, rule 1, 2 and 6). Processing ends with the first of refused, decided, withdrawn, else with
delivered (feed contract).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import sqrt

import duckdb

from features.record.utc import naive_utc

WINDOW = timedelta(days=365)
LEAST = 20  # dossiers under which no share is shown
PROGRESS_POINTS = 20  # group "tiến độ giải quyết" of the index 766

CASES = """
WITH happened AS (
  SELECT dossier_id, kind, happened_at, due_at FROM event
  WHERE kind IN ('refused', 'decided', 'withdrawn', 'delivered', 'extended', 'reset') OR due_at IS NOT NULL
), ended AS (
  SELECT dossier_id, coalesce(
    min(happened_at) FILTER (kind IN ('refused', 'decided', 'withdrawn')),
    min(happened_at) FILTER (kind = 'delivered')) AS ended_at
  FROM happened GROUP BY dossier_id
), promised AS (
  SELECT h.dossier_id, max_by(h.due_at, h.happened_at) AS due_at
  FROM happened h LEFT JOIN ended e USING (dossier_id)
  WHERE h.due_at IS NOT NULL AND (e.ended_at IS NULL OR h.happened_at <= e.ended_at)
  GROUP BY h.dossier_id
), cases AS (
  SELECT d.unit_code, d.procedure_code, p.sector_code, d.received_at, d.dossier_id, e.ended_at,
         coalesce(q.due_at, d.due_at) AS due_at
  FROM dossier_latest d
  LEFT JOIN ended e USING (dossier_id)
  LEFT JOIN promised q USING (dossier_id)
  LEFT JOIN procedure_latest p USING (procedure_code)
)
"""
"""Every dossier as latest known: unit, procedure, sector, receipt, end of processing.

Promise in force then.
"""

_COUNTS = """
SELECT unit_code, procedure_code, sector_code,
  count(*) FILTER (received_at >= $since) AS received,
  count(*) FILTER (ended_at >= $since AND due_at IS NOT NULL) AS ended,
  count(*) FILTER (ended_at >= $since AND ended_at > due_at) AS late,
  count(*) FILTER (ended_at IS NULL) AS open,
  count(*) FILTER (ended_at IS NULL AND due_at < $until) AS overdue
FROM cases WHERE received_at < $until
GROUP BY ALL
"""


@dataclass(frozen=True)
class Count:
    """Dossiers of one unit, sector or procedure over the window.

    `late` of `ended` missed the promise in force.
    """

    code: str
    received: int
    ended: int
    late: int
    open: int
    overdue: int

    @property
    def share(self) -> float | None:
        """Late of ended; None under 20 ended."""
        return self.late / self.ended if self.ended >= LEAST else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the share (Wilson 1927, JASA 22); None under 20 ended."""
        return wilson(self.late, self.ended) if self.ended >= LEAST else None

    @property
    def progress(self) -> float | None:
        """Progress score of the index 766: 20 × on time / (ended or overdue); None where nothing was due."""
        due = self.ended + self.overdue
        return PROGRESS_POINTS * (self.ended - self.late) / due if due else None

    def against(self, share: float | None) -> str:
        """`higher`, `lower` or `alike`: whether the interval lies clear of another share.

        `unknown` without one.
        """
        if share is None or self.interval is None:
            return "unknown"
        low, high = self.interval
        return "higher" if low > share else "lower" if high < share else "alike"


@dataclass(frozen=True)
class OnTimeStatistics:
    """The counts of one moment, by unit, sector and procedure, and over all."""

    until: datetime | None = None
    units: Mapping[str, Count] = field(default_factory=dict)
    sectors: Mapping[str, Count] = field(default_factory=dict)
    procedures: Mapping[str, Count] = field(default_factory=dict)
    total: Count = field(default_factory=lambda: Count("", 0, 0, 0, 0, 0))

    @classmethod
    def read(cls, con: duckdb.DuckDBPyConnection, until: datetime) -> "OnTimeStatistics":
        """The counts over the year before `until` (aware) from a connection of the record."""
        naive = naive_utc(until)
        rows = con.execute(CASES + _COUNTS, {"until": naive, "since": naive - WINDOW}).fetchall()

        def by(place: int) -> dict[str, Count]:
            sums: dict[str, list[int]] = {}
            for row in rows:
                if row[place] is not None:
                    sums[row[place]] = [a + b for a, b in zip(sums.get(row[place], [0] * 5), row[3:], strict=True)]
            return {code: Count(code, *values) for code, values in sums.items()}

        total = [sum(row[place] for row in rows) for place in range(3, 8)]
        return cls(until, by(0), by(2), by(1), Count("", *total))


def wilson(hits: int, tries: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share."""
    middle = (hits + z * z / 2) / (tries + z * z)
    half = z * sqrt(hits * (tries - hits) / tries + z * z / 4) / (tries + z * z)
    return max(0.0, middle - half), min(1.0, middle + half)
