"""Working time left to the lawful promise, so that it is negative where, and only where, the dossier is overdue.

The lawful clock (`features.case_state.state`) runs out at the moment itself where no time was added to the promise, and
else once more has been worked than it allows. So in the evening of the due day, when nobody works, of two dossiers with
no working time left one is overdue, and the other is not.
"""

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import pyarrow as pa

from features.calendar.working_time import HOUR, Calendar, microseconds

JUST_PAST = -1 / HOUR
"""Hours left where a promise has passed and nobody has worked since."""


def hours_left(due_at: pa.ChunkedArray, overdue: pa.ChunkedArray, at: datetime, calendar: Calendar) -> np.ndarray:
    """Working hours [n] from `at` to each promise (UTC), NaN without one; `overdue` [n]: by the lawful clock."""
    rows = zip(due_at.cast(pa.int64()).to_pylist(), overdue.to_pylist(), strict=True)
    return np.array([np.nan if left is None else left for left in _left(rows, at, calendar)], float)


def hours_left_of(due_at: datetime | None, overdue: bool, at: datetime, calendar: Calendar) -> float | None:
    """The same of one dossier; None without a promise."""
    return _left([(None if due_at is None else microseconds(due_at), overdue)], at, calendar)[0]


def _left(rows: Iterable[tuple[int | None, bool]], at: datetime, calendar: Calendar) -> list[float | None]:
    now = calendar.worked(microseconds(at))
    left = [(None if due is None else (calendar.worked(due) - now) / HOUR, overdue) for due, overdue in rows]
    return [min(hours, JUST_PAST) if hours is not None and overdue else hours for hours, overdue in left]
