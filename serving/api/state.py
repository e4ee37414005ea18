"""What the process serves from: the latest list of each target and the desk.

Kept while better ones arrive.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fastapi import Request

from features.vietnam_calendar import VIETNAM
from serving.api.problem import Problem
from serving.desk import Desk
from serving.kept import Kept
from serving.risk_list import RiskList
from serving.score_files import latest_path, read_scores
from serving.settings import Settings

Now = Callable[[], datetime]
"""Gives the present moment, aware; the app alone reads the clock, and tests bring their own."""


@dataclass
class Serving:
    """The live state of one server process.

    lists: target → its latest scored list. desk: scores single dossiers. now: the clock. settings: of the
    installation.
    """

    settings: Settings
    now: Now
    lists: dict[str, Kept[RiskList]] = field(default_factory=dict)
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Desk(self.settings, VIETNAM)

    def refresh(self) -> None:
        """Looks for new lists; called at start and once a poll. Never raises for what is wrong on disk."""
        root = self.settings.scores
        found = {"lateness"} | {path.name for path in root.glob("*") if (path / "latest.json").is_file()}
        for target in sorted(found - self.lists.keys()):
            self.lists[target] = kept_list(root, target)
        for kept in self.lists.values():
            kept.refresh()
        self.desk.refresh(self.now())

    def risk_list(self, target: str) -> RiskList:
        """The list of `target` now; 404 for an unknown target, 503 where nothing has been scored yet."""
        if target not in self.lists:
            raise Problem(404, f"Unknown target. Known: {', '.join(self.lists)}.")
        found = self.lists[target].value
        if found is None:
            raise Problem(503, "Nothing has been scored yet; run: risk score --as-of T.", {"Retry-After": "60"})
        return found


def kept_list(root: Path, target: str) -> Kept[RiskList]:
    """The latest list of `target` under the scores folder, taken over whenever the pointer or the file
    changes.
    """

    def sign() -> str:
        path = latest_path(root, target)
        return f"{path} {path.stat().st_mtime_ns} {path.stat().st_ino}"

    return Kept(f"list of {target}", sign, lambda: RiskList(*read_scores(latest_path(root, target))))


def serving(request: Request) -> Serving:
    """The state of the app that handles `request`."""
    state: Serving = request.app.state.serving
    return state


def utc_now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)
