"""How far a model's scores are off at present, in log-odds: kept beside the champion until the next training.

Offices change between trainings, and scores that stay in order drift in level. Offsets for all, for the stage of the
term, the sector and the unit are estimated on outcomes known by then (`training.level`) and added to the log-odds: that
for all to the base, the others to the cell that they belong to, so what is told of a score still adds up to it.
The same outcomes say where the interval of the time to the end must begin and end to hold four in five.
`models/<target>/level.json` names the champion that it was estimated for; for another model it says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from models.encoding import LevelOffsets
from models.pointers import replace_file
from models.risk_model import RiskModel

FILE = "level.json"
STAGE = ""
"""Key of the offsets by stage, whose values are the stages' numbers."""
KEYS = (STAGE, "sector_code", "unit_code")
"""What has offsets of its own, from wide to narrow."""
MOST = 1.5
"""No single offset is larger, in log-odds: what is farther off wants a training."""
NARROWEST = (0.4, 0.6)
"""Shares of dossiers ended between which no interval begins or ends."""


@dataclass(frozen=True)
class LevelCorrection:
    """Offsets estimated at `as_of` for the model whose manifest has the hash `sha256`.

    `base`: of all; `offsets`: by key of `KEYS`, value to log-odds. `dossiers`: behind them; `score`, `late`: their mean
    score before, and their late share. `ends`: where the interval of the time to the end begins and ends, by group
    (`models.remaining_time.group_of`); none: as it was learnt.
    """

    sha256: str
    as_of: datetime
    dossiers: int
    score: float
    late: float
    base: float
    offsets: Mapping[str, Mapping[str, float]]
    ends: tuple[tuple[float, float], ...] = ()

    def applied(self, model: RiskModel) -> RiskModel:
        """The model with these offsets in place of any that it has; one without room for them stays as it is."""
        if not model.encoder.levels:
            return model
        levels = tuple(LevelOffsets(level.key, self.offsets.get(level.key, {})) for level in model.encoder.levels)
        encoder = replace(model.encoder, levels=levels)
        remaining = model.remaining and replace(model.remaining, ends=self.ends)
        return replace(model, intercept=model.intercept + self.base, encoder=encoder, remaining=remaining)


def write(folder: Path, level: LevelCorrection) -> Path:
    """Puts the offsets beside the model pointers in one step; gives the file."""
    replace_file(folder, FILE, {**asdict(level), "as_of": level.as_of.isoformat()})
    return folder / FILE


def read(folder: Path, sha256: str) -> LevelCorrection | None:
    """The offsets that stand for the model of that hash; None where there are none. ValueError for a damaged file."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
        level = LevelCorrection(
            str(document["sha256"]),
            datetime.fromisoformat(document["as_of"]),
            int(document["dossiers"]),
            float(document["score"]),
            float(document["late"]),
            _bounded(document["base"]),
            {key: {str(value): _bounded(one) for value, one in document["offsets"][key].items()} for key in KEYS},
            tuple(_interval(*pair) for pair in document.get("ends", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{FILE}: wanted offsets of the level, came something else; run: risk level") from error
    return level if level.sha256 == sha256 else None


def _interval(begin: Any, end: Any) -> tuple[float, float]:
    low, high = float(begin), float(end)
    if not (0 < low <= NARROWEST[0] and NARROWEST[1] <= high < 1):
        raise ValueError(f"wanted an interval that begins up to {NARROWEST[0]} and ends from {NARROWEST[1]}, came less")
    return low, high


def _bounded(value: Any) -> float:
    number = float(value)
    if not np.isfinite(number) or abs(number) > MOST:
        raise ValueError(f"wanted an offset of at most {MOST}, came {number}")
    return number
