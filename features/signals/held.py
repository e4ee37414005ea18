"""Which officials, units, heads and agents show a signal, held against their peers, as known at a moment.

Peers are whoever had chances of the same kind: in the same procedure, quarter and office, as far as there are any.
From the wide to the narrow, the rate of all others is the first guess for the procedure, that of the procedure for
the quarter in it, that of the quarter for the office in it; each guess weighs as much as `PRIOR` chances. Nobody is
their own peer. An office is a family of units that took over one from another (`features.succession`), so a new
unit finds its peers in the one before and takes no blame from it; for units and heads it is the level.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time

import duckdb
import pyarrow as pa

from features.calendar import Calendar
from features.signals.hands import lately, of_stays
from features.signals.head import HEAD, of_heads
from features.signals.held_again import HELD_AGAIN, of_agents
from features.signals.held_late import HELD_LATE
from features.signals.held_office import HELD_OFFICE
from features.signals.over_cases import over_cases
from features.signals.signal import Grain, HeldSignal
from features.succession import families
from features.vietnam_calendar import VIETNAM

HELD_SIGNALS: tuple[HeldSignal, ...] = (*HELD_LATE, *HELD_AGAIN, *HELD_OFFICE, *HEAD)
"""Every signal about an official, a unit, a head or an agent, in the order in which answers list them."""

PRIOR = 20
"""Chances that the wider circle's rate counts for in the narrower one."""

_Z = 1.96

ALERT = pa.schema([
    ("unit_code", pa.string()), ("sent_at", pa.timestamp("us", "UTC")), ("acknowledged_at", pa.timestamp("us", "UTC")),
])  # fmt: skip
"""Alerts sent to heads, which the service keeps, not the record."""


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
    `ALERT`. `con`: a connection of `Record.connect`.
    """
    chosen = [one for one in signals if one.grain == grain and _valid(one, as_of)]
    if not chosen:
        return _NOTHING.empty_table()
    told = (alerts if alerts is not None else ALERT.empty_table()).select(ALERT.names).cast(ALERT)
    con.register("alert_told", told)
    con.register("office_of_unit", _offices(con, as_of, grain))
    try:
        begin = as_of.astimezone(UTC).replace(tzinfo=None) - max(one.back for one in chosen)
        found = over_cases(
            con, lately(con, as_of, begin), calendar, _select(chosen, as_of), of_stays, of_agents, of_heads, _of_alerts
        )
    finally:
        con.unregister("alert_told")
        con.unregister("office_of_unit")
    return found.cast(_NOTHING)


_NOTHING = pa.schema([
    ("key", pa.string()), ("unit_code", pa.string()), ("signal", pa.string()), ("value", pa.int64()),
    ("n", pa.int64()), ("expected", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
])  # fmt: skip


def _of_alerts(spans: int) -> Mapping[str, str]:
    return {
        "alerted": """
            SELECT m.as_of, a.unit_code, timezone('UTC', a.sent_at) AS sent_at,
                   CASE WHEN timezone('UTC', a.acknowledged_at) < m.as_of
                        THEN timezone('UTC', a.acknowledged_at) END AS acknowledged_at
            FROM alert_told a JOIN as_of_clock m ON timezone('UTC', a.sent_at) < m.as_of"""
    }


def _offices(con: duckdb.DuckDBPyConnection, as_of: datetime, grain: Grain) -> pa.Table:
    """unit_code, office: whom a unit's people, or the unit itself, are held against first."""
    if grain in ("official", "agent"):
        office = families(con, as_of)
    else:
        rows = con.execute(
            "SELECT unit_code, arg_max(level, (known_at, row_id)) FROM unit WHERE known_at < ? GROUP BY unit_code",
            [as_of.astimezone(UTC).replace(tzinfo=None)],
        ).fetchall()
        office = {code: level or "other" for code, level in rows}
    return pa.table({
        "unit_code": pa.array(list(office), pa.string()), "office": pa.array(list(office.values()), pa.string())
    })  # fmt: skip


def _valid(signal: HeldSignal, as_of: datetime) -> bool:
    begin = datetime.combine(signal.valid_from, time(), UTC)
    return begin <= as_of and (signal.valid_to is None or as_of < datetime.combine(signal.valid_to, time(), UTC))


def _select(signals: Sequence[HeldSignal], as_of: datetime) -> str:
    moment = as_of.astimezone(UTC).replace(tzinfo=None)
    chances = " UNION ALL ".join(
        f"SELECT {order} AS signal_no, key, unit_code, procedure_code, chance_at, coalesce(hit, false) AS hit FROM "
        f"({signal.text().replace('$begin', _moment(moment - signal.back))})"
        for order, signal in enumerate(signals)
    )
    told = ", ".join(
        f"({order}, '{one.name}', {one.threshold or 0}, {one.least}, {'NULL' if one.clearly is None else one.clearly})"
        for order, one in enumerate(signals)
    )
    others = {
        name: f"PARTITION BY {by}"
        for name, by in {
            "all": "signal_no",
            "procedure": "signal_no, procedure_code",
            "quarter": "signal_no, procedure_code, quarter",
            "office": "signal_no, procedure_code, quarter, office",
        }.items()
    }
    sums = ", ".join(
        f"sum({what}) OVER ({by}) - sum({what}) OVER ({by}, key) AS {what}_{name}"
        for name, by in others.items()
        for what in ("n", "k")
    )
    # sums of fractions are ordered, so that the same record gives the same bits on any number of threads
    return f"""
        , cell AS (
            SELECT c.signal_no, c.key, c.procedure_code, coalesce(o.office, c.unit_code) AS office,
                   date_trunc('quarter', c.chance_at + INTERVAL 7 HOUR) AS quarter, count(*) AS n,
                   count(*) FILTER (c.hit) AS k
            FROM ({chances}) c LEFT JOIN office_of_unit o ON o.unit_code = c.unit_code GROUP BY ALL
        ), place AS (
            SELECT signal_no, key, arg_max(unit_code, (chance_at, unit_code)) AS unit_code FROM ({chances}) GROUP BY ALL
        ), beside AS (SELECT *, {sums} FROM cell),
        guess AS (
            SELECT *, (k_quarter + {PRIOR} * by_procedure) / (n_quarter + {PRIOR}) AS by_quarter FROM (
                SELECT *, (k_procedure + {PRIOR} * by_all) / (n_procedure + {PRIOR}) AS by_procedure FROM (
                    SELECT *, CASE WHEN n_all > 0 THEN k_all / n_all END AS by_all FROM beside))
        ), standing_of AS (
            SELECT signal_no, key, CAST(sum(n) AS BIGINT) AS n, CAST(sum(k) AS BIGINT) AS k,
                   sum(n * (k_office + {PRIOR} * by_quarter) / (n_office + {PRIOR})
                       ORDER BY procedure_code, quarter, office) AS expected
            FROM guess GROUP BY ALL
        ), shown AS (
            SELECT *, CASE WHEN k = 0 THEN 0 ELSE k * power(1 - 1 / (9 * k) - {_Z} / (3 * sqrt(k)), 3) END
                          / nullif(expected, 0) AS low,
                   (k + 1) * power(1 - 1 / (9 * (k + 1)) + {_Z} / (3 * sqrt(k + 1)), 3) / nullif(expected, 0) AS high
            FROM standing_of
        )
        SELECT s.key, p.unit_code, t.name AS signal, s.k AS value, s.n, s.expected, s.low, s.high
        FROM shown s JOIN place p USING (signal_no, key)
        JOIN (VALUES {told}) t(signal_no, name, threshold, least, clearly) USING (signal_no)
        WHERE s.k >= t.threshold AND s.n >= t.least
          AND (t.clearly IS NULL OR (s.expected IS NOT NULL AND coalesce(s.low > t.clearly, true)))
        ORDER BY s.key, s.signal_no"""


def _moment(moment: datetime) -> str:
    return f"TIMESTAMP '{moment.isoformat(' ')}'"
