"""What `risk rolling` stored beside the models: figures at each origin and calibration bands. Only read here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

Interval = tuple[float, float, float]
PRODUCT, RULE = "product", "best rule"


@dataclass(frozen=True)
class Band:
    """Dossiers of like score: mean score, the share that was late, how many."""

    predicted: float
    observed: float
    n: int


@dataclass(frozen=True)
class OriginLine:
    """One origin: learnt until `cutoff`, judged on what came until `until`.

    product, rule: figure → (value, low, high), undefined ones left out. bands: calibration of the product.
    """

    cutoff: datetime
    until: datetime
    n: int
    late: float
    product: Mapping[str, Interval]
    rule: Mapping[str, Interval]
    bands: Sequence[Band]


def read_rolling(models: Path, target: str) -> list[OriginLine]:
    """The origins of the latest rolling backtest of a target, oldest first; none without a readable file."""
    try:
        return [_origin(entry) for entry in json.loads((models / target / "rolling.json").read_text("utf-8"))]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def bands_of(curve: Sequence[Sequence[Any]]) -> list[Band]:
    """Bands from (mean score, late rate, n), as training writes them."""
    return [Band(float(predicted), float(observed), int(n)) for predicted, observed, n in curve]


def _origin(entry: Mapping[str, Any]) -> OriginLine:
    return OriginLine(
        datetime.fromisoformat(entry["cutoff"]), datetime.fromisoformat(entry["until"]), int(entry["n"]),
        float(entry["late"]), _figures(entry["figures"][PRODUCT]), _figures(entry["figures"][RULE]),
        bands_of(entry["curve"]),
    )  # fmt: skip


def _figures(intervals: Mapping[str, Sequence[float | None]]) -> dict[str, Interval]:
    return {
        name: (float(value), float(low), float(high))
        for name, (value, low, high) in intervals.items()
        if value is not None and low is not None and high is not None
    }
