"""The matrix once more, slowly and in plain Python, from the definitions: the answer that SQL must give.

Nothing is shared with the engine but the calendar (`Calendar.worked`): the lawful clock is the row-wise one (`replay`),
which has an oracle of its own. One case at a time: filter what was known, sort, count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from features.calendar.working_time import FIRST, LAST, PLAIN_WEEK, Calendar, microseconds
from features.case_state.replay import Happening, replay
from features.case_state.slip import first_of
from features.case_state.state import CaseState, Phase

Row = Mapping[str, Any]
HOUR = 3.6e9
STOPS = {"papers_requested", "suspended"}
MOVES = {"extended", "apologised", "reset"}
RUNS = {"papers_supplied", "resumed", "assigned", "forwarded", "consulted", "returned"}


@dataclass(frozen=True)
class State:
    """What was known of a dossier at a moment."""

    version: Row
    events: tuple[Row, ...]
    case: CaseState

    @property
    def due(self) -> datetime | None:
        told = [event["due_at"] for event in self.events if event["due_at"]]
        return told[-1] if told else self.version["due_at"]

    @property
    def end(self) -> datetime | None:
        return self.case.ended_at

    @property
    def holder(self) -> str | None:
        named = [event["official_id"] for event in self.events if event["official_id"]]
        return named[-1] if named else None

    @property
    def late(self) -> int | None:
        """1 late, 0 in time, None not known."""
        if self.case.lawful_due_at is None or self.case.phase is Phase.SET_ASIDE:
            return None
        return int(self.case.late) if self.end is not None or self.case.late else None


class Oracle:
    """The matrix of a record given as rows with aware moments; `known_at` and `row_id` are filled."""

    def __init__(
        self,
        dossiers: Sequence[Row],
        events: Sequence[Row],
        procedures: Sequence[Row],
        calendar: Calendar = PLAIN_WEEK,
    ) -> None:
        self.calendar, self.zone = calendar, ZoneInfo(calendar.zone)
        self.procedures = procedures
        self.versions: dict[str, list[Row]] = {}
        self.told: dict[str, list[Row]] = {}
        for row in dossiers:
            self.versions.setdefault(row["dossier_id"], []).append(row)
        for row in events:
            if row["dossier_id"] in self.versions:
                self.told.setdefault(row["dossier_id"], []).append(row)
        self.attributes = list(dict.fromkeys(name for row in dossiers for name in row if name.startswith("x_")))
        self.state = cache(self._state)
        self.turns = cache(self._turns)
        self.totals = cache(self._totals)

    def _state(self, dossier: str, at: datetime) -> State | None:
        known = [row for row in self.versions.get(dossier, []) if row["known_at"] < at]
        if not known:
            return None
        events = [row for row in self.told.get(dossier, []) if row["known_at"] < at]
        latest: dict[Any, Row] = {}
        for row in sorted(events, key=lambda e: (e["known_at"], e["row_id"])):
            latest[row["event_id"] or row["row_id"]] = row
        order = sorted(latest.values(), key=lambda e: (e["happened_at"], e["known_at"], e["row_id"]))
        version = max(known, key=lambda v: (v["known_at"], v["row_id"]))
        told = [Happening(one["kind"], one["happened_at"], one["due_at"], one.get("reason")) for one in order]
        slip = first_of((row["known_at"], row["due_at"]) for row in known)
        return State(version, tuple(order), replay(version["received_at"], slip, told, at, self.calendar))

    def worked(self, at: datetime) -> int:
        return self.calendar.worked(microseconds(at))

    def dawn(self, at: datetime) -> datetime:
        """When the local day of `at` began."""
        return datetime.combine(at.astimezone(self.zone).date(), time(), self.zone).astimezone(UTC)

    def _turns(self, dossier: str) -> list[tuple[datetime, State | None, State]]:
        """(moment, state before, state from then on) for every moment at which something became known."""
        rows = [*self.versions[dossier], *self.told.get(dossier, [])]
        found: list[tuple[datetime, State | None, State]] = []
        before = None
        for at in sorted({row["known_at"] for row in rows}):
            after = self.state(dossier, at + timedelta(microseconds=1))
            if after is not None:
                found.append((at, before, after))
                before = after
        return found

    # --- totals of a group before a dawn

    def _totals(self, kind: str, dawn: datetime) -> dict[Any, dict[str, float]]:
        """Totals by key: queues (`unit`, `procedure`, `official`), or the past (`…_past`, `x_…`)."""
        found: dict[Any, dict[str, float]] = {}

        def add(key: Any, name: str, amount: float = 1) -> None:
            if key is not None and not (isinstance(key, tuple) and None in key):
                found.setdefault(key, {}).setdefault(name, 0)
                found[key][name] += amount

        for dossier in self.versions:
            if kind in ("unit", "procedure", "official"):
                self._queue(dossier, _key(kind), dawn, add)
            else:
                self._past(dossier, kind, dawn, add)
        return found

    def _queue(self, dossier: str, key: Callable[[State], Any], dawn: datetime, add: Callable[..., None]) -> None:
        now = self.state(dossier, dawn)
        if now and now.case.is_open:
            add(key(now), "open")
            if now.case.overdue:
                add(key(now), "overdue")
        for at, before, after in self.turns(dossier):
            if at >= dawn:
                break
            age = (dawn - self.dawn(at)).days
            add(key(after), "seen", 0)
            if before is None or key(before) != key(after):
                for days in (7, 30, 90):
                    add(key(after), f"arrived_{days}", age <= days)
            if age <= 90:
                for state, sign in ((after, 1), (before, -1)):
                    if state and state.end and (before is None or before.end != after.end):
                        hours = max(0, self.worked(state.end) - self.worked(state.version["received_at"]))
                        add(key(state), "closed_90", sign)
                        add(key(state), "closed_w_90", sign * hours)

    def _past(self, dossier: str, kind: str, dawn: datetime, add: Callable[..., None]) -> None:
        for days, suffix in ((0, ""), (90, "_90")):
            at = dawn - timedelta(days=days)
            state = self.state(dossier, at)
            if state is None:
                continue
            late = state.late
            if late is None:
                continue
            for key in self._past_keys(kind, dossier, state, at):
                add(key, f"known{suffix}", 1)
                add(key, f"late{suffix}", late)

    def _past_keys(self, kind: str, dossier: str, state: State, at: datetime) -> Iterable[Any]:
        procedure = state.version["procedure_code"]
        if kind == "record_past":
            return [()]
        if kind == "unit_past":
            return [state.version["unit_code"]]
        if kind == "procedure_past":
            return [procedure]
        if kind.startswith("x_"):
            return [state.version.get(kind)]
        if kind.startswith("official"):
            officials = {o for o, known in self.firsts(dossier, "official_id").items() if known[0] < at}
            return officials if kind == "official_past" else {(o, procedure) for o in officials}
        steps = {s for s, known in self.firsts(dossier, "step").items() if known[0] < at}
        return steps if kind == "step_past" else {(procedure, s) for s in steps}

    def firsts(self, dossier: str, name: str) -> dict[str, tuple[datetime, datetime]]:
        """When each official or step was first told of, and when that had happened."""
        found: dict[str, tuple[datetime, datetime]] = {}
        for at, _, after in self._news(dossier):
            for event in after:
                found.setdefault(_named(event, name), (at, event["happened_at"]))
        found.pop(None, None)  # type: ignore[call-overload]
        return found

    def _news(self, dossier: str) -> Iterable[tuple[datetime, None, tuple[Row, ...]]]:
        for at in sorted({row["known_at"] for row in self.told.get(dossier, [])}):
            late = at + timedelta(microseconds=1)
            rows = [row for row in self.told[dossier] if row["known_at"] < late]
            latest: dict[Any, Row] = {}
            for row in sorted(rows, key=lambda e: (e["known_at"], e["row_id"])):
                latest[row["event_id"] or row["row_id"]] = row
            yield at, None, tuple(sorted(latest.values(),
                                         key=lambda e: (e["happened_at"], e["known_at"], e["row_id"])))  # fmt: skip

    def left(self, step: str, procedure: str | None, dawn: datetime) -> float | None:
        """Mean working hours from a step to the end, of ends told in the 365 days before."""
        count, hours = 0, 0
        for dossier in self.versions:
            entered = self.firsts(dossier, "step").get(step)
            if not entered:
                continue
            for at, before, after in self.turns(dossier):
                moment = max(at, entered[0])
                if moment >= dawn or (dawn - self.dawn(moment)).days > 365:
                    continue
                for state, sign in ((after, 1), (before, -1)):
                    if (state and state.end and (before is None or before.end != after.end)
                            and procedure in (None, state.version["procedure_code"])):  # fmt: skip
                        count += sign
                        hours += sign * max(0, self.worked(state.end) - self.worked(entered[1]))
        return hours / HOUR / count if count else None

    # --- one row

    def row(self, dossier: str, as_of: datetime) -> dict[str, Any]:
        """Every cell of one case, by name."""
        dawn = self.dawn(as_of)
        cells: dict[str, Any] = self._overall(dawn)
        state = self.state(dossier, as_of)
        if state is None:
            return cells
        version = state.version
        cells |= self._own(state, as_of)
        cells |= {name: version.get(name) for name in self.attributes}
        official, unit, procedure, step = (state.holder, version["unit_code"], version["procedure_code"], cells["step"])
        if official:
            cells |= self._load("official", official, dawn) | self._rates("official", "official_past", official, dawn)
            if procedure:
                cells |= self._rates("official_procedure", "official_procedure_past", (official, procedure), dawn)
        cells |= self._load("unit", unit, dawn) | self._rates("unit", "unit_past", unit, dawn)
        cells |= self._load("procedure", procedure, dawn) | self._rates("procedure", "procedure_past", procedure, dawn)
        if step:
            cells |= self._rates("step", "step_past", step, dawn)
            cells |= self._rates("procedure_step", "procedure_step_past", (procedure, step), dawn)
            cells["step_left_hours"] = self.left(step, None, dawn)
            cells["procedure_step_left_hours"] = self.left(step, procedure, dawn)
        for name in self.attributes:
            if isinstance(version.get(name), str):
                cells |= self._rates(name, name, version[name], dawn)
        return cells

    def _overall(self, dawn: datetime) -> dict[str, Any]:
        total = self.totals("record_past", dawn).get((), {})
        known, late = total.get("known", 0), total.get("late", 0)
        recent = known - total.get("known_90", 0)
        seen = [self.dawn(self.turns(d)[0][0]) for d in self.versions if self.turns(d) and self.turns(d)[0][0] < dawn]
        return {
            "overall_late_rate": late / known if known else None,
            "overall_late_rate_90": (late - total.get("late_90", 0)) / recent if recent else None,
            "record_days_seen": (dawn - min(seen)).days if seen else None,
        }

    def _load(self, kind: str, key: Any, dawn: datetime) -> dict[str, Any]:
        total = self.totals(kind, dawn).get(key, {})
        opened, closed = total.get("open", 0), total.get("closed_90", 0)
        seen = [at for d in self.versions for at, _, after in self.turns(d) if _key(kind)(after) == key and at < dawn]
        return {
            f"{kind}_open": opened,
            f"{kind}_overdue": total.get("overdue", 0) / opened if opened else None,
            **{f"{kind}_arrived_{days}": total.get(f"arrived_{days}", 0) for days in (7, 30, 90)},
            f"{kind}_closed_90": closed,
            f"{kind}_hours": total.get("closed_w_90", 0) / HOUR / closed if closed else None,
            f"{kind}_days_seen": (dawn - self.dawn(min(seen))).days if seen else None,
        }

    def _rates(self, name: str, kind: str, key: Any, dawn: datetime) -> dict[str, Any]:
        total, overall = self.totals(kind, dawn).get(key, {}), self._overall(dawn)["overall_late_rate"]
        known, late = total.get("known", 0), total.get("late", 0)
        known_90, late_90 = known - total.get("known_90", 0), late - total.get("late_90", 0)
        return {
            f"{name}_known": known,
            f"{name}_late_rate": None if overall is None else (late + 20 * overall) / (known + 20),
            f"{name}_late_rate_90": None if overall is None else (late_90 + 20 * overall) / (known_90 + 20),
        }

    def _own(self, state: State, as_of: datetime) -> dict[str, Any]:
        version, events = state.version, state.events
        now, received = self.worked(as_of), self.worked(version["received_at"])
        term = self._published(version, as_of)
        legal = term["legal_working_days"] if term else None
        case, clock = state.case, state.case.clock
        first = self.worked(case.first_due_at) - received if case.first_due_at else None
        promised = self.worked(state.due) - received if state.due else None
        way = [event for event in events if event["kind"] not in MOVES]
        steps = [event["step"] or event["kind"] for event in way]
        times = [self.worked(event["happened_at"]) for event in way]
        officials = [e["official_id"] for e in events if e["official_id"]]
        stopped: int | None = None
        paused = 0
        for n, event in enumerate(way):
            if stopped and n:
                paused += times[n] - times[n - 1]
            stopped = 1 if event["kind"] in STOPS else 0 if event["kind"] in RUNS else stopped
        if stopped:
            paused += now - times[-1]
        own = clock.start_w - received if clock else None if legal is None else legal * 8 * HOUR
        allowed = clock.lawful_w - received if clock else None if legal is None else legal * 8 * HOUR + paused
        beyond = 0 if allowed is None or clock is None or promised is None else max(0, promised - allowed)
        left = clock.left_us(microseconds(as_of)) if clock else None
        changes = [n for n in range(len(steps)) if n == 0 or steps[n] != steps[n - 1]]
        held = [self.worked(event["happened_at"]) for event in events if event["official_id"]]
        held = [at for k, at in enumerate(held) if k == 0 or officials[k] != officials[k - 1]]
        local = version["received_at"].astimezone(self.zone)
        kinds = [event["kind"] for event in events]
        return {
            "unit_code": version["unit_code"], "official_id": state.holder,
            "procedure_code": version["procedure_code"], "sector_code": term and term["sector_code"],
            "channel": version["channel"], "applicant_kind": version["applicant_kind"],
            "step": steps[-1] if steps else None,
            "hours_elapsed": (now - received - paused) / HOUR,
            "hours_left": None if allowed is None else (allowed - (now - received)) / HOUR,
            "time_used": (now - received - paused) / own if own else None,
            "promise_used": (now - received) / allowed if allowed else None,
            "days_left": None if left is None else left / 8.64e10, "moved_beyond_hours": beyond / HOUR,
            "days_to_long_break": self._long_break(as_of, now),
            "first_term_hours": None if first is None else first / HOUR,
            "legal_hours": None if legal is None else legal * 8,
            "term_moved_hours": None if first is None or promised is None else (promised - first) / HOUR,
            "extensions": kinds.count("extended"), "resets": kinds.count("reset"),
            "paper_rounds": kinds.count("papers_requested"), "paused_hours": paused / HOUR, "stopped": stopped,
            "consultations": kinds.count("consulted"),
            "consultation_open": kinds.count("consulted") - kinds.count("consultation_answered"),
            "returns": kinds.count("returned"), "reopenings": kinds.count("reopened"),
            "apologies": kinds.count("apologised"), "events": len(way), "steps": len(set(steps)),
            "steps_again": len(changes) - len(set(steps)), "officials": len(set(officials)),
            "handovers": sum(a != b for a, b in pairwise(officials)),
            "handed_back": sum(officials[k] != officials[k - 1] and officials[k] in officials[:k]
                               for k in range(1, len(officials))),
            "longest_gap_hours": max(((b - a) / HOUR for a, b in pairwise(times)), default=None),
            "silent_hours": (now - (times[-1] if times else received)) / HOUR,
            "step_hours": (now - times[changes[-1]]) / HOUR if changes else None,
            "held_hours": (now - held[-1]) / HOUR if held else None,
            "received_hour": local.hour, "received_weekday": local.weekday(),
        }  # fmt: skip

    def _long_break(self, as_of: datetime, now: int) -> float | None:
        """Working days to the first stretch of four days off that is not over yet, within a year."""
        today = as_of.astimezone(self.zone).date()
        first = next((day for day in self.breaks if day[1] > today), None)
        if first is None or (first[0] - today).days > 366:
            return None
        return (self.worked(datetime.combine(first[0], time(), self.zone)) - now) / (8 * HOUR)

    @cached_property
    def breaks(self) -> list[tuple[date, date]]:
        """First day and day after the last of every four or more days without work, in order."""
        found, day = [], FIRST
        while day < LAST:
            end = day
            while end < LAST and not self.calendar.hours(end):
                end += timedelta(days=1)
            if end - day >= timedelta(days=4) and end < LAST:
                found.append((day, end))
            day = end + timedelta(days=1)
        return found

    def _published(self, version: Row, as_of: datetime) -> Row | None:
        """The procedure's row in force at receipt, the latest known at `as_of`."""
        early = datetime(1970, 1, 1, tzinfo=UTC)
        rows = [p for p in self.procedures
                if p["procedure_code"] == version["procedure_code"] and (p["known_at"] or early) < as_of
                and (p["valid_from"] or early) <= version["received_at"]
                and (p["valid_to"] is None or version["received_at"] < p["valid_to"])]  # fmt: skip
        return max(rows, default=None,
                   key=lambda p: (p["known_at"] or early, p["valid_from"] or early, p["row_id"]))  # fmt: skip


def _key(kind: str) -> Callable[[State], Any]:
    return {
        "unit": lambda state: state.version["unit_code"],
        "procedure": lambda state: state.version["procedure_code"],
        "official": lambda state: state.holder,
    }[kind]


def _named(event: Row, name: str) -> Any:
    if name == "step" and event["kind"] in MOVES:
        return None
    return event["step"] or event["kind"] if name == "step" else event[name]
