"""Which officials, units, heads and agents show a signal, held against their peers, as known at a moment.

Who the peers are, `features.signals.peers` tells.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time

import duckdb
import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import Calendar
from features.case_state import custody
from features.record.utc import naive_utc
from features.signals.accounts import ACCOUNTS, of_accounts
from features.signals.hands import YEAR, lately, of_stays
from features.signals.head import HEAD, of_heads
from features.signals.held_again import HELD_AGAIN, of_agents
from features.signals.held_late import HELD_LATE
from features.signals.held_office import HELD_OFFICE
from features.signals.held_voice import HELD_VOICE, of_voices
from features.signals.over_cases import over_cases
from features.signals.peers import against_peers, offices
from features.signals.signal import Grain, HeldSignal
from features.spelling.names import is_desk

HELD_SIGNALS: tuple[HeldSignal, ...] = (*HELD_LATE, *HELD_AGAIN, *HELD_OFFICE, *HELD_VOICE, *ACCOUNTS, *HEAD)
"""Every signal about an official, a unit, a head or an agent, in the order in which answers list them."""

ALERT = pa.schema([
    ("unit_code", pa.string()), ("sent_at", pa.timestamp("us", "UTC")), ("acknowledged_at", pa.timestamp("us", "UTC")),
])  # fmt: skip
"""Alerts sent to heads, which the service keeps, not the record."""

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
) -> pa.Table:
    """The signals of a grain that hold at `as_of`: one row a key and signal, by key, then in the order of `signals`.

    Columns key (an official, unit or agent), unit_code (where it stood last), signal, value (hits), n (chances),
    expected (hits that peers would have; null where there are none), low and high (95 % interval of value ÷
    expected). Only what was known before `as_of` counts; a rule applies within its validity. `alerts`: a table of
    `ALERT`. Desks and roles that a feed names like an official are no persons. `con`: a connection of `Record.connect`.
    """
    chosen = [one for one in signals if one.grain == grain and _valid(one, as_of)]
    if not chosen:
        return SHOWN.empty_table()
    sent = (alerts if alerts is not None else ALERT.empty_table()).select(ALERT.names).cast(ALERT)
    custody.attach(con, [as_of])
    con.register("alert_told", sent)
    con.register("office_of_unit", offices(con, as_of, grain))
    try:
        cases = lately(con, as_of, naive_utc(as_of - YEAR))  # rules that look back further rest on findings alone
        more = of_stays(as_of), of_agents, of_accounts, of_heads, _of_alerts, of_voices
        found = over_cases(con, cases, calendar, _select(chosen, as_of), *more)
    finally:
        con.unregister("alert_told")
        con.unregister("office_of_unit")
    persons = pa.array([grain == "unit" or not is_desk(key) for key in found["key"].to_pylist()], pa.bool_())
    return found.filter(persons).cast(SHOWN)


def _of_alerts(spans: int) -> Mapping[str, str]:
    return {
        "alerted": """
            SELECT m.as_of, a.unit_code, timezone('UTC', a.sent_at) AS sent_at,
                   CASE WHEN timezone('UTC', a.acknowledged_at) < m.as_of
                        THEN timezone('UTC', a.acknowledged_at) END AS acknowledged_at
            FROM alert_told a JOIN as_of_clock m ON timezone('UTC', a.sent_at) < m.as_of"""
    }


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
