"""The replay on a made-up province: month by month a policy chooses dossiers, sees what it chose, learns, chooses.

Labels of dossiers that were not chosen stay hidden. The model is fitted anew each month on what the policy's own
visits found, with the severity of the team as an offset, so that each policy lives with the labels it made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.metrics import roc_auc_score

from models.loop import FADE
from models.value import doubly_robust, hajek
from tests.bench.replay.policy import Inspectorate, Policy
from tests.bench.replay.province_facts import COLUMNS, encoded, facts
from tests.bench.replay.reorder import Floats, Ints
from training.severity import fit_ridge, severity_of

PAST = ("official", "unit", "procedure")
"""Groups whose past findings, beyond what was expected of the teams that came, are features."""
COUNTED = frozenset({"harassment", "extra_papers", "wrongful_return", "tampering", "other"})
"""Kinds that count as found. Plain lateness does not: the record shows it without a visit."""
PRIOR = 5.0
"""Weight of an ordinary past, in dossiers pulled."""
LEAST_LABELS = 30
"""Findings before which a policy ranks by a rule (late, then complaints) instead of a model."""


@dataclass(frozen=True)
class Prevalence:
    """Share of the pool where a visit would find something: the truth, and estimates from what was pulled.

    naive: share of the pulled; weighted: Hájek; robust: with the model's help; random: of the random share alone.
    """

    truth: float
    naive: float
    weighted: float
    robust: float
    random: float

    @classmethod
    def of(
        cls, found: Floats, p: Floats, by_chance: npt.NDArray[np.bool_], truth: Floats, predicted: Floats, rows: Ints
    ) -> "Prevalence":
        """From the pulled (found, p, by_chance) and the pool (truth, predicted; rows: where the pulled stand)."""
        return cls(
            float(truth.mean()),
            float(found.mean()),
            hajek(found, p).value,
            doubly_robust(found, p, predicted[rows], predicted).value,
            float(found[by_chance].mean()) if by_chance.any() else np.nan,
        )


@dataclass
class Cycle:
    """One month of one policy. found: of `looked` pulled; counted, any: prevalence of what counts, and of any
    finding; repeats: officials listed the month before; guess: AUC of an outsider.
    """

    found: int
    looked: int
    counted: Prevalence
    any: Prevalence
    least_probability: float
    repeats: float
    guess: float | None
    units: frozenset[str]
    officials: frozenset[str]


@dataclass
class Run:
    """All cycles of one policy on one province; never: units and officials that no cycle reached."""

    policy: str
    cycles: list[Cycle] = field(default_factory=list)
    never_units: int = 0
    never_officials: int = 0


@dataclass(frozen=True)
class Month:
    """One cycle's pool before anything was pulled. keys: official, unit, procedure of each dossier; x: its facts;
    truth: 1 where a visit in this month would find something that counts, anything: lateness included.
    """

    names: list[str]
    keys: list[tuple[str, ...]]
    high_risk: Floats
    x: Floats
    truth: Floats
    anything: Floats


@dataclass(frozen=True)
class World:
    """A history prepared for replay: the pools by month, and fresh inspectorates for each run."""

    months: dict[date, Month]
    inspectorate: Callable[[], Inspectorate]

    @classmethod
    def of(cls, tables: Mapping[str, pa.Table], inspectorate: Callable[[], Inspectorate]) -> "World":
        """Prepares a history: canonical tables, and what gives inspectorates that start from the beginning."""
        fresh = inspectorate()
        months = fresh.months()
        pool = pa.concat_tables(
            fresh.eligible(month)
            .select(["dossier_id", "unit_code", "official_id"])
            .append_column("month", pa.array([month] * fresh.eligible(month).num_rows, pa.date32()))
            for month in months
        )
        table = facts(tables, pool, months)
        of_month = np.array(table["month"].to_pylist())
        prepared = {}
        for month in months:
            rows = table.filter(pa.array(of_month == month))
            names: list[str] = rows["dossier_id"].to_pylist()
            told = inspectorate().visit(month, _asked(names, np.arange(len(names))))
            prepared[month] = Month(
                names,
                _keys(rows),
                rows["high_risk"].to_numpy().astype(np.float64),
                encoded(rows),
                *_labels(told, names)[:2],
            )
        return cls(prepared, inspectorate)


def run(world: World, policy: Policy, share: float, seed: int, sector_weight: float = 0.0) -> Run:
    """Lets `policy` choose `share` of each month's pool through all months. The same arguments, the same run.

    sector_weight: by how much the utility in high-risk sectors is raised, as the directives want.
    """
    here = world.inspectorate()
    memory = _Memory()
    done = Run(policy.name)
    seen: tuple[set[str], set[str]] = (set(), set())
    everyone: tuple[set[str], set[str]] = (set(), set())
    before: frozenset[str] = frozenset()
    for month in here.months():
        whole = world.months[month]
        free = set(here.eligible(month)["dossier_id"].to_pylist())
        keep = np.flatnonzero([name in free for name in whole.names])
        names, keys = [whole.names[i] for i in keep], [whole.keys[i] for i in keep]
        x = whole.x[keep]
        budget = max(2, round(share * len(names)))
        utility, predicted = memory.utility(keys, x)
        utility = utility * (1 + sector_weight * whole.high_risk[keep])
        _, groups = np.unique(np.array([key[1] for key in keys]), return_inverse=True)
        chosen = policy.choose(utility, groups.astype(np.int64), names, budget, f"{seed} {month}")
        told = here.visit(month, _asked(names, chosen.rows))
        found, anything, teams = _labels(told, [names[i] for i in chosen.rows])
        p = chosen.probability[chosen.rows]
        listed = frozenset(keys[i][0] for i in chosen.rows)
        visited = frozenset(keys[i][1] for i in chosen.rows)
        done.cycles.append(
            Cycle(
                found=int(found.sum()),
                looked=len(found),
                counted=Prevalence.of(found, p, chosen.by_chance, whole.truth[keep], predicted, chosen.rows),
                any=Prevalence.of(anything, p, chosen.by_chance, whole.anything[keep], predicted, chosen.rows),
                least_probability=float(chosen.probability.min()),
                repeats=len(listed & before) / len(listed),
                guess=memory.guess(keys, chosen.rows),
                units=visited,
                officials=listed,
            )
        )
        memory.learn(keys, x, chosen.rows, found, teams)
        before = listed
        for kind, (now_seen, all_keys) in enumerate(((listed, keys), (visited, keys))):
            seen[kind].update(now_seen)
            everyone[kind].update(key[kind] for key in all_keys)
    done.never_officials, done.never_units = (len(a - b) for a, b in zip(everyone, seen, strict=True))
    return done


class _Memory:
    """What one policy has learnt from its own visits, and what an outsider could have noted of them."""

    def __init__(self) -> None:
        self._x: list[Floats] = []
        self._keys: list[list[tuple[str, ...]]] = []
        self._found: list[Floats] = []
        self._team: list[list[str]] = []
        self._listed: dict[str, float] = {}
        self._shown: dict[str, float] = {}

    def utility(self, keys: list[tuple[str, ...]], x: Floats) -> tuple[Floats, Floats]:
        """What to rank by, and the probability of a finding by an ordinary team; both [n]."""
        found = np.concatenate(self._found) if self._found else np.zeros(0)
        if found.sum() < LEAST_LABELS:
            by_rule = 0.05 + 0.2 * x[:, COLUMNS.index("overdue")] + 0.1 * x[:, COLUMNS.index("complaints_official")]
            return by_rule, np.full(len(x), found.mean() if len(found) else 0.1)
        names = [name for batch in self._team for name in batch]
        _, team = np.unique(np.array(names), return_inverse=True)
        past_keys = [key for batch in self._keys for key in batch]
        known = np.concatenate(self._x)
        severity = severity_of(known, found.astype(np.int64), team, turns=2)
        usual = np.bincount(team, found)[team] / np.bincount(team)[team]
        past, now = _past(past_keys, found, usual, keys)
        model = fit_ridge(np.column_stack([known, past]), found.astype(np.int64), severity[team])
        middle = float(np.average(severity, weights=np.bincount(team)))
        chance = 1 / (1 + np.exp(-(model.predict(np.column_stack([x, now])) + middle)))
        return chance, chance

    def learn(self, keys: list[tuple[str, ...]], x: Floats, chosen: Ints, found: Floats, teams: list[str]) -> None:
        """Takes in what the visits found, and notes who was listed."""
        self._x.append(x[chosen])
        self._keys.append([keys[i] for i in chosen])
        self._found.append(found)
        self._team.append(teams)
        officials = [key[0] for key in keys]
        for memory in (self._listed, self._shown):
            for name in memory:
                memory[name] *= FADE
        for name in officials:
            self._shown[name] = self._shown.get(name, 0.0) + 1
        for i in chosen:
            self._listed[officials[i]] = self._listed.get(officials[i], 0.0) + 1

    def guess(self, keys: list[tuple[str, ...]], chosen: Ints) -> float | None:
        """AUC of an outsider who expects of each official the share of dossiers that was pulled before."""
        if len(self._found) < 2:
            return None
        rate = sum(self._listed.values()) / sum(self._shown.values())
        expected = [
            (self._listed.get(key[0], 0.0) + PRIOR * rate) / (self._shown.get(key[0], 0.0) + PRIOR) for key in keys
        ]
        on = np.zeros(len(expected))
        on[chosen] = 1
        return float(roc_auc_score(on, expected))


def _keys(rows: pa.Table) -> list[tuple[str, ...]]:
    columns = [rows[name].to_pylist() for name in ("official_id", "unit_code", "procedure_code")]
    return [tuple(str(value) for value in row) for row in zip(*columns, strict=True)]


def _past(
    keys: list[tuple[str, ...]], found: Floats, usual: Floats, now: list[tuple[str, ...]]
) -> tuple[Floats, Floats]:
    """Log of found against usual by group: for what is known without the row itself, and for the new rows."""
    past = np.zeros((len(keys), len(PAST)))
    coming = np.zeros((len(now), len(PAST)))
    prior = PRIOR * float(usual.mean())
    for at in range(len(PAST)):
        groups, code = np.unique(np.array([key[at] for key in keys]), return_inverse=True)
        got, expected = np.bincount(code, found), np.bincount(code, usual)
        past[:, at] = np.log((got[code] - found + prior) / (expected[code] - usual + prior))
        ratio = dict(zip(groups.tolist(), np.log((got + prior) / (expected + prior)), strict=True))
        coming[:, at] = [ratio.get(key[at], 0.0) for key in now]
    return past, coming


def _asked(names: list[str], rows: Ints) -> pa.Table:
    return pa.table({"dossier_id": [names[i] for i in rows]})


def _labels(told: dict[str, pa.Table], names: list[str]) -> tuple[Floats, Floats, list[str]]:
    """1 where something that counts was found, 1 where anything was, and the team, in the order of `names`."""
    visits = [told["inspection"][name].to_pylist() for name in ("inspection_id", "team_id")]
    team = dict(zip(*visits, strict=True))
    counted: set[str] = set()
    anything: set[str] = set()
    came: dict[str, str] = {}
    findings = [told["finding"][name].to_pylist() for name in ("dossier_id", "kind", "inspection_id")]
    for dossier, kind, visit in zip(*findings, strict=True):
        came[dossier] = team[visit]
        if kind != "none":
            anything.add(dossier)
        if kind in COUNTED:
            counted.add(dossier)
    found = np.array([float(name in counted) for name in names])
    return found, np.array([float(name in anything) for name in names]), [came[name] for name in names]
