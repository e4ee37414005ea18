"""A model on disk: text and numbers only, nothing that runs. Loaded after its hashes and its structure are checked.

A folder with `manifest.json` (feature order, category rates, members, weights, calibration, usual values, what it
was trained on, sha256 of every other file) and the LightGBM text of each tree member. With a key, `manifest.sig`
holds an Ed25519 signature (RFC 8032) of the manifest's bytes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from models import booster
from models.booster import TreeMember
from models.encoding import CategoryRates, Encoder, IdentityTerms, LevelOffsets, Stages
from models.linear import LinearMember
from models.remaining_time import EXTRA, RemainingTime
from models.risk_model import Member, RiskModel
from models.rule import RuleMember

FORMAT = 1
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
GOLDEN = "golden.json"
REMAINING = "remaining.txt"
_LINEAR = ("coefficient", "center", "scale", "low", "high", "missing")


class ArtefactError(Exception):
    """A model folder that must not be used: says what was wanted, what came and what to do."""


def save(
    model: RiskModel, folder: Path, *, key: Ed25519PrivateKey | None = None, golden: np.ndarray | None = None
) -> str:
    """Writes the model into `folder` (made if absent) and gives the sha256 of its manifest, its identity.

    `golden`: encoded rows [n × columns] that go into the package with what the model says of them (`models.canary`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    members: dict[str, Any] = {}
    for name, member in model.members.items():
        if isinstance(member, TreeMember):
            data = member.text.encode()
            (folder / f"{name}.txt").write_bytes(data)
            files[f"{name}.txt"] = hashlib.sha256(data).hexdigest()
            members[name] = {"kind": "trees", "file": f"{name}.txt"}
        else:
            members[name] = _plain(member)
    if model.remaining is not None:
        data = model.remaining.trees.text.encode()
        (folder / REMAINING).write_bytes(data)
        files[REMAINING] = hashlib.sha256(data).hexdigest()
    if golden is not None:
        rows = [[None if np.isnan(cell) else float(cell) for cell in row] for row in golden]
        golden_rows = {"rows": rows, "log_odds": model.log_odds(golden).tolist()}
        if model.remaining is not None:
            golden_rows["hazard"] = golden_hazard(model.remaining, golden)
        data = json.dumps(golden_rows, allow_nan=False).encode()
        (folder / GOLDEN).write_bytes(data)
        files[GOLDEN] = hashlib.sha256(data).hexdigest()
    manifest = {
        "format": FORMAT,
        "target": model.target,
        "features": list(model.encoder.features),
        "numbers": list(model.encoder.numbers),
        "rates": [_rates(rate) for rate in model.encoder.rates],
        "terms": [_terms(term) for term in model.encoder.terms],
        "stages": _stages(model.encoder.stages),
        "levels": [level.key for level in model.encoder.levels],
        "members": members,
        "weights": dict(model.weights),
        "by_stage": [dict(weights) for weights in model.by_stage],
        "calibration": {"intercept": model.intercept, "slope": model.slope, "doubt": model.doubt},
        "rule": model.rule,
        "remaining": _remaining(model.remaining),
        "usual": dict(model.usual),
        "about": dict(model.about),
        "files": files,
    }
    data = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False).encode()
    (folder / MANIFEST).write_bytes(data)
    if key is not None:
        (folder / SIGNATURE).write_bytes(key.sign(data))
    return hashlib.sha256(data).hexdigest()


def load(
    folder: Path, *, sha256: str | None = None, key: Ed25519PublicKey | None = None, threads: int = 1
) -> RiskModel:
    """The model in `folder`, after every check but the canary (`models.canary`).

    `sha256`: the identity that the manifest must have. `key`: the manifest must be signed by its owner.
    ArtefactError for anything missing, changed, foreign or malformed.
    """
    data = _read(folder / MANIFEST)
    came = hashlib.sha256(data).hexdigest()
    if sha256 is not None and came != sha256:
        raise ArtefactError(f"{MANIFEST}: wanted sha256 {sha256[:12]}…, came {came[:12]}…; fetch the model again")
    if key is not None:
        try:
            key.verify(_read(folder / SIGNATURE), data)
        except InvalidSignature:
            raise ArtefactError(f"{SIGNATURE}: not signed by the key that is set; ask who promoted it") from None
    try:
        return _model(json.loads(data), folder, threads)
    except ArtefactError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ArtefactError(f"{MANIFEST}: wanted a manifest of format {FORMAT}, came {error!r:.120}") from error


def _model(manifest: dict[str, Any], folder: Path, threads: int) -> RiskModel:
    if manifest["format"] != FORMAT:
        raise ArtefactError(f"{MANIFEST}: wanted format {FORMAT}, came {manifest['format']!r}; train again")
    stages = _stages_from(manifest.get("stages"))
    encoder = Encoder(
        tuple(manifest["numbers"]),
        tuple(_rates_from(rate) for rate in manifest["rates"]),
        tuple(_terms_from(entry, stages) for entry in manifest.get("terms", ())),
        stages,
        tuple(LevelOffsets(str(key)) for key in manifest.get("levels", ())),
    )
    if list(encoder.features) != manifest["features"]:
        raise ArtefactError(f"{MANIFEST}: features do not follow from numbers and rates; train again")
    for name, wanted in manifest["files"].items():
        _checked(folder, name, wanted)
    members = {
        name: _member(entry, manifest["files"], folder, len(encoder.columns), threads)
        for name, entry in manifest["members"].items()
    }
    weights = _weights(manifest["weights"], members)
    by_stage = tuple(_weights(entry, members) for entry in manifest.get("by_stage", ()))
    if manifest["rule"] not in members or (by_stage and (stages is None or len(by_stage) != len(stages))):
        raise ArtefactError(f"{MANIFEST}: wanted a rule among the members and a blend for each stage")
    calibration = manifest["calibration"]
    model = RiskModel(
        str(manifest["target"]),
        encoder,
        members,
        weights,
        float(calibration["intercept"]),
        float(calibration["slope"]),
        manifest["rule"],
        manifest["usual"],
        manifest["about"],
        by_stage,
        _remaining_from(manifest.get("remaining"), manifest["files"], folder, len(encoder.numbers), threads),
        float(calibration.get("doubt", 0.0)),
    )
    told = (model.intercept, model.slope, model.doubt)
    if not np.isfinite(told).all() or model.slope < 0 or model.doubt < 0:
        raise ArtefactError(f"{MANIFEST}: wanted a finite calibration with slope and doubt ≥ 0")
    return model


def _member(entry: dict[str, Any], files: dict[str, str], folder: Path, columns: int, threads: int) -> Member:
    if entry["kind"] == "trees":
        return _trees(folder, entry["file"], files, columns, threads)
    if entry["kind"] == "linear":
        arrays = {part: _numbers(entry[part], columns) for part in _LINEAR}
        return LinearMember(intercept=float(entry["intercept"]), **arrays)
    if entry["kind"] == "rule":
        knots = _numbers(entry["knots"], len(entry["knots"]))
        if not -1 <= entry["column"] < columns or (np.diff(knots) <= 0).any():
            raise ArtefactError(f"{MANIFEST}: the rule {entry['name']!r} does not fit the columns")
        return RuleMember(
            entry["name"],
            entry["column"],
            knots,
            _numbers(entry["values"], len(knots)),
            float(entry["missing"]),
            float(entry["base"]),
        )
    raise ArtefactError(f"{MANIFEST}: wanted a member of kind trees, linear or rule, came {entry['kind']!r:.40}")


def _trees(folder: Path, name: str, files: dict[str, str], columns: int, threads: int) -> TreeMember:
    """The trees in a file of the package, over so many columns, after every check."""
    data = _checked(folder, name, files[name])
    try:
        booster.check(data, columns)
    except booster.Malformed as error:
        raise ArtefactError(f"{name}: {error}") from error
    return TreeMember(data.decode(), threads)


def _remaining(model: RemainingTime | None) -> dict[str, Any] | None:
    return None if model is None else {"edges": model.edges.tolist()}


def _remaining_from(
    entry: dict[str, Any] | None, files: dict[str, str], folder: Path, numbers: int, threads: int
) -> RemainingTime | None:
    if entry is None:
        return None
    edges = _numbers(entry["edges"], len(entry["edges"]))
    if len(edges) < 3 or edges[0] != 0 or (np.diff(edges) <= 0).any():
        raise ArtefactError(f"{MANIFEST}: wanted edges of time that rise from 0")
    return RemainingTime(edges, _trees(folder, REMAINING, files, numbers + EXTRA, threads), numbers)


def golden_hazard(model: RemainingTime, golden: np.ndarray) -> list[float]:
    """Cumulative hazard [n] of encoded golden rows at the last edge, no promise known."""
    found: list[float] = model.cumulative(golden, np.full(len(golden), np.nan))[:, -1].tolist()
    return found


def _plain(member: Member) -> dict[str, Any]:
    if isinstance(member, LinearMember):
        return {"kind": "linear", "intercept": member.intercept} | {
            part: getattr(member, part).tolist() for part in _LINEAR
        }
    if isinstance(member, RuleMember):
        return {
            "kind": "rule",
            "name": member.name,
            "column": member.column,
            "knots": member.knots.tolist(),
            "values": member.values.tolist(),
            "missing": member.missing,
            "base": member.base,
        }
    raise TypeError(f"wanted a member of kind trees, linear or rule, came {type(member).__name__}")


def _rates(rate: CategoryRates) -> dict[str, Any]:
    parent = None if rate.parent is None else _rates(rate.parent)
    return {"keys": list(rate.keys), "log_odds": dict(rate.log_odds), "prior": rate.prior, "parent": parent}


def _rates_from(entry: dict[str, Any]) -> CategoryRates:
    parent = None if entry["parent"] is None else _rates_from(entry["parent"])
    log_odds = {str(value): float(number) for value, number in entry["log_odds"].items()}
    return CategoryRates(tuple(entry["keys"]), log_odds, float(entry["prior"]), parent)


def _stages(stages: Stages | None) -> dict[str, Any] | None:
    return None if stages is None else {"column": stages.column, "edges": list(stages.edges)}


def _stages_from(entry: dict[str, Any] | None) -> Stages | None:
    if entry is None:
        return None
    edges = _numbers(entry["edges"], len(entry["edges"]))
    if (np.diff(edges) <= 0).any():
        raise ArtefactError(f"{MANIFEST}: wanted edges of stages that rise")
    return Stages(str(entry["column"]), tuple(edges.tolist()))


def _terms(term: IdentityTerms) -> dict[str, Any]:
    return {"key": term.key, "unit": term.unit, "lists": term.lists, "tables": [dict(table) for table in term.tables]}


def _terms_from(entry: dict[str, Any], stages: Stages | None) -> IdentityTerms:
    tables = tuple({str(level): _number(value) for level, value in table.items()} for table in entry["tables"])
    if stages is None or len(tables) != len(stages):
        raise ArtefactError(f"{MANIFEST}: wanted a table of identities for each stage")
    return IdentityTerms(str(entry["key"]), str(entry["unit"]), bool(entry["lists"]), tables)


def _weights(entry: dict[str, Any], members: dict[str, Member]) -> dict[str, float]:
    weights = {name: _number(weight) for name, weight in entry.items()}
    if not weights or set(weights) - set(members) or min(weights.values()) < 0:
        raise ArtefactError(f"{MANIFEST}: wanted weights ≥ 0 of the members")
    return weights


def _number(value: float) -> float:
    number = float(value)
    if not np.isfinite(number):
        raise ArtefactError(f"{MANIFEST}: wanted a finite number, came {number}")
    return number


def _numbers(values: list[float], n: int) -> np.ndarray:
    array = np.array(values, float)
    if array.shape != (n,) or not np.isfinite(array).all():
        raise ArtefactError(f"{MANIFEST}: wanted {n} finite numbers, came {array.shape}")
    return array


def _checked(folder: Path, name: str, wanted: str) -> bytes:
    """The bytes of a file of the package whose sha256 is as the manifest says."""
    if Path(name).name != name:
        raise ArtefactError(f"{MANIFEST}: wanted a file of the folder itself, came a path")
    data = _read(folder / name)
    came = hashlib.sha256(data).hexdigest()
    if came != wanted:
        raise ArtefactError(f"{name}: wanted sha256 {wanted[:12]}…, came {came[:12]}…; fetch the model again")
    return data


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"{path.name}: wanted a readable file, came {type(error).__name__}") from error
