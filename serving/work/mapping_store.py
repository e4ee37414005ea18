"""Mappings of tables and logs as they are kept: one name a source system, every version a file that stays."""

import re
from dataclasses import dataclass
from pathlib import Path

from features.atomic_file import replace_text
from features.spelling.names import plain

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def slug(name: str) -> str:
    """A name in the letters that the store takes: `Một cửa 2026.toml` → `mot-cua-2026-toml`."""
    return re.sub(r"[^a-z0-9_]+", "-", plain(name)).strip("-_")[:40] or "mapping"


@dataclass(frozen=True)
class StoredMapping:
    """One version of a source's mapping, from 1."""

    name: str
    version: int
    path: Path

    @property
    def text(self) -> str:
        """The mapping, as TOML."""
        return self.path.read_text("utf-8")


class MappingStore:
    """The mappings under `folder`: `<name>/<version>.toml`. Nothing is changed; a change is a new version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, text: str) -> StoredMapping:
        """The version of `name` that says `text`: the last one where it does, else a new one.

        ValueError for a name of other characters than small letters, digits, `-` and `_`.
        """
        if not _NAME.fullmatch(name):
            raise ValueError("mapping: a name of small letters, digits, - and _ was wanted (at most 40)")
        last = self.latest(name)
        if last is not None and last.text == text:
            return last
        path = self._folder / name / f"{last.version + 1 if last else 1:04d}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, text)
        return StoredMapping(name, int(path.stem), path)

    def latest(self, name: str) -> StoredMapping | None:
        """The last version of `name`; None where there is none."""
        versions = self.versions(name)
        return versions[-1] if versions else None

    def versions(self, name: str) -> list[StoredMapping]:
        """All versions of `name`, oldest first."""
        if not _NAME.fullmatch(name):
            return []
        files = sorted((self._folder / name).glob("[0-9][0-9][0-9][0-9].toml"))
        return [StoredMapping(name, int(file.stem), file) for file in files]

    def names(self) -> list[str]:
        """Every name that has a version."""
        return sorted(path.parent.name for path in self._folder.glob("*/0001.toml"))
