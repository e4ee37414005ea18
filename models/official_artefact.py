"""Forecasts for officials on disk: text and numbers only, checked by hash and structure before they are used."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from models import booster
from models.artefact import MANIFEST, ArtefactError
from models.booster import TreeMember
from models.linear import LinearMember
from models.official_forecast import CountRule, OfficialForecast

FORMAT = 1
_ARRAYS = ("coefficient", "center", "scale", "low", "high", "missing")


def save(forecasts: dict[str, OfficialForecast], about: dict[str, str], folder: Path) -> str:
    """Writes the forecasts by tier into `folder` and gives the sha256 of its manifest, its identity."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, str] = {}
    tiers: dict[str, Any] = {}
    for tier, forecast in forecasts.items():
        names = []
        for number, member in enumerate(forecast.boosters):
            data = member.text.encode()
            names.append(f"{tier}_{number}.txt")
            (folder / names[-1]).write_bytes(data)
            files[names[-1]] = hashlib.sha256(data).hexdigest()
        tiers[tier] = {
            "features": list(forecast.features),
            "boosters": names,
            "rule": vars(forecast.rule),
            "ships": forecast.ships,
            "comparison": forecast.comparison,
            "linear": _numbers(forecast.linear),
            "share": forecast.share,
        }
    manifest = {"format": FORMAT, "target": "conduct", "tiers": tiers, "about": about, "files": files}
    data = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1).encode()
    (folder / MANIFEST).write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def load(folder: Path, *, sha256: str) -> dict[str, OfficialForecast]:
    """The forecasts in `folder` by tier, after every check. ArtefactError for what is missing or changed."""
    try:
        data = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise ArtefactError(f"{MANIFEST}: cannot be read ({type(error).__name__}); train again") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ArtefactError(f"{MANIFEST}: wanted sha256 {sha256[:12]}…, came another; train again")
    manifest = json.loads(data)
    return {tier: _forecast(tier, entry, manifest["files"], folder) for tier, entry in manifest["tiers"].items()}


def _forecast(tier: str, entry: dict[str, Any], files: dict[str, str], folder: Path) -> OfficialForecast:
    boosters = []
    for name in entry["boosters"]:
        data = (folder / Path(name).name).read_bytes()
        if hashlib.sha256(data).hexdigest() != files[name]:
            raise ArtefactError(f"{name}: its bytes are not those that were trained; train again")
        booster.check(data, len(entry["features"]))
        boosters.append(TreeMember(data.decode()))
    rule = CountRule(**entry["rule"])
    linear = _linear(entry.get("linear"))  # forecasts of before there was one hold none
    return OfficialForecast(
        tier, tuple(entry["features"]), tuple(boosters), rule, entry["ships"], entry["comparison"], linear,
        float(entry.get("share", 0.0)),
    )  # fmt: skip


def _numbers(linear: LinearMember | None) -> dict[str, Any] | None:
    if linear is None:
        return None
    return {name: getattr(linear, name).tolist() for name in _ARRAYS} | {"intercept": linear.intercept}


def _linear(entry: dict[str, Any] | None) -> LinearMember | None:
    if entry is None:
        return None
    return LinearMember(float(entry["intercept"]), *(np.asarray(entry[name], float) for name in _ARRAYS))
