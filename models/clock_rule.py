"""The rule that stands in when no model can be trusted: time left against the time usually needed from here.

    odds of being late = usual working hours left from this step / working hours left to the promise

It needs no training and is a sum in log-odds, so its score and reasons add up like any model's. What it says
is marked "quy tắc" wherever it is shown.
"""

from __future__ import annotations

import numpy as np

from models.encoding import Encoder
from models.risk_model import RiskModel

LEFT = "hours_left"
USUAL = "procedure_step_left_hours"
LEAST, MOST = 0.5, 4000.0
"""Working hours between which both times are kept: half an hour, two years."""


class ClockMember:
    """Log-odds `ln(usual) - ln(left)` from the columns (left, usual); 0 where either is not known."""

    kind = "clock"

    def log_odds(self, x: np.ndarray) -> np.ndarray:
        """Log-odds [n] of rows [n × 2]."""
        summed: np.ndarray = self.contributions(x)[1].sum(axis=1)
        return summed

    def contributions(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Base log-odds 0 and what each cell adds [n × 2]; a dossier with as much time as usual scores one half."""
        logs = np.log(np.clip(x, LEAST, MOST))
        return 0.0, np.where(np.isnan(x).any(axis=1, keepdims=True), 0.0, logs * [-1.0, 1.0])


def clock_rule(target: str) -> RiskModel:
    """The rule as a model of `target`; its `about` says that nothing was learnt."""
    return RiskModel(
        target=target,
        encoder=Encoder(numbers=(LEFT, USUAL), rates=()),
        members={"clock": ClockMember()},
        weights={"clock": 1.0},
        intercept=0.0,
        slope=1.0,
        rule="clock",
        about={"rule": "time left against the usual time left from this step; not trained"},
    )
