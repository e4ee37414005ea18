"""Promotion: the candidate becomes champion when its gates hold, or a person says why it should all the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from models import artefact, canary
from training import pointers
from training.gates import Gate, gates_of


class Refused(ValueError):
    """The candidate may not ship; lists the gates that refuse and by how much."""


def promote(
    models: Path,
    target: str,
    *,
    at: datetime,
    gates: Sequence[Gate] | None = None,
    because: str | None = None,
    mlflow_url: str | None = None,
) -> str:
    """Makes the candidate of `target` champion and gives its version.

    `gates`: without them those of the candidate's own training (`training.gates`). `mlflow_url`: also moves the
    aliases of the registered model, when the candidate has a run.
    The champion of before becomes `previous`. The artefact is loaded and checked first. `because` records a
    person's reason to overrule gates. Refused where a gate does not hold; FileNotFoundError without candidate.
    """
    folder = models / target
    candidate = pointers.read(folder, "candidate")
    if candidate is None:
        raise FileNotFoundError(f"no candidate of {target}; run: risk train {target} --cutoff T")
    model = artefact.load(folder / candidate["version"], sha256=candidate["sha256"])
    canary.fly(folder / candidate["version"])
    refusing = [gate for gate in (gates_of(model.about) if gates is None else gates) if not gate.holds]
    if refusing and not because:
        raise Refused(
            "refused by "
            + "; ".join(f"{gate.name}: {gate.words}" for gate in refusing)
            + "; give --because REASON to promote all the same"
        )
    champion = pointers.read(folder, "champion")
    if champion is not None and champion["sha256"] != candidate["sha256"]:
        pointers.write(folder, "previous", champion)
    pointers.write(folder, "champion", candidate)
    pointers.remember(folder, "promote", candidate, at, because)
    _tell(mlflow_url, candidate, champion)
    return str(candidate["version"])


def rollback(
    models: Path, target: str, *, at: datetime, because: str | None = None, mlflow_url: str | None = None
) -> str:
    """Makes the previous champion champion again and gives its version. FileNotFoundError where there is none.

    Works while MLflow is away when `mlflow_url` is not given.
    """
    folder = models / target
    previous = pointers.read(folder, "previous")
    if previous is None:
        raise FileNotFoundError(f"no previous champion of {target} to go back to")
    artefact.load(folder / previous["version"], sha256=previous["sha256"])
    champion = pointers.read(folder, "champion")
    pointers.write(folder, "champion", previous)
    if champion is not None:
        pointers.write(folder, "previous", champion)
    pointers.remember(folder, "rollback", previous, at, because)
    _tell(mlflow_url, previous, champion)
    return str(previous["version"])


def _tell(url: str | None, champion: Mapping[str, Any], previous: Mapping[str, Any] | None) -> None:
    """Moves the aliases in MLflow, for the models that have a run there."""
    for alias, said in (("champion", champion), ("previous", previous)):
        if url is not None and said is not None and said.get("run_id"):
            from training.tracking import move_alias

            move_alias(url, said["run_id"], alias)
