"""Floods of complaints on an official nobody complains about: what they move in the yearly forecast.

Where the record holds dossiers no complaint enters an official's figure. Where it holds complaints alone the
forecast ranks: here on a made-up record of five years, with complaints by Poisson, a few officials drawing many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np

from features.complaints import history as complaint_history
from features.record.delivery import Chunk
from features.record.record import Record
from models.official_events import REPORTED
from models.official_forecast import OfficialForecast
from training import official_forecast

OFFICIALS = 400
YEARS = 5
YEAR = timedelta(days=365)
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
LETTER = "Cán bộ này gây khó khăn, bắt người dân đi lại nhiều lần mà không nói rõ lý do"


@dataclass(frozen=True)
class Flood:
    """One flood, and by how much it moved the official's score and rank (share of all officials)."""

    words: str
    score: float
    rank: float


def floods(seed: int, officials: int) -> Iterator[Flood]:
    """Floods on `officials` officials, each alone: 500 by one person; 50 by five persons who sign one letter; and 50
    of that letter without a name.
    """
    rng = np.random.default_rng([seed, 500])
    begun = _at(YEARS * 365.0 + 400)
    people: list[dict[str, object]] = [
        {"official_id": f"o{n:03}", "unit_code": f"U{n % 20}", "valid_from": begun} for n in range(OFFICIALS)
    ]
    rate = rng.gamma(0.6, 0.5 / 0.6, OFFICIALS)
    usual = [
        _complaint(f"c{n}-{k}", n, rng.uniform(0, YEARS * 365), f"p{rng.integers(9_000)}")
        for n in range(OFFICIALS)
        for k in range(rng.poisson(rate[n] * YEARS))
    ]
    with TemporaryDirectory() as folder:
        con = _record(Path(folder) / "usual", people, usual)
        forecast = official_forecast.train(con, AS_OF, REPORTED, YEAR)
        before = _scores(con, forecast)
        for n in rng.choice(OFFICIALS, officials, replace=False).tolist():
            for words, sent in _sent(rng, n).items():
                con = _record(Path(folder) / f"{n}{words}", people, [*usual, *sent])
                after = _scores(con, forecast)
                key = f"o{n:03}"
                yield Flood(words, abs(after[key] - before[key]), abs(_rank(after, key) - _rank(before, key)))


def _sent(rng: np.random.Generator, official: int) -> dict[str, list[dict[str, object]]]:
    def day() -> float:
        return float(rng.uniform(1, 90))

    def signed(k: int) -> str:
        return f"{LETTER}, lần thứ {k}."

    return {
        "500 by one person": [_complaint(f"x{k}", official, day(), "one") for k in range(500)],
        "50 by five linked persons": [
            _complaint(f"y{k}", official, 5 * day(), f"five{k % 5}", signed(k)) for k in range(50)
        ],
        "50 of one letter without a name": [
            _complaint(f"z{k}", official, day(), None, signed(k)) for k in range(50)
        ],
    }  # fmt: skip


def _complaint(key: str, official: int, days: float, who: str | None, text: str | None = None) -> dict[str, object]:
    return {"complaint_id": key, "filed_at": _at(days), "official_id": f"o{official:03}",
            "unit_code": f"U{official % 20}", "complainant_id": who, "text": text}  # fmt: skip


def _at(days: float) -> str:
    return (AS_OF - timedelta(days=days)).isoformat()


def _record(
    folder: Path, people: list[dict[str, object]], complaints: list[dict[str, object]]
) -> duckdb.DuckDBPyConnection:
    record = Record(folder)
    chunks = [Chunk("official", people), Chunk("complaint", complaints)]
    record.append(chunks, source="simulated", arrived_at=AS_OF + timedelta(days=1))
    return record.connect()


def _scores(con: duckdb.DuckDBPyConnection, forecast: OfficialForecast) -> dict[str, float]:
    history = complaint_history.build(con, [AS_OF])
    return dict(zip(history["official_id"].to_pylist(), forecast.score(history).tolist(), strict=True))


def _rank(scores: dict[str, float], key: str) -> float:
    """Share of officials above `key`."""
    return sum(score > scores[key] for score in scores.values()) / len(scores)
