"""What `risk watch` wrote down week by week beside the models: live figures, drift, warnings. Only read here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

Interval = tuple[float, float, float]


@dataclass(frozen=True)
class Watch:
    """One watch. live: figure → (value, low, high), None where no list has matured; drift: name → (moved, bound)."""

    as_of: datetime
    open: int
    n: int
    live: Mapping[str, Interval] | None
    drift: Mapping[str, tuple[float, float]]
    warnings: Mapping[str, str]


def read_watches(models: Path, target: str, most: int = 60) -> list[Watch]:
    """The latest watches of a target, oldest first; of two as of one moment the later; a torn line is passed over."""
    try:
        lines = (models / target / "watch.jsonl").read_text("utf-8").splitlines()
    except OSError:
        return []
    found: dict[datetime, Watch] = {}
    for line in lines:
        try:
            one = _watch(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue
        found[one.as_of] = one
    return [found[at] for at in sorted(found)][-most:]


def _watch(entry: Mapping[str, object]) -> Watch:
    live = entry["live"]
    drift = entry["drift"]
    warnings = entry["warnings"]
    if not isinstance(drift, dict) or not isinstance(warnings, dict):
        raise TypeError("wanted objects")
    return Watch(
        as_of=datetime.fromisoformat(str(entry["as_of"])),
        open=int(str(entry["open"])),
        n=int(live["n"]) if isinstance(live, dict) else 0,
        live={name: tuple(live[name]) for name in ("auc", "brier", "gap")} if isinstance(live, dict) else None,
        drift={str(name): (float(moved), float(bound)) for name, (moved, bound) in drift.items()},
        warnings={str(name): str(words) for name, words in warnings.items()},
    )
