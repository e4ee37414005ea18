"""The model that serves: found by pointer, checked before use; else the previous one, or the rule."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from models import pointers
from models.artefact import ArtefactError, load
from models.clock_rule import clock_rule
from models.level import FILE as LEVEL
from models.level import LevelCorrection
from models.level import read as read_level
from models.risk_model import RiskModel
from models.targets import TARGETS

log = logging.getLogger(__name__)

RULE_VERSION = "rule"


@dataclass(frozen=True)
class Champion:
    """A model ready to score. `rule`: the simple rule stands in for a model ("quy tắc").

    version: folder under `models/<target>/`. sha256: identity of its manifest. trouble: why the champion itself
    is not used, where another stands in. level: the offsets that are in the model, estimated since it was trained.
    """

    model: RiskModel
    version: str
    sha256: str
    rule: bool = False
    trouble: str | None = None
    level: LevelCorrection | None = None


def champion(models: Path, target: str, threads: int = 1) -> Champion:
    """The champion of `target`; if it is damaged the previous one; if there is none that holds, the rule.

    FileNotFoundError where nothing was ever promoted. ValueError where none holds and the rule, which tells who runs
    out of time, would answer another question than the target's: its last list stands.
    """
    folder = models / target
    if not (folder / "champion.json").exists():
        raise FileNotFoundError(
            f"no champion of {target}; run: risk train {target} --cutoff T, then risk promote {target}"
        )
    trouble = None
    for pointer in ("champion", "previous"):
        try:
            return replace(pointed_at(folder, pointer, threads), trouble=trouble)
        except (ArtefactError, OSError, ValueError) as error:
            log.error("%s model of %s is not used: %s", pointer, target, error)
            trouble = trouble or str(error)
    if target in TARGETS and not TARGETS[target].overdue_is_certain:
        raise ValueError(
            f"no model of {target} can be used ({trouble}), and the clock's rule answers another question; "
            f"its last list stands: run risk train {target} --cutoff T, then risk promote {target}"
        )
    return Champion(clock_rule(target), RULE_VERSION, "", rule=True, trouble=trouble)


def pointed_at(folder: Path, pointer: str, threads: int = 1) -> Champion:
    """The model that `champion.json`, `candidate.json` or `previous.json` names, after every check, at its level.

    ArtefactError where the model is damaged or another than promoted, ValueError where the pointer is,
    FileNotFoundError where there is no such pointer.
    """
    pointed = pointers.read(folder, pointer)
    if pointed is None:
        raise FileNotFoundError(f"{pointer}.json: no model is pointed at")
    version, sha256 = pointed["version"], pointed["sha256"]
    found = Champion(load(folder / version, sha256=sha256, threads=threads), version, sha256)
    try:
        kept = read_level(folder, sha256)
    except (OSError, ValueError) as error:  # scores stay in order without it
        log.error("scores of %s stand at the level of the training: %s", folder.name, error)
        return found
    return found if kept is None else replace(found, model=kept.applied(found.model), level=kept)


def sign(folder: Path) -> str:
    """A text that changes when the champion or its level does. OSError where no champion is pointed at."""
    kept = folder / LEVEL
    return (folder / "champion.json").read_text("utf-8") + (kept.read_text("utf-8") if kept.exists() else "")
