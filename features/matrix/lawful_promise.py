"""How every dossier of the matrix stood on its lawful clock after each piece of news: the relation `lawful`.

The rules are those of `features.case_state.courses`. An engine hands over the rows of `COURSE`, in order, whole
dossiers at a time, and takes what comes back as the relation `lawful`, one row for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.calendar.working_time import Calendar, Instants
from features.case_state.courses import NONE, CaseFold, Courses, Places, instants, kind_codes

COURSE = """
    SELECT h.header_no, e.strand, e.seq, h.calendar_no, h.received_us, h.slip_us, e.kind, e.happened_us, e.given_us,
           e.reasoned
    FROM lasting e
    JOIN (SELECT DISTINCT dossier_no, header_no, calendar_no, received_us, slip_us FROM version) h
      ON h.dossier_no = e.dossier_no
"""
"""The events of every strand, once for each receipt and first promise in the dossier's rows."""
ORDER = ("header_no", "strand", "seq")

RUNNING, WAITING, ENDED, SET_ASIDE = range(4)
"""`clock`: runs, stands, has ended, or the dossier is set aside (`features.case_state.state`)."""

_MOMENTS = ("lawful_us", "lawful_w", "start_w", "pass_us", "end_us", "clock_us", "clock_w", "first_us")
SCHEMA = pa.schema([
    ("header_no", pa.int64()), ("strand", pa.int64()), ("seq", pa.int32()), *((name, pa.int64()) for name in _MOMENTS),
    *((name, pa.int32()) for name in ("clock", "missed", "stands", "promised")),
])  # fmt: skip
"""The columns of `lawful`, as known after the event.

lawful_us, lawful_w: the lawful promise, where its clock stands as far as time had been added when that stopped, at
clock_us, clock_w. start_w: that without the time added. pass_us: the last moment at which it is not missed, nothing
else happening; null where the clock stands, the dossier has ended, or it was missed already. end_us: the end.
first_us: the first promise. missed, promised: whether it was missed; whether there is any. stands: whether time is
being added to it.
"""


def lawful_rows(course: pa.Table, calendars: Sequence[Calendar]) -> pa.Table:
    """The rows of `lawful` for those of `COURSE` in their `ORDER`."""
    header, strand = course["header_no"].to_numpy(), course["strand"].to_numpy()
    number = course.num_rows
    begins = np.ones(number, bool)
    begins[1:] = (header[1:] != header[:-1]) | (strand[1:] != strand[:-1])
    heads = np.flatnonzero(begins)
    slip_us, calendar = instants(course["slip_us"])[heads], course["calendar_no"].to_numpy().astype(np.int64)
    courses = Courses(
        received_us=course["received_us"].to_numpy()[heads], due_us=slip_us, stated_us=slip_us,
        legal_w=np.full(len(heads), NONE), calendar=calendar[heads], first=np.append(heads, number),
        kind=kind_codes(course["kind"]), happened_us=course["happened_us"].to_numpy(),
        given_us=instants(course["given_us"]), reasoned=course["reasoned"].to_numpy() == 1,
    )  # fmt: skip
    fold = CaseFold(courses, calendars)
    after = {name: np.empty(number, np.int64) for name in ("due_us", "due_w", "start_w", "clock_us", "clock_w", *_READ)}

    def listen(fold: CaseFold, events: Places, n: int) -> None:
        stands = (fold.stopped[:n] > 0) & ~fold.missed[:n]
        due_us, due_w, start_w = fold.lawful(n)
        then_us, then_w = fold.settled(n)
        after["due_us"][events], after["start_w"][events] = np.where(stands, then_us, due_us), start_w
        after["due_w"][events] = np.where(stands, then_w, due_w)
        after["clock_us"][events], after["clock_w"][events] = fold.paused_us[:n], fold.paused_w[:n]
        for name, attribute in _READ.items():
            after[name][events] = getattr(fold, attribute)[:n]

    fold.run(listen)
    _delivered_alone(fold, after)
    return _table(course, fold, after, np.cumsum(begins) - 1, heads, calendar)


_READ = {
    "promised": "has_base", "stopped": "stopped", "missed": "missed", "end_us": "ended_us", "first_us": "first_us",
}  # fmt: skip
"""What is read of the fold after each event."""


def _delivered_alone(fold: CaseFold, after: dict[str, Instants]) -> None:
    """A dossier handed out counts as ended then, for as long as no end of the processing is known."""
    places = np.arange(len(fold.at_us))
    alone = np.flatnonzero((fold.delivered_at <= places) & (places < fold.end_at) & (fold.end_at < len(places)))
    source = fold.delivered_at[alone]
    for values in after.values():
        values[alone] = values[source]
    after["end_us"][alone], after["stopped"][alone] = fold.at_us[source], 0


def _table(
    course: pa.Table, fold: CaseFold, after: dict[str, Instants], of: Places, heads: Places, calendar: Places
) -> pa.Table:
    so_far = np.cumsum(fold.early)
    early = so_far - (so_far[heads] - fold.early[heads])[of] > 0
    ended, promised = after["end_us"] != NONE, after["promised"] == 1
    clock = np.select([ended, early, after["stopped"] > 0], [ENDED, SET_ASIDE, WAITING], RUNNING)
    missed = (after["missed"] == 1) & (clock != SET_ASIDE)
    lawful = np.where(promised, fold.moments(after["due_us"], after["due_w"], calendar), NONE)
    passes = np.full(len(of), NONE)
    ahead = np.flatnonzero((clock == RUNNING) & promised & ~missed)
    passes[ahead] = fold.moments(after["due_us"][ahead], after["due_w"][ahead], calendar[ahead], last=True)
    found: dict[str, npt.NDArray[np.int64]] = {
        "lawful_us": lawful, "lawful_w": np.where(promised, after["due_w"], NONE),
        "start_w": np.where(promised, after["start_w"], NONE), "pass_us": passes,
        "end_us": after["end_us"], "clock_us": after["clock_us"], "clock_w": after["clock_w"],
        "first_us": after["first_us"],
    }  # fmt: skip
    marks = {"clock": clock, "missed": missed, "stands": (clock == WAITING) & ~missed & promised, "promised": promised}
    columns = {name: course[name] for name in ORDER}
    columns |= {name: pa.array(values, pa.int64(), mask=values == NONE) for name, values in found.items()}
    columns |= {name: pa.array(values.astype(np.int32)) for name, values in marks.items()}
    return pa.table(columns).select(SCHEMA.names).cast(SCHEMA)
