"""Learns "would an inspection find harassment in this dossier", and says whether that beats the signals.

Trees are grown on pulled dossiers with the severity of the visiting team as a fixed offset, which is absent from the
score. Complaints enter as selected positives: one that is reported with propensity e stands for 1/e like it, so
its loss is −(1/e) log p − (1 − 1/e) log(1 − p), the positive and its unlabelled copy in one row (Bekker, Robberechts
& Davis 2019, "Beyond the selected completely at random assumption"; Bekker & Davis 2020, section 5.3). The weight is
trimmed at `MOST_WEIGHT`: with a handful of complaints the untrimmed estimate has no useful variance.

Judged and calibrated on the random share alone, by models that had learnt earlier weeks only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import duckdb
import lightgbm as lgb
import numpy as np
import pyarrow as pa
from scipy.special import expit

from features.intervals import bootstrap
from models import finding, finding_matrix
from models.booster import TreeMember
from models.encoding import Encoder, column_of_numbers
from models.finding import FindingChance
from models.logit import logit
from models.peer_medians import usual_values
from models.rarity import Usual
from models.risk_model import RiskModel
from models.rule import RuleMember
from training.calibrate import platt
from training.evaluate import Metric, Ranked
from training.severity import severity_of
from training.suspect_labels import Suspect, mended, suspects

FEWEST_FOUND = 50
"""Positives of the random share under which no probability is given: signals rank, and every answer says so."""

MOST_WEIGHT = 10.0
"""What one complaint may stand for at most, however rarely people complain."""

LEAST_CASES = 200
SLICES = 4
TEAM_FOLDS = 5
SEEDS = tuple(range(1, 21))
"""Draws over which trees are averaged in log-odds. With 50 to 100 positives the average precision of 5 draws differs
by 0.02 from that of 5 others on the same labels, that of 20 by 0.01."""

FEW_SEEDS = SEEDS[:5]
"""Draws that are enough to ask which team's labels fit nobody else's."""

ROUNDS = 100
DRAWS = 400
TREES = {
    "learning_rate": 0.07, "num_leaves": 8, "min_data_in_leaf": 40, "lambda_l2": 10.0, "extra_trees": True,
    "max_bin": 63, "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1, "deterministic": True,
    "force_row_wise": True, "num_threads": 1, "verbose": -1,
}  # fmt: skip


@dataclass(frozen=True)
class Cases:
    """What there is to learn from, one row a pulled dossier, and after them the selected positives.

    `x` [n × NUMBERS]; `label` [n] (of selected positives 1/e, trimmed); `team` [n] numbers `teams`, −1 for
    complaints; `random` [n] whether of the random share; `weight` [n] the inverse of the probability of being
    pulled; `week` [n] the moment, in microseconds; `rule` [n] how unusual the signals are.
    """

    matrix: pa.Table
    x: np.ndarray
    label: np.ndarray
    team: np.ndarray
    teams: tuple[str, ...]
    random: np.ndarray
    weight: np.ndarray
    week: np.ndarray
    rule: np.ndarray

    @property
    def found(self) -> int:
        """Positives of the random share."""
        return int(self.label[self.random].sum())

    @property
    def chance(self) -> FindingChance:
        """How often the random share found something, by how unusual the signals were."""
        return FindingChance.of_visits(self.rule[self.random], self.label[self.random], self.weight[self.random])


@dataclass(frozen=True)
class LearntFinding:
    """What a training gave. `ships`: model (a probability), rule (signals rank, the model did not beat them) or
    signals (too few random positives to judge anything). `model` only where it ships. `figures`: average precision
    on the random share of both and of their difference. `why`: in words. `suspects`: teams whose labels look wrong.
    `chance`: how often visits found something by how unusual the signals were, for records without a model.
    `matrix`: rows that the model learnt from, where it ships.
    """

    ships: str
    why: str
    model: RiskModel | None
    cases: int
    found: int
    figures: dict[str, Metric] = field(default_factory=dict)
    suspects: tuple[Suspect, ...] = ()
    chance: FindingChance = field(default_factory=FindingChance)
    matrix: pa.Table | None = None

    def about(self) -> dict[str, Any]:
        """The same as plain JSON, for the manifest and the run."""
        return {
            "ships": self.ships, "why": self.why, "cases": self.cases, "random_positives": self.found,
            "figures": {name: [one.value, one.low, one.high] for name, one in self.figures.items()},
            "suspects": [vars(one) for one in self.suspects],
            "chance": {"rates": list(self.chance.rates), "visited": self.chance.visited},
        }  # fmt: skip


def gather(con: duckdb.DuckDBPyConnection, cutoff: datetime) -> Cases:
    """The pulled dossiers known at the cutoff, and the complaints on dossiers never pulled as selected positives."""
    pulled = finding.inspected(con, cutoff)
    rows = pulled.num_rows
    named = finding.reported(con, cutoff)
    seen = set(pulled["dossier_id"].to_pylist())
    both = sum(name in seen for name in named["dossier_id"].to_pylist())
    named = named.filter(pa.array([name not in seen for name in named["dossier_id"].to_pylist()], pa.bool_()))
    asked = pa.concat_tables([pulled.select(["dossier_id", "as_of"]), named.select(["dossier_id", "as_of"])])
    matrix, shown = finding_matrix.build(con, asked)
    procedure = [code or "" for code in matrix["procedure_code"].to_pylist()]
    nth, signal = shown["nth"].to_pylist(), shown["signal"].to_pylist()
    label = pulled["label"].to_numpy()
    stands_for = min(MOST_WEIGHT, (label.sum() + 1) / (both + 1))
    teams, team = np.unique(np.array(pulled["team_id"].to_pylist(), dtype=object).astype(str), return_inverse=True)
    extra = named.num_rows
    return Cases(
        matrix,
        np.column_stack([column_of_numbers(matrix, name) for name in finding_matrix.NUMBERS]),
        np.concatenate([label, np.full(extra, max(stands_for, 1.0))]),
        np.concatenate([team, np.full(extra, -1)]).astype(np.int64),
        tuple(str(name) for name in teams),
        np.concatenate([pulled["by_draw"].to_numpy(zero_copy_only=False), np.zeros(extra, bool)]).astype(bool),
        np.concatenate([1.0 / pulled["probability"].to_numpy(), np.ones(extra)]),
        asked["as_of"].cast(pa.int64()).to_numpy(),
        Usual.of(procedure[:rows], *_of_rows(nth, signal, rows)).score(procedure, nth, signal),
    )


def _of_rows(nth: list[int], signal: list[str], rows: int) -> tuple[list[int], list[str]]:
    inside = [(row, name) for row, name in zip(nth, signal, strict=True) if row < rows]
    return [row for row, _ in inside], [name for _, name in inside]


def learn(con: duckdb.DuckDBPyConnection, cutoff: datetime) -> LearntFinding:
    """What ships for dossiers, from what was known at the cutoff. ValueError where nothing was ever pulled."""
    pulled = finding.inspected(con, cutoff)
    if not pulled.num_rows:
        raise ValueError("no finding of a pulled dossier is known before the cutoff; bring inspections and findings")
    found = int(pulled.filter(pulled["by_draw"])["label"].to_numpy().sum())
    if found < FEWEST_FOUND:
        cases = gather(con, cutoff)
        why = f"{found} findings in the random share, {FEWEST_FOUND} wanted: signals rank, no probability is told"
        return LearntFinding("signals", why, None, pulled.num_rows, found, chance=cases.chance)
    return fitted(gather(con, cutoff))


def fitted(cases: Cases, seeds: Sequence[int] = SEEDS) -> LearntFinding:
    """Learns, judges and calibrates; labels that look wrong lose their weight first."""
    elsewhere, usual = by_other_teams(cases)
    named = tuple(suspects(cases.label, elsewhere, cases.team, cases.teams))
    taught = replace(cases, label=mended(cases.label, elsewhere, cases.team, cases.teams, named, usual))
    risk = forward(taught, seeds)
    judged = cases.random & ~np.isnan(risk)
    label, weight = cases.label[judged], cases.weight[judged]
    figures = compare(label, risk[judged], cases.rule[judged], weight)
    counts = len(cases.label), cases.found
    if not figures["gain"].low > 0:
        why = f"average precision of the model {figures['model']}, of the signals {figures['signals']}: not above them"
        return LearntFinding("rule", why, None, *counts, figures, named, cases.chance)
    intercept, slope = platt(risk[judged], label, weight / weight.mean())
    members, level = boosters(taught, np.ones(len(risk), bool), seeds), float(logit(np.array([label.mean()]))[0])
    model = RiskModel(
        "conduct",
        Encoder(finding_matrix.NUMBERS, ()),
        {**members, "base": RuleMember("base rate", -1, np.array([0.0]), np.array([0.0]), 0.0, level)},
        {name: 1.0 / len(members) for name in members},
        intercept,
        slope,
        "base",
        usual_values(cases.matrix, finding_matrix.NUMBERS, finding_matrix.DECLARED),
        {"rate": float(np.average(label, weights=weight)), "judged": int(judged.sum())},
    )
    why = f"average precision on the random share {figures['model']}, of the signals {figures['signals']}"
    return LearntFinding("model", why, model, *counts, figures, named, cases.chance, cases.matrix)


def forward(cases: Cases, seeds: Sequence[int] = SEEDS) -> np.ndarray:
    """Log-odds [n] of each row by a model of earlier weeks, without any team; NaN in the first slice."""
    edges = np.quantile(cases.week, np.arange(1, SLICES) / SLICES)
    slices = np.searchsorted(edges, cases.week, side="left")
    risk = np.full(len(cases.label), np.nan)
    for now in range(1, SLICES):
        _fill(risk, cases, slices < now, slices == now, seeds)
    return risk


def by_other_teams(cases: Cases) -> tuple[np.ndarray, float]:
    """Log-odds [n] of each row by models that learnt no label of its team (NaN where there is but one team), and the
    log-odds that a middling team adds.
    """
    risk = np.full(len(cases.label), np.nan)
    fold = np.where(cases.team >= 0, cases.team % TEAM_FOLDS, -1)
    for now in range(min(TEAM_FOLDS, len(cases.teams))):
        _fill(risk, cases, fold != now, fold == now, FEW_SEEDS)
    return risk, float(np.mean(severity_offset(cases.x, cases.label, cases.team)))


def _fill(risk: np.ndarray, cases: Cases, learnt: np.ndarray, scored: np.ndarray, seeds: Sequence[int]) -> None:
    """Scores the rows `scored` by trees grown on the rows `learnt`, where those can teach anything."""
    pulled = learnt & (cases.team >= 0)
    if pulled.sum() >= LEAST_CASES and cases.label[pulled].sum() >= 1 and scored.any():
        risk[scored] = np.mean(
            [one.log_odds(cases.x[scored]) for one in boosters(cases, learnt, seeds).values()], axis=0
        )


def boosters(cases: Cases, rows: np.ndarray, seeds: Sequence[int] = SEEDS) -> dict[str, TreeMember]:
    """Trees grown on `rows` (mask [n]), one a seed, with the severity of the teams as offset."""
    x, label, team = cases.x[rows], cases.label[rows], cases.team[rows]
    offset = severity_offset(x, label, team)

    def loss(score: np.ndarray, data: lgb.Dataset) -> tuple[np.ndarray, np.ndarray]:
        p = expit(score)
        return p - label, np.maximum(p * (1 - p), 1e-6)

    grown = {}
    data = lgb.Dataset(x, np.minimum(label, 1.0), init_score=offset, params=TREES)
    for seed in seeds:
        drawn = {"bagging_seed": seed, "feature_fraction_seed": seed, "extra_seed": seed}
        text = lgb.train({**TREES, **drawn, "objective": loss}, data, ROUNDS).model_to_string()
        # the gradient is that of binary log-loss, and the checks before loading want it named
        named = text.replace("\nfeature_names=", "\nobjective=binary sigmoid:1\nfeature_names=", 1)
        grown[f"trees_{seed}"] = TreeMember(named)
    return grown


def severity_offset(x: np.ndarray, label: np.ndarray, team: np.ndarray) -> np.ndarray:
    """Log-odds [n] that each row's team adds at ordinary dossiers; complaints have that of a middling team."""
    pulled = team >= 0
    signals = slice(len(finding_matrix.COURSE), None)
    seen = x[pulled][:, signals]
    varied = seen.std(axis=0) > 0
    number = np.unique(team[pulled], return_inverse=True)[1]
    severity = severity_of(seen[:, varied], label[pulled], number.astype(np.int64), turns=2)
    offset = np.full(len(label), float(np.average(severity, weights=np.bincount(number))))
    offset[pulled] = severity[number]
    return offset


def compare(label: np.ndarray, model: np.ndarray, rule: np.ndarray, weight: np.ndarray) -> dict[str, Metric]:
    """Average precision of model and signals and its gain, with 95 % bootstrap intervals over dossiers."""
    ranked = {"model": Ranked.of(label, model), "signals": Ranked.of(label, rule)}
    value = {name: one.average_precision(weight) for name, one in ranked.items()}
    draw = np.random.default_rng(0)
    drawn: dict[str, list[float]] = {"model": [], "signals": [], "gain": []}
    for _ in range(DRAWS):
        again = weight * draw.multinomial(len(label), np.full(len(label), 1 / len(label)))
        got = {name: one.average_precision(again) for name, one in ranked.items()}
        for name, number in {**got, "gain": got["model"] - got["signals"]}.items():
            drawn[name].append(number)
    value["gain"] = value["model"] - value["signals"]
    return {name: Metric(value[name], *bootstrap(np.array(again))) for name, again in drawn.items()}
