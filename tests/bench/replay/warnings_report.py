"""What a year of warnings was worth: precision, recall and lead time of two ways side by side, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.effect import effect
from tests.bench.replay.warnings import Alerts, Floats, Year

DRAWS = 500
Held = Callable[[bytes, str], float]
"""(seed, dossier_id) → a number in [0, 1): the service's own draw."""


@dataclass(frozen=True)
class Trial:
    """One seed: the year, the service's alerts at its threshold from costs, the rule's, and the service's at as many
    alerts as the rule gave."""

    seed: int
    year: Year
    threshold: float
    ours: Alerts
    rule: Alerts
    matched: Alerts


@dataclass(frozen=True)
class Figures:
    """Over all seeds: share of alerts that were right, share of late promises alerted, mean working hours between a
    right alert and its promise."""

    precision: float
    recall: float
    lead: float


def figures(trials: Sequence[Trial], ways: Sequence[Alerts], weight: Sequence[Floats] | None = None) -> Figures:
    """The figures of one way, `ways` holding its alerts by trial. weight: how often each promise counts, by trial."""
    right = alerts = late = lead = 0.0
    for at, (trial, way) in enumerate(zip(trials, ways, strict=True)):
        counts = np.ones(len(trial.year.late)) if weight is None else weight[at]
        known = ~np.isnan(trial.year.late)
        missed = np.where(known, trial.year.late, 0.0)
        late += float((counts * missed).sum())
        alerts += float(counts[way.promise][known[way.promise]].sum())
        hits = counts[way.promise] * missed[way.promise]
        right += float(hits.sum())
        lead += float((hits * way.left_hours).sum())
    return Figures(right / max(alerts, 1e-9), right / max(late, 1e-9), lead / max(right, 1e-9))


def bootstrap(trials: Sequence[Trial], draws: int = DRAWS) -> list[list[Floats]]:
    """Weights of promises by draw and trial: dossiers drawn anew within each seed, their promises together."""
    random = np.random.default_rng(0)
    codes = [np.unique(np.array(trial.year.dossier), return_inverse=True)[1] for trial in trials]
    made = []
    for _ in range(draws):
        one = []
        for code in codes:
            size = int(code.max()) + 1
            one.append(random.multinomial(size, np.full(size, 1 / size))[code].astype(float))
        made.append(one)
    return made


def recovered(trials: Sequence[Trial], held: Held, eff: float, share: float, times: int) -> list[tuple[bool, float]]:
    """For each draw of arms: whether the interval of the effect holds the planted one, and the interval's width.

    Of the told that would have been late a share `eff` is saved, drawn by dossier. Each draw takes its own seed.
    """
    found = []
    for trial in trials:
        fired = np.unique(trial.ours.promise)
        fired = fired[~np.isnan(trial.year.late[fired])]
        _, first = np.unique(np.array(trial.year.dossier)[fired], return_index=True)
        fired = fired[first]
        score = _score_at(trial, fired)
        untold = trial.year.late[fired]
        for time in range(times):
            random = np.random.default_rng([trial.seed, time])
            seed = random.bytes(32)
            told = np.array([held(seed, trial.year.dossier[at]) >= share for at in fired], bool)
            saved = random.random(len(fired)) < eff
            late = np.where(told & saved, 0.0, untold)
            told_of = effect(late, told, score, np.full(len(fired), share))
            if np.isfinite(told_of.value):
                truth = -float((untold * saved).mean())
                found.append((told_of.low <= truth <= told_of.high, told_of.high - told_of.low))
    return found


def _score_at(trial: Trial, fired: npt.NDArray[np.int64]) -> Floats:
    """The score of each promise when it fired: the row with the hours left that the alert had."""
    rows: dict[tuple[int, float], float] = {}
    for promise, left, score in zip(trial.year.promise, trial.year.left_hours, trial.year.score, strict=True):
        rows[int(promise), float(left)] = float(score)
    at = {int(promise): float(left) for promise, left in zip(trial.ours.promise, trial.ours.left_hours, strict=True)}
    return np.array([rows[int(promise), at[int(promise)]] for promise in fired])


def card(trials: Sequence[Trial], dossiers: int, a_week: int, covered: Sequence[tuple[bool, float]], eff: float) -> str:
    """The figures over all seeds as Markdown, with 95 % bootstrap intervals over dossiers."""
    ways = {
        "20 % of the time left": [trial.rule for trial in trials],
        "score, as many alerts": [trial.matched for trial in trials],
        "score, threshold from costs": [trial.ours for trial in trials],
    }
    draws = bootstrap(trials)
    drawn = {name: [figures(trials, way, weight) for weight in draws] for name, way in ways.items()}
    weeks = sum(len(set(trial.year.head)) * 52 for trial in trials)
    lines = [
        "# Early warnings over a simulated year",
        "",
        (
            f"{len(trials)} made-up provinces of {dossiers:,} dossiers in two years: the model learns from the first,"
            f" the second is scored each working day at eight. Budget: {a_week} single warnings a head and week; a"
            " score fires after two scorings above the threshold, at once with less than a day left. An alert is a"
            " single warning of one promise; lines of digests are not counted. Nobody is held out here. Late promises"
            " are those that stood open at some scoring; a promise kept or missed between two scorings is nobody's."
            " Intervals: 95 %, bootstrap over dossiers."
        ),
        "",
        "| way | alerts | a head and week: mean, most | precision | recall | lead of right alerts, working hours |",
        "|---|---|---|---|---|---|",
    ]
    for name, way in ways.items():
        told = figures(trials, way)
        count = sum(len(one.promise) for one in way)
        cells = [
            _with(getattr(told, part), [getattr(one, part) for one in drawn[name]])
            for part in ("precision", "recall", "lead")
        ]
        most = max(one.most_a_week() for one in way)
        lines.append(f"| {name} | {count:,} | {count / weeks:.2f}, {most} | {' | '.join(cells)} |")
    pair = ("score, as many alerts", "20 % of the time left")
    score, rule = (figures(trials, ways[name]) for name in pair)
    cells = []
    for part in ("precision", "recall", "lead"):
        apart = [getattr(a, part) - getattr(b, part) for a, b in zip(drawn[pair[0]], drawn[pair[1]], strict=True)]
        cells.append(_with(getattr(score, part) - getattr(rule, part), apart))
    lines.append(f"| difference at the same number | | | {' | '.join(cells)} |")
    held = [inside for inside, _ in covered]
    lines += [
        "",
        (
            f"Thresholds: {', '.join(f'{trial.threshold:.2f}' for trial in trials)} give as many alerts as the rule;"
            " found by the number alone, without an outcome."
        ),
        (
            f"Effect: of the late dossiers told, {eff:.0%} were saved by plan, a fifth held out by the service's own"
            f" draw. The interval of `risk warn effect` holds the planted effect in {sum(held)} of {len(held)} draws"
            f" ({sum(held) / max(len(held), 1):.1%}; promised: at least 90 %); its mean width is"
            f" {np.mean([width for _, width in covered]) if covered else float('nan'):.3f}."
        ),
        "",
    ]
    return "\n".join(lines)


def _with(value: float, drawn: Sequence[float]) -> str:
    low, high = np.quantile(np.asarray(drawn, float), [0.025, 0.975])
    return f"{value:.3g} ({low:.3g} to {high:.3g})"
