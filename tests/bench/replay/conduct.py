"""Proof of the target conduct on made-up provinces, the only place where the truth is known: one trial a seed.

Each seed draws two provinces of one year: one with planted culprits, one with nobody planted. Every unit is visited
once a month, 20 dossiers a visit. Officials are ranked by the signals charged to them against peers, beside two
simple rules: complaints of the past year, and the share of late dossiers among those handled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pyarrow as pa

from features.complaints import history as complaint_history
from models.value import hajek
from tests.bench.replay.conduct_shocks import Flipped, Strict, flipped, strict_team
from tests.bench.replay.conduct_worlds import AS_OF, Made, prevalence, standings
from training import finding
from training.conduct_fairness import BY, groups_of
from training.evaluate import Metric

LIST = 0.05
"""Share of officials that a list holds."""


@dataclass(frozen=True)
class Ranked:
    """How the orders of officials did in one province: recall, precision and lift of the top, by order; and flags."""

    people: int
    culprits: int
    recall: dict[str, float]
    precision: dict[str, float]
    lift: dict[str, float]
    flags: int
    false_flags: int
    false_on_hard: int
    false_on_flooded: int


@dataclass(frozen=True)
class Trial:
    """What one seed gave. `nobody`: groups, score and flag of officials where nobody is planted (columns of
    `groups_of`, then score and flag). `found`: positives of the random share; `figures`: average precision of the
    finding model. `truth`, `estimate`: prevalence. `flip` and `strict`: None where the model has too few to learn.
    """

    seed: int
    planted: Ranked
    nobody: pa.Table
    found: int
    ships: str
    figures: dict[str, Metric]
    truth: float
    estimate: tuple[float, float, float]
    flip: Flipped | None
    strict: Strict | None


def run(seeds: range, dossiers: int, workers: int, say: Callable[[str], None]) -> Iterator[Trial]:
    """One trial a seed, each in a process of its own, told as it is done; in the order of the seeds."""
    if workers == 1:
        told = (trial(seed, dossiers) for seed in seeds)
        yield from _told(told, say)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(trial, seed, dossiers) for seed in seeds]
        done = list(_told((future.result() for future in as_completed(waiting)), say))
    yield from sorted(done, key=lambda one: one.seed)


def _told(trials: Iterator[Trial], say: Callable[[str], None]) -> Iterator[Trial]:
    for one in trials:
        say(f"seed {one.seed}: recall {one.planted.recall['signals']:.2f}, {one.planted.flags} flags,"
            f" {one.planted.false_flags} false; dossiers: {one.found} random findings, {one.ships}")  # fmt: skip
        yield one


def trial(seed: int, dossiers: int) -> Trial:
    """Everything of one seed."""
    with TemporaryDirectory() as folder:
        made = Made.of(seed, dossiers, Path(folder) / "planted")
        empty = Made.of(seed, dossiers, Path(folder) / "nobody", culprits=0)
        con = made.connect(made.visited())
        cases = finding.gather(con, AS_OF)
        learnt = finding.fitted(cases) if cases.found >= finding.FEWEST_FOUND else None
        truth, found, p = prevalence(made.province)
        estimate = hajek(found, p)
        return Trial(
            seed,
            ranked(con, made.province.truth["official"]),
            nobody(empty.connect()),
            cases.found,
            learnt.ships if learnt else "signals",
            learnt.figures if learnt else {},
            truth,
            (estimate.value, estimate.low, estimate.high),
            flipped(cases, learnt, seed) if learnt else None,
            strict_team(made, con, cases) if learnt else None,
        )


def ranked(con: duckdb.DuckDBPyConnection, truth: pa.Table) -> Ranked:
    """The orders of officials against the planted truth (`Province.truth["official"]`)."""
    told = standings(con)
    shown = [one.key for one in told if one.score is not None]
    rows = {row["official_id"]: row for row in truth.to_pylist()}
    culprits = {key for key in shown if rows[key]["culprit"]}
    size = int(np.ceil(LIST * len(shown)))
    tops = {name: set(order[:size]) for name, order in orders(con, shown).items()}
    precision = {name: len(top & culprits) / size for name, top in tops.items()}
    false = [rows[one.key] for one in told if one.flag and not rows[one.key]["culprit"]]
    return Ranked(
        len(shown),
        len(culprits),
        {name: len(top & culprits) / len(culprits) for name, top in tops.items()},
        precision,
        {name: share / (len(culprits) / len(shown)) for name, share in precision.items()},
        sum(one.flag for one in told),
        len(false),
        sum(row["hard"] for row in false),
        sum(row["flooded"] for row in false),
    )


def nobody(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Groups, score and flag of the officials of a province where nobody is planted."""
    told = [one for one in standings(con) if one.score is not None]
    groups = groups_of(con, AS_OF, [one.key for one in told]).select(["official_id", *BY])
    score = pa.array([one.score for one in told], pa.float64())
    return groups.append_column("score", score).append_column("flag", pa.array([one.flag for one in told]))


def orders(con: duckdb.DuckDBPyConnection, shown: list[str]) -> dict[str, list[str]]:
    """The officials `shown`, in the order of the signals, by each way of ranking them."""
    history = complaint_history.build(con, [AS_OF])
    reported = dict(zip(history["official_id"].to_pylist(), history["reported_365d"].to_pylist(), strict=True))
    late = dict(con.sql("""
        SELECT e.official_id, count(DISTINCT e.dossier_id) FILTER (x.late) / count(DISTINCT e.dossier_id)
        FROM event e JOIN (
            SELECT d.dossier_id, coalesce(min(n.happened_at) > any_value(d.due_at), false) AS late
            FROM dossier d LEFT JOIN event n ON n.dossier_id = d.dossier_id AND n.kind IN ('decided', 'refused')
            GROUP BY d.dossier_id) x USING (dossier_id)
        WHERE e.official_id IS NOT NULL GROUP BY e.official_id""").fetchall())  # fmt: skip
    return {
        "signals": shown,
        "past complaints": sorted(shown, key=lambda key: (-reported.get(key, 0), key)),
        "late share": sorted(shown, key=lambda key: (-late.get(key, 0), key)),
    }
