"""What stands on the shelf of harassment models: per tier of evidence whether a model or its rule ranks, and why."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import pointers


@dataclass(frozen=True)
class ConductTier:
    """One tier of evidence. ships: model or rule; comparison: AUC of both and of their difference, where measured."""

    name: str
    ships: str
    features: int
    comparison: Mapping[str, float]


@dataclass(frozen=True)
class ConductVersion:
    """One packaged version that a pointer names. why: what ships for dossiers, and its reason."""

    place: str
    version: str
    cutoff: str
    record_version: str
    tiers: tuple[ConductTier, ...]
    dossier_ships: str
    trouble: str | None = None


def read_conduct_shelf(models: Path) -> list[ConductVersion]:
    """Champion and candidate of harassment under the folder of models; what cannot be read is marked so."""
    found = (_shelved(models / "conduct", place) for place in ("champion", "candidate"))
    return [one for one in found if one is not None]


def _shelved(folder: Path, place: str) -> ConductVersion | None:
    try:
        pointer: Mapping[str, Any] | None = pointers.read(folder, place)
    except (OSError, ValueError):
        return ConductVersion(place, "?", "", "", (), "", "con trỏ hỏng")
    if pointer is None:
        return None
    version, dossier = str(pointer["version"]), pointer.get("dossier") or {}
    try:
        manifest = json.loads((folder / Path(version).name / "manifest.json").read_text("utf-8"))
        tiers = tuple(
            ConductTier(name, entry["ships"], len(entry["features"]), entry["comparison"])
            for name, entry in manifest["tiers"].items()
        )
        about = manifest["about"]
        return ConductVersion(
            place, version, about["cutoff"], str(about["record_version"]), tiers, str(dossier.get("ships", ""))
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ConductVersion(place, version, "", "", (), "", "thiếu hoặc hỏng tệp mô tả")
