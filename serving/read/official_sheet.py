"""One official's late dossiers against peers who do the same procedures: observed, expected, ratio with an interval.

Charged by step: a late dossier counts for whoever had it in hand for longer than nine in ten of the others need for
that step and procedure (`features.signals.hands`), not for everybody through whose hands it went.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from features.calendar.working_time import Calendar
from features.intervals import byar
from features.record.utc import naive_utc
from features.signals.hands import stays
from serving.read.on_time_statistics import CASES, LEAST, WINDOW, states_of_a_year

_HANDLED = """
, hands AS (
  SELECT official_id, dossier_id, bool_or(coalesce(long, false)) AS long FROM stay_told GROUP BY ALL
)
SELECT h.official_id, c.procedure_code, count(*) AS n, count(*) FILTER (c.late AND h.long) AS late
FROM cases c JOIN hands h USING (dossier_id)
WHERE c.ended_at >= $since AND c.ended_at < $until AND c.lawful_due_at IS NOT NULL
GROUP BY ALL
"""


@dataclass(frozen=True)
class ProcedureShare:
    """One procedure: dossiers through this official's hands, late ones, and the same of all peers."""

    procedure_code: str
    n: int
    late: int
    peers_n: int
    peers_late: int

    @property
    def usual(self) -> float | None:
        """Share late among peers; None without 20 of their dossiers."""
        return self.peers_late / self.peers_n if self.peers_n >= LEAST else None


@dataclass(frozen=True)
class OfficialSheet:
    """Dossiers ended in the last year that passed through one official's hands.

    Only procedures that peers did 20 times or more are compared. `late` counts the dossiers that were late and in
    this official's hands for long.
    """

    official_id: str
    shares: tuple[ProcedureShare, ...]

    @property
    def n(self) -> int:
        """Dossiers that could be compared."""
        return sum(share.n for share in self.shares if share.usual is not None)

    @property
    def observed(self) -> int:
        """Late ones among them."""
        return sum(share.late for share in self.shares if share.usual is not None)

    @property
    def expected(self) -> float:
        """Late ones to be expected had peers done the same procedures."""
        return sum(share.n * share.usual for share in self.shares if share.usual is not None)

    @property
    def enough(self) -> bool:
        """Whether there is enough to show a figure: 20 dossiers and one expected late one."""
        return self.n >= LEAST and self.expected >= 1

    @property
    def ratio(self) -> float:
        """Observed over expected."""
        return self.observed / self.expected

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the ratio (Byar)."""
        low, high = byar(self.observed)
        return low / self.expected, high / self.expected


@dataclass(frozen=True)
class OfficialSheets:
    """The sheets of all officials as of one moment."""

    sheets: Mapping[str, OfficialSheet] = field(default_factory=dict)

    @classmethod
    def read(cls, con: duckdb.DuckDBPyConnection, until: datetime, calendar: Calendar) -> "OfficialSheets":
        """The sheets over the year before `until` (aware) from a connection of the record."""
        naive = naive_utc(until)
        con.register("stay_told", stays(con, until, until - 2 * WINDOW).select(["official_id", "dossier_id", "long"]))
        try:
            with states_of_a_year(con, until, calendar):
                rows = con.execute(CASES + _HANDLED, {"until": naive, "since": naive - WINDOW}).fetchall()
        finally:
            con.unregister("stay_told")
        totals: dict[str, tuple[int, int]] = {}
        for _, procedure, n, late in rows:
            all_n, all_late = totals.get(procedure, (0, 0))
            totals[procedure] = (all_n + n, all_late + late)
        shares: dict[str, list[ProcedureShare]] = {}
        for official, procedure, n, late in sorted(rows, key=lambda row: (row[0], -row[2], row[1])):
            all_n, all_late = totals[procedure]
            shares.setdefault(official, []).append(ProcedureShare(procedure, n, late, all_n - n, all_late - late))
        return cls({key: OfficialSheet(key, tuple(held)) for key, held in shares.items()})

    def of(self, official_id: str) -> OfficialSheet:
        """The sheet of one official; an empty one where nothing passed through their hands."""
        return self.sheets.get(official_id, OfficialSheet(official_id, ()))
