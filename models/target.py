"""What is predicted: a target is a cohort, a horizon and a label, in words and in SQL, with its law.

A case is one dossier as of one moment. Tables of cases have the columns `dossier_id` (string) and `as_of`
(timestamp[us, UTC]). Nothing here reads the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

CASES = pa.schema([("dossier_id", pa.string()), ("as_of", pa.timestamp("us", "UTC"))])

Cohort = Callable[[duckdb.DuckDBPyConnection, datetime], pa.Table]
Labels = Callable[[duckdb.DuckDBPyConnection, pa.Table, datetime], pa.Table]


@dataclass(frozen=True)
class Target:
    """A question about a case whose answer comes later.

    `cohort(con, as_of)` names the cases that can be asked about at a moment. `labels(con, cases, cutoff)`
    gives the cases in their order with `label` (double: 1 yes, 0 no, null where the horizon has not passed at
    the cutoff) and `due_at`, the end of each horizon. `con` is a connection of the record
    (`features.record.record.Record.connect`) restricted to what was known at the cutoff.
    """

    name: str
    words_vi: str
    words_en: str
    horizon: str
    law: str
    cohort: Cohort
    labels: Labels
