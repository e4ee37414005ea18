"""Parts of nested JSON objects, taken without trust in their kind: what is not as wanted is not there."""

from collections.abc import Mapping
from typing import Any


def inside(value: object, *path: str) -> Any:
    """What lies at `path` in nested objects, None where a part is missing or no object."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def objects(value: object, *path: str) -> list[Mapping[str, Any]]:
    """The objects of the list at `path`; other members, and anything but a list, give none."""
    found = inside(value, *path)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def strings(value: object, *path: str) -> list[str]:
    """The texts of the list at `path`."""
    found = inside(value, *path)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def string(value: object, *path: str) -> str | None:
    """The text at `path`, None where there is none."""
    found = inside(value, *path)
    return found if isinstance(found, str) else None
