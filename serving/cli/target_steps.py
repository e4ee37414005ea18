"""What the commands train, backtest, promote, score and export ask of a target."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from serving.settings import Settings

Say = Callable[[str], None]
"""Takes one line of progress for the person at the terminal."""


@dataclass(frozen=True)
class Backtest:
    """What a backtest was asked for; a target refuses what it does not know.

    cutoff: the model learns from what was known before it. until: last moment scored and judged. every:
    distance of landmarks; at_arrival: at each dossier's own arrival instead. grain, tier, horizon: which
    things are scored, which label counts, how far ahead (conduct). out: Parquet file to
    write.
    """

    cutoff: datetime
    out: Path
    until: datetime | None = None
    every: timedelta | None = None
    at_arrival: bool = False
    grain: str | None = None
    tier: str | None = None
    horizon: timedelta | None = None


class TargetSteps(Protocol):
    """The steps of one target. Each returns a line that says what came of it."""

    def train(self, settings: Settings, cutoff: datetime, say: Say, by: str | None = None) -> str:
        """Learns from what was known before `cutoff`; the result stands as candidate, trained by `by`."""

    def backtest(self, settings: Settings, asked: Backtest, say: Say) -> str:
        """Writes scores of a model of `asked.cutoff` beside the labels that came later."""

    def promote(self, settings: Settings, because: str | None, say: Say, by: str | None = None) -> str:
        """Makes the candidate champion when its gates hold, or `because` a person says so; raises ValueError else."""

    def rollback(
        self, settings: Settings, because: str | None, say: Say, by: str | None = None, mlflow: bool = True
    ) -> str:
        """Makes the previous champion champion again; FileNotFoundError where there is none. `mlflow`: tells it too."""

    def log_later(self, settings: Settings) -> list[str]:
        """Tells MLflow of trainings that it could not be told of, and where the aliases stand; the runs' ids."""

    def ready(self, settings: Settings) -> bool:
        """Whether there is something to score with."""

    def score(self, settings: Settings, as_of: datetime, say: Say) -> str:
        """Scores all open cases as of `as_of` and makes them the latest list."""

    def export(self, settings: Settings, as_of: datetime, grain: str, out: Path) -> str:
        """Writes the scores of `as_of` to `out`, scoring first where that has not been done."""
