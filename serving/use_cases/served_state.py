"""What the process serves from: the latest list of each target and the desk. Kept while better ones arrive."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import Calendar
from features.record.record import TIDY_EVERY, Record
from models.targets import MAIN
from serving.plan.sampled_dossiers import drawn
from serving.plan.store import PlanStore
from serving.read.problem import Problem
from serving.scoring.conduct_list_cache import ConductShelf, reloadable_conduct
from serving.scoring.newcomers import newcomers
from serving.scoring.online import OnlineScorer
from serving.scoring.past_list import PastList, past_list
from serving.scoring.reloadable import Reloadable
from serving.scoring.risk_list import RiskList
from serving.scoring.score_files import latest_path, read_scores
from serving.settings import Settings

_DRAWN_EVERY = timedelta(minutes=1)  # plans are sealed: reading them costs more than a look at a pointer

Now = Callable[[], datetime]
"""Gives the present moment, aware; the app alone reads the clock, and tests bring their own."""


@dataclass
class Serving:
    """The live state of one server process.

    lists: target → its latest scored list. conduct: the latest conduct lists. drawn: dossiers that chance chose for
    visits that have begun. past: target → what became of its list of a month ago. record: where news go. desk: scores
    single dossiers. now: the clock. settings: of the installation.
    """

    settings: Settings
    now: Now
    lists: dict[str, Reloadable[RiskList]] = field(default_factory=dict)
    record: Record = field(init=False)
    desk: OnlineScorer = field(init=False)
    conduct: Reloadable[ConductShelf] = field(init=False)
    drawn: frozenset[str] = frozenset()
    past: dict[str, PastList | None] = field(default_factory=dict)
    _shown: dict[str, tuple[RiskList, datetime, RiskList]] = field(default_factory=dict)
    _drawn_at: datetime | None = None
    _tidied: int = 0

    def __post_init__(self) -> None:
        self.record = Record(self.settings.record_url)
        self.desk = OnlineScorer(self.settings, VIETNAM, record=self.record)
        self.conduct = reloadable_conduct(self.settings.scores)

    def refresh(self, at_once: bool = True) -> None:
        """Looks for new lists; called at start and once a poll. Never raises for what is wrong on disk.

        at_once: single news too are taken over now (`OnlineScorer.refresh`).
        """
        self.begin()
        self.desk.refresh(self.now(), at_once)

    def begin(self) -> None:
        """The lists alone, which are read at once; what scores single dossiers takes seconds."""
        root = self.settings.scores
        found = {MAIN.name} | {path.name for path in root.glob("*") if (path / "latest.json").is_file()}
        for target in sorted(found - self.lists.keys()):
            self.lists[target] = reloadable_list(root, target)
        for scored in self.lists.values():
            scored.refresh()
        self.conduct.refresh()
        now = self.now()
        if self._drawn_at is None or now - self._drawn_at > _DRAWN_EVERY:
            self.drawn, self._drawn_at = drawn(PlanStore(self.settings.home / "plans", self.settings.keys), now), now

    def tidy(self) -> None:
        """Merges small files that posted news left (`Record.tidy`), which nobody who posts should wait for."""
        turn = self.record.version() // TIDY_EVERY
        if turn != self._tidied:
            self.record.tidy()
            self._tidied = turn

    def restate(self, read_at: datetime, states: pa.Table, calendar: Calendar) -> None:
        """Reads the lists anew with where dossiers stand at `read_at` (`RiskList.at`), be they made before or after it.

        So every page and answer is of the moment of the counts and ledgers beside it; the scores stay. A record that
        has fallen behind since a list was made is read where its news stopped, and the list with it.
        """
        for target, listed in self.lists.items():
            scored, shown = listed.value, self._shown.get(target)
            if scored is not None and (shown is None or shown[0] is not scored or shown[1] != read_at):
                self._shown[target] = scored, read_at, scored.at(states, read_at, calendar)
                self.past[target] = past_list(self.settings.scores, scored.meta, states)

    def listed(self, target: str) -> RiskList | None:
        """The list of `target` as people see it now; None where nothing has been scored yet."""
        scored = self.lists[target].value if target in self.lists else None
        shown = self._shown.get(target)
        return shown[2] if shown is not None and shown[0] is scored else scored

    def risk_list(self, target: str) -> RiskList:
        """The list of `target` now; 404 for an unknown target, 503 where nothing has been scored yet."""
        if target not in self.lists:
            raise Problem(404, f"Unknown target. Known: {', '.join(self.lists)}.")
        found = self.listed(target)
        if found is None:
            raise Problem(503, "Nothing has been scored yet; run: risk score --as-of T.", {"Retry-After": "60"})
        return found


def reloadable_list(root: Path, target: str) -> Reloadable[RiskList]:
    """The latest list of `target` under the scores folder, taken over whenever the pointer or the file changes."""

    def sign() -> str:
        path = latest_path(root, target)
        return f"{path} {path.stat().st_mtime_ns} {path.stat().st_ino}"

    def load() -> RiskList:
        found = RiskList(*read_scores(latest_path(root, target)))
        found.newcomers = newcomers(root, found.meta, found.dossier_ids())
        return found

    return Reloadable(f"list of {target}", sign, load)


def utc_now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)
