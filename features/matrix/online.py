"""The matrix cells of one dossier given by its rows, worked out in Python from the same declarations.

For a dossier that is posted to be scored at once: planning the matrix statement costs an engine more than all
the arithmetic of one dossier. What `features.case_state.history` says in SQL for all dossiers is said here for one,
walking its events in order; the features' own expressions are the declared ones (`features.matrix.sql_eval`), and
what rests on other dossiers comes from `features.matrix.daily_snapshot`. The tests hold both to the same cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.calendar.working_time import DAY, Calendar, microseconds
from features.case_state.kinds import MOVES, RUNS, STOPS
from features.case_state.replay import Happening, replay
from features.matrix.daily_snapshot import Cells, DailySnapshot, local_day
from features.matrix.declaration import Feature, Grain
from features.matrix.matrix_sql import KEYS
from features.matrix.source_relations import EARLIEST, LATEST
from features.matrix.sql_eval import Unsupported, aggregate, scalar
from features.record.cell_numbers import number

Row = Mapping[str, Any]
"""A row of the canonical table `dossier` or `event`; times are aware datetimes, absent or None: unknown.

A dossier's row may carry `first_due_at`, the first promise, where that is known to be another than its `due_at`.
"""


@dataclass(frozen=True)
class _Instant:
    """An instant as the matrix counts it: microseconds, time worked before it, local day and local clock
    time.
    """

    us: int
    worked: int
    day: int
    clock: int


class Misfit(ValueError):
    """An attribute of a dossier is of another kind than the same attribute in the record."""


class OnlineFeatures:
    """Cells of single dossiers, for one list of features and one calendar; safe to share between threads.

    Raises `features.matrix.sql_eval.Unsupported` when a declared expression can't be worked out without an engine.
    """

    def __init__(self, features: Sequence[Feature], calendar: Calendar) -> None:
        self._calendar = calendar
        days = calendar.relation()
        self._midnight: list[int] = days["midnight"].to_pylist()
        self._local_day: list[int] = days["local_day"].to_pylist()
        self._first_day = int(days["day"][0].as_py())
        self._break: dict[int, int | None] = dict(zip(self._local_day, days["break_w"].to_pylist(), strict=True))
        self._history = [(one, aggregate(one.sql)) for one in features if one.grain is Grain.HISTORY]
        self._dossier = [
            (one, scalar(one.sql)) for one in features if one.grain is Grain.DOSSIER and one.name not in KEYS
        ]
        # attribute → whether it is text; a dossier that lacks one has it empty, as in the record
        self._attributes = {one.name: one.category for one, _ in self._dossier if one.name.startswith("x_")}
        for one, _ in self._dossier:
            if one.name.startswith("x_") and one.sql not in (one.name, f"CAST({one.name} AS DOUBLE)"):
                raise Unsupported(f"attribute {one.name}")

    def local_day(self, as_of: datetime) -> int:
        """The local day (days since 1970) of `as_of`: the `DailySnapshot` that its cells need."""
        return local_day(as_of, self._calendar)

    def cells(self, dossier: Row, events: Sequence[Row], as_of: datetime, day: DailySnapshot) -> Cells:
        """Every cell of the case (`dossier`, `as_of`), keys of the matrix included.

        `dossier` is the latest version known; of `events` those with `known_at < as_of` count (without
        `known_at`: known when they happened). `day`: the record's, of the local day of `as_of`. Ties in time
        keep the order of `row_id`, else that in which the events are given. `Misfit` for an attribute of another
        kind than the record's.
        """
        now = self._instant(as_of)
        visible = known_events(events, as_of)
        rows, standing = self._walk(visible)
        standing |= self._clock(dossier, standing, now) | self._lawful(dossier, visible, as_of, now)
        term = day.term(standing["procedure_code"], dossier["received_at"], as_of)
        standing |= {name: term.get(name) for name in ("sector_code", "legal_working_days")}
        cells: Cells = {name: standing[name] for name in KEYS}
        for feature, over in self._history:
            value = over(rows) if rows else None
            cells[feature.name] = _double(feature.empty if value is None else value)
        for feature, of in self._dossier:
            cells[feature.name] = of(standing) if feature.category else _double(of(standing))
        for group in day.groups:
            cells.update(group.of(standing))
        return cells

    def _clock(self, dossier: Row, walked: Mapping[str, Any], now: _Instant) -> dict[str, Any]:
        """How the dossier stands on its clocks, as `features.case_state.history.CASE_STATE` has it."""
        received = self._instant(dossier["received_at"])
        new_due = walked["new_due"]
        due = self._instant(dossier.get("due_at")) if new_due is None else new_due
        paused = walked["paused_w"] or 0
        if walked["stopped"] == 1:
            paused += now.worked - walked["last_w"]
        attributes = {name: _fitting(name, dossier.get(name), text) for name, text in self._attributes.items()}
        return attributes | {
            "as_of_us": now.us, "as_of_w": now.worked, "day": now.day, "break_w": self._break.get(now.day),
            "received_us": received.us, "received_w": received.worked,
            "received_day": received.day, "received_clock_us": received.clock,
            "due_us": due and due.us, "due_w": due and due.worked,
            "procedure_code": dossier.get("procedure_code"), "unit_code": dossier.get("unit_code"),
            "channel": dossier.get("channel"), "applicant_kind": dossier.get("applicant_kind"),
            "paused_now_w": paused,
        }  # fmt: skip

    def _lawful(self, dossier: Row, events: Sequence[Row], as_of: datetime, now: _Instant) -> dict[str, Any]:
        """The promises of `STANDING` that the rules of `features.case_state.state` give."""
        state = replay(
            dossier["received_at"], first_promise_of(dossier),
            (Happening(one["kind"], one["happened_at"], one.get("due_at"), one.get("reason")) for one in events),
            as_of, self._calendar,
        )  # fmt: skip
        first, clock = self._instant(state.first_due_at), state.clock
        return {
            "first_due_us": first and first.us, "first_due_w": first and first.worked,
            "lawful_w": clock and clock.lawful_w, "start_w": clock and clock.start_w,
            "lawful_left_us": clock and clock.left_us(now.us),
        }  # fmt: skip

    def _walk(self, events: Sequence[Row]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The rows of the relation `history` of these events, and the state after the last, as in `SPELL`."""
        rows: list[dict[str, Any]] = []
        state: dict[str, Any] = dict.fromkeys(_STATE)
        officials: set[str] = set()
        steps: set[str] = set()
        for event in events:
            at = self._instant(event["happened_at"])
            kind, official = event["kind"], event.get("official_id")
            way = kind not in MOVES
            step = state["step"] if not way else kind if event.get("step") is None else event["step"]
            last_w, last_us = state["last_w"], state["last_us"]
            holder = state["official_id"]
            row = {
                "kind": kind, "step": step, "official_id": official,
                "happened_us": at.us, "happened_w": at.worked, "way": int(way),
                "gap_us": None if last_us is None or not way else at.us - last_us,
                "gap_w": None if last_w is None or not way else at.worked - last_w,
                "paused_w": at.worked - last_w if way and state["stopped"] == 1 else 0,
                "step_changed": int(way and (state["step"] is None or state["step"] != step)),
                "step_new": int(way and step not in steps),
                "official_new": int(official is not None and official not in officials),
                "handover": int(None not in (holder, official) and holder != official),
            }  # fmt: skip
            row["handed_back"] = int(bool(row["handover"]) and official in officials)
            rows.append(row)
            if official is not None:
                officials.add(official)
                if holder is None or row["handover"]:
                    state["held_w"] = at.worked
                state["official_id"] = official
            if row["step_changed"]:
                state["step_w"] = at.worked
            if event.get("due_at") is not None:
                state["new_due"] = self._instant(event["due_at"])
            if kind in STOPS or kind in RUNS:
                state["stopped"] = int(kind in STOPS)
            if way:
                steps.add(step)
                state |= {"last_us": at.us, "last_w": at.worked, "step": step}
            state["paused_w"] = (state["paused_w"] or 0) + row["paused_w"]
        return rows, state

    def _instant(self, moment: datetime | None) -> Any:
        if moment is None:
            return None
        us = min(max(microseconds(moment), EARLIEST), LATEST)
        place, offset = us // DAY - self._first_day, us % DAY
        midnight = self._midnight[place]
        begun = offset >= midnight
        return _Instant(
            us,
            self._calendar.worked(us),
            self._local_day[place] + begun,
            offset - midnight + (0 if begun else DAY),
        )


_STATE = ("last_us", "last_w", "step", "official_id", "held_w", "step_w", "new_due", "stopped", "paused_w")


def known_events(events: Sequence[Row], as_of: datetime) -> list[Row]:
    """The events known and happened before `as_of` in their order, of each event its latest known version."""
    visible = [event for event in events if _known_at(event) < as_of]
    latest: dict[str, Row] = {}
    for event in visible:
        name = event.get("event_id")
        if name is not None and (name not in latest or _version(latest[name]) <= _version(event)):
            latest[name] = event
    visible = [event for event in visible if event.get("event_id") is None or latest[event["event_id"]] is event]
    return sorted(visible, key=lambda event: (event["happened_at"], *_version(event)))


def _version(event: Row) -> tuple[datetime, str]:
    return _known_at(event), event.get("row_id") or ""


def _known_at(event: Row) -> datetime:
    known_at: datetime = max(event.get("known_at") or event["happened_at"], event["happened_at"])
    return known_at


def first_promise_of(dossier: Row) -> datetime | None:
    """The first promise of a dossier's row: that of its earlier rows, where they are at hand."""
    first: datetime | None = dossier.get("first_due_at") or dossier.get("due_at")
    return first


def _fitting(name: str, value: Any, text: bool) -> Any:
    """The value of an attribute where it is of the record's kind; `Misfit` where not."""
    if value is None or isinstance(value, str if text else float | int):
        return value
    raise Misfit(f"{name[:60]}: wanted {'text' if text else 'a number'}, got {'a number' if text else 'text'}")


def _double(value: Any) -> float | None:
    return number(value)
