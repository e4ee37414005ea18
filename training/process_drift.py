"""Does the work still go its usual way? The earliest sign of a changed process, long before any label has ripened.

Two questions about the dossiers received in the last fortnight, sector by sector, after Bose et al. 2011, "Handling
concept drift in process mining": which step follows which (a G-test of the next step given the step before), and how
long each step takes (steps left against those expected from the time spent in them, as in a log-rank test, with steps
that go on taken as censored). Each is compared with the same figure of the half year before, every week of it against
the others, so that load, absences and small numbers are part of what is usual.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import numpy as np
from scipy.stats import t as student

from features.calendar.working_time import HOUR, Calendar, Instants, microseconds
from features.record.schema import ALL_ENDS
from features.record.utc import naive_utc
from features.shrinkage import shrunk

SPAN = timedelta(days=14)
"""Dossiers received in this time before a moment are looked at: all of them under the process of that time."""
WEEKS = 26
"""Past weeks that show what is usual; the latest ends where the fortnight of today begins."""
LEAST_PAST = 8
"""Past weeks below which nothing is usual yet."""
LEAST_MOVES = 60
"""Steps that followed another, below which a sector is left out."""
LEAST_LEFT = 8.0
"""Times that a step is expected to be left, below which it is left out."""
CHANCE = 0.03
"""Of a week without change: how often each of the two questions warns all the same, over all sectors."""
MOST = 40_000
"""Dossiers of the half year that are looked at, about; beyond it they are drawn by a hash."""
EDGES = np.array([0.0, 1, 2, 4, 8, 16, 32, 64, np.inf])
"""Bands of the time spent in a step so far, working hours: long stays end at another rate than short ones."""
PRIOR_HOURS = 2.0
"""Hours at the mean rate of all stays that each band is given beforehand."""
NEVER = np.iinfo(np.int64).max

Array = np.ndarray


@dataclass(frozen=True)
class Departure:
    """How far a sector is from its usual way: by its `steps` or by the `time` that one of them takes (`kind`).

    `z`: deviations of past weeks, `bound`: from which on it warns.
    """

    kind: str
    sector: str
    words: str
    z: float
    bound: float

    @property
    def warns(self) -> bool:
        """Whether it is farther from usual than chance explains."""
        return abs(self.z) > self.bound


@dataclass(frozen=True)
class Steps:
    """Steps of dossiers [n]: numbers of (sector, step, next step) and (procedure, step), and µs since 1970.

    `move`, `stay`: their number in `moves`, `stays`, rows of names; `stay_sector`: the sector of each stay's procedure.
    """

    move: Array
    stay: Array
    received: Instants
    began: Instants
    known_at: Instants
    left: Instants
    left_known: Instants
    moves: Array
    stays: Array
    stay_sector: Array


_SQL = f"""
    WITH lately AS (
        SELECT dossier_id, arg_max(procedure_code, (known_at, row_id)) AS procedure_code,
               MIN(received_at) AS received_at
        FROM dossier GROUP BY dossier_id HAVING MIN(received_at) >= $start AND MIN(received_at) < $as_of
    ), drawn AS (
        SELECT * FROM lately WHERE hash(dossier_id) % 1000000 < 1e6 * $most / (SELECT COUNT(*) FROM lately)
    ), sectors AS (SELECT procedure_code, any_value(sector_code) AS sector_code FROM procedure GROUP BY procedure_code)
    SELECT l.procedure_code AS procedure, COALESCE(s.sector_code, '?') AS sector, COALESCE(e.step, e.kind) AS step,
           LEAD(COALESCE(e.step, e.kind)) OVER told AS following, e.kind IN {ALL_ENDS} AS ended,
           EPOCH_US(l.received_at) AS received, EPOCH_US(e.happened_at) AS began, EPOCH_US(e.known_at) AS known,
           LEAD(EPOCH_US(e.happened_at)) OVER told AS left_at, LEAD(EPOCH_US(e.known_at)) OVER told AS left_known
    FROM drawn l JOIN event e USING (dossier_id) LEFT JOIN sectors s USING (procedure_code)
    WINDOW told AS (PARTITION BY e.dossier_id ORDER BY e.happened_at, e.row_id)
    ORDER BY e.dossier_id, e.happened_at, e.row_id
"""


def departures(con: duckdb.DuckDBPyConnection, as_of: datetime, calendar: Calendar) -> list[Departure]:
    """Every sector's steps and times beside its usual ones, as known at `as_of`, farthest first.

    Empty where fewer than `LEAST_PAST` weeks show what is usual.
    """
    steps = read(con, as_of)
    if not len(steps.move):
        return []
    moments = np.array([microseconds(as_of - SPAN - timedelta(weeks=back)) for back in range(WEEKS - 1, -1, -1)])
    moments = np.append(moments[moments >= steps.received.min() + SPAN // timedelta(microseconds=1)],
                        microseconds(as_of))  # fmt: skip
    if len(moments) <= LEAST_PAST:
        return []
    found = [*_ways(steps, moments), *_times(steps, moments, calendar)]
    return sorted(found, key=lambda one: one.bound - abs(one.z))


def read(con: duckdb.DuckDBPyConnection, as_of: datetime) -> Steps:
    """The steps of dossiers received in the fortnights that are compared, as known at `as_of`."""
    start = naive_utc(as_of - 2 * SPAN - timedelta(weeks=WEEKS))
    rows = con.sql(_SQL, params={"start": start, "as_of": naive_utc(as_of), "most": MOST}).fetchnumpy()
    on = ~rows["ended"].astype(bool)
    names = {
        name: np.ma.filled(rows[name].astype(object), "")[on].astype(str)
        for name in ("procedure", "sector", "step", "following")
    }

    def when(name: str) -> Instants:
        return np.asarray(np.ma.filled(rows[name], NEVER)[on], np.int64)

    moves, move = _numbered(names["sector"], names["step"], names["following"])
    stays, stay = _numbered(names["procedure"], names["step"])
    sector = np.empty(len(stays), names["sector"].dtype)
    sector[stay] = names["sector"]
    return Steps(
        move, stay, when("received"), when("began"), when("known"), when("left_at"), when("left_known"),
        moves, stays, sector,
    )  # fmt: skip


def _numbered(*columns: Array) -> tuple[Array, Array]:
    """The different rows of the columns [k, columns], and each row's number [n]."""
    coded = [np.unique(column, return_inverse=True) for column in columns]
    code = np.zeros(len(columns[0]), np.int64)
    for values, inverse in coded:
        code = code * max(len(values), 1) + inverse
    _, first, number = np.unique(code, return_index=True, return_inverse=True)
    return np.stack([column[first] for column in columns], axis=1), number


def _fortnight(steps: Steps, moment: int) -> tuple[Array, Array]:
    """The rows of dossiers received in the fortnight before `moment`, begun and known by then; which had been left."""
    span = SPAN // timedelta(microseconds=1)
    received = (steps.received >= moment - span) & (steps.received < moment)
    mine = np.flatnonzero(received & (steps.began < moment) & (steps.known_at < moment))
    return mine, (steps.left[mine] < moment) & (steps.left_known[mine] < moment)


def _ways(steps: Steps, moments: Array) -> list[Departure]:
    """Which step follows which: the G statistic of each sector, its log against those of past weeks."""
    sectors, sector = np.unique(steps.moves[:, 0], return_inverse=True)
    froms, before = _numbered(steps.moves[:, 0], steps.moves[:, 1])
    counts = np.stack([
        np.bincount(steps.move[mine[left]], minlength=len(steps.moves))
        for mine, left in (_fortnight(steps, moment) for moment in moments)
    ]).astype(float)  # fmt: skip
    parts = []
    for count, usual in zip(counts, _usual(counts), strict=True):
        kinds = np.bincount(before, weights=(count + usual) > 0, minlength=len(froms))
        share = (usual + 0.5) / (np.bincount(before, weights=usual, minlength=len(froms)) + 0.5 * kinds.clip(1))[before]
        now = count / np.maximum(np.bincount(before, weights=count, minlength=len(froms))[before], 1)
        parts.append((2 * count * np.log(np.where(count > 0, now / share, 1.0)), now, share))
    g = np.stack([np.bincount(sector, weights=part, minlength=len(sectors)) for part, *_ in parts])
    many = np.stack([np.bincount(sector, weights=count, minlength=len(sectors)) for count in counts]) >= LEAST_MOVES
    asked = np.flatnonzero(many[-1] & (many[:-1].sum(axis=0) >= LEAST_PAST))
    found = []
    for one in asked:
        z, n = _deviations(np.log(np.maximum(g[:, one], 1e-3)), many[:, one], least=0.2)
        part, now, share = parts[-1]
        top = np.flatnonzero(sector == one)[np.argmax(part[sector == one])]
        _, step, following = steps.moves[top]
        words = (
            f"sector {sectors[one]} goes another way: after “{step}” comes “{following}” in {now[top]:.0%}, "
            f"usually in {share[top]:.0%}"
        )
        found.append(Departure("steps", str(sectors[one]), words, max(z, 0.0), _bound(CHANCE / len(asked), n)))
    return found


def _times(steps: Steps, moments: Array, calendar: Calendar) -> list[Departure]:
    """How long steps take: of each sector its step whose leaving is farthest from what was expected."""
    began, left_at = calendar.worked_each(steps.began), calendar.worked_each(steps.left)
    lefts, hours = [], []
    for moment in moments:
        mine, left = _fortnight(steps, moment)
        until = np.where(left, left_at[mine], calendar.worked(int(moment)))
        length = np.maximum(until - began[mine], 0) / HOUR
        band = np.searchsorted(EDGES, length, side="right") - 1
        shape = (len(steps.stays), len(EDGES) - 1)
        ended, spent = np.zeros(shape), np.zeros(shape)
        np.add.at(ended, (steps.stay[mine[left]], band[left]), 1)
        np.add.at(spent, steps.stay[mine], np.clip(length[:, None] - EDGES[:-1], 0, np.diff(EDGES)))
        lefts.append(ended)
        hours.append(spent)
    pairs, pair = _numbered(steps.stay_sector, steps.stays[:, 1])
    seen, expected = [], []
    for ended, spent, past, time in zip(lefts, hours, _usual(np.stack(lefts)), _usual(np.stack(hours)), strict=True):
        mean = past.sum(axis=1, keepdims=True) / np.maximum(time.sum(axis=1, keepdims=True), 1e-9)
        rate = shrunk(past, time, mean, PRIOR_HOURS)
        has_usual = time.sum(axis=1) > 0  # a stay that is new has no usual length; `_ways` covers it
        o = np.bincount(pair, weights=np.where(has_usual, ended.sum(axis=1), 0), minlength=len(pairs))
        e = np.bincount(pair, weights=np.where(has_usual, (rate * spent).sum(axis=1), 0), minlength=len(pairs))
        seen.append(o)
        many = e >= LEAST_LEFT
        # what strikes all alike, such as an outage, is no change of a sector
        expected.append(e * (np.median((o + 1)[many] / (e + 1)[many]) if many.any() else 1.0))
    o, e = np.stack(seen), np.stack(expected)
    off, many = 2 * (np.sqrt(o) - np.sqrt(e)), e >= LEAST_LEFT
    asked = np.flatnonzero(many[-1] & (many[:-1].sum(axis=0) >= LEAST_PAST))
    found: dict[str, Departure] = {}
    for one in asked:
        z, n = _deviations(off[:, one], many[:, one], least=1.0)  # 1: of a Poisson number's root, twice
        words = (
            f"sector {pairs[one, 0]}: step “{pairs[one, 1]}” was left {o[-1, one]:.0f} times, {e[-1, one]:.0f} expected"
            f" from the hours spent in it ({'slower' if z < 0 else 'faster'} than usual)"
        )
        departure = Departure("time", str(pairs[one, 0]), words, z, _bound(CHANCE / 2 / len(asked), n))
        if departure.sector not in found or abs(found[departure.sector].z) < abs(z):
            found[departure.sector] = departure
    return list(found.values())


def _usual(weeks: Array) -> Array:
    """For each week [weeks, …] the sum of the past ones that share no dossier with it; the last week is today's."""
    past = weeks[:-1]
    near = [past[max(0, nth - 1) : nth + 2].sum(axis=0) for nth in range(len(past))]
    return np.asarray(past.sum(axis=0) - np.stack([*near, np.zeros_like(past[0])]))


def _deviations(weeks: Array, counted: Array, least: float) -> tuple[float, int]:
    """How many deviations of the past weeks `counted` the last one lies from their mean, and how many they are."""
    past = weeks[:-1][counted[:-1]]
    spread = max(float(past.std(ddof=1)), least) * np.sqrt(1 + 1 / len(past))
    return float((weeks[-1] - past.mean()) / spread), len(past)


def _bound(chance: float, past: int) -> float:
    return float(student.ppf(1 - chance, past - 1))
