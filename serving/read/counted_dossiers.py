"""The dossiers behind each figure of the province, and the figures month by month: what is counted can be opened.

One row a dossier of the year, with a yes or no for each figure of `on_time_statistics.FIGURES`, so that a list is as
long as the figure that led to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.intervals import newcombe
from features.record.utc import aware_table, naive_utc
from serving.read.on_time_statistics import CASES, FIGURES, WINDOW, LateShare

MONTHLY: Mapping[str, str] = {
    "received": "received_at", "ended": "ended_at", "late": "ended_at", "past_first": "ended_at",
}  # fmt: skip
"""Figures that belong to a month → the moment that says to which; the others are of now."""

_ROWS = f"""
{CASES}
SELECT dossier_id, unit_code, procedure_code, sector_code, step, phase, received_at, lawful_due_at, ended_at,
       {", ".join(f"coalesce({condition}, false) AS is_{name}" for name, condition in FIGURES.items())}
FROM cases WHERE received_at < $until
ORDER BY lawful_due_at, dossier_id
"""


@dataclass(frozen=True)
class MonthCount(LateShare):
    """One month of the province or of a unit, by local time: received, ended, late of these, past the first promise."""

    month: str
    received: int = 0
    ended: int = 0
    late: int = 0
    past_first: int = 0

    def against(self, before: "MonthCount") -> tuple[float, float, float] | None:
        """By how much the share differs from another month's: difference, and its 95 % interval; None where too few."""
        if self.share is None or before.share is None:
            return None
        low, high = newcombe((self.late, self.ended), (before.late, before.ended))
        return self.share - before.share, low, high


class CountedDossiers:
    """The dossiers of the year before one moment; found by figure, unit, sector and month without a query."""

    def __init__(self, table: pa.Table, zone: str) -> None:
        """Takes the columns of the statement above; moments are aware (UTC), months those of `zone`."""
        self._table = table
        self._months = {
            column: pc.strftime(table[column].cast(pa.timestamp("us", zone)), "%Y-%m")
            for column in set(MONTHLY.values())
        }

    @classmethod
    def read(cls, con: duckdb.DuckDBPyConnection, until: datetime, zone: str) -> "CountedDossiers":
        """From a connection on which `on_time_statistics.states_of_a_year` holds at the same `until` (aware)."""
        naive = naive_utc(until)
        found = con.sql(_ROWS, params={"until": naive, "since": naive - WINDOW}).to_arrow_table()
        return cls(aware_table(found).combine_chunks(), zone)

    def of(self, figure: str, unit: str = "", sector: str = "", month: str = "") -> pa.Table:
        """The dossiers that a figure counts. ValueError for an unknown figure, or a month for one of now."""
        if figure not in FIGURES:
            raise ValueError(f"figure: wanted one of {', '.join(FIGURES)}")
        if month and figure not in MONTHLY:
            raise ValueError(f"month: {figure} is of now, it belongs to no month")
        keep = self._table[f"is_{figure}"]
        for column, wanted in (("unit_code", unit), ("sector_code", sector)):
            if wanted:
                keep = pc.and_(keep, pc.equal(self._table[column], wanted))
        if month:
            keep = pc.and_(keep, pc.equal(self._months[MONTHLY[figure]], month))
        return self._table.filter(keep)

    def months(self, unit: str = "") -> list[MonthCount]:
        """The months of the window that have a dossier, in order; the first and last are not whole."""
        counts: dict[str, dict[str, int]] = {}
        for figure, column in MONTHLY.items():
            keep = self._table[f"is_{figure}"]
            if unit:
                keep = pc.and_(keep, pc.equal(self._table["unit_code"], unit))
            for one in pc.value_counts(self._months[column].filter(keep)).to_pylist():
                if one["values"] is not None:
                    counts.setdefault(one["values"], {})[figure] = one["counts"]
        return [MonthCount(month, **counts[month]) for month in sorted(counts)]

    def units_of(self, month: str) -> dict[str, MonthCount]:
        """unit_code → the month's counts."""
        counts: dict[str, dict[str, Any]] = {}
        for figure in MONTHLY:
            for one in pc.value_counts(self.of(figure, month=month)["unit_code"]).to_pylist():
                if one["values"] is not None:
                    counts.setdefault(one["values"], {})[figure] = one["counts"]
        return {unit: MonthCount(month, **counts[unit]) for unit in sorted(counts)}


NOTHING_COUNTED = CountedDossiers(
    pa.table(
        {name: pa.array([], pa.string())
         for name in ("dossier_id", "unit_code", "procedure_code", "sector_code", "step", "phase")}
        | {name: pa.array([], pa.timestamp("us", "UTC")) for name in ("received_at", "lawful_due_at", "ended_at")}
        | {f"is_{name}": pa.array([], pa.bool_()) for name in FIGURES}
    ),
    "UTC",
)  # fmt: skip
"""Before the record was first read."""
