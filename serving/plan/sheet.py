"""The sheet of one visit: which dossiers to pull, each with its chance of being pulled.

First come those that an inspector picked. The larger part are the dossiers with the highest risk, at most `cap` of one
official. The rest is drawn, all
alike, from everything else that is open in the unit, so that no dossier and no official is ever safe, and the
record gets labels that the model did not choose.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from serving.plan.draw import draw
from serving.plan.plan_input import Pull


@dataclass(frozen=True)
class SheetLine:
    """One dossier to pull. probability: of being pulled once the unit is visited (1 for the picked and riskiest)."""

    dossier_id: str
    official_id: str | None
    chosen_by: Literal["pick", "score", "draw"]
    probability: float
    score: float
    reasons: tuple[str, ...]


def sheet(
    pulls: Sequence[Pull], size: int, random_share: float, cap: int, seed: str, visit_id: str,
    picked: Collection[str] = (),
) -> list[SheetLine]:  # fmt: skip
    """At most `size` lines, the picked first, then the riskiest. pulls: by falling score; their order breaks ties.

    Picks take the places of the riskiest, never those that are drawn.
    """
    random = max(1, round(random_share * size))
    wanted = [pull for pull in pulls if pull.dossier_id in picked][: max(size - random, 0)]
    if wanted:
        rest = [pull for pull in pulls if pull not in wanted]
        left = sheet(rest, size - len(wanted), random / (size - len(wanted)), cap, seed, visit_id)
        return [_line(pull, "pick", 1.0) for pull in wanted] + left
    if len(pulls) <= size:
        return [_line(pull, "score" if i < size - random else "draw", 1.0) for i, pull in enumerate(pulls)]
    held: dict[str | None, int] = {}
    top: list[int] = []
    for place, pull in enumerate(pulls):
        if len(top) == size - random:
            break
        if pull.official_id is None or held.get(pull.official_id, 0) < cap:
            held[pull.official_id] = held.get(pull.official_id, 0) + 1
            top.append(place)
    random = size - len(top)
    taken = set(top)
    rest = [pull for place, pull in enumerate(pulls) if place not in taken]
    chance = min(1.0, random / len(rest))
    drawn = draw(np.full(len(rest), chance), [p.dossier_id for p in rest], seed, f"sheet {visit_id}")
    return [_line(pulls[i], "score", 1.0) for i in top] + [_line(rest[i], "draw", chance) for i in drawn]


def expected_findings(pulls: Sequence[Pull], size: int, random_share: float) -> float:
    """Findings expected when a visit pulls its sheet: the top scores and the mean of the rest."""
    scores = np.array([pull.score for pull in pulls])
    top = size - max(1, round(random_share * size))
    rest = scores[top:]
    return float(scores[:top].sum() + (min(size - top, len(rest)) * rest.mean() if len(rest) else 0.0))


def _line(pull: Pull, chosen_by: Literal["pick", "score", "draw"], probability: float) -> SheetLine:
    return SheetLine(pull.dossier_id, pull.official_id, chosen_by, probability, pull.score, pull.reasons)
