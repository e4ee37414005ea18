"""Scores one dossier at a time, given by its rows: the list's cells, model and reasons, without a query."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import duckdb
import numpy as np
from deltalake.exceptions import DeltaError
from scipy.special import expit

from features.calendar.working_time import Calendar
from features.case_state.replay import Happening, replay
from features.case_state.slip import first_of
from features.case_state.state import CaseState
from features.matrix.daily_snapshot import local_day, midnight
from features.matrix.online import Row, first_promise_of, known_events
from features.record.record import Record
from models.encoding import column_of_numbers
from models.reasons import Reason, reasons
from models.remaining_time import LEFT, Curves, Remaining
from models.targets import MAIN
from serving.scoring.batch import CERTAIN_ODDS, REASONS, overdue
from serving.scoring.champion import Champion, champion, pointed_at, sign
from serving.scoring.rate_limiter import RateLimiter
from serving.scoring.record_delta import RecordDelta
from serving.scoring.record_snapshot import RecordSnapshot
from serving.scoring.reloadable import Reloadable
from serving.scoring.time_left import hours_left_of
from serving.settings import Settings
from serving.traces import Traces

log = logging.getLogger(__name__)


STARTING_SECONDS, ABSENT_SECONDS = 2, 60
"""When to ask again: reading takes seconds, to bring a model or a record takes people."""


class Ended(ValueError):
    """The dossier has ended: there is nothing left to be late."""


class Unready(RuntimeError):
    """There is nothing yet to score with; `seconds`: when to ask again."""

    def __init__(self, words: str, seconds: int) -> None:
        super().__init__(words)
        self.seconds = seconds


@dataclass(frozen=True)
class Scored:
    """The score of one dossier as of a moment.

    log_odds = base + the effects of `reasons` + `others`. rule: the simple rule spoke, not a model ("quy
    tắc").
    due_at: the lawful promise; left_hours: working hours to it, negative once past. remaining: when it is expected to
    end; null where the model tells no time. score_low, score_high: within which four in five groups of such dossiers
    end; null where the model tells none or the promise has passed.
    """

    dossier_id: str
    target: str
    as_of: datetime
    model_version: str
    rule: bool
    score: float
    log_odds: float
    base: float
    due_at: datetime | None
    left_hours: float | None
    reasons: list[Reason]
    others: float
    remaining: Remaining | None = None
    score_low: float | None = None
    score_high: float | None = None


@dataclass(frozen=True)
class Variant:
    """A dossier as it might stand: its rows, and by how much cells of the matrix would be `more` (never below 0)."""

    dossier: Row
    events: Sequence[Row]
    more: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Opinions:
    """What two models learnt apart say of n variants. log_odds [n]: the score. left [n]: working hours to the promise.
    curves: of the time to the end (`models.remaining_time`), by the hazard alone.
    """

    log_odds: np.ndarray
    left: np.ndarray
    curves: Curves

    def by_hazard(self) -> np.ndarray:
        """Log-odds [n] that the promise is missed, by the hazard alone; NaN where no promise lies ahead."""
        ahead = self.left > 0
        return np.where(ahead, self.curves.open_odds(np.where(ahead, self.left, 1.0)), np.nan)

    def hours_late(self, late: np.ndarray) -> np.ndarray:
        """Expected working hours late [n], those in time counted as 0, were the scores `late` [n]."""
        return self.curves.through(self.left, late).mean_beyond(np.nan_to_num(self.left))


class OnlineScorer:
    """Scores single dossiers of one target with the present champion; safe to share between threads.

    `refresh` takes over a new champion and a grown record; a request works wholly with the old or the new.
    record: of the settings, where the process has it open already. traces: get a span a score.
    """

    def __init__(
        self, settings: Settings, calendar: Calendar, target: str = MAIN.name, record: Record | None = None
    ) -> None:
        self.target = target
        self.traces = Traces()
        self._record = record or Record(settings.record_url)
        self._calendar = calendar
        self._models = settings.models
        folder = settings.models / target
        self.champion: Reloadable[Champion] = Reloadable(f"champion of {target}", lambda: sign(folder), self._load)
        self._ground: RecordSnapshot | None = None
        self._news = RecordDelta(0)
        self._turn = threading.Lock()
        self._pace = RateLimiter()
        self._looked = False

    def refresh(self, now: datetime, at_once: bool = True) -> None:
        """Looks for a new champion, a grown record and a new day. Never raises for what is wrong on disk.

        at_once: reads a grown record now; otherwise not more often than its `RateLimiter` allows. News of single
        dossiers are taken over row by row without reading it.
        """
        self.champion.refresh()
        try:
            version = self._record.version()
            ground = self._ground
            if version and not self._followed(version, now) and (at_once or self._pace.due()):
                with self._pace.turn():
                    ground = RecordSnapshot(self._record, self._calendar, version, before=ground)
                    ground.day(now)
            if ground is not None:
                ground.day(now)  # a new day has begun
                with self._turn:
                    if ground is not self._ground:
                        self._ground, self._news = ground, self._news.after(ground.version)
        except (OSError, ValueError, duckdb.Error, DeltaError) as error:
            log.warning("the record could not be read for single scores: %s", type(error).__name__)
        self._looked = True

    def _followed(self, version: int, now: datetime) -> bool:
        """Whether the ground, with the news since, tells all that the record holds at `version`."""
        ground = self._ground
        if ground is None:
            return False
        with self._turn:
            if self._news.version > version and self._news.version > (version := self._record.version()):
                self._news = RecordDelta(version)  # a backup was restored: what came since never was
            if ground.version > version:
                return False
            if self._news.version < version and not self._news.follow(self._record, version):
                return False
            new_day = not ground.ready(now) and self._news.version > ground.version
            return not new_day and self._news.bearable(midnight(local_day(now, ground.calendar), ground.calendar))

    def _load(self) -> Champion:
        """At the start whatever can stand in for a bad champion; later a good model stays until a good one comes."""
        if self.champion.value is None or self.champion.value.rule:
            return champion(self._models, self.target)
        return pointed_at(self._models / self.target, "champion")

    def prepare(self, as_of: datetime) -> None:
        """Makes the local day of `as_of` ready by a pass over the record, where it is not; never raises for the disk.

        For a record that has fallen behind, whose dossiers are read as they stood when its news stopped.
        """
        ground = self._ground
        if ground is not None and not ground.ready(as_of):
            try:
                ground.day(as_of)
            except (OSError, ValueError, duckdb.Error, DeltaError) as error:
                log.warning("a past day could not be read for single scores: %s", type(error).__name__)

    def ready(self, as_of: datetime) -> bool:
        """Whether a score as of `as_of` comes at once, without a pass over the record."""
        return self._ground is not None and self._ground.ready(as_of)

    def remember(self, version: int, dossiers: Sequence[Row], events: Sequence[Row]) -> bool:
        """Rows that became the record's with `version`, for scores that come before the record is read again.

        False, with nothing kept, where a version before it is not known here: another process took it in.
        """
        with self._turn:
            if self._news.version != version - 1:
                return False
            self._news.add((version, dossiers, events))
        return True

    def history(self, dossier_id: str) -> tuple[Row | None, list[Row]]:
        """What is known of one dossier: its latest version (None: not known) and its events."""
        with self._turn:
            ground, (changed, happened) = self._ground, self._news.of(dossier_id)
        if ground is None:
            return None, []
        dossier, events = ground.history(dossier_id)
        return changed or dossier, events + happened

    def score(self, dossier: Row, events: Sequence[Row], as_of: datetime) -> Scored:
        """The score of a dossier given by its rows (`features.matrix.online.Row`) as of a moment.

        `Unready` where no model or no record is there, `Ended` where the dossier has ended by then.
        """
        with self.traces.span("score", target=self.target):
            return self._score(dossier, events, as_of)

    def hours_left(self, dossier: Row, events: Sequence[Row], as_of: datetime) -> float | None:
        """Working hours to the lawful promise, negative where it is overdue; None without one. Raises as `score`."""
        ground, _ = self._at_hand()
        return self._standing(ground, dossier, events, as_of)[2]

    def opinions(self, variants: Sequence[Variant], as_of: datetime) -> Opinions | None:
        """What both models say of many dossiers given by their rows; None without a model, a record or a hazard."""
        ground, now = self._ground, self.champion.value
        if ground is None or now is None or now.model.remaining is None:
            return None
        day, encoder = ground.day(as_of), now.model.encoder
        x, left = np.zeros((len(variants), len(encoder.columns))), np.zeros(len(variants))
        for at, variant in enumerate(variants):
            dossier = {**variant.dossier, "first_due_at": self._first_promise(ground, variant.dossier, as_of)}
            cells = ground.single.cells(dossier, variant.events, as_of, day)
            for name, more in variant.more.items():
                cells[name] = max(float(cells.get(name) or 0.0) + more, 0.0)
            x[at], left[at] = encoder.encode_cells(cells)[0], column_of_numbers(cells, LEFT)[0]
        unmoved = now.model.remaining.curves(x, left, np.full(len(left), np.nan))
        return Opinions(now.model.log_odds(x), left, unmoved)

    def _score(self, dossier: Row, events: Sequence[Row], as_of: datetime) -> Scored:
        ground, now = self._at_hand()
        dossier, state, left = self._standing(ground, dossier, events, as_of)
        cells = ground.single.cells(dossier, events, as_of, ground.day(as_of))
        x = now.model.encoder.encode_cells(cells)
        scores = now.model.score_encoded(x)
        log_odds, base = float(scores.log_odds[0]), float(scores.base)
        strongest = reasons(scores, cells, top=REASONS)[0]
        remaining = None
        if now.model.remaining is not None:
            late = np.where(state.late, np.nan, scores.probability)
            stage = now.model.encoder.stage(x)
            remaining = now.model.remaining.tell(x, column_of_numbers(cells, LEFT), late, stage)[0]
        if state.late and left is not None and log_odds < CERTAIN_ODDS:
            strongest = [overdue(CERTAIN_ODDS - log_odds, left), *strongest][:REASONS]
            log_odds = CERTAIN_ODDS
        ends = None if state.late else scores.range()
        return Scored(
            dossier_id=dossier["dossier_id"],
            target=self.target,
            as_of=as_of,
            model_version=now.version,
            rule=now.rule,
            score=float(expit(log_odds)),
            log_odds=log_odds,
            base=base,
            due_at=state.lawful_due_at,
            left_hours=left,
            reasons=strongest,
            others=log_odds - base - sum(reason.effect for reason in strongest),
            remaining=remaining,
            score_low=None if ends is None else float(ends[0][0]),
            score_high=None if ends is None else float(ends[1][0]),
        )

    def _at_hand(self) -> tuple[RecordSnapshot, Champion]:
        ground, now = self._ground, self.champion.value
        if ground is None or now is None:
            if not self._looked:
                raise Unready("just started: record and model are being read", STARTING_SECONDS)
            raise Unready("no champion or no record yet; run: risk ingest, risk train, risk promote", ABSENT_SECONDS)
        return ground, now

    def _standing(
        self, ground: RecordSnapshot, dossier: Row, events: Sequence[Row], as_of: datetime
    ) -> tuple[Row, CaseState, float | None]:
        """The dossier with its first promise, its state, and the working hours left."""
        dossier = {**dossier, "first_due_at": self._first_promise(ground, dossier, as_of)}
        term = next(iter(ground.day(as_of).terms.get(dossier.get("procedure_code") or "", ())), {})
        state = state_at(dossier, events, as_of, ground.calendar, term.get("legal_working_days"))
        return dossier, state, hours_left_of(state.lawful_due_at, state.overdue, as_of, ground.calendar)

    def _first_promise(self, ground: RecordSnapshot, dossier: Row, as_of: datetime) -> datetime | None:
        """What the earliest rows of the dossier told (`features.case_state.slip`), as far as they are at hand."""
        with self._turn:
            news = self._news.promises(dossier["dossier_id"])
        promises = [*ground.promises(dossier["dossier_id"]), *news]
        own = (dossier.get("known_at") or as_of, dossier.get("due_at"))
        return first_of([*(one for one in promises if one[0] < as_of), own])


def state_at(
    dossier: Row, events: Sequence[Row], as_of: datetime, calendar: Calendar, legal_days: float | None = None
) -> CaseState:
    """The lawful state at `as_of` of what is known of one dossier by then; `Ended` where nothing can be late."""
    happenings = [
        Happening(event["kind"], event["happened_at"], event.get("due_at"), event.get("reason"))
        for event in known_events(events, as_of)
    ]
    state = replay(
        dossier["received_at"], first_promise_of(dossier), happenings, as_of, calendar, legal_days,
        stated_due_at=dossier.get("due_at"),
    )  # fmt: skip
    if not state.is_open:
        raise Ended("the dossier has ended: there is nothing left to be late")
    return state
