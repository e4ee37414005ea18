"""What a score would be with some of its cells back at what is usual: the effect of a sentence, by scoring again.

A number goes back to the median of the case's peers at training (`models.peer_medians`), a category to the common past
rate, and what names say to nothing. Other cells stay as they are, also those that are worked out from the same facts.
"""

from __future__ import annotations

import numpy as np

from models.encoding import Encoder
from models.risk_model import Scores
from models.tree_walk import Variants

NONE = -1
"""Stands for no cell."""


def effects_of(scores: Scores, rows: np.ndarray, cells: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Log-odds [m] that each row's score loses when its cells go back to the usual; above 0 they raise it.

    rows [m]: of the scores, rising; cells [k × m]: places among `scores.features`, or NONE; usual [n × features]: the
    usual numbers of every row's peers, NaN where none is known. Scores without their model (drawn by hand) give what
    the cells contribute.
    """
    if scores.model is None or scores.x is None:
        return np.asarray(sum(np.where(places == NONE, 0.0, scores.contributions[rows, places]) for places in cells))
    nth, columns, values = [], [], []
    for places in cells:
        for place in np.unique(places[places != NONE]).tolist():
            mine = np.flatnonzero(places == place)
            for column, back in _put_back(scores.model.encoder, place, usual[rows[mine], place]):
                nth.append(mine)
                columns.append(np.full(len(mine), column))
                values.append(back)
    if not nth:
        return np.zeros(len(rows))
    variants = Variants.of_cells(scores.x, rows, *map(np.concatenate, (nth, columns, values)))
    return np.asarray(scores.log_odds[rows] - scores.model.log_odds_of_variants(variants))


def _put_back(encoder: Encoder, place: int, usual: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The encoded columns of a matrix column with what they hold [m] where it is at the usual [m]."""
    numbers, rates = len(encoder.numbers), len(encoder.rates)
    found = []
    for column in np.flatnonzero(encoder.sources == place).tolist():
        if column < numbers:
            back = usual
        elif column < numbers + rates:
            back = np.full(len(usual), encoder.rates[column - numbers].prior)
        elif encoder.stages is None or column < len(encoder.columns) - 1:
            back = np.zeros(len(usual))
        else:  # the stage that the usual number stands in
            back = encoder.stages.of(usual)
        found.append((column, back))
    return found
