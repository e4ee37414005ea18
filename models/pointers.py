"""Which model is what: small files beside the model folders, each moved in one step, so a reader sees old or new.

`models/<target>/champion.json`, `candidate.json`, `previous.json`: `{"version": folder, "sha256": of its manifest, …}`.
`history.jsonl`: one line a move, oldest first.

A move changes several of them. What it will leave is written whole into `moving.json` first; `settle` does what is
written there again until all is done, so a move that was killed half-way is finished by whoever comes next.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from features.atomic_file import add_line, replace_text, whole_lines

MOVING = "moving.json"
SECONDS = 60


def read(folder: Path, name: str) -> dict[str, Any] | None:
    """The pointer of that name; None where there is none. ValueError where it does not point at a model."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    try:
        pointer: dict[str, Any] = json.loads(path.read_text("utf-8"))
        version, sha256 = pointer["version"], pointer["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name}: wanted version and sha256, came something else; promote again") from error
    if not isinstance(version, str) or not isinstance(sha256, str):
        raise ValueError(f"{path.name}: wanted version and sha256 as text, came something else; promote again")
    if Path(version).name != version:
        raise ValueError(f"{path.name}: wanted the name of a folder, came a path")
    return pointer


def write(folder: Path, name: str, pointer: Mapping[str, Any]) -> None:
    """Moves a pointer: the file is replaced whole, also when the process dies half-way."""
    replace_file(folder, f"{name}.json", pointer)


def move(
    folder: Path,
    places: Mapping[str, Mapping[str, Any]],
    what: str,
    at: datetime,
    *,
    because: str | None = None,
    by: str | None = None,
) -> None:
    """Moves several pointers and adds one line to the history, all or, after `settle`, all the same.

    `places`: pointer to what it will say; the line is about the champion among them. `by`: who moved it.
    """
    champion = places["champion"]
    line = {
        "at": at.isoformat(),
        "move": what,
        "version": champion["version"],
        "sha256": champion["sha256"],
        "because": because,
        "by": by,
        "trained_by": champion.get("trained_by"),
    }
    replace_file(folder, MOVING, {"places": places, "line": line})
    settle(folder)


def settle(folder: Path) -> bool:
    """Finishes a move that was begun; whether there was one."""
    path = folder / MOVING
    if not path.exists():
        return False
    begun = json.loads(path.read_text("utf-8"))
    for name, pointer in begun["places"].items():
        write(folder, name, pointer)
    if begun["line"] not in history(folder)[-1:]:
        add_line(folder / "history.jsonl", json.dumps(begun["line"], ensure_ascii=False, sort_keys=True).encode())
    path.unlink()
    return True


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keeps other movers out, and finishes what a killed one began. TimeoutError after a minute of waiting."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".moving.lock", timeout=SECONDS):
        settle(folder)
        yield


def history(folder: Path) -> list[dict[str, Any]]:
    """Every move, oldest first; a last line cut off by a crash is left out."""
    return [json.loads(line) for line in whole_lines(folder / "history.jsonl")]


def replace_file(folder: Path, name: str, document: Mapping[str, Any]) -> None:
    """Writes `document` as JSON in one step: a reader sees the file of before or all of this one."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(folder / name, json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1))
