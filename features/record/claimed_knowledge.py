"""Events that say they were known the moment they happened, though their delivery came more than a day later.

A back-fill takes an event's own moment for that of its knowing, and a source may write it there. Then a past moment is
read as nobody saw it: what a model learns from it was not known, and no check of the record against itself can tell.
A receipt tells it of what a source writes, and of a back-fill into a record that holds something already; the first
back-fill changes nothing that anybody looked at.
"""

from dataclasses import dataclass

import duckdb

LAGS = ((1, 7, "1 to 7 days"), (7, 90, "7 to 90 days"), (90, None, "more than 90 days"))
"""Days from (exclusive) and to between happening and delivery, and how the receipt says it. Within a day is a nightly
delivery's own pace."""


def note_of(lag: str) -> str:
    """What the receipt of a delivery says of the events that came so much later."""
    return f"event.known_at: as it happened, though the delivery came {lag} later; what was known then is not told"


def lag_sql(first: int, last: int | None, known_at: str = "known_at", arrived_at: str = "arrived_at") -> str:
    """SQL that is true for a row of `event` known when it happened, of a delivery from `first` to `last` days later."""
    until = f" AND {arrived_at} <= happened_at + INTERVAL {last} DAY" if last is not None else ""
    return f"{known_at} <= happened_at AND {arrived_at} > happened_at + INTERVAL {first} DAY{until}"


@dataclass(frozen=True)
class ClaimedKnowledge:
    """How many of the events of a record, `of` them all, make that claim; days: between, the median of them."""

    events: int
    of: int
    days: float

    def __str__(self) -> str:
        if not self.events:
            return "no event is said to be known before its delivery could tell it"
        return (
            f"{self.events:,} of {self.of:,} events ({self.events / self.of:.1%}) carry a moment of knowing that is "
            f"their moment of happening though the delivery came later, {self.days:,.0f} days by the median"
        )


def claimed_knowledge(con: duckdb.DuckDBPyConnection) -> ClaimedKnowledge:
    """Over the events that a connection of the record (`Record.connect`) shows."""
    claims = lag_sql(LAGS[0][0], None)
    events, of, days = con.execute(
        f"SELECT count(*) FILTER ({claims}), count(*), "
        f"median(date_diff('hour', happened_at, arrived_at) / 24.0) FILTER ({claims}) "
        "FROM event JOIN delivery USING (delivery_id)"
    ).fetchall()[0]
    return ClaimedKnowledge(events, of, days or 0.0)
