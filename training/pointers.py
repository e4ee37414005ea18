"""Which model is what: small files beside the model folders, each moved in one step, so a reader sees old or new.

`models/<target>/champion.json`, `candidate.json`, `previous.json`: `{"version": folder, "sha256": of its manifest, …}`.
`history.jsonl`: one line a move, oldest first.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any


def read(folder: Path, name: str) -> dict[str, Any] | None:
    """What a pointer says; None where there is none. ValueError where it says something else than a model."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    said = json.loads(path.read_text("utf-8"))
    if (
        not isinstance(said, dict)
        or not isinstance(said.get("version"), str)
        or not isinstance(said.get("sha256"), str)
    ):
        raise ValueError(f"{path.name}: wanted version and sha256, came something else; promote again")
    return said


def write(folder: Path, name: str, said: dict[str, Any]) -> None:
    """Moves a pointer: the file is replaced whole, also when the process dies half-way."""
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".{name}.{os.getpid()}.json"
    with half.open("w", encoding="utf-8") as file:
        json.dump(said, file, ensure_ascii=False, sort_keys=True, indent=1)
        file.flush()
        os.fsync(file.fileno())
    half.replace(folder / f"{name}.json")


def remember(folder: Path, move: str, said: dict[str, Any], at: datetime, because: str | None = None) -> None:
    """Adds a line to the history of moves."""
    line = {
        "at": at.isoformat(),
        "move": move,
        "version": said["version"],
        "sha256": said["sha256"],
        "because": because,
    }
    with (folder / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())


def history(folder: Path) -> list[dict[str, Any]]:
    """Every move, oldest first; a last line cut off by a crash is left out."""
    path = folder / "history.jsonl"
    if not path.exists():
        return []
    lines = path.read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]
