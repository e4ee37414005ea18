"""What a score would be with some of its cells back at what is usual: the effect of a sentence, by scoring again.

A number goes back to the median of the case's peers at training (`models.peer_medians`), a category to the common past
rate, and what names say to nothing. Other cells stay as they are, also those that are worked out from the same facts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from models.encoding import Encoder
from models.risk_model import Scores

AT_ONCE = 20_000
"""Changed rows that are scored at once."""

Usual = Callable[[str, int], float | None]
"""The usual value of a number for the peers of a row."""


def effects_of(scores: Scores, rows: Sequence[int], cells: Sequence[tuple[str, ...]], usual: Usual) -> np.ndarray:
    """Log-odds [m] that each row's score loses when its named cells go back to the usual; above 0 they raise it.

    Scores without their model (drawn by hand) give what the cells contribute.
    """
    if scores.model is None or scores.x is None:
        place = {name: at for at, name in enumerate(scores.features)}
        parts = [
            [scores.contributions[row, place[one]] for one in names] for row, names in zip(rows, cells, strict=True)
        ]
        return np.array([sum(part) for part in parts], float)
    columns = _Columns(scores.model.encoder)
    found = np.zeros(len(rows))
    for first in range(0, len(rows), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        at = np.array(rows[part], np.int64)
        x = scores.x[at].copy()
        for nth, (row, names) in enumerate(zip(rows[part], cells[part], strict=True)):
            for name in names:
                columns.put_back(x[nth], name, usual(name, row))
        found[part] = scores.log_odds[at] - scores.model.log_odds(x)
    return found


class _Columns:
    """The encoded columns that a matrix column stands in."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._of: dict[str, list[int]] = {}
        for column, source in enumerate(encoder.sources.tolist()):
            self._of.setdefault(encoder.features[source], []).append(column)

    def put_back(self, x: np.ndarray, name: str, usual: float | None) -> None:
        """Sets the columns of a matrix column to the usual in one encoded row [columns], in place."""
        encoder = self._encoder
        numbers, rates = len(encoder.numbers), len(encoder.rates)
        for column in self._of.get(name, ()):
            if column < numbers:
                x[column] = np.nan if usual is None else usual
            elif column < numbers + rates:
                x[column] = encoder.rates[column - numbers].prior
            elif encoder.stages is None or column < len(encoder.columns) - 1:
                x[column] = 0.0
            else:  # the stage that the usual number stands in
                x[column] = encoder.stages.encode_cell({name: usual})
