"""Which files of a folder of landmark parts count: `manifest.json`, replaced last and in one step."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.atomic_file import replace_text

_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What a folder of parts holds.

    `version`: of the record. `made_of`: hash of features, attributes, calendar and aliases. `until`: the last
    landmark made. `parts`: file by landmark, both as text; a landmark without open dossiers has none. `changes`:
    file of daily changes by group, complete before the day `through` (days since 1970), of use from `floor` on:
    what lies longer back is summed up in them.
    """

    version: int
    made_of: str
    every_days: int
    until: str | None = None
    parts: dict[str, str] = field(default_factory=dict)
    changes: dict[str, str] = field(default_factory=dict)
    through: int | None = None
    floor: int | None = None

    def stored_changes(self, folder: Path) -> dict[str, pa.Table]:
        """The daily changes that count, by group."""
        inside = pc.field("day") < self.through
        return {group: pq.read_table(folder / name, filters=inside) for group, name in self.changes.items()}

    def files(self) -> dict[datetime, str]:
        """Landmark → file, oldest first."""
        return {datetime.fromisoformat(at): name for at, name in sorted(self.parts.items())}


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder, None where nothing was made yet. ValueError where it is damaged."""
    path = folder / _MANIFEST
    if not path.exists():
        return None
    try:
        return Manifest(**json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: wanted a manifest of parts, came a damaged file; remove the folder") from error


def parts(folder: Path, before: datetime | None = None) -> dict[datetime, Path]:
    """Landmark → file of the parts in `folder`, oldest first; those of landmarks before `before` alone."""
    manifest = read_manifest(folder)
    found = {} if manifest is None else manifest.files()
    return {at: folder / name for at, name in found.items() if before is None or at < before}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replaces the manifest in one step, then removes the files that it does not name."""
    replace_text(folder / _MANIFEST, json.dumps(asdict(manifest), indent=1))
    named = {*manifest.parts.values(), *manifest.changes.values()}
    for path in folder.glob("*.parquet"):
        if path.name not in named:
            path.unlink()
