"""What a replay works with: an inspectorate that reveals findings, and ways of choosing whom it visits."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tests.bench.replay.reorder import Floats, Ints


class Inspectorate(Protocol):
    """What reveals findings: the made-up province's, or any history where all outcomes are known."""

    def months(self) -> list[date]:
        """First days of the cycles."""

    def eligible(self, month: date) -> pa.Table:
        """What can be pulled: dossier_id, unit_code, official_id."""

    def visit(self, month: date, chosen: pa.Table) -> dict[str, pa.Table]:
        """Canonical inspection and finding rows of the dossiers chosen."""


class Chosen(Protocol):
    """A policy's choice: positions, the probability of every item, and which positions fell to chance."""

    @property
    def rows(self) -> Ints:
        """Positions of the chosen, [budget]."""

    @property
    def probability(self) -> Floats:
        """Probability of every item of the pool, [n]."""

    @property
    def by_chance(self) -> npt.NDArray[np.bool_]:
        """Which of the chosen fell to the random share, [budget]."""


class Policy(Protocol):
    """A way of choosing `budget` of a pool by utility; groups: the unit of each."""

    @property
    def name(self) -> str:
        """What the way is called in reports."""

    def choose(self, utility: Floats, groups: Ints, names: Sequence[str], budget: int, seed: str) -> Chosen:
        """The choice; the same arguments give the same."""
