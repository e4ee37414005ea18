"""The public ledger of plans: commitments, seals, openings and reveals, one line each, chained by SHA-256.

A line is never changed: each carries the hash of the one before, so that an edit, a deletion or a swap breaks
the chain. Publishing the last hash at any time pins everything before it. A cut end, or a ledger written anew from
the start, is found by the receipts: each line has one, written first (`Teller`).
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from features.atomic_file import add_line, whole_lines
from serving.state.canonical_json import canonical, digest

Teller = Callable[[Mapping[str, Any], str], None]
"""Told of a line, with its hash, before it is written."""


class PlanLedger:
    """The file `ledger.jsonl` under the plans' folder. teller: writes the receipt of each line."""

    def __init__(self, folder: Path, teller: Teller | None = None) -> None:
        self._teller = teller
        self._path = folder / "ledger.jsonl"
        self._lock = FileLock(folder / ".ledger.lock")

    def append(self, act: str, plan_id: str, at: datetime, facts: Mapping[str, Any]) -> str:
        """Adds one line and gives its hash; `at` aware. Safe among several processes and a sudden end."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            lines = self.lines()
            entry = {
                "act": act,
                "at": at.isoformat(),
                "facts": dict(facts),
                "number": len(lines) + 1,
                "plan_id": plan_id,
                "previous": digest(lines[-1]) if lines else "",
            }
            if self._teller is not None:
                self._teller(entry, digest(entry))
            add_line(self._path, canonical(entry))
            return digest(entry)

    def lines(self) -> list[dict[str, Any]]:
        """All lines in order; a last line that was never written to its end is left out."""
        return [json.loads(line) for line in whole_lines(self._path)]

    def of(self, plan_id: str, act: str) -> list[dict[str, Any]]:
        """The lines of one act on one plan."""
        return [line for line in self.lines() if line["plan_id"] == plan_id and line["act"] == act]

    def broken(self) -> int | None:
        """The number of the first line that does not continue the chain; None where all do."""
        previous = ""
        for number, line in enumerate(self.lines(), 1):
            if line.get("previous") != previous or line.get("number") != number:
                return number
            previous = digest(line)
        return None
