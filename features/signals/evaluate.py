"""Which signals each case shows, for many dossiers at many moments."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from functools import partial

import duckdb
import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import Calendar
from features.signals.conduct_of_dossier import CONDUCT_OF_DOSSIER
from features.signals.handling import HANDLING
from features.signals.integrity import INTEGRITY
from features.signals.over_cases import More, over_cases
from features.signals.signal import Signal
from features.signals.voice import VOICE

DOSSIER_SIGNALS: tuple[Signal, ...] = (*INTEGRITY, *CONDUCT_OF_DOSSIER, *HANDLING, *VOICE)
"""Every signal of the grain `dossier`, in the order in which answers list them."""

SIGNAL_SHOWN = "signal_shown"


def evaluate(
    con: duckdb.DuckDBPyConnection,
    cases: pa.Table,
    signals: Sequence[Signal] = DOSSIER_SIGNALS,
    calendar: Calendar = VIETNAM,
) -> pa.Table:
    """The signals that `cases` (dossier_id: string, as_of: timestamp[us, UTC]) show.

    `con`: a connection of `Record.connect`. One row a case and signal that holds: dossier_id, as_of, signal, value
    (double), in the order of cases, then of `signals`. A rule applies to moments within its validity.
    """
    rows = over_cases(con, cases, calendar, f"FROM {SIGNAL_SHOWN} ORDER BY case_no, signal_order", of_signals(signals))
    taken = rows["case_no"]
    return pa.table({
        "dossier_id": cases["dossier_id"].take(taken), "as_of": cases["as_of"].take(taken),
        "signal": rows["signal"], "value": rows["value"],
    })  # fmt: skip


def of_signals(signals: Sequence[Signal]) -> More:
    """The relation `signal_shown`: case_no, signal_order, signal, value, one row a case and signal that holds."""
    return partial(_of_signals, signals)


def _of_signals(signals: Sequence[Signal], spans: int) -> Mapping[str, str]:
    # each signal by itself: planning grows faster than the statement
    each = {
        f"{SIGNAL_SHOWN}_{order}": (
            f"SELECT s.case_no, {order} AS signal_order, '{signal.name}' AS signal, CAST(s.value AS DOUBLE) AS value "
            f"FROM ({signal.text()}) s JOIN cases_in c ON c.case_no = s.case_no WHERE {_valid(signal)}"
        )
        for order, signal in enumerate(signals)
    }
    return {**each, SIGNAL_SHOWN: " UNION ALL ".join(f"FROM {name}" for name in each)}


def _valid(signal: Signal) -> str:
    """SQL for "the rule holds at the case's moment"."""
    begin = datetime.combine(signal.valid_from, time(), UTC).replace(tzinfo=None)
    bounds = [f"c.as_of >= TIMESTAMP '{begin.isoformat(' ')}'"]
    if signal.valid_to is not None:
        end = datetime.combine(signal.valid_to, time(), UTC).replace(tzinfo=None)
        bounds.append(f"c.as_of < TIMESTAMP '{end.isoformat(' ')}'")
    return " AND ".join(bounds)
