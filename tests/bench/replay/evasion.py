"""What is found of planted culprits where they hide: the same seeds plain, under colleagues, and with nobody planted.

Seeds are fresh ones: rules were chosen on seed 1. In every world honest officials suspend, set promises anew and ask
for a paper beyond the list now and then (`features.simulate.evasion`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

from features.record.delivery import Chunk
from features.record.record import Record
from features.simulate import simulate
from features.simulate.evasion import Evasion
from tests.bench.replay.conduct import LIST
from tests.bench.replay.conduct_worlds import ARRIVED, END, START, VISITS, standings

HONEST = 0.02
"""Of honest dossiers, that show each act that looks like harassment."""
WORLDS: dict[str, tuple[Evasion, int | None]] = {
    "plain": (Evasion(honest=HONEST), None),
    "half under colleagues": (Evasion(colleague=0.5, honest=HONEST), None),
    "nobody planted": (Evasion(honest=HONEST), 0),
}
"""World → how it hides, and how many culprits (None: as many as is usual)."""
WANTED = {"plain": 0.80, "half under colleagues": 0.60}
MOST_FALSE = 1


@dataclass(frozen=True)
class HiddenTrial:
    """One seed in one world: recall of culprits in the top 5 % (nan: nobody), flags, and flags on honest officials."""

    seed: int
    world: str
    recall: float
    flags: int
    false_flags: int

    @property
    def holds(self) -> bool:
        """Whether what must hold in this world does."""
        if self.world not in WANTED:
            return self.flags == 0
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
    truth = {row["official_id"]: bool(row["culprit"]) for row in province.truth["official"].to_pylist()}
    planted = sum(truth[one.key] for one in told)
    found = sum(truth[one.key] for one in told[: ceil(LIST * len(told))])
    flagged = [one for one in told if one.flag]
    return HiddenTrial(
        seed, world, found / planted if planted else float("nan"), len(flagged),
        sum(not truth[one.key] for one in flagged),
    )  # fmt: skip


def card(trials: Sequence[HiddenTrial], dossiers: int) -> list[str]:
    """The figures as Markdown lines, seed by seed, and what did not hold."""
    seeds = sorted({one.seed for one in trials})
    about = f"`python -m tests.bench replay evasion`: {len(seeds)} seeds ({seeds[0]}–{seeds[-1]}), {dossiers:,}"
    about += f" dossiers of a year each; {HONEST:.0%} of honest dossiers look alike in each of three ways."
    lines = [
        "# Conduct where culprits hide",
        "",
        about,
        "",
        "| seed | world | recall in the top 5 % | flags | of these honest | wanted | holds |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in trials:
        wanted = f"≥ {WANTED[one.world]:.2f}, honest ≤ {MOST_FALSE}" if one.world in WANTED else "no flag"
        recall = "–" if one.recall != one.recall else f"{one.recall:.2f}"
        held = "yes" if one.holds else "**no**"
        lines.append(f"| {one.seed} | {one.world} | {recall} | {one.flags} | {one.false_flags} | {wanted} | {held} |")
    for world in WANTED:
        recalls = [one.recall for one in trials if one.world == world]
        lines += ["", f"{world}: mean recall {sum(recalls) / len(recalls):.2f}, lowest {min(recalls):.2f}."]
    return lines
