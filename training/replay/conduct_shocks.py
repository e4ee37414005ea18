"""What must not move the finding model: a team that turns strict, and labels of one team turned over."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb
import numpy as np
import pyarrow as pa
from scipy.stats import rankdata

from models import finding_matrix
from models.encoding import column_of_numbers
from models.lateness import cohort
from training import finding
from training.evaluate import Ranked
from training.finding import Cases, LearntFinding
from training.replay.conduct_worlds import AS_OF, Made
from training.suspect_labels import mended, suspects

TURNED = 0.05
"""Share of one team's labels that is turned over."""


@dataclass(frozen=True)
class Flipped:
    """Average precision on the random share, by true labels: before, with turned labels, and with these mended.

    named: whether the team was named. alarms: teams named before any label was turned. teams: how many there are.
    """

    before: float
    turned: float
    mended: float
    named: bool
    alarms: int
    teams: int


def flipped(cases: Cases, learnt: LearntFinding, seed: int) -> Flipped:
    """Turns over 5 % of the labels of one team, drawn by the seed, and learns again. `learnt`: before that."""
    rng = np.random.default_rng(seed)
    team = int(rng.integers(len(cases.teams)))
    rows = np.flatnonzero(cases.team == team)
    turned = rng.choice(rows, round(TURNED * len(rows)), replace=False)
    label = cases.label.copy()
    label[turned] = 1.0 - label[turned]
    elsewhere, usual = finding.by_other_teams(replace(cases, label=label))
    named = suspects(label, elsewhere, cases.team, cases.teams)
    healed = mended(label, elsewhere, cases.team, cases.teams, named, usual)
    return Flipped(
        learnt.figures["model"].value,
        _precision(cases, label),
        _precision(cases, healed),
        cases.teams[team] in [one.team for one in named],
        len(learnt.suspects),
        len(cases.teams),
    )


def _precision(true: Cases, label: np.ndarray) -> float:
    """Average precision on the random share, by true labels, of models that learnt `label`."""
    risk = finding.forward(replace(true, label=label))
    judged = true.random & ~np.isnan(risk)
    return Ranked.of(true.label[judged], risk[judged]).average_precision(true.weight[judged])


def strict_team(made: Made, con: duckdb.DuckDBPyConnection, cases: Cases) -> tuple[float, float]:
    """How far ranks of a team's officials move when it turns from the laxest into a strict one, and by chance.

    Mean shift of rank, as a share of all officials (above zero: towards the top), of the officials of its units,
    who are ranked by the mean risk of their open dossiers: with the strict team, and with the same teams pulling
    other dossiers. `con`, `cases`: the record as it was visited and what was learnt from it.
    """
    team, units = made.laxest()
    pool = cohort(con, AS_OF, overdue=True)
    before = _ranks(con, cases, pool)
    shifts = []
    for name, visits in (("strict", made.visited(strict=team)), ("again", made.visited("policy again"))):
        other = made.connect(visits, name)
        after = _ranks(other, finding.gather(other, AS_OF), pool)
        shifts.append(float(np.mean([after[key] - rank for key, rank in before.items() if key[1] in units])))
    return shifts[0], shifts[1]


def _ranks(con: duckdb.DuckDBPyConnection, cases: Cases, pool: pa.Table) -> dict[tuple[str, str], float]:
    """Rank of each (official, unit) by the mean risk of the open dossiers they hold, in (0, 1], the highest 1."""
    matrix, _ = finding_matrix.build(con, pool)
    x = np.column_stack([column_of_numbers(matrix, name) for name in finding_matrix.NUMBERS])
    grown = finding.boosters(cases, np.ones(len(cases.label), bool)).values()
    risk = np.mean([one.log_odds(x) for one in grown], axis=0)
    held: dict[tuple[str, str], list[float]] = {}
    for who, unit, one in zip(matrix["official_id"].to_pylist(), matrix["unit_code"].to_pylist(), risk, strict=True):
        if who is not None:
            held.setdefault((who, unit), []).append(float(one))
    ranks = rankdata([np.mean(all_risks) for all_risks in held.values()]) / len(held)
    return dict(zip(held, ranks.tolist(), strict=True))
