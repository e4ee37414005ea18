"""Lines of conduct within a reader's scope."""

from collections.abc import Sequence
from typing import Literal

from fastapi import Request

from models.conduct import ConductLine
from serving.scoring.conduct_list_cache import ConductShelf
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of

Grain = Literal["official", "unit", "dossier"]


def conduct_lines(
    request: Request, grain: str, tier: str, unit: str, new: bool = False
) -> tuple[str, Sequence[ConductLine]]:
    """The tier shown (the wanted one, else the list's first) and its lines in the reader's scope.

    `new`: only what newly stands out, against the lists before.
    """
    shelf: ConductShelf | None = context_of(request).serving.conduct.value
    tiers = shelf.tiers(grain) if shelf else []
    if shelf is None or not tiers:
        return "", []
    chosen = tier if tier in tiers else tiers[0]
    return chosen, shelf.within(grain, chosen, reader_of(request).scope, unit, new)
