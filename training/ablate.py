"""Ablation: which block of features earns its place on this record? Each is left out once, on later slices.

Judged as a recipe is chosen: members learnt on what was ripe before each slice, blended and calibrated with the block
and without it, on the same rows; intervals over dossiers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import expit

from features.matrix.batch import FEATURES
from training.evaluate import Metric, Ranked, interval
from training.fit import stable_columns
from training.members import KEYS, Recipe
from training.model_selection import Judged, best_blend_losses, blend, judge
from training.sample import Sample
from training.split import rolling

Say = Callable[[str], None]
HEAD = """# What each block of features is worth

Written by `risk ablate TARGET --card`, a section a record. Each block of columns is left out once; told is how much
log-loss rises and AUC falls without it (above zero: it is missed), with 95 % intervals over dossiers. A block that is
not shown to earn its place on one record may on another: blocks stand in for each other, and one left out alone is
missed less than it tells.
"""


@dataclass(frozen=True)
class Block:
    """A block left out: its columns, how much worse loss and AUC are without it (above zero: it earns its place)."""

    name: str
    columns: tuple[str, ...]
    loss: Metric
    auc: Metric

    @property
    def earns(self) -> bool:
        """Whether leaving it out costs, by an interval, probability or order."""
        return self.loss.low > 0 or self.auc.low > 0

    @property
    def idle(self) -> bool:
        """Whether nothing changes without it, to four digits: its columns say the same of every row here."""
        return max(abs(end) for one in (self.loss, self.auc) for end in (one.value, one.low, one.high)) < 5e-5


def ablate(
    sample: Sample, recipe: Recipe, *, draws: int = 300, say: Say = lambda line: None
) -> tuple[list[Block], int]:
    """Every block of columns by what it is worth, most first, and the number of judged rows.

    ValueError where the sample has no later slice to judge on.
    """
    splits = rolling(sample)
    if not splits:
        raise ValueError("wanted a later slice to judge on, came none; ingest more history")
    sample = replace(sample, matrix=sample.matrix.select(stable_columns(sample, splits)))
    say("with all blocks")
    whole = judge(sample, splits, recipe)
    loss, weight = best_blend_losses(whole)
    score = expit(blend(whole).log_odds)
    clusters, counts = draws_of(whole, draws)
    found = []
    for name, columns in blocks_of(sample.matrix.column_names).items():
        say(f"without {name}")
        less = judge(replace(sample, matrix=sample.matrix.drop_columns(list(columns))), splits, recipe)
        other, _ = best_blend_losses(less)
        theirs = expit(blend(less).log_odds)
        worse = [np.average(other - loss, weights=weight * count[clusters]) for count in counts]
        found.append(Block(name, columns, interval(np.array(worse)), auc_apart(whole, score, theirs, draws)))
    return sorted(found, key=lambda block: -block.loss.value), len(whole.label)


def auc_lost(sample: Sample, recipe: Recipe, columns: Sequence[str], *, draws: int = 200) -> Metric | None:
    """How much AUC falls on later slices without the columns; None where there is no later slice to judge on."""
    splits = rolling(sample)
    if not splits:
        return None
    whole = judge(sample, splits, recipe)
    less = judge(replace(sample, matrix=sample.matrix.drop_columns(list(columns))), splits, recipe)
    return auc_apart(whole, expit(blend(whole).log_odds), expit(blend(less).log_odds), draws)


def draws_of(whole: Judged, draws: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """The dossier of each judged row, and how often each dossier counts: once, then as drawn with replacement."""
    clusters = np.unique(whole.dossier, return_inverse=True)[1]
    n = int(clusters.max()) + 1
    rng = np.random.default_rng(0)
    return clusters, [np.ones(n), *(np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(draws))]


def auc_apart(whole: Judged, score: np.ndarray, other: np.ndarray, draws: int) -> Metric:
    """AUC of one score minus that of another on the same rows."""
    clusters, counts = draws_of(whole, draws)
    ours, theirs = Ranked.of(whole.label, score), Ranked.of(whole.label, other)
    apart = [ours.auc_and_pairs(count[clusters])[0] - theirs.auc_and_pairs(count[clusters])[0] for count in counts]
    return interval(np.array(apart))


def blocks_of(columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The columns by the group that their declaration names; columns of the record's own attributes by themselves."""
    group = {feature.name: feature.group for feature in FEATURES}
    found: dict[str, list[str]] = {}
    for name in columns:
        if name not in KEYS:
            found.setdefault(group.get(name, name), []).append(name)
    return {name: tuple(members) for name, members in found.items()}


def as_section(blocks: Sequence[Block], n: int, name: str, about: str) -> str:
    """The table of one record, under its name."""
    lines = [
        f"## {name}",
        "",
        f"{about}; {n:,} judged landmarks of later slices.",
        "",
        "| block | columns | log-loss lost | AUC lost | earns its place |",
        "|---|---|---|---|---|",
    ]
    idle = [block.name for block in blocks if block.idle]
    for block in blocks:
        if block.idle:
            continue
        cells = [f"{f.value:+.4f} [{f.low:+.4f}, {f.high:+.4f}]" for f in (block.loss, block.auc)]
        verdict = "yes" if block.earns else "not shown"
        lines.append(f"| {block.name} | {len(block.columns)} | {cells[0]} | {cells[1]} | {verdict} |")
    if idle:
        lines += ["", f"Without any effect here: {', '.join(sorted(idle))}."]
    return "\n".join([*lines, ""])


def put_on_card(path: Path, section: str) -> None:
    """Puts the section of one record on the card, in the place of an older one of its name; others stay."""
    sections = {}
    if path.exists():
        for part in path.read_text("utf-8").split("\n## ")[1:]:
            sections[part.split("\n", 1)[0]] = f"## {part.rstrip()}\n"
    sections[section.split("\n", 1)[0].removeprefix("## ")] = section
    path.write_text("\n".join([HEAD, *sections.values()]), "utf-8")
