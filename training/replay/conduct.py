"""Proof of the conduct list on made-up provinces, the only place where the truth is known; many seeds, with intervals.

Each seed draws two provinces of one year with the usual inspections (every unit once a month): one with planted
culprits, one with nobody planted. Officials are ranked by the signals charged to them against peers, beside two
simple rules: complaints of the past year, and the share of late dossiers among those handled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from features import complaint_history
from features.delivery import Chunk
from features.record import Record
from features.signals.handled import handled
from features.simulate import Province, simulate
from models.conduct_peers import Standing, officials

START, END = date(2025, 1, 1), date(2026, 1, 1)
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
LIST = 0.05
"""Share of officials that a list holds."""


@dataclass(frozen=True)
class Trial:
    """What one seed gave: recall and precision of the top of the list, flags and false ones; by order."""

    seed: int
    people: int
    culprits: int
    recall: dict[str, float]
    precision: dict[str, float]
    flags: int
    false_flags: int
    false_on_hard_cases: int
    flags_with_nobody_planted: int


def run(seeds: int, dossiers: int, say: Callable[[str], None]) -> Iterator[Trial]:
    """One trial a seed, told as it is done."""
    for seed in range(1, seeds + 1):
        planted = simulate(seed=seed, dossiers=dossiers, start=START, end=END)
        nobody = simulate(seed=seed, dossiers=dossiers, start=START, end=END, culprits=0)
        standings, orders = _orders(planted)
        truth = {row["official_id"]: row["culprit"] for row in planted.truth["official"].to_pylist()}
        hard = {row["official_id"] for row in planted.truth["official"].to_pylist() if row["hard"]}
        shown = [one.key for one in standings if one.score is not None]
        culprits = {key for key in shown if truth.get(key)}
        size = int(np.ceil(LIST * len(shown)))
        tops = {name: set(order[:size]) for name, order in orders.items()}
        trial = Trial(
            seed,
            len(shown),
            len(culprits),
            {name: len(top & culprits) / max(len(culprits), 1) for name, top in tops.items()},
            {name: len(top & culprits) / max(size, 1) for name, top in tops.items()},
            sum(one.flag for one in standings),
            sum(one.flag and not truth.get(one.key) for one in standings),
            sum(one.flag and not truth.get(one.key) and one.key in hard for one in standings),
            sum(one.flag for one in _orders(nobody)[0]),
        )
        say(f"seed {seed}: recall {trial.recall['signals']:.2f}, {trial.flags} flags, {trial.false_flags} false")
        yield trial


def card(trials: list[Trial]) -> str:
    """The figures over all seeds as Markdown, with 95 % bootstrap intervals over seeds."""
    lines = [
        "# Conduct on made-up provinces",
        "",
        (
            f"{len(trials)} seeds; one year each; officials with at least 20 dossiers:"
            f" {_mean([t.people for t in trials])}"
            f" a province, culprits among them {_mean([t.culprits for t in trials])}. The list holds the top"
            f" {LIST:.0%}. Intervals: 95 %, bootstrap over seeds."
        ),
        "",
        "| order | recall of culprits in the top 5 % | precision of the top 5 % |",
        "|---|---|---|",
    ]
    for name in trials[0].recall:
        recall, precision = [t.recall[name] for t in trials], [t.precision[name] for t in trials]
        lines.append(f"| {name} | {_mean(recall)} | {_mean(precision)} |")
    for rule in list(trials[0].recall)[1:]:
        gain = [t.recall["signals"] - t.recall[rule] for t in trials]
        lines.append(f"| signals less {rule} | {_mean(gain)} | "
                     f"{_mean([t.precision['signals'] - t.precision[rule] for t in trials])} |")  # fmt: skip
    flags, false = sum(t.flags for t in trials), sum(t.false_flags for t in trials)
    alone = [t.flags_with_nobody_planted / t.people for t in trials]
    lines += [
        "",
        (
            f"Flags: {flags} in all, {false} of them on officials nobody was planted as"
            f" ({false / max(flags, 1):.0%}; promised: at most 10 %);"
            f" {sum(t.false_on_hard_cases for t in trials)} of these are honest officials planted with hard cases,"
            " whom signals alone cannot tell from culprits: a visit does."
        ),
        (
            f"With nobody planted: {sum(t.flags_with_nobody_planted for t in trials)} flags in all,"
            f" {_mean(alone)} of the officials."
        ),
        "",
    ]
    return "\n".join(lines)


def _orders(province: Province) -> tuple[list[Standing], dict[str, list[str]]]:
    with TemporaryDirectory() as folder:
        record = Record(Path(folder) / "record")
        chunks = [Chunk(name, table) for name, table in province.tables.items()]
        record.append(chunks, source="simulated", arrived_at=datetime(2026, 1, 2, tzinfo=UTC))
        con = record.connect()
        acted = handled(con, AS_OF)
        position = {row["official_id"]: row["position"] or "" for row in province.tables["official"].to_pylist()}
        standings = officials(acted, position)
        history = complaint_history.build(con, [AS_OF])
        late = con.sql(
            "SELECT e.official_id, count(DISTINCT e.dossier_id) FILTER (x.late) / count(DISTINCT e.dossier_id) AS share"
            " FROM event e JOIN (SELECT d.dossier_id, coalesce(min(n.happened_at) > any_value(d.due_at), false) AS late"
            "   FROM dossier d LEFT JOIN event n ON n.dossier_id = d.dossier_id AND n.kind IN ('decided', 'refused')"
            "   GROUP BY d.dossier_id) x USING (dossier_id) WHERE e.official_id IS NOT NULL GROUP BY e.official_id"
        ).fetchall()
        con.close()
    shown = [one.key for one in standings if one.score is not None]
    reported = dict(zip(history["official_id"].to_pylist(), history["reported_365d"].to_pylist(), strict=True))
    share = dict(late)
    return standings, {
        "signals": shown,
        "past complaints": sorted(shown, key=lambda key: (-reported.get(key, 0), key)),
        "late share": sorted(shown, key=lambda key: (-share.get(key, 0), key)),
    }


def _mean(values: list[float] | list[int]) -> str:
    told = np.asarray(values, float)
    random = np.random.default_rng(0)
    draws = told[random.integers(0, len(told), (2000, len(told)))].mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{told.mean():.3g} ({low:.3g} to {high:.3g})"
