"""Parts of nested JSON objects, taken without trust in their kind: what is not as wanted is not there."""

from collections.abc import Mapping
from typing import Any


def inside(value: object, *path: str) -> Any:
    """What lies at `path` in nested objects, None where a part is missing or no object."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def listed(value: object, *path: str) -> list[Any]:
    """What stands in the list at `path`, without what is empty; translators of XML write a list of one as that one."""
    found = inside(value, *path)
    return [one for one in (found if isinstance(found, list) else [found]) if one not in (None, "", [], {})]


def objects(value: object, *path: str) -> list[Mapping[str, Any]]:
    """The objects of the list at `path`, of which a single one may stand alone; what is no object gives none."""
    return [one for one in listed(value, *path) if isinstance(one, Mapping)]


def strings(value: object, *path: str) -> list[str]:
    """The texts of the list at `path`, of which a single one may stand alone."""
    return [one for one in listed(value, *path) if isinstance(one, str)]


def string(value: object, *path: str) -> str | None:
    """The text at `path`, None where there is none."""
    found = inside(value, *path)
    return found if isinstance(found, str) else None
