"""Who goes where on which day: visits to team-days by HiGHS, or the visits that cannot be placed and why.

Two passes over the same model. The first fixes which days each team is out, each in one area, and is a
transport problem: fast, and its optimum is whole. Where it leaves a visit over, the second frees every day of
every team (a mixed-integer model) and proves whether a plan exists at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import highspy
import numpy as np
import numpy.typing as npt

from serving.plan.draw import keyed_uniform
from serving.plan.rules import KINDS, Kind, Team

UNPLACED = 1_000.0
"""Cost of a visit left over; a far journey costs FAR, so no visit is dropped to save a journey."""
FAR = 5.0
CANDIDATES = 48
"""Team-days that the first pass offers a visit, near ones first."""
MOST_NODES = 2_000
"""Branch-and-bound nodes of the second pass: counted, not timed, so that no plan depends on the machine."""


@dataclass(frozen=True)
class Need:
    """One visit to place. days: on which the unit may be visited. teams: who may go, by team_id."""

    unit_code: str
    area: str
    days: frozenset[date]
    teams: frozenset[str]


@dataclass(frozen=True)
class Least:
    """What the quotas ask of a kind of team: so many team-days out (missions), so many visits."""

    missions: Mapping[Kind, int]
    visits: Mapping[Kind, int]


@dataclass(frozen=True)
class Slot:
    """One team out on one day."""

    team_id: str
    day: date


def assign(
    needs: Sequence[Need],
    teams: Sequence[Team],
    days: Sequence[date],
    seed: str,
    least: Least,
) -> dict[str, Slot]:
    """The slot of each placed visit by unit_code; a unit that is missing could not be placed by any plan.

    The same arguments give the same slots.
    """
    if not needs:
        return {}
    roster = {t.team_id: (t, [d for d in days if not t.days or d in t.days]) for t in teams}
    out = _outings(needs, roster, seed)
    placed = _solve(needs, roster, seed, least, out)
    if len(placed) < len(needs) or _short(placed, roster, least):
        placed = _solve(needs, roster, seed, least, None)
    return placed


Roster = dict[str, tuple[Team, list[date]]]
Outings = dict[Slot, str]


def _outings(needs: Sequence[Need], roster: Roster, seed: str) -> Outings:
    """Which days each team is out and in which area, shares of days following the areas' share of visits."""
    areas: dict[str, int] = {}
    for need in needs:
        areas[need.area] = areas.get(need.area, 0) + 1
    owed = dict.fromkeys(areas, 0.0)
    slots = [
        Slot(name, day)
        for name, (team, days) in sorted(roster.items())
        for day in sorted(days, key=lambda d: keyed_uniform(seed, "outing", f"{name} {d}"))[: team.days_a_month]
    ]
    outings: Outings = {}
    total = len(needs)
    for slot in sorted(slots, key=lambda s: keyed_uniform(seed, "area", f"{s.team_id} {s.day}")):
        for area, count in areas.items():
            owed[area] += count / total
        area = max(sorted(owed), key=lambda a: owed[a])
        owed[area] -= 1
        outings[slot] = area
    return outings


def _solve(needs: Sequence[Need], roster: Roster, seed: str, least: Least, out: Outings | None) -> dict[str, Slot]:
    """One pass: with `out` the team-days are given, without it they are chosen among all days."""
    slots = sorted(
        out or [Slot(n, d) for n, (t, days) in roster.items() if t.days_a_month for d in days],
        key=lambda s: (s.team_id, s.day),
    )
    pairs, costs = _pairs(needs, slots, seed, out)
    columns, rows = len(pairs) + len(needs), _Rows()
    visit, slot = pairs[:, 0], pairs[:, 1]
    leftover = len(pairs) + np.arange(len(needs))
    for i, own in enumerate(_positions(visit, len(needs))):
        rows.add([*own, leftover[i]], 1.0, 1.0)
    by_slot = _positions(slot, len(slots))
    chosen = [] if out is not None else list(range(columns, columns + len(slots)))
    for j, own in enumerate(by_slot):
        team = roster[slots[j].team_id][0]
        if chosen:
            rows.add([*own, chosen[j]], -highspy.kHighsInf, 0.0, [1.0] * len(own) + [-float(team.visits_a_day)])
            rows.add([*own, chosen[j]], 0.0, highspy.kHighsInf, [1.0] * len(own) + [-1.0])
        else:
            rows.add(own, -highspy.kHighsInf, float(team.visits_a_day))
    _quotas(rows, slots, by_slot, roster, least, chosen)
    upper = np.ones(columns + len(chosen))
    cost = np.concatenate([costs, np.full(len(needs), UNPLACED), np.zeros(len(chosen))])
    whole = np.zeros(len(cost), dtype=bool)
    whole[columns:] = True
    if chosen:
        whole[: len(pairs)] = True
    values = _run(cost, upper, rows, whole)
    if values is None:
        return {}
    taken = np.flatnonzero(values[: len(pairs)] > 0.5)
    return {needs[visit[k]].unit_code: slots[slot[k]] for k in taken}


def _pairs(
    needs: Sequence[Need], slots: Sequence[Slot], seed: str, out: Outings | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Admissible (visit, slot) pairs and their cost: chance in [0, 1), plus FAR outside the slot's area."""
    by_team: dict[str, list[int]] = {}
    for j, s in enumerate(slots):
        by_team.setdefault(s.team_id, []).append(j)
    luck = np.array([keyed_uniform(seed, "slot", f"{s.team_id} {s.day}") for s in slots])
    area = np.array([out[s] for s in slots]) if out else None
    pairs, costs = [], []
    for i, need in enumerate(needs):
        may = np.array([j for t in sorted(need.teams) for j in by_team.get(t, ()) if slots[j].day in need.days], int)
        cost = (luck[may] + keyed_uniform(seed, "visit", need.unit_code)) % 1.0
        if area is not None and len(may):
            cost = cost + FAR * (area[may] != need.area)
            nearest = np.argsort(cost, kind="stable")[:CANDIDATES]
            may, cost = may[nearest], cost[nearest]
        pairs.append(np.stack([np.full(len(may), i), may], axis=1))
        costs.append(cost)
    return np.concatenate(pairs).astype(np.int64), np.concatenate(costs)


def _quotas(
    rows: "_Rows",
    slots: Sequence[Slot],
    by_slot: Sequence[npt.NDArray[np.int64]],
    roster: Roster,
    least: Least,
    chosen: Sequence[int],
) -> None:
    """Enough team-days and visits of each kind of team, and no team out on more days than it may."""
    for kind in KINDS:
        own = [j for j, s in enumerate(slots) if roster[s.team_id][0].kind == kind and len(by_slot[j])]
        missions = min(least.missions.get(kind, 0), len(own))
        if chosen:
            rows.add([chosen[j] for j in own], float(missions), highspy.kHighsInf)
        else:
            for j in sorted(own, key=lambda j: -len(by_slot[j]))[:missions]:
                rows.add(by_slot[j], 1.0, highspy.kHighsInf)
        if least.visits.get(kind, 0) and own:
            visits = np.concatenate([by_slot[j] for j in own])
            rows.add(visits, float(least.visits[kind]), highspy.kHighsInf)
    if chosen:
        for name, (team, _) in roster.items():
            days_out = [chosen[j] for j, s in enumerate(slots) if s.team_id == name]
            rows.add(days_out, 0.0, float(team.days_a_month))


class _Rows:
    """Rows of the model in compressed form: lower ≤ Σ coefficient · column ≤ upper."""

    def __init__(self) -> None:
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.start: list[int] = [0]
        self.index: list[npt.NDArray[np.int64]] = []
        self.value: list[npt.NDArray[np.float64]] = []

    def add(
        self,
        columns: Sequence[int] | npt.NDArray[np.int64],
        lower: float,
        upper: float,
        values: Sequence[float] = (),
    ) -> None:
        """Adds one row; coefficients are 1 where `values` is left out. A row of nothing is dropped."""
        if not len(columns):
            return
        self.index.append(np.asarray(columns, dtype=np.int64))
        self.value.append(np.asarray(values, dtype=np.float64) if len(values) else np.ones(len(columns)))
        self.lower.append(lower)
        self.upper.append(upper)
        self.start.append(self.start[-1] + len(columns))


def _run(
    cost: npt.NDArray[np.float64], upper: npt.NDArray[np.float64], rows: _Rows, whole: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64] | None:
    """The values of all columns at the optimum; None where even the slack cannot make the rows hold."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(cost), len(rows.lower)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), upper
    lp.row_lower_, lp.row_upper_ = np.array(rows.lower), np.array(rows.upper)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.array(rows.start)
    lp.a_matrix_.index_ = np.concatenate(rows.index)
    lp.a_matrix_.value_ = np.concatenate(rows.value)
    if whole.any():
        lp.integrality_ = [
            highspy.HighsVarType.kInteger if is_whole else highspy.HighsVarType.kContinuous for is_whole in whole
        ]
    solver = highspy.Highs()
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", 1),
        ("mip_max_nodes", MOST_NODES),
        ("mip_rel_gap", 0.01),
    ):
        solver.setOptionValue(option, value)
    solver.passModel(lp)
    solver.run()
    solution = solver.getSolution()
    if (
        not solution.value_valid
        or solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible
    ):
        return None
    return np.array(solution.col_value)


def _positions(codes: npt.NDArray[np.int64], size: int) -> list[npt.NDArray[np.int64]]:
    """For each code 0…size−1 the positions where it stands."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.searchsorted(codes[order], np.arange(1, size)))


def _short(placed: Mapping[str, Slot], roster: Roster, least: Least) -> bool:
    """Whether the slots miss a quota of a kind of team."""
    for kind in KINDS:
        own = [slot for slot in placed.values() if roster[slot.team_id][0].kind == kind]
        if len(set(own)) < least.missions.get(kind, 0) or len(own) < least.visits.get(kind, 0):
            return True
    return False
