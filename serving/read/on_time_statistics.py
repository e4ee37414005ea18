"""Where units, sectors and procedures stand: received, on time, late, open, with intervals.

Recounted from the record.

Late and overdue are those of the lawful clock (`features.case_state`); beside them stands how many ended after the
first promise, whoever moved it. A dossier whose clock stands waits: it is open, and not overdue.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import duckdb

from features.calendar.working_time import Calendar
from features.case_state.kinds import ended_for_good
from features.case_state.relation import NAME, case_states
from features.intervals import wilson
from features.record.utc import naive_utc

WINDOW = timedelta(days=365)
LEAST = 20  # dossiers under which no share is shown
PROGRESS_POINTS = 20  # group "tiến độ giải quyết" of the index 766

CASES = f"""
WITH cases AS (SELECT c.*, p.sector_code FROM {NAME} c LEFT JOIN procedure_latest p USING (procedure_code))
"""
"""Every dossier's state (`features.case_state.relation.COLUMNS`) with its sector, while `states_of_a_year` holds."""

_ASKED = f"""
SELECT dossier_id FROM dossier ANTI JOIN ({ended_for_good("max(happened_at) < $since")}) USING (dossier_id)
GROUP BY dossier_id
"""

FIGURES: Mapping[str, str] = {
    "received": "received_at >= $since",
    "ended": "ended_at >= $since AND lawful_due_at IS NOT NULL",
    "late": "ended_at >= $since AND late",
    "open": "is_open",
    "overdue": "overdue",
    "waiting": "waits",
    "past_first": "ended_at >= $since AND late_first",
}
"""Figure → which dossiers of `CASES` it counts; in the order of `Count`'s fields."""

_COUNTS = f"""
SELECT unit_code, procedure_code, sector_code,
  {", ".join(f"count(*) FILTER ({condition}) AS {name}" for name, condition in FIGURES.items())}
FROM cases WHERE received_at < $until
GROUP BY ALL
"""


@contextmanager
def states_of_a_year(con: duckdb.DuckDBPyConnection, until: datetime, calendar: Calendar) -> Iterator[None]:
    """While it holds, `CASES` gives the state at `until` of every dossier that was open in the year before."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE asked_state AS {_ASKED}", {"since": naive_utc(until) - WINDOW})
    try:
        with case_states(con, until, calendar, dossiers="asked_state"):
            yield
    finally:
        con.execute("DROP TABLE IF EXISTS asked_state")


class LateShare:
    """The share of `late` among `ended`, and its 95 % interval; told from 20 ended on."""

    ended: int
    late: int

    @property
    def share(self) -> float | None:
        """Late of ended; None under 20 ended."""
        return self.late / self.ended if self.ended >= LEAST else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the share; None under 20 ended."""
        return wilson(self.late, self.ended) if self.ended >= LEAST else None


@dataclass(frozen=True)
class Count(LateShare):
    """Dossiers of one unit, sector or procedure over the window.

    `late` of `ended` missed the lawful promise, `past_first` the first one. Of `open`, `overdue` have missed the lawful
    promise and `waiting` are with the citizen or suspended.
    """

    code: str
    received: int
    ended: int
    late: int
    open: int
    overdue: int
    waiting: int = 0
    past_first: int = 0

    @property
    def progress(self) -> float | None:
        """Progress score of the index 766: 20 × on time / (ended or overdue); None where nothing was due."""
        due = self.ended + self.overdue
        return PROGRESS_POINTS * (self.ended - self.late) / due if due else None

    def against(self, share: float | None) -> str:
        """`higher`, `lower` or `alike`: whether the interval lies clear of another share. `unknown` without one."""
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
    def read(cls, con: duckdb.DuckDBPyConnection, until: datetime, calendar: Calendar) -> "OnTimeStatistics":
        """The counts over the year before `until` (aware) from a connection of the record."""
        with states_of_a_year(con, until, calendar):
            return cls.counted(con, until)

    @classmethod
    def counted(cls, con: duckdb.DuckDBPyConnection, until: datetime) -> "OnTimeStatistics":
        """The same while `states_of_a_year` holds."""
        naive = naive_utc(until)
        rows = con.execute(CASES + _COUNTS, {"until": naive, "since": naive - WINDOW}).fetchall()

        def by(place: int) -> dict[str, Count]:
            sums: dict[str, list[int]] = {}
            for row in rows:
                if row[place] is not None:
                    sums[row[place]] = [a + b for a, b in zip(sums.get(row[place], [0] * 7), row[3:], strict=True)]
            return {code: Count(code, *values) for code, values in sums.items()}

        total = [sum(row[place] for row in rows) for place in range(3, 10)]
        return cls(until, by(0), by(2), by(1), Count("", *total))
