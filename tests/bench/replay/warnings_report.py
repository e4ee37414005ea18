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
    """Over all seeds: share of alerts whose dossier became late, share of late dossiers alerted, mean working hours
    between the first alert of a late dossier and its lawful promise as known then."""

    precision: float
    recall: float
    lead: float


def figures(trials: Sequence[Trial], ways: Sequence[Alerts], weight: Sequence[Floats] | None = None) -> Figures:
    """The figures of one way, `ways` holding its alerts by trial. weight: how often each dossier counts, by trial."""
    right = alerts = late = found = lead = 0.0
    for at, (trial, way) in enumerate(zip(trials, ways, strict=True)):
        counts = np.ones(len(trial.year.late)) if weight is None else weight[at]
        known = ~np.isnan(trial.year.late)
        missed = np.where(known, trial.year.late, 0.0)
        late += float((counts * missed).sum())
        alerts += float(counts[way.case][known[way.case]].sum())
        right += float((counts[way.case] * missed[way.case]).sum())
        alerted, first = np.unique(way.case, return_index=True)
        hits = counts[alerted] * missed[alerted]
        found += float(hits.sum())
        lead += float((hits * way.left_hours[first]).sum())
    return Figures(right / max(alerts, 1e-9), found / max(late, 1e-9), lead / max(found, 1e-9))


def bootstrap(trials: Sequence[Trial], draws: int = DRAWS) -> list[list[Floats]]:
    """Weights of dossiers by draw and trial: dossiers drawn anew within each seed."""
    random = np.random.default_rng(0)
    sizes = [len(trial.year.dossier) for trial in trials]
    return [[random.multinomial(size, np.full(size, 1 / size)).astype(float) for size in sizes] for _ in range(draws)]


def recovered(trials: Sequence[Trial], held: Held, eff: float, share: float, times: int) -> list[tuple[bool, float]]:
    """For each draw of arms: whether the interval of the effect holds the planted one, and the interval's width.

    Of the told that would have been late a share `eff` is saved, drawn by dossier. Each draw takes its own seed.
    """
    found = []
    for trial in trials:
        fired = np.unique(trial.ours.case)
        fired = fired[~np.isnan(trial.year.late[fired])]
        score = _score_at(trial, fired)
        untold = trial.year.late[fired]
        for time in range(times):
            random = np.random.default_rng([trial.seed, time])
            seed = random.bytes(32)
            told = np.array([held(seed, trial.year.dossier[at]) >= share for at in fired], bool)
            saved = random.random(len(fired)) < eff
            late = np.where(told & saved, 0.0, untold)
            estimated = effect(late, told, score, np.full(len(fired), share))
            if np.isfinite(estimated.value):
                truth = -float((untold * saved).mean())
                found.append((estimated.low <= truth <= estimated.high, estimated.high - estimated.low))
    return found


def _score_at(trial: Trial, fired: npt.NDArray[np.int64]) -> Floats:
    """The score of each dossier when it last fired: the row with the hours left that the alert had."""
    rows: dict[tuple[int, float], float] = {}
    for case, left, score in zip(trial.year.case, trial.year.left_hours, trial.year.score, strict=True):
        rows[int(case), float(left)] = float(score)
    at = {int(case): float(left) for case, left in zip(trial.ours.case, trial.ours.left_hours, strict=True)}
    return np.array([rows[int(case), at[int(case)]] for case in fired])


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
            " single warning of one dossier; lines of digests are not counted. Nobody is held out here. Truth is the"
            " lawful clock: an alert is right where the dossier became late by it, whoever moved its promise meanwhile;"
            " no dossier is warned of while its clock stands. Late dossiers are those that stood open with time left at"
            " some scoring; one begun and missed between two scorings is nobody's. Lead is counted from a dossier's"
            " first alert. Intervals: 95 %, bootstrap over dossiers."
        ),
        "",
        "| way | alerts | a head and week: mean, most | precision | recall | lead of right alerts, working hours |",
        "|---|---|---|---|---|---|",
    ]
    for name, way in ways.items():
        told = figures(trials, way)
        count = sum(len(one.case) for one in way)
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
