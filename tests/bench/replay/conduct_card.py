"""The card of the target conduct: what must hold, what came, over all seeds, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from models.loop import hit_rate
from tests.bench.replay.conduct import LIST, Trial
from tests.bench.replay.conduct_floods import Flood
from training.conduct_fairness import BY, audit, table
from training.evaluate import Metric
from training.finding import FEWEST_FOUND

DRAWS = 2000


def card(trials: Sequence[Trial], floods: Sequence[Flood], dossiers: int) -> list[str]:
    """The card as lines of Markdown."""
    first, last = trials[0].seed, trials[-1].seed
    people, culprits = (mean([getattr(one.planted, name) for one in trials]).value for name in ("people", "culprits"))
    lines = [
        "# Conduct on made-up provinces",
        "",
        (
            f"Seeds {first} to {last}, one year and {dossiers} dossiers each; every unit visited once a month, 20"
            f" dossiers a visit, half of them drawn. Officials with at least 20 dossiers: {people:.0f} a province,"
            f" culprits among them {culprits:.1f}. A real province is about ten times as large: fewer findings make"
            " the proof harder. Intervals: 95 %, bootstrap over seeds, unless said otherwise. Whatever was chosen was"
            " chosen on seeds from 100 on."
        ),
        "",
    ]
    for part in (_culprits(trials), _nobody(trials), _shocks(trials, floods), _prevalence(trials), _labels(trials),
                 _dossiers(trials)):  # fmt: skip
        lines += [*part, ""]
    return lines


def mean(values: Sequence[float]) -> Metric:
    """Mean over seeds with its 95 % bootstrap interval."""
    told = np.asarray(values, float)
    random = np.random.default_rng(0)
    draws = told[random.integers(0, len(told), (DRAWS, len(told)))].mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return Metric(float(told.mean()), float(low), float(high))


def _culprits(trials: Sequence[Trial]) -> list[str]:
    lines = [
        f"## 1. Culprits in the top {LIST:.0%} of officials: wanted recall ≥ 0.70",
        "",
        "| order | recall | precision | lift |",
        "|---|---|---|---|",
    ]
    orders = list(trials[0].planted.recall)
    measures = ("recall", "precision", "lift")
    for name in orders:
        told = [mean([getattr(one.planted, what)[name] for one in trials]) for what in measures]
        lines.append(f"| {name} | {' | '.join(map(str, told))} |")
    above = True
    for rule in orders[1:]:
        gains = [
            mean([getattr(one.planted, what)["signals"] - getattr(one.planted, what)[rule] for one in trials])
            for what in measures
        ]
        above &= all(gain.low > 0 for gain in gains)
        lines.append(f"| signals less {rule} (paired) | {' | '.join(map(str, gains))} |")
    recall = mean([one.planted.recall["signals"] for one in trials])
    return [*lines, "", (f"{_verdict(recall.value >= 0.7 and above)}: recall {recall}; every gain"
            f" {'is' if above else 'is not'} above zero.")]  # fmt: skip


def _nobody(trials: Sequence[Trial]) -> list[str]:
    flags, false = sum(one.planted.flags for one in trials), sum(one.planted.false_flags for one in trials)
    hard, flooded = (
        sum(getattr(one.planted, name) for one in trials) for name in ("false_on_hard", "false_on_flooded")
    )
    alone = pa.concat_tables([one.nobody for one in trials])
    raised = int(np.sum(alone["flag"].to_numpy(zero_copy_only=False)))
    rate = hit_rate(false, flags)
    groups = audit(
        alone["score"].to_numpy(),
        alone["flag"].to_numpy(zero_copy_only=False),
        None,
        alone.select(["official_id", *BY]),
    )
    return [
        "## 2. False flags: wanted ≤ 10 % of the flags, and no group apart beyond noise where nobody is planted",
        "",
        (
            f"Culprits planted: {flags} flags, {false} of them on honest officials ({false / max(flags, 1):.1%}, 95 %"
            f" interval {rate.low:.1%} to {rate.high:.1%}); {hard} of these handle hard cases, {flooded} are under a"
            f" flood of false complaints. Nobody planted: {raised} flags on {alone.num_rows} officials."
        ),
        "",
        *table(groups),
        "",
        (
            f"{_verdict(false <= 0.1 * max(flags, 1))} for the flags;"
            f" {_verdict(not any(one.beyond_noise for one in groups))} for the groups."
        ),
    ]


def _shocks(trials: Sequence[Trial], floods: Sequence[Flood]) -> list[str]:
    strict = [one.strict for one in trials if one.strict is not None]
    lines = ["## 3. A strict team, and floods of complaints", ""]
    held = True
    if strict:
        furthest = max(one.listed for one in strict)
        held = furthest <= 0.01
        moved, chance = mean([one.model for one in strict]), mean([one.chance for one in strict])
        more = mean([abs(one.model) - abs(one.chance) for one in strict])
        lines += [
            (
                "Officials' ranks on the list: when the laxest team turns strict, no official of the province moves by"
                f" more than {furthest:.2%} of all ranks ({len(strict)} seeds; neither findings nor complaints enter"
                " their figures where the record holds dossiers)."
            ),
            "",
            (
                "The finding model, which ranks dossiers, learns from findings. Were officials ranked by its mean risk"
                f" of their open dossiers, those of the team's units would move by {_signed(moved)} of all ranks; when"
                f" the same teams pull other dossiers, by {_signed(chance)}; the size of the first less that of the"
                f" second: {_signed(more)}, {'within' if more.low <= 0 else 'beyond'} that noise."
            ),
            "",
        ]
    lines += [
        "| flood on an official, forecast of complaints | score moves by at most | rank by at most |",
        "|---|---|---|",
    ]
    for words in dict.fromkeys(one.words for one in floods):
        mine = [one for one in floods if one.words == words]
        lines.append(f"| {words} ({len(mine)} officials) | {max(one.score for one in mine):.4f} |"
                     f" {max(one.rank for one in mine):.2%} |")  # fmt: skip
    still = all(one.score <= 0.02 and one.rank <= 0.01 for one in floods)
    strictly = _verdict(held) if strict else "Not judged: no seed had enough findings,"
    return [*lines, "", f"{strictly} for officials' ranks under a strict team; {_verdict(still)} for the floods."]


def _prevalence(trials: Sequence[Trial]) -> list[str]:
    inside = [one.estimate[1] <= one.truth <= one.estimate[2] for one in trials]
    ratio = mean([one.estimate[0] / one.truth for one in trials])
    return [
        "## 4. Prevalence from the random share: wanted inside its 95 % interval in ≥ 90 % of seeds",
        "",
        (
            f"Share of the pools where a visit would report harassment: inside in {sum(inside)} of {len(inside)} seeds;"
            f" estimate over truth {ratio}."
        ),
        "",
        f"{_verdict(sum(inside) >= 0.9 * len(inside))}.",
    ]


def _labels(trials: Sequence[Trial]) -> list[str]:
    flips = [one.flip for one in trials if one.flip is not None]
    lines = ["## 5. 5 % of one team's labels turned over: wanted AP within 0.01, and the team named", ""]
    if not flips:
        return [*lines, "Not judged: no seed had enough findings."]
    change, raw = mean([one.mended - one.before for one in flips]), mean([one.turned - one.before for one in flips])
    each, again = (mean([abs(getattr(one, what) - one.before) for one in flips]) for what in ("mended", "again"))
    named, alarms = sum(one.named for one in flips), sum(one.alarms for one in flips)
    held = named == len(flips) and abs(change.value) <= 0.01
    return [
        *lines,
        (
            f"{len(flips)} seeds. The team was named in {named}; {alarms} of {sum(one.teams for one in flips)} teams"
            f" were named without cause. AP changes by {_signed(change)} with the labels of the named team weighed, by"
            f" {_signed(raw)} without. Its size in one seed is {each}; learnt once more from the same labels with other"
            f" random numbers it changes by {again}."
        ),
        "",
        f"{_verdict(held)} (named, and mean change within 0.01).",
    ]


def _dossiers(trials: Sequence[Trial]) -> list[str]:
    lines = [
        f"## Dossiers: the finding model on the random share (judged only with ≥ {FEWEST_FOUND} random findings)",
        "",
        "| seed | random findings | ships | AP model | AP signals | gain |",
        "|---|---|---|---|---|---|",
    ]
    for one in trials:
        told = " | ".join(str(one.figures[name]) if one.figures else "–" for name in ("model", "signals", "gain"))
        lines.append(f"| {one.seed} | {one.found} | {one.ships} | {told} |")
    judged = [one.figures["gain"].value for one in trials if one.figures]
    gain = f" Gain over seeds: {mean(judged)}." if judged else ""
    return [*lines, "", ("`signals`: too few findings, so signals rank, no probability is told, and answers say so."
            f" Severity of the team is an offset in training and absent from the score.{gain}")]  # fmt: skip


def _signed(figure: Metric) -> str:
    return f"{figure.value:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"


def _verdict(holds: bool) -> str:
    return "**Holds**" if holds else "**Falls short**"
