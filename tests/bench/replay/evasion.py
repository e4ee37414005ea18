"""What is found of planted culprits where they hide: the same seeds plain, under colleagues, with complaints
suppressed, and with nobody planted; and what a plan made of conduct finds beside one made of lateness.

Seeds are fresh ones: rules were chosen on seed 1. In every world honest officials suspend, set promises anew and ask
for a paper beyond the list now and then (`features.simulate.evasion`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from features.record.delivery import Chunk
from features.record.record import Record
from features.signals import evaluate_held
from features.signals.held_voice import HELD_VOICE
from features.simulate import simulate
from features.simulate.evasion import Evasion
from tests.bench.replay.conduct import LIST, orders
from tests.bench.replay.conduct_worlds import ARRIVED, AS_OF, END, START, VISITS, standings
from tests.bench.replay.plan_yield import PLANS, Yield

HONEST = 0.02
"""Of honest dossiers, that show each act that looks like harassment."""
WORLDS: dict[str, tuple[Evasion, int | None]] = {
    "plain": (Evasion(honest=HONEST), None),
    "half under colleagues": (Evasion(colleague=0.5, honest=HONEST), None),
    "80 % of complaints suppressed": (Evasion(suppressed=0.8, honest=HONEST), None),
    "nobody planted": (Evasion(honest=HONEST), 0),
}
"""World → how it hides, and how many culprits (None: as many as is usual)."""
NOBODY = "nobody planted"
WANTED = {"plain": 0.80, "half under colleagues": 0.60}
MOST_FALSE = 1
SILENCE = "COMPLAINTS_SILENT"
DRAWS = 2000


@dataclass(frozen=True)
class HiddenTrial:
    """One seed in one world: recall of culprits in the top 5 % (nan: nobody), flags, and flags on honest officials.

    by_complaints: the same recall where past complaints rank. silent: officials told for a sudden silence of
    complaints, and how many of them are culprits.
    """

    seed: int
    world: str
    recall: float
    flags: int
    false_flags: int
    by_complaints: float = float("nan")
    silent: tuple[int, int] = (0, 0)

    @property
    def holds(self) -> bool:
        """Whether what must hold in this world does."""
        if self.world not in WANTED:
            return self.flags == 0 or self.world != NOBODY
        return self.recall >= WANTED[self.world] and self.false_flags <= MOST_FALSE


def run(seeds: Sequence[int], dossiers: int, say: Callable[[str], None]) -> list[HiddenTrial]:
    """Every seed in every world, one after the other."""
    trials = []
    for seed in seeds:
        for world, (evasion, culprits) in WORLDS.items():
            one = hidden_trial(seed, dossiers, world, evasion, culprits)
            say(f"seed {seed}, {world}: recall {one.recall:.2f}, {one.flags} flags, {one.false_flags} false")
            trials.append(one)
    return trials


def hidden_trial(seed: int, dossiers: int, world: str, evasion: Evasion, culprits: int | None) -> HiddenTrial:
    """One province of a year, read as the service reads it."""
    province = simulate(
        seed=seed, dossiers=dossiers, start=START, end=END, culprits=culprits, policy=None, evasion=evasion
    )
    with TemporaryDirectory() as folder:
        record = Record(Path(folder) / "record")
        chunks = [Chunk(name, table) for name, table in province.tables.items() if name not in VISITS]
        record.append(chunks, source="simulated", arrived_at=ARRIVED)
        with record.connect() as con:
            told = [one for one in standings(con) if one.score is not None]
            order = orders(con, [one.key for one in told])["past complaints"]
            silent = {
                row["key"] for row in evaluate_held(con, AS_OF, "official", signals=HELD_VOICE).to_pylist()
                if row["signal"] == SILENCE
            }  # fmt: skip
    truth = {row["official_id"]: bool(row["culprit"]) for row in province.truth["official"].to_pylist()}
    planted = sum(truth[one.key] for one in told)
    size = ceil(LIST * len(told))
    found = sum(truth[one.key] for one in told[:size])
    complained = sum(truth[key] for key in order[:size])
    flagged = [one for one in told if one.flag]
    return HiddenTrial(
        seed, world, found / planted if planted else float("nan"), len(flagged),
        sum(not truth[one.key] for one in flagged), complained / planted if planted else float("nan"),
        (len(silent), sum(truth.get(key, False) for key in silent)),
    )  # fmt: skip


def card(trials: Sequence[HiddenTrial], yields: Sequence[Yield], dossiers: int) -> list[str]:
    """The figures as Markdown lines, seed by seed with intervals over seeds, and what did not hold."""
    seeds = sorted({one.seed for one in trials})
    about = f"`python -m tests.bench replay evasion`: {len(seeds)} seeds ({seeds[0]}–{seeds[-1]}), {dossiers:,}"
    about += f" dossiers of a year each; {HONEST:.0%} of honest dossiers look alike in each of three ways."
    about += " Intervals: 95 %, bootstrap over seeds."
    lines = [
        "# Conduct where culprits hide",
        "",
        about,
        "",
        "| seed | world | recall in the top 5 % | by past complaints | flags | of these honest | wanted | holds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in trials:
        wanted = f"≥ {WANTED[one.world]:.2f}, honest ≤ {MOST_FALSE}" if one.world in WANTED else "–"
        wanted = "no flag" if one.world == NOBODY else wanted
        held = ("yes" if one.holds else "**no**") if wanted != "–" else "–"
        lines.append(
            f"| {one.seed} | {one.world} | {_share(one.recall)} | {_share(one.by_complaints)} | {one.flags} |"
            f" {one.false_flags} | {wanted} | {held} |"
        )
    for world in dict.fromkeys(one.world for one in trials):
        here = [one for one in trials if one.world == world]
        if world == NOBODY:
            continue
        recall, complained = ([getattr(one, name) for one in here] for name in ("recall", "by_complaints"))
        told, right = (sum(one.silent[n] for one in here) for n in (0, 1))
        summary = f"**{world}**: recall {interval(recall)}, lowest {min(recall):.2f}; ranked by past complaints"
        summary += f" {interval(complained)}; honest flagged {sum(one.false_flags for one in here)} in all; told for a"
        summary += f" sudden silence of complaints: {told} officials, {right} of them culprits."
        lines += ["", summary]
    return [*lines, "", *yield_lines(yields)]


def interval(values: Sequence[float]) -> str:
    """Mean and 95 % bootstrap interval over seeds, as `0.86 [0.80, 0.92]`."""
    told = np.asarray(values, float)
    means = told[np.random.default_rng(1).integers(0, len(told), (DRAWS, len(told)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{told.mean():.2f} [{low:.2f}, {high:.2f}]"


def yield_lines(yields: Sequence[Yield]) -> list[str]:
    """What the plans found, seed by seed, and the difference with its interval."""
    if not yields:
        return []
    about = f"Plans of teams by the product's own rules, made of the open dossiers' scores; {PLANS} draws each. Found:"
    about += " pulled dossiers in which harassment had happened by the visit, a visit of a team."
    lines = [
        "## What a month's plan finds",
        "",
        about,
        "",
        "| seed | open | harassed | conduct: pulled | found a visit | lateness: pulled | found a visit |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.seed} | {one.open} | {one.harassed} | {one.conduct.pulled:.0f} | {one.conduct.a_visit:.2f} |"
        f" {one.lateness.pulled:.0f} | {one.lateness.a_visit:.2f} |"
        for one in yields
    ]
    gain = [one.conduct.a_visit - one.lateness.a_visit for one in yields]
    return [*lines, "", f"Conduct less lateness, findings a visit: {interval(gain)}."]


def _share(value: float) -> str:
    return "–" if value != value else f"{value:.2f}"
