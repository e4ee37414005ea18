"""Inspections of the made-up province: who is eligible, what a team would find, cycle by cycle.

What a visit finds is fixed beforehand for every dossier and every team severity (common random numbers):
two policies that pull the same dossier in the same month see the same finding, so their yields differ only by
what they choose.

    inspectorate = Inspectorate(province)
    for month in inspectorate.months():
        pool = inspectorate.eligible(month)          # dossier_id, unit_code, official_id, received_at
        found = inspectorate.visit(month, chosen)    # {"inspection": …, "finding": …}, canonical
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.record.schema import TABLES
from features.simulate.events import NONE, stamps, words
from features.simulate.habits import Flags
from features.simulate.worktime import DAY, Seconds, local_midnight
from features.simulate.world import Floats, Ints

FINDINGS = TABLES["finding"]["kind"].choices
BY_HARM = (3, 2, 2, 2, 5)
"""Finding kind of each kind of harm (index of conduct.KINDS → index of FINDINGS)."""
SEVERITY = (2, 2, 3, 1, 3)
LOOK_BACK = 60
"""Days before the month whose dossiers can be pulled."""


@dataclass(frozen=True)
class Ground:
    """The truth an inspection can reveal, one entry a shown dossier; hidden from every policy.

    `harm` index of conduct.KINDS or −1, done at `harm_at`; `late` truly late when
    it `ended`; `find`, `invent`, `confirm` uniform numbers that decide what is found. `team[unit, month]`
    who comes;    `severity[team]` the chance that a team finds what is there.
    """

    dossier_id: list[str]
    unit_code: list[str]
    official_id: list[str]
    unit: Ints
    official: Ints
    received: Seconds
    ended: Seconds
    harm: Ints
    harm_at: Seconds
    late: Flags
    find: Floats
    invent: Floats
    confirm: Floats
    team: Ints
    severity: Floats
    months: list[date]
    reform: date | None
    old_unit: Ints

    def unit_in(self, month: date) -> Ints:
        """The unit of each dossier under the map of units in force in `month`."""
        before = self.reform is not None and month < self.reform
        return self.old_unit if before else self.unit

    def visited_at(self, unit: Ints, month: date) -> Seconds:
        """When each unit is visited in a month: nine o'clock on a working day that depends on both."""
        following = (month + timedelta(days=31)).replace(day=1)
        days = [month + timedelta(days=k) for k in range((following - month).days)]
        working = np.array([local_midnight(day) for day in days if VIETNAM.hours(day)])
        chosen = (unit * 7919 + self.months.index(month) * 31) % len(working)
        return working[chosen] + 9 * 3600

    def recent(self, month: date) -> Flags:
        """Dossiers received in the 60 days before the month."""
        begin = local_midnight(month)
        return (self.received >= begin - LOOK_BACK * DAY) & (self.received < begin)


def draw_teams(rng: np.random.Generator, units: int, months: int) -> tuple[Ints, Floats]:
    """Which team visits each unit in each month, and how much of what is there each team finds.

    Half the teams are strict (0.85 to 0.95), half lax (0.35 to 0.55). A unit mostly meets the team of its
    region, so strictness and place are confounded, as in reality.
    """
    teams = max(4, units // 15)
    strict = np.arange(teams) % 2 == 0
    severity = np.where(strict, rng.uniform(0.85, 0.95, teams), rng.uniform(0.35, 0.55, teams))
    home = rng.integers(0, teams, units)[:, None]
    away = rng.random((units, months)) < 0.4
    return np.where(away, rng.integers(0, teams, (units, months)), home), severity


@dataclass
class Inspectorate:
    """Reveals findings month by month for the dossiers a policy chooses."""

    ground: Ground
    _visits: int = field(default=0)
    _findings: int = field(default=0)

    def __post_init__(self) -> None:
        self._pulled = np.zeros(len(self.ground.dossier_id), bool)
        self._row = {code: k for k, code in enumerate(self.ground.dossier_id)}
        self._unit = {code: k for k, code in enumerate(self.ground.unit_code)}

    def months(self) -> list[date]:
        """First days of the months in which inspections take place; the history starts a month earlier."""
        return list(self.ground.months)

    def eligible(self, month: date) -> pa.Table:
        """Dossiers that can be pulled in `month`: received in the 60 days before it and never pulled yet
        (dossier_id, unit_code, official_id, received_at).
        """
        g = self.ground
        rows = np.flatnonzero(g.recent(month) & ~self._pulled)
        return pa.table({
            "dossier_id": words(rows, g.dossier_id),
            "unit_code": words(g.unit_in(month)[rows], g.unit_code),
            "official_id": words(g.official[rows], g.official_id),
            "received_at": stamps(g.received[rows]),
        })  # fmt: skip

    def visit(self, month: date, chosen: pa.Table) -> dict[str, pa.Table]:
        """Canonical `inspection` and `finding` rows of one month.

        `chosen`: one row a dossier to pull, with `dossier_id`, and where known `chosen_by` (score, draw,
        complaint, other; default other), `probability`, `unit_chosen_by` (default periodic) and
        `unit_probability`. All dossiers of one unit make one visit, on a day of the month that depends on the
        unit. ValueError for a month without inspections or a dossier that does not exist.
        """
        g = self.ground
        if month not in g.months:
            raise ValueError(f"month: wanted one of {g.months[0]} … {g.months[-1]}, came {month}")
        columns = set(chosen.column_names)
        unknown = [d for d in chosen["dossier_id"].to_pylist() if d not in self._row]
        if unknown:
            raise ValueError(f"dossier_id: wanted dossiers of this province, came {len(unknown)} others")
        rows = np.array([self._row[d] for d in chosen["dossier_id"].to_pylist()], np.int64)

        def given(name: str, default: object) -> list[object]:
            return chosen[name].to_pylist() if name in columns else [default] * len(rows)

        units, visit = np.unique(g.unit_in(month)[rows], return_inverse=True)
        self._pulled[rows] = True
        month_no = g.months.index(month)
        visited = g.visited_at(units, month)
        first = np.array([np.flatnonzero(visit == k)[0] for k in range(len(units))], np.int64)
        by, probability = given("unit_chosen_by", "periodic"), given("unit_probability", 1.0)
        team = g.team[units, month_no]
        number = [f"TT-{self._visits + k:06d}" for k in range(len(units))]
        inspection = pa.table({
            "inspection_id": number,
            "unit_code": words(units, g.unit_code),
            "planned_at": stamps(visited - 5 * DAY),
            "visited_at": stamps(visited),
            "team_id": [f"DOAN-{t:02d}" for t in team],
            "chosen_by": pa.array([by[k] for k in first], pa.string()),
            "probability": pa.array([probability[k] for k in first], pa.float64()),
            "known_at": stamps(visited + 8 * 3600),
        })  # fmt: skip
        kind, severity, true = self._found(rows, g.severity[team][visit], visited[visit])
        finding = self._rows(rows, visit, number, visited[visit], kind, severity, true,
                             given("chosen_by", "other"), given("probability", None))  # fmt: skip
        self._visits += len(units)
        return {"inspection": inspection, "finding": finding}

    def _found(self, rows: Ints, eye: Floats, at: Seconds) -> tuple[Ints, Ints, Flags]:
        """Finding kind and severity, and whether it is true. Only what has begun by then can be seen."""
        g = self.ground
        harm = np.where(g.harm_at[rows] < at, g.harm[rows], NONE)
        seen = (harm >= 0) & (g.find[rows] < eye)
        invented = (harm < 0) & (g.invent[rows] < 0.015 * eye**2)
        late = g.late[rows] & (g.ended[rows] >= 0) & (g.ended[rows] < at) & (g.find[rows] < 0.5 + eye / 2)
        kind = np.select([seen, invented, late], [np.array(BY_HARM)[harm], np.where(g.find[rows] < 0.5, 2, 6), 1], 0)
        severity = np.select([seen, invented, late], [np.array(SEVERITY)[harm], 1, 1], 0)
        return kind, severity, seen | late

    def _rows(
        self,
        rows: Ints,
        visit: npt.NDArray[np.int64],
        number: list[str],
        at: Seconds,
        kind: Ints,
        severity: Ints,
        true: Flags,
        by: list[object],
        probability: list[object],
    ) -> pa.Table:
        """Findings as reported two days after the visit, and again when they are adjudicated."""
        g = self.ground
        reported = at + 2 * DAY
        judged = np.flatnonzero(kind > 1)
        decided = reported + (10 + (g.confirm[rows] * 20).astype(np.int64)) * DAY
        again = np.concatenate([np.arange(len(rows)), judged])
        final = np.repeat([False, True], [len(rows), len(judged)])
        confirmed = np.where(true, g.confirm[rows] < 0.9, g.confirm[rows] < 0.2)
        names = [f"KL-{self._findings + k:07d}" for k in range(len(rows))]
        self._findings += len(rows)
        known_at = np.where(final, decided[again], reported[again])
        open_kind = ((kind[again] > 1) & ~final) | (kind[again] == 0)
        return pa.table({
            "finding_id": words(again, names),
            "inspection_id": words(visit[again], number),
            "dossier_id": words(rows[again], g.dossier_id),
            "official_id": words(g.official[rows[again]], g.official_id),
            "chosen_by": pa.array([by[k] for k in again], pa.string()),
            "probability": pa.array([probability[k] for k in again], pa.float64()),
            "kind": words(kind[again], FINDINGS),
            "severity": pa.array(severity[again], mask=severity[again] == 0),
            "confirmed": pa.array(confirmed[again], mask=open_kind),
            "confirmed_at": stamps(np.where(open_kind, NONE, known_at)),
            "known_at": stamps(known_at),
        })  # fmt: skip


Policy = Callable[[pa.Table, date, np.random.Generator], pa.Table]
"""(eligible dossiers, month, random numbers) → the `chosen` table of `Inspectorate.visit`."""


def every_unit_monthly(visits: int = 20, random_share: float = 0.5) -> Policy:
    """Present practice: each unit once a month, `visits` dossiers, `random_share` of them drawn evenly.

    The others are what inspectors like to pull: the dossiers of one official of the unit. The probability is
    recorded for drawn dossiers alone.
    """

    def choose(pool: pa.Table, month: date, rng: np.random.Generator) -> pa.Table:
        unit = np.asarray(pool["unit_code"].to_pylist())
        official = np.asarray(pool["official_id"].to_pylist())
        rows, by, probability = [], [], []
        for code in np.unique(unit):
            there = np.flatnonzero(unit == code)
            drawn = rng.permutation(there)[: round(visits * random_share)]
            rest = np.setdiff1d(there, drawn)
            liked = rest[official[rest] == rng.choice(official[there])] if len(rest) else rest
            pulled = np.concatenate([liked, np.setdiff1d(rest, liked)])[: visits - len(drawn)]
            rows += [*drawn, *pulled]
            by += ["draw"] * len(drawn) + ["other"] * len(pulled)
            probability += [len(drawn) / len(there)] * len(drawn) + [None] * len(pulled)
        return pa.table({
            "dossier_id": pool["dossier_id"].take(pa.array(rows, pa.int64())),
            "chosen_by": by,
            "probability": pa.array(probability, pa.float64()),
        })  # fmt: skip

    return choose


def inspection_months(start: date, end: date) -> list[date]:
    """First days of the whole months inside [start + one month, end)."""
    months = []
    month = (start.replace(day=1) + timedelta(days=62)).replace(day=1)
    while month + timedelta(days=31) <= end:
        months.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return months
