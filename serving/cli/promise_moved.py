"""The steps of the target promise_moved: those of the targets of dossiers, asked about what the office does."""

from functools import partial

from models.lateness import PROMISE_MOVED
from serving.cli import lateness

train = partial(lateness.train, target=PROMISE_MOVED.name)
backtest = partial(lateness.backtest, target=PROMISE_MOVED.name)
promote = partial(lateness.promote, target=PROMISE_MOVED.name)
ready = partial(lateness.ready, target=PROMISE_MOVED.name)
score = partial(lateness.score, target=PROMISE_MOVED.name)
export = partial(lateness.export, target=PROMISE_MOVED.name)
