"""Working time and local days of whole arrays of moments, for the references."""

import numpy as np

from features.calendar.working_time import DAY as DAY
from features.calendar.working_time import PLAIN_WEEK

_DAYS = PLAIN_WEEK.relation()
_FIRST = _DAYS["day"][0].as_py()
_COLUMNS = {name: _DAYS[name].to_numpy() for name in _DAYS.column_names if name != "break_w"}
_SPANS = sum(name.startswith("end_") for name in _COLUMNS)


def worked(moments: np.ndarray) -> np.ndarray:
    """Microseconds worked before each moment (microseconds since 1970)."""
    place, offset = moments // DAY - _FIRST, moments % DAY
    total = _COLUMNS["worked_before"][place]
    for k in range(_SPANS):
        total = total + np.clip(
            np.minimum(offset, _COLUMNS[f"end_{k}"][place]) - _COLUMNS[f"start_{k}"][place], 0, None
        )
    return np.asarray(total)


def local_day(moments: np.ndarray) -> np.ndarray:
    """The local day (days since 1970) of each moment."""
    place, offset = moments // DAY - _FIRST, moments % DAY
    days: np.ndarray = _COLUMNS["local_day"][place] + (offset >= _COLUMNS["midnight"][place])
    return days
