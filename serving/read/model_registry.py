"""What stands on the shelf of models: champion, candidate, previous, and every move so far. Read, never moved here."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import pointers
from models.targets import TARGETS
from serving.language import LazyText as lazy
from serving.language import gettext as _


@dataclass(frozen=True)
class ModelVersion:
    """One packaged model that a pointer names. about: what it was trained on, and its figures where given.

    gates: what promotion asks, as answered at the training (name, holds, words). trained_by: who trained, where given.
    """

    place: str
    version: str
    sha256: str
    about: Mapping[str, Any]
    weights: Mapping[str, float]
    features: int
    trouble: str | None
    gates: tuple[Mapping[str, Any], ...] = ()
    trained_by: str | None = None


@dataclass(frozen=True)
class RegistryView:
    """The models of one target and the moves among them, newest first."""

    target: str
    champion: ModelVersion | None
    candidate: ModelVersion | None
    previous: ModelVersion | None
    moves: tuple[Mapping[str, Any], ...]

    @property
    def refusal(self) -> str | None:
        """Why the candidate may not be promoted now, in Vietnamese; None where its gates can be asked."""
        if self.candidate is None:
            return _("Chưa có mô hình ứng viên: hãy huấn luyện trước.")
        if self.candidate.trouble:
            return _("Mô hình ứng viên không đọc được: {trouble}.").format(trouble=self.candidate.trouble)
        if self.champion is not None and self.champion.sha256 == self.candidate.sha256:
            return _("Ứng viên chính là mô hình đang dùng.")
        return None

    def refusing(self, by: str) -> list[str]:
        """The names of the candidate's gates that do not hold, for a promotion by `by`."""
        if self.candidate is None:
            return []
        found = [str(gate["name"]) for gate in self.candidate.gates if not gate["holds"]]
        return found + (["second person"] if self.candidate.trained_by == by else [])


def read_shelf(models: Path, target: str) -> RegistryView:
    """The shelf of a target under the folder of models; what cannot be read is shown as such, not raised."""
    folder = models / target
    return RegistryView(
        target,
        _shelved(folder, "champion"),
        _shelved(folder, "candidate"),
        _shelved(folder, "previous"),
        tuple(reversed(_moves(folder / "history.jsonl"))),
    )


def damaged_champions(models: Path) -> dict[str, ModelVersion]:
    """The champions of targets of dossiers that cannot be read, by target: the last list of each stands."""
    told = {target: _shelved(models / target, "champion") for target in TARGETS}
    return {target: one for target, one in told.items() if one is not None and one.trouble}


def _shelved(folder: Path, place: str) -> ModelVersion | None:
    try:
        pointer = pointers.read(folder, place)
    except (OSError, ValueError):
        return ModelVersion(place, "?", "", {}, {}, 0, lazy("con trỏ hỏng"))
    if pointer is None:
        return None
    version, sha256 = pointer["version"], pointer["sha256"]
    try:
        data = (folder / Path(version).name / "manifest.json").read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            return ModelVersion(place, version, sha256, {}, {}, 0, lazy("tệp mô tả không phải bản đã chọn"))
        manifest = json.loads(data)
        return ModelVersion(
            place, version, sha256, manifest["about"], manifest["weights"], len(manifest["features"]), None,
            tuple(pointer.get("gates", ())), pointer.get("trained_by"),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return ModelVersion(place, version, sha256, {}, {}, 0, lazy("thiếu hoặc hỏng tệp mô tả"))


def _moves(path: Path) -> list[Mapping[str, Any]]:
    try:
        lines = path.read_text("utf-8").split("\n")
    except OSError:
        return []
    moves: list[Mapping[str, Any]] = []
    for line in lines:
        try:
            move = json.loads(line)
        except ValueError:
            continue  # the empty end, or a line cut off by a crash
        if isinstance(move, dict):
            moves.append(move)
    return moves


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
    found = (_conduct_shelved(models / "conduct", place) for place in ("champion", "candidate"))
    return [one for one in found if one is not None]


def _conduct_shelved(folder: Path, place: str) -> ConductVersion | None:
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
