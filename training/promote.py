"""Promotion in one order: gates, second person, manifest and structure, canary with golden rows, swap, aliases.

The swap is one redo record (`models.pointers.move`): a champion is the old one or the new one, never none, and a
move that was killed is finished by the next. Aliases of MLflow come last: the service reads the pointers, and goes
back to the previous champion also while MLflow is away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from models import artefact, canary, pointers
from training.gates import Gate, gates_of, insist, second_person

Say = Callable[[str], None]
Check = Callable[[Path, Mapping[str, Any]], object]


def promote(
    models: Path,
    target: str,
    *,
    at: datetime,
    gates: Sequence[Gate] | None = None,
    because: str | None = None,
    by: str | None = None,
    mlflow_url: str | None = None,
    say: Say = lambda line: None,
) -> str:
    """Makes the candidate of `target` champion and gives its version.

    `gates`: without them those of the candidate's own training (`training.gates`). `by`: who promotes; another than
    who trained, where both are named. `because` records a person's reason to overrule. `mlflow_url`: also moves the
    aliases of the registered model, when the candidate has a run. The champion of before becomes `previous`.
    Refused where a gate does not hold; ArtefactError where the package is damaged or its canary dies;
    FileNotFoundError without candidate.
    """
    folder = models / target
    with pointers.held(folder):
        candidate = pointers.read(folder, "candidate")
        if candidate is None:
            raise FileNotFoundError(f"no candidate of {target}; run: risk train {target} --cutoff T")
        say("check the package")
        model = artefact.load(folder / candidate["version"], sha256=candidate["sha256"])
        asked = [*(gates_of(model.about) if gates is None else gates), second_person(candidate.get("trained_by"), by)]
        insist(asked, because)
        say("canary")
        canary.fly(folder / candidate["version"])
        say("move")
        move_up(folder, candidate, at, because, by)
    tell_aliases(mlflow_url, folder, say)
    return str(candidate["version"])


def move_up(folder: Path, candidate: Mapping[str, Any], at: datetime, because: str | None, by: str | None) -> None:
    """Makes the candidate champion; the champion of before, where it was another, becomes `previous`."""
    champion = pointers.read(folder, "champion")
    places = {"champion": candidate}
    if champion is not None and champion["sha256"] != candidate["sha256"]:
        places["previous"] = champion
    pointers.move(folder, places, "promote", at, because=because, by=by)


def rollback(
    models: Path,
    target: str,
    *,
    at: datetime,
    because: str | None = None,
    by: str | None = None,
    mlflow_url: str | None = None,
    check: Check = lambda folder, pointer: artefact.load(folder, sha256=pointer["sha256"]),
    say: Say = lambda line: None,
) -> str:
    """Makes the previous champion champion again and gives its version. FileNotFoundError where there is none.

    `check`: raises ArtefactError where the package in a folder is not what its pointer says.
    """
    folder = models / target
    with pointers.held(folder):
        previous = pointers.read(folder, "previous")
        if previous is None:
            raise FileNotFoundError(f"no previous champion of {target} to go back to")
        check(folder / previous["version"], previous)
        champion = pointers.read(folder, "champion")
        places: dict[str, Mapping[str, Any]] = {"champion": previous}
        if champion is not None:
            places["previous"] = champion
        pointers.move(folder, places, "rollback", at, because=because, by=by)
    tell_aliases(mlflow_url, folder, say)
    return str(previous["version"])


def tell_aliases(url: str | None, folder: Path, say: Say) -> None:
    """Points the aliases in MLflow to where the pointers stand; where it is away the pointers are what counts."""
    if url is None:
        return
    from training.tracking import point_aliases

    try:
        point_aliases(url, folder)
    except Exception as error:  # MLflow's errors and those of its libraries have no kind in common
        say(f"MLflow's aliases were not moved ({type(error).__name__}); later: risk log {folder.name}")
