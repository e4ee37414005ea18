"""What must move neither ranks nor the finding model: a team that turns strict, labels of one team turned over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import pyarrow as pa
from scipy.stats import rankdata

from models import finding_matrix
from models.cases import cohort
from models.encoding import column_of_numbers
from tests.bench.replay.conduct_worlds import AS_OF, Made, standings
from training import finding
from training.evaluate import Ranked
from training.finding import Cases, LearntFinding
from training.suspect_labels import mended, suspects

TURNED = 0.05
"""Share of one team's labels that is turned over."""

AGAIN = 1000
"""By how much the seeds differ with which the same is learnt once more."""


@dataclass(frozen=True)
class Flipped:
    """Average precision on the random share, by true labels: before, with turned labels, and with these mended; and
    `again`: with the labels as they were, learnt with other random numbers.

    named: whether the team was named. alarms: teams named before any label was turned. teams: how many there are.
    """

    before: float
    turned: float
    mended: float
    again: float
    named: bool
    alarms: int
    teams: int


@dataclass(frozen=True)
class Strict:
    """How far ranks move, as a share of all officials, when the laxest team turns strict.

    listed: the furthest that any official moves on the list. model: mean shift (above zero: towards the top) of the
    officials of the team's units, were they ranked by the finding model's mean risk of their open dossiers.
    chance: the same shift when the teams stay as they are and pull other dossiers.
    """

    listed: float
    model: float
    chance: float


def flipped(cases: Cases, learnt: LearntFinding, seed: int, seeds: Sequence[int] = finding.SEEDS) -> Flipped:
    """Turns over 5 % of the labels of one team, drawn by the seed, and learns again. `learnt`: before that, with the
    same `seeds`.
    """
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
        _precision(cases, label, seeds),
        _precision(cases, healed, seeds),
        _precision(cases, cases.label, [AGAIN + one for one in seeds]),
        cases.teams[team] in [one.team for one in named],
        len(learnt.suspects),
        len(cases.teams),
    )


def _precision(true: Cases, label: np.ndarray, seeds: Sequence[int]) -> float:
    """Average precision on the random share, by true labels, of models that learnt `label`."""
    risk = finding.forward(replace(true, label=label), seeds)
    judged = true.random & ~np.isnan(risk)
    return Ranked.of(true.label[judged], risk[judged]).average_precision(true.weight[judged])


def strict_team(made: Made, con: duckdb.DuckDBPyConnection, cases: Cases) -> Strict:
    """Turns the laxest team into a strict one. `con`, `cases`: the record as it was visited and what was learnt."""
    team, units = made.laxest()
    pool = cohort(con, AS_OF, overdue=True)
    listed, before = _listed(con), _by_model(con, cases, pool)
    shifts, furthest = [], 0.0
    for name, visits in (("strict", made.visited(strict=team)), ("again", made.visited("policy again"))):
        other = made.connect(visits, name)
        after = _by_model(other, finding.gather(other, AS_OF), pool)
        shifts.append(float(np.mean([after[key] - rank for key, rank in before.items() if key[1] in units])))
        if name == "strict":
            anew = _listed(other)
            furthest = max(abs(anew[who] - rank) for who, rank in listed.items())
    return Strict(furthest, *shifts)


def _listed(con: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Rank of each official on the list, as a share of all."""
    told = standings(con)
    return {one.key: rank / len(told) for rank, one in enumerate(told, start=1)}


def _by_model(con: duckdb.DuckDBPyConnection, cases: Cases, pool: pa.Table) -> dict[tuple[str, str], float]:
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
