"""Whom a reader sees by name: the one place that decides, for pages, files and API."""

from fastapi import Request

from serving.language import LazyText as lazy
from serving.read.official_directory import NOBODY, called
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.words import brief_id

ELSEWHERE = lazy("cán bộ đơn vị khác")
"""What somebody outside the reader's units is called, before the unit's name."""


def may_name(request: Request, official_id: str | None) -> bool:
    """Whether the reader may see who this is: whose page would open for them, and themselves."""
    reader = reader_of(request)
    if official_id is None:
        return False
    unit = context_of(request).read_model.register.officials.get(official_id)
    own = official_id == reader.official_id
    return own or (unit is not None and reader.scope_for("official.read").covers(unit))


def official_name(request: Request, official_id: str | None) -> str:
    """The name for who may see the person; of another unit's person the unit alone; `chưa rõ` where nobody is known.

    Who sees nobody by name is given the first signs of the pseudonym, to tell one person from another.
    """
    if official_id is None:
        return NOBODY
    if not may_name(request, official_id):
        if not reader_of(request).may("official.read"):
            return brief_id(official_id)
        register = context_of(request).read_model.register
        unit = register.officials.get(official_id)
        return ELSEWHERE if unit is None else f"{ELSEWHERE}, {register.unit(unit)}"
    context = context_of(request)
    return called(official_id, context.people.directory.names, context.read_model.register)
