"""Which officials, units, heads and agents show a signal, held against their peers, as known at a moment.

Who the peers are, `features.signals.peers` tells.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time

import duckdb
import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import Calendar
from features.record.utc import naive_utc
from features.signals.accounts import ACCOUNTS
from features.signals.head import HEAD
from features.signals.held_again import HELD_AGAIN
from features.signals.held_late import HELD_LATE
from features.signals.held_office import HELD_OFFICE
from features.signals.held_voice import HELD_VOICE
from features.signals.over_cases import CaseRelations
from features.signals.peers import against_peers, offices
from features.signals.signal import Grain, HeldSignal
from features.signals.year import within_year
from features.spelling.names import is_desk

HELD_SIGNALS: tuple[HeldSignal, ...] = (*HELD_LATE, *HELD_AGAIN, *HELD_OFFICE, *HELD_VOICE, *ACCOUNTS, *HEAD)
"""Every signal about an official, a unit, a head or an agent, in the order in which answers list them."""

SHOWN = pa.schema([
    ("key", pa.string()), ("unit_code", pa.string()), ("signal", pa.string()), ("value", pa.int64()),
    ("n", pa.int64()), ("expected", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
])  # fmt: skip
"""Columns of `evaluate_held`."""


def evaluate_held(
    con: duckdb.DuckDBPyConnection,
    as_of: datetime,
    grain: Grain,
    *,
    alerts: pa.Table | None = None,
    signals: Sequence[HeldSignal] = HELD_SIGNALS,
    calendar: Calendar = VIETNAM,
    year: CaseRelations | None = None,
) -> pa.Table:
    """The signals of a grain that hold at `as_of`: one row a key and signal, by key, then in the order of `signals`.

    Columns key (an official, unit or agent), unit_code (where it stood last), signal, value (hits), n (chances),
    expected (hits that peers would have; null where there are none), low and high (95 % interval of value ÷
    expected). Only what was known before `as_of` counts; a rule applies within its validity. `alerts`: a table of
    `ALERT`. `year`: the relations of the moment (`features.signals.year`) with their alerts, where they are at hand.
    Desks and roles that a feed names like an official are no persons. `con`: a connection of `Record.connect`.
    """
    chosen = [one for one in signals if one.grain == grain and _valid(one, as_of)]
    if not chosen:
        return SHOWN.empty_table()
    con.register("office_of_unit", offices(con, as_of, grain))
    try:
        # rules that look back further than the year rest on findings alone
        with within_year(con, as_of, None, calendar, alerts=alerts, year=year) as over:
            found = over.select(_select(chosen, as_of), last=year is None)
    finally:
        con.unregister("office_of_unit")
    persons = pa.array([grain == "unit" or not is_desk(key) for key in found["key"].to_pylist()], pa.bool_())
    return found.filter(persons).cast(SHOWN)


def _valid(signal: HeldSignal, as_of: datetime) -> bool:
    begin = datetime.combine(signal.valid_from, time(), UTC)
    return begin <= as_of and (signal.valid_to is None or as_of < datetime.combine(signal.valid_to, time(), UTC))


def _select(signals: Sequence[HeldSignal], as_of: datetime) -> str:
    moment = naive_utc(as_of)
    chances = " UNION ALL ".join(
        f"SELECT {order} AS signal_no, key, unit_code, procedure_code, chance_at, coalesce(hit, false) AS hit FROM "
        f"({signal.text().replace('$begin', _moment(moment - signal.back))})"
        for order, signal in enumerate(signals)
    )
    bounds = ", ".join(
        f"({order}, '{one.name}', {one.threshold or 0}, {one.least}, {_or_null(one.clearly)}, {_or_null(one.rarely)})"
        for order, one in enumerate(signals)
    )
    return f"""
        WITH chance AS ({chances}), {against_peers("chance")}
        SELECT s.key, s.unit_code, t.name AS signal, s.k AS value, s.n, s.expected, s.low, s.high
        FROM beside_peers s
        JOIN (VALUES {bounds}) t(signal_no, name, threshold, least, clearly, rarely) USING (signal_no)
        WHERE s.k >= t.threshold AND s.n >= t.least
          AND (t.clearly IS NULL OR (s.expected IS NOT NULL AND coalesce(s.low > t.clearly, true)))
          AND (t.rarely IS NULL OR coalesce(s.high < t.rarely, false))
        ORDER BY s.key, s.signal_no"""


def _or_null(number: float | None) -> str:
    return "NULL" if number is None else str(number)


def _moment(moment: datetime) -> str:
    return f"TIMESTAMP '{moment.isoformat(' ')}'"
