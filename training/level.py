"""Estimating how far a model's scores are off at present (`models.level`), on outcomes known by then.

Of the weekly landmarks of the last half year those whose promise has passed. Wide before narrow: all, stage of the
term, sector, unit; each group's offset takes its mean score to its late rate, shrunk to what the wider offsets already
say (`features.shrinkage`). Rows count alike, as they do on the list, where who lies long stands often and is often
late; together they are as much evidence as there are dossiers. Window and prior were chosen on seven drawn provinces
that the card does not judge (`models/cards/level.md`). Of dossiers seen since the training, how long they took moves
the interval of the time to the end (`training.remaining_time.followed_ends`), told of the scores at their new level.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from features.calendar.working_time import PLAIN_WEEK, Calendar
from features.record.record import Record
from features.shrinkage import shrunk
from models.cases import landmarks
from models.encoding import column_of_text
from models.level import KEYS, MOST, STAGE, LevelCorrection
from models.risk_model import RiskModel
from training.remaining_time import followed_ends, gather_open
from training.sample import Sample
from training.training_set import WEEK, labelled_rows

WINDOW = timedelta(weeks=26)
RECENT = timedelta(weeks=13)
"""Of how long the interval of the time to the end follows what was seen; chosen inside the training periods of three
public sets (`models/cards/remaining_time.md`)."""
PRIOR = 60.0
"""Dossiers that count for the wider offset in each group."""
LEAST = 100
"""Rows that it takes to say anything."""


def estimate(
    record: Record, model: RiskModel, sha256: str, as_of: datetime, calendar: Calendar = PLAIN_WEEK
) -> LevelCorrection | None:
    """The level of `model`, told without offsets, as known at `as_of`; None where too little has ripened.

    ValueError for a model that was packaged before offsets had a place in it.
    """
    if not model.encoder.levels:
        raise ValueError("wanted a champion that has room for offsets, came an older one; train and promote again")
    con = record.connect(cutoff=as_of)
    sample = labelled_rows(con, landmarks(con, as_of - WINDOW, as_of, every=WEEK), as_of, calendar)
    if len(sample) < LEAST:
        return None
    found = level_of(model, sample, sha256, as_of)
    since = learnt_until(model)
    if model.remaining is None or since is None or since >= as_of:
        return found
    opened = gather_open(con, as_of, calendar, since=max(since, as_of - RECENT))
    return replace(found, ends=followed_ends(found.applied(model), opened))


def learnt_until(model: RiskModel) -> datetime | None:
    """The cutoff of the model's training; None where it does not say."""
    cutoff = model.about.get("cutoff")
    return None if cutoff is None else datetime.fromisoformat(str(cutoff))


def level_of(model: RiskModel, sample: Sample, sha256: str, as_of: datetime) -> LevelCorrection:
    """The level of a model by ripe rows of open dossiers."""
    x = model.encoder.encode(sample.matrix)
    z = model.log_odds(x)
    n = len(np.unique(sample.dossier))
    weight = np.full(len(sample), n / len(sample))
    base = _offset(z, sample.label, weight)
    score = float(expit(z).mean())
    z = z + base
    offsets = {}
    for key in KEYS:
        values = model.encoder.stage(x).astype(str) if key == STAGE else column_of_text(sample.matrix, key).astype(str)
        names, inverse = np.unique(values, return_inverse=True)
        each = np.array([_offset(z[inverse == at], sample.label[inverse == at], weight[inverse == at])
                         for at in range(len(names))])  # fmt: skip
        offsets[key] = dict(zip(names.tolist(), each.tolist(), strict=True))
        z = z + each[inverse]
    return LevelCorrection(sha256, as_of, n, score, float(sample.label.mean()), base, offsets)


def _offset(z: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    """What takes the mean score of a group to its late rate, shrunk to that mean; at most `MOST` either way."""
    said = float(np.average(expit(z), weights=weight))
    wanted = float(shrunk(float(weight @ label), float(weight.sum()), said, PRIOR))

    def over(offset: float) -> float:
        return float(np.average(expit(z + offset), weights=weight)) - wanted

    if over(-MOST) >= 0 or over(MOST) <= 0:
        return -MOST if over(-MOST) >= 0 else MOST
    return float(brentq(over, -MOST, MOST, xtol=1e-9))
