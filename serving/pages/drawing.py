"""Where things stand in the drawings: numbers to coordinates; the SVG itself is in `templates/drawing`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log2

from features.calendar.working_time import HOURS_A_DAY, Calendar
from features.case_state.state import CaseState
from models.reasons import Reason
from serving.language import gettext as _
from serving.read.case_file import CaseFile

WIDTH = 360


@dataclass(frozen=True)
class Bar:
    """One bar of the contribution chart: from the middle, to the right where it raises the risk."""

    words: str
    effect: float
    x: float
    width: float
    y: int

    @property
    def raises(self) -> bool:
        """Whether the reason raises the risk."""
        return self.effect > 0


def bars(reasons: Sequence[Reason]) -> list[Bar]:
    """Bars of the reasons on one scale (log-odds), the widest 150 units wide."""
    widest = max((abs(reason.effect) for reason in reasons), default=0.0) or 1.0
    drawn = []
    for place, reason in enumerate(reasons):
        width = max(2.0, 150 * abs(reason.effect) / widest)
        drawn.append(Bar(reason.vi, reason.effect, 190 - (0 if reason.effect > 0 else width), width, 26 * place + 8))
    return drawn


@dataclass(frozen=True)
class TimelineMark:
    """A mark on a line of time: where, what, when."""

    x: float
    kind: str
    at: datetime


@dataclass(frozen=True)
class ClockDrawing:
    """The legal clock as one line: marks of events, spans in which it stood still, the promise."""

    start: datetime
    end: datetime
    now_x: float
    due_x: float | None
    due_at: datetime | None
    marks: list[TimelineMark]
    pauses: list[tuple[float, float]]


def clock(case: CaseFile, state: CaseState, due_at: datetime | None) -> ClockDrawing:
    """The line from receipt to the promise or to the moment of the state, whichever is later."""
    start, as_of = case.received_at, state.until
    end = max([moment for moment in (as_of, due_at) if moment is not None])
    length = (end - start).total_seconds() or 1.0

    def x(moment: datetime) -> float:
        share = (min(max(moment, start), end) - start).total_seconds() / length
        return round(20 + (WIDTH - 40) * share, 1)

    pauses = [(x(one.since), x(one.until)) for one in state.stretches if one.phase.waits]
    marks = [TimelineMark(x(event.happened_at), event.kind, event.happened_at) for event in case.events]
    return ClockDrawing(start, end, x(as_of), None if due_at is None else x(due_at), due_at, marks, pauses)


@dataclass(frozen=True)
class StepSpan:
    """How long a dossier stayed in one step, with whom.

    The spans of a dossier follow one another without a gap.
    """

    step: str
    official_id: str | None
    start: datetime
    days: float
    width: float


def step_spans(case: CaseFile, as_of: datetime, calendar: Calendar) -> list[StepSpan]:
    """Working days by step, from receipt to `as_of`.

    A span ends where an event names another step or holder.
    """
    edges: list[tuple[datetime, str, str | None]] = [(case.received_at, _("Tiếp nhận"), None)]
    for event in case.events:
        step = event.step or edges[-1][1]
        holder = event.official_id or edges[-1][2]
        if (step, holder) != edges[-1][1:] and event.happened_at <= as_of:
            if event.happened_at <= edges[-1][0]:
                edges[-1] = (edges[-1][0], step, holder)
            else:
                edges.append((event.happened_at, step, holder))
    ends = [edge[0] for edge in edges[1:]] + [as_of]
    days = [
        calendar.working_hours(edge[0], end) / HOURS_A_DAY if end > edge[0] else 0.0
        for edge, end in zip(edges, ends, strict=True)
    ]
    longest = max(days) or 1.0
    return [
        StepSpan(edge[1], edge[2], edge[0], length, round(280 * length / longest, 1))
        for edge, length in zip(edges, days, strict=True)
    ]


def polyline(values: Sequence[float | None], low: float, high: float, width: int = 600, height: int = 150) -> str:
    """The `points` of a line over evenly spaced values; unknown ones are left out, the line goes on."""
    spread = (high - low) or 1.0
    step = (width - 60) / max(1, len(values) - 1)
    return " ".join(
        f"{40 + place * step:.1f},{height - 25 - (height - 40) * (value - low) / spread:.1f}"
        for place, value in enumerate(values)
        if value is not None
    )


def ratio_span(low: float | None, high: float | None, width: int = 160) -> tuple[float, float, float] | None:
    """Where an interval of ratios lies on a scale that doubles with each eighth: x, width, and x of the ratio 1.

    The scale runs from 1/4 to 64; what lies beyond is drawn at its end. None where there is no interval.
    """
    if low is None or high is None:
        return None

    def x(ratio: float) -> float:
        return round(width * (min(6.0, max(-2.0, log2(max(ratio, 1e-3)))) + 2) / 8, 1)

    return x(low), max(2.0, round(x(high) - x(low), 1)), x(1.0)
