"""What the finding model sees of a dossier: its course, the signals that it shows, and what earlier visits found.

What people say of the dossier (complaints, ratings) is not among it: complaints are labels here, and a column that
tells of the label would only say it back. Nor is the team that comes: its severity is part of detection, not of risk.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.matrix import batch as matrix
from features.matrix.declaration import Grain
from features.signals import DOSSIER_SIGNALS, Signal, evaluate, finding_history
from features.signals.voice import VOICE

EXPLAINED = frozenset({"NO_APOLOGY", "LATE_APOLOGY", "ON_TIME_BY_DATE_ONLY", "PLACEHOLDER_ID", "SUBMITTED_COPIED",
                       "OTHER_CODE", "NO_DUE_DATE"})  # fmt: skip
"""Signals about being late or about the data, not about how a citizen was treated."""

SHOWN: tuple[Signal, ...] = tuple(signal for signal in DOSSIER_SIGNALS if signal.name not in EXPLAINED)
"""Signals by which a dossier is listed."""

_VOICES = frozenset(signal.name for signal in VOICE) | {"PAKN_STAFF"}
SEEN: tuple[Signal, ...] = tuple(signal for signal in SHOWN if signal.name not in _VOICES)
"""Signals that the model sees."""

COURSE = tuple(
    feature.name for feature in matrix.FEATURES if feature.grain is not Grain.RECORD and not feature.category
)
"""Numbers of the matrix; what follows the age of the record alone would only separate old cases from new ones."""

DECLARED = {feature.name: feature for feature in matrix.FEATURES}
SIGNALS = tuple(f"signal_{signal.name.lower()}" for signal in SEEN)
NUMBERS = (*COURSE, *SIGNALS, "signals_shown", *finding_history.COLUMNS)


def build(con: duckdb.DuckDBPyConnection, cases: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The matrix of `cases` (dossier_id, as_of: timestamp[us, UTC]) and the signals of `SHOWN` that they show.

    The matrix has one row a case, in order: dossier_id, as_of, unit_code, official_id (who holds it),
    procedure_code and the `NUMBERS`; the
    signals have one row a case and signal: nth (row of the case), signal.
    """
    course = matrix.build(con, cases, calendar=VIETNAM)
    shown = evaluate(con, cases, SHOWN, VIETNAM)
    row = {key: nth for nth, key in enumerate(zip(*_keys(cases), strict=True))}
    nth = np.array([row[key] for key in zip(*_keys(shown), strict=True)], np.int64)
    number = {signal.name: at for at, signal in enumerate(SEEN)}
    flags = np.zeros((cases.num_rows, len(SEEN)))
    for at, name in zip(nth, shown["signal"].to_pylist(), strict=True):
        if name in number:
            flags[at, number[name]] = 1.0
    past = finding_history.build(con, cases)
    table = course.select(["dossier_id", "as_of", "unit_code", "official_id", "procedure_code", *COURSE])
    for at, name in enumerate(SIGNALS):
        table = table.append_column(name, pa.array(flags[:, at]))
    table = table.append_column("signals_shown", pa.array(flags.sum(axis=1)))
    for name in finding_history.COLUMNS:
        table = table.append_column(name, past[name])
    return table, pa.table({"nth": nth, "signal": shown["signal"]})


def _keys(table: pa.Table) -> tuple[list[str], list[object]]:
    return table["dossier_id"].to_pylist(), table["as_of"].to_pylist()
