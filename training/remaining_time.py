"""Learning how long open dossiers still take: landmarks × bins of remaining time, with censoring.

Those still open at the cutoff are learnt from as far as they were seen. How often dossiers end within the interval of
80 % is judged on the rows that judged the model, with curves of hazards that had learnt only what was known before them
and scores of models that had not learnt them. A training leaves its levels at 10 and 90 %: levels chosen on earlier
slices covered the next slice worse on all three public sets (.80 to .96 of it where plain ones covered .73 to .89). How
fast offices work drifts, so afterwards the levels follow what has ended since (`followed_ends`), as the scores do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import duckdb
import lightgbm
import numpy as np
import pyarrow as pa
from scipy.special import expit

from features.calendar.working_time import EPOCH, HOUR, Calendar
from features.case_state.relation import case_states, states_of_cases
from features.intervals import bootstrap
from features.matrix import batch as matrix
from models.booster import TreeMember
from models.cases import landmarks
from models.encoding import Encoder, column_of_numbers
from models.level import NARROWEST
from models.remaining_time import HIGH, LEFT, LOW, RemainingTime, group_of, with_bins
from models.risk_model import RiskModel
from models.targets import MAIN, TARGETS
from training.members import row_weight
from training.model_selection import Choices
from training.sample import Sample, microseconds
from training.split import rolling
from training.training_set import SHARES, drawn, first_receipt

OPEN = replace(MAIN, cohort="is_open")
"""Every open dossier, the overdue ones too: they still take their time."""
AGES = tuple(timedelta(days=2**power) for power in range(1, 10))
"""How long after receipt open dossiers are looked at, days from 2 to 512."""
MOST = 8_000
"""Landmarks learnt at most, about: they are taken apart into bins, so each counts a dozen rows."""
BINS = 16
LEAST_ENDED = 100
"""Fewer landmarks of ended dossiers than this give no time."""
BELIEVED = (0.65, 0.95)
"""Coverage of later rows beyond which, by its interval, no time is given."""
LEAST_SEEN = 10
"""Landmarks of ended dossiers that it takes to move the interval."""
FIRM = 20.0
"""Dossiers that count for the wider group's interval in each group."""
WITHIN = ((0.01, NARROWEST[0]), (NARROWEST[1], 0.99))
"""Levels at which the interval may begin, and end."""
EVENNESS = 0.5
DRAWS = 200
TREES: Mapping[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.06,
    "num_leaves": 12,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "seed": 7,
    "verbosity": -1,
}
ROUNDS = 120


@dataclass(frozen=True)
class Endings:
    """What became of n cases by a moment: `hours` [n] of running clock until the end, or as far as was seen; `ended`
    [n]; NaN hours where nothing is known."""

    hours: np.ndarray
    ended: np.ndarray

    def take(self, rows: np.ndarray) -> Endings:
        """Those at the given positions or where a mask is true."""
        return Endings(self.hours[rows], self.ended[rows])


@dataclass(frozen=True)
class OpenSample:
    """Landmarks of open dossiers with their matrix rows; `cases` have dossier_id and as_of."""

    cases: pa.Table
    matrix: pa.Table
    endings: Endings


def endings(con: duckdb.DuckDBPyConnection, cases: pa.Table, known_at: datetime, calendar: Calendar) -> Endings:
    """How long each case still took with its clock running, as known at `known_at`."""
    cases = cases.select(["dossier_id", "as_of"])
    with states_of_cases(con, cases, calendar) as states:
        then = states.project("dossier_id AS nth, own_w + other_w AS gone_w").to_arrow_table()
    gone = np.full(cases.num_rows, np.nan)
    gone[then["nth"].to_numpy()] = then["gone_w"].to_numpy()
    con.register("asked_cases", cases.select(["dossier_id"]))
    try:
        with case_states(con, known_at, calendar, dossiers="asked_cases") as states:
            found = states.project("dossier_id, phase, own_w + other_w AS whole_w").to_arrow_table()
    finally:
        con.unregister("asked_cases")
    place = {name: at for at, name in enumerate(found["dossier_id"].to_pylist())}
    at = np.array([place.get(name, -1) for name in cases["dossier_id"].to_pylist()], np.int64)
    whole = np.append(found["whole_w"].to_numpy().astype(float), np.nan)[at]
    phase = np.append(np.array(found["phase"].to_pylist(), object), "set_aside")[at]
    hours = (whole - gone) / HOUR
    hours[(phase == "set_aside") | (hours < 0)] = np.nan
    return Endings(hours, phase == "ended")


def gather_open(
    con: duckdb.DuckDBPyConnection,
    cutoff: datetime,
    calendar: Calendar,
    *,
    since: datetime | None = None,
    most: int = MOST,
    seed: int = 0,
) -> OpenSample:
    """Landmarks of open dossiers before the cutoff, from `since` on; whole dossiers are drawn beyond `most`."""
    cases = open_landmarks(con, cutoff, calendar, since=since, most=most, seed=seed)
    return OpenSample(cases, matrix.build(con, cases, calendar=calendar), endings(con, cases, cutoff, calendar))


def open_landmarks(
    con: duckdb.DuckDBPyConnection,
    cutoff: datetime,
    calendar: Calendar,
    *,
    since: datetime | None = None,
    most: int = MOST,
    seed: int = 0,
) -> pa.Table:
    """The cases of `gather_open`."""
    begin = since or first_receipt(con)
    cases = landmarks(con, begin, cutoff, OPEN, at_arrival=True, at_shares=SHARES, at_ages=AGES, calendar=calendar)
    if cases.num_rows > most:
        cases = cases.filter(drawn(cases["dossier_id"], most / cases.num_rows, seed))
    return cases


def fit_hazard(numbers: np.ndarray, left: np.ndarray, seen: Endings, weight: np.ndarray) -> RemainingTime | None:
    """The hazard of rows [n × numbers]; None where too few have ended to give a time."""
    timed = np.isfinite(seen.hours)
    numbers, left, seen, weight = numbers[timed], left[timed], seen.take(timed), weight[timed]
    if seen.ended.sum() < LEAST_ENDED:
        return None
    edges = bin_edges(seen.hours[seen.ended])
    bins = len(edges) - 1
    if bins < 2:
        return None
    last = np.clip(np.searchsorted(edges, seen.hours, side="left") - 1, 0, bins - 1)
    # censored within a bin: it counts where more than half of the bin was seen
    middle = (edges[last] + edges[last + 1]) / 2
    reached = last + (seen.ended | (seen.hours > middle))
    rows = np.repeat(np.arange(len(left)), reached)
    bin_of = np.arange(len(rows)) - np.repeat(np.cumsum(reached) - reached, reached)
    label = (seen.ended[rows] & (seen.hours[rows] <= edges[-1]) & (bin_of == last[rows])).astype(float)
    x = with_bins(numbers, left, edges, rows, bin_of)
    names = [f"c{at}" for at in range(x.shape[1])]
    data = lightgbm.Dataset(x, label, weight=weight[rows], feature_name=names, params=dict(TREES))
    booster = lightgbm.train(dict(TREES), data, num_boost_round=ROUNDS)
    return RemainingTime(edges, TreeMember(booster.model_to_string()), numbers.shape[1])


@dataclass(frozen=True)
class JudgedTimes:
    """Judged rows of later slices: `share` [n] of dossiers like it that had ended when it was last seen, by a curve
    that had learnt neither it nor anything later; `hours`: the curve's median. All [n]."""

    share: np.ndarray
    hours: np.ndarray
    seen: Endings
    weight: np.ndarray
    dossier: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence[JudgedTimes]) -> JudgedTimes:
        """All rows of the parts."""
        both = {name: np.concatenate([getattr(part, name) for part in parts])
                for name in ("share", "hours", "weight", "dossier")}  # fmt: skip
        seen = Endings(
            np.concatenate([part.seen.hours for part in parts]), np.concatenate([part.seen.ended for part in parts])
        )
        return cls(seen=seen, **both)

    def covered(self) -> tuple[float, float, float]:
        """Share of rows that end within the interval, of those of which it is known, with its 95 % interval."""
        inside = self.seen.ended & (self.share >= LOW) & (self.share <= HIGH)
        decided = self.seen.ended | (self.share > HIGH)
        return share_by_dossier(inside[decided].astype(float), self.weight[decided], self.dossier[decided])


def kaplan_meier(values: np.ndarray, ended: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values [n], rising, and the share not ended after each [n], with censoring (Kaplan & Meier 1958): of equal values
    those that ended come first, for what was seen so far was still open there."""
    order = np.lexsort((~ended, values))
    at_risk = np.cumsum(weight[order][::-1])[::-1]
    return values[order], np.cumprod(1 - np.where(ended[order], weight[order] / at_risk, 0.0))


def followed_ends(model: RiskModel, opened: OpenSample) -> tuple[tuple[float, float], ...]:
    """Where the model's interval of the time to the end must begin and end to hold four in five of what has been seen
    since it was learnt: by group (`models.remaining_time.group_of`), each shrunk to all, all to `LOW` and `HIGH`.

    Levels are quantiles of the shares of the curve at which dossiers ended (conformal prediction, Romano et al. 2019),
    those still open counted as far as they were seen; as new outcomes come they follow a drift (Gibbs & Candès 2021).
    """
    if model.remaining is None or not len(opened.endings.hours):
        return ()
    x, left = model.encoder.encode(opened.matrix), column_of_numbers(opened.matrix, LEFT)
    curves = model.remaining.curves(x, left, np.where(left > 0, expit(model.log_odds(x)), np.nan))
    share = 1.0 - curves.open_at(np.nan_to_num(opened.endings.hours))
    stage = model.encoder.stage(x)
    groups = (1 if model.encoder.stages is None else len(model.encoder.stages)) + 1
    group = group_of(left, stage, groups)
    names = np.array(opened.cases["dossier_id"].to_pylist(), object).astype(str)

    def shrunk_ends(rows: np.ndarray, wider: tuple[float, float]) -> tuple[float, float]:
        seen = opened.endings.ended[rows]
        if seen.sum() < LEAST_SEEN:
            return wider
        values, still = kaplan_meier(share[rows], seen, evened(names[rows]))
        dossiers = len(np.unique(names[rows]))
        found = []
        for wanted, above, (least, most) in zip((LOW, HIGH), wider, WITHIN, strict=True):
            ended = np.flatnonzero(still <= 1.0 - wanted)
            level = float(values[ended[0]]) if len(ended) else 1.0
            found.append(float(np.clip((dossiers * level + FIRM * above) / (dossiers + FIRM), least, most)))
        return found[0], found[1]

    timed = np.isfinite(opened.endings.hours)
    ahead = timed & (group < groups - 1)
    everything = shrunk_ends(np.flatnonzero(ahead), (LOW, HIGH))
    return tuple(shrunk_ends(np.flatnonzero(timed & (group == one)), everything) for one in range(groups))


def share_by_dossier(inside: np.ndarray, weight: np.ndarray, dossier: np.ndarray) -> tuple[float, float, float]:
    """Weighted mean of `inside` [n] with its 95 % interval, whole dossiers drawn; NaN without rows."""
    if not len(inside):
        return (np.nan, np.nan, np.nan)
    cluster = np.unique(dossier, return_inverse=True)[1]
    hits, total = np.bincount(cluster, weight * inside), np.bincount(cluster, weight)
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(total), len(total)) for _ in range(DRAWS)]
    means = np.array([hits[drawn].sum() / total[drawn].sum() for drawn in draws])
    return (float(hits.sum() / total.sum()), *bootstrap(means))


def judge_times(
    con: duckdb.DuckDBPyConnection,
    sample: Sample,
    choices: Choices,
    opened: OpenSample,
    encoder: Encoder,
    cutoff: datetime,
    calendar: Calendar,
) -> JudgedTimes | None:
    """The judged rows of the model with curves of hazards learnt before each slice; None without any."""
    splits = rolling(sample)
    if not len(choices.rows):
        return None
    x, left = numbers_of(encoder, opened.matrix)
    names = np.array(opened.cases["dossier_id"].to_pylist(), object)
    as_of = microseconds(opened.cases["as_of"])
    judged_names = np.array(sample.matrix["dossier_id"].to_pylist(), object)
    score = np.full(len(sample), np.nan)
    score[choices.rows] = choices.score
    parts = []
    for split in splits:
        learn = np.flatnonzero((as_of < split.origin) & ~np.isin(names, judged_names[split.judge]))
        origin = EPOCH + timedelta(microseconds=split.origin)
        seen = endings(con, opened.cases.take(pa.array(learn)), origin, calendar)
        fitted = fit_hazard(x[learn], left[learn], seen, evened(names[learn]))
        if fitted is None:
            continue
        judged = sample.take(split.judge)
        cells, hours_left = numbers_of(encoder, judged.matrix)
        curves = fitted.curves(cells, hours_left, score[split.judge])
        became = endings(con, judged.matrix.select(["dossier_id", "as_of"]), cutoff, calendar)
        timed = np.flatnonzero(np.isfinite(became.hours))
        share = 1.0 - curves.open_at(np.nan_to_num(became.hours))
        parts.append(
            JudgedTimes(
                share[timed],
                curves.when_ended(0.5)[timed],
                became.take(timed),
                row_weight(judged, EVENNESS)[timed],
                judged.dossier[timed],
            )
        )
    return JudgedTimes.joined(parts) if parts else None


def numbers_of(encoder: Encoder, cells: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of matrix rows that the hazard reads [n × numbers], and the hours left to the promise [n]."""
    return np.column_stack([column_of_numbers(cells, name) for name in encoder.numbers]), column_of_numbers(cells, LEFT)


def evened(names: np.ndarray) -> np.ndarray:
    """What each landmark counts [n], mean 1: the more of its dossier there are the less, by the root."""
    _, inverse, count = np.unique(names.astype(str), return_inverse=True, return_counts=True)
    weight = count[inverse] ** -EVENNESS
    return np.asarray(weight / weight.mean())


def with_remaining_time(
    model: RiskModel,
    con: duckdb.DuckDBPyConnection,
    sample: Sample,
    choices: Choices,
    cutoff: datetime,
    calendar: Calendar,
    opened: OpenSample | None = None,
) -> RiskModel:
    """The model with the time to the end, learnt of the same record as known at the same cutoff (`con`).

    `opened`: what `gather_open` gives, where it is at hand.

    As it was where its target is not the end of a running clock, or where too few dossiers have ended. Where later rows
    end outside the interval far more or less often than they should, by the interval of that share, no time is told
    either; what was found stands in `about["remaining"]`.
    """
    if not TARGETS[model.target].overdue_is_certain:
        return model
    opened = gather_open(con, cutoff, calendar) if opened is None else opened
    names = np.array(opened.cases["dossier_id"].to_pylist(), object)
    fitted = fit_hazard(*numbers_of(model.encoder, opened.matrix), opened.endings, evened(names))
    found: dict[str, Any] = {
        "landmarks": len(names),
        "ended": int(opened.endings.ended.sum()),
        "told": fitted is not None,
    }
    if fitted is None:
        return replace(model, about={**model.about, "remaining": found})
    judged = judge_times(con, sample, choices, opened, model.encoder, cutoff, calendar)
    if judged is not None:
        covered = judged.covered()
        done = judged.seen.ended
        off = np.abs(judged.hours - judged.seen.hours)[done]
        found |= {
            "covered": [one if np.isfinite(one) else None for one in covered],
            "judged": int(done.sum()),
            "mean_absolute_error_hours": float(np.average(off, weights=judged.weight[done])) if done.any() else None,
            "told": not (covered[2] < BELIEVED[0] or covered[1] > BELIEVED[1]),
        }
    return replace(model, remaining=fitted if found["told"] else None, about={**model.about, "remaining": found})


def bin_edges(hours: np.ndarray) -> np.ndarray:
    """Edges of the bins of remaining time: quantiles of how long ended ones took, closer in the tail; from 0."""
    shares = np.concatenate([np.linspace(0, 1, BINS + 1)[1:-1], [0.97, 0.99]])
    edges = np.unique(np.round(np.quantile(hours, shares), 3))
    return np.concatenate([[0.0], edges[edges > 0.01]])
