"""The watch after a scoring: does what is scored still look like what was learnt, and is the model still right?

Told are: drift of inputs, score and reasons (`training.drift`), the way that each sector's work goes
(`training.process_drift`), units that fell silent, and live figures on landmarks whose promise has passed. What warns
proposes a retrain to an analyst; it never trains or promotes. An alarm is raised once: what warned in the weeks before
is not news.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from features.calendar.working_time import PLAIN_WEEK, Calendar, microseconds
from features.matrix.batch import build
from features.record.record import Record
from features.record.utc import naive_utc
from models.cases import cohort, labels
from models.risk_model import RiskModel
from training.drift import Drift, silent_units
from training.drift import watch as drifts
from training.evaluate import Metric, with_intervals
from training.process_drift import Departure, departures
from training.training_set import drawn

QUIET = timedelta(weeks=4)
"""What warned within this time does not warn again."""
MOST_GAP = 0.05
"""A live score whose mean is off by more than this, with its whole interval, warns."""
OUTCOMES = ("score", "reasons")
MOST_OPEN = 12_000
"""Open dossiers whose inputs, scores and reasons are compared, about: as many as the window is known by."""
SHOWN = 5
NEWS_DAYS = 120
"""Days of news that show how often a unit usually sends."""


@dataclass(frozen=True)
class Live:
    """How scores that were given turned out: n matured landmarks, their age in days (median), figures, and the gap
    between mean score and late rate. `waiting`: scored landmarks whose promise has not passed."""

    n: int
    waiting: int
    age_days: float
    auc: Metric
    brier: Metric
    gap: Metric

    @property
    def warns(self) -> bool:
        """Whether scores are off by more than `MOST_GAP` beyond chance."""
        return self.gap.low > MOST_GAP or self.gap.high < -MOST_GAP


@dataclass(frozen=True)
class MonitoringReport:
    """What one watch found, as of a moment."""

    as_of: datetime
    open: int
    drift: tuple[Drift, ...]
    process: tuple[Departure, ...]
    silent: tuple[str, ...]
    live: Live | None

    def warnings(self) -> dict[str, str]:
        """Each warning by its name, in words."""
        found = {}
        inputs = [one for one in self.drift if one.warns and one.name not in OUTCOMES]
        if inputs:
            found["inputs"] = f"{len(inputs)} inputs moved: " + ", ".join(
                f"{one.name} by {one.value:.2f}, more than {one.threshold:.2f}" for one in inputs[:SHOWN]
            )
        for one in self.drift:
            if one.warns and one.name in OUTCOMES:
                found[one.name] = f"{one.name} moved by {one.value:.2f}, more than {one.threshold:.2f}"
        found |= {f"{one.kind} {one.sector}": f"{one.words}; {one.z:+.1f} deviations, bound {one.bound:.1f}"
                 for one in self.process if one.warns}  # fmt: skip
        for unit in self.silent:
            found[f"silence {unit}"] = f"unit {unit} sends nothing, for longer than ever: no data is not no risk"
        if self.live is not None and self.live.warns:
            found["live"] = f"mean score minus late rate {self.live.gap} on {self.live.n} matured landmarks"
        return found


def watch(
    record: Record,
    model: RiskModel,
    as_of: datetime,
    *,
    calendar: Calendar = PLAIN_WEEK,
    scored: pa.Table | None = None,
    matrix: pa.Table | None = None,
) -> MonitoringReport:
    """Everything that is watched, as known at `as_of`.

    `scored`: scores given so far (dossier_id, as_of, score), for live figures. `matrix`: rows of what is open, where
    they are at hand; of many `MOST_OPEN` are drawn. ValueError for a model that does not know its training window.
    """
    if "background" not in model.about:
        raise ValueError("wanted a champion that knows its training window; train and promote again")
    con = record.connect(cutoff=as_of)
    cases = cohort(con, as_of)
    if matrix is None:
        some = drawn(cases["dossier_id"], MOST_OPEN / max(cases.num_rows, 1))
        matrix = build(con, cases.filter(some), calendar=calendar)
    return MonitoringReport(
        as_of,
        cases.num_rows,
        tuple(drifts(model, matrix, model.about["background"])),
        tuple(departures(con, as_of, calendar)),
        tuple(silence(con, as_of, calendar)),
        None if scored is None else live(con, scored, as_of),
    )


def news(found: Mapping[str, str], earlier: Sequence[tuple[datetime, Set[str]]], as_of: datetime) -> dict[str, str]:
    """The warnings that did not warn in the `QUIET` time before; `earlier`: names of earlier warnings, by moment."""
    lately = set().union(*(names for at, names in earlier if as_of - QUIET <= at < as_of))
    return {name: words for name, words in found.items() if name not in lately}


def silence(con: duckdb.DuckDBPyConnection, as_of: datetime, calendar: Calendar) -> list[str]:
    """Units whose news stopped: none for much longer than their longest gap of the last months, in working hours."""
    naive = naive_utc(as_of)
    rows = con.sql(
        """
        SELECT d.unit_code, EPOCH_US(date_trunc('hour', n.known_at)) AS moment FROM (
            SELECT dossier_id, known_at FROM dossier UNION ALL SELECT dossier_id, known_at FROM event) n
        JOIN (SELECT dossier_id, any_value(unit_code) AS unit_code FROM dossier GROUP BY dossier_id) d
             USING (dossier_id)
        WHERE n.known_at >= $start AND n.known_at < $as_of AND d.unit_code IS NOT NULL
        GROUP BY ALL ORDER BY ALL
        """,
        params={"start": naive - timedelta(days=NEWS_DAYS), "as_of": naive},
    ).fetchall()
    moments_of: dict[str, list[float]] = {}
    for unit, moment in rows:
        moments_of.setdefault(unit, []).append(calendar.worked(int(moment)) / 3.6e9)
    return silent_units(moments_of, calendar.worked(microseconds(as_of)) / 3.6e9)


def live(con: duckdb.DuckDBPyConnection, scored: pa.Table, as_of: datetime) -> Live | None:
    """Figures of scores (dossier_id, as_of, score) whose promise has passed at `as_of`; None without 20 of each end."""
    labelled = labels(con, scored.select(["dossier_id", "as_of"]), as_of)
    label = labelled["label"].to_numpy(zero_copy_only=False).astype(float)
    ripe = ~np.isnan(label)
    score = scored["score"].to_numpy(zero_copy_only=False).astype(float)[ripe]
    label = label[ripe]
    if min((label == 1).sum(), (label == 0).sum()) < 20:
        return None
    _, dossier = np.unique(np.array(scored["dossier_id"].to_pylist())[ripe], return_inverse=True)
    alone, _ = with_intervals(label, {"live": score}, dossier, draws=200)
    moment = scored["as_of"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()[ripe]
    age = (microseconds(as_of) - np.median(moment)) / 8.64e10
    return Live(
        len(label), int((~ripe).sum()), float(age), alone["live"]["auc"], alone["live"]["brier"],
        _gap(label, score, dossier),
    )  # fmt: skip


def _gap(label: np.ndarray, score: np.ndarray, dossier: np.ndarray) -> Metric:
    from training.fairness import calibration_gap

    return calibration_gap(label, score, dossier, 300, np.random.default_rng(0))


def as_json(found: MonitoringReport) -> dict[str, Any]:
    """A watch as one line of `watch.jsonl`, for the analyst's page and for what is news next week."""
    one = found.live
    return {
        "as_of": found.as_of.isoformat(),
        "open": found.open,
        "warnings": found.warnings(),
        "live": None if one is None else {
            "n": one.n, "waiting": one.waiting, "age_days": one.age_days,
            **{name: [f.value, f.low, f.high] for name, f in
               (("auc", one.auc), ("brier", one.brier), ("gap", one.gap))},
        },
        "drift": {one.name: [one.value, one.threshold] for one in found.drift[:10]},
    }  # fmt: skip
