"""A year of early warnings on a made-up province, scored each working day by a model that knows the year before.

The rules of warning come from outside (`Engine`), as policies do in the province replay: they are the service's own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import HOUR, Calendar
from features.case_state.relation import states_of_cases
from features.matrix import batch as matrix
from features.record.delivery import Chunk
from features.record.record import Record
from features.simulate import simulate
from models import cases as target_cases
from models.targets import MAIN
from training.fit import fit
from training.sample import microseconds
from training.training_set import gather

START, CUTOFF, END = date(2024, 7, 1), datetime(2025, 7, 1, 1, tzinfo=UTC), date(2026, 7, 1)
"""A year to learn from, then a year of scorings at eight in the morning."""
DAY = timedelta(days=1)
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Engine(Protocol):
    """The rules of warning over one scoring after another: gives who is warned singly, and who in a digest."""

    def look(
        self, scoring: Iterable[Any], week: str, weekday: int, held_out: Collection[str] = ()
    ) -> tuple[list[Any], list[Any]]:
        """One scoring."""


Watch = Callable[[str, datetime, str, float, float], Any]
"""dossier_id, due_at, head, score, left_hours → what an engine looks at."""


@dataclass(frozen=True)
class Year:
    """All scorings of a year, one row a dossier and day on which it was open, its clock ran and its lawful promise lay
    ahead, by day. case [n]: position of the dossier in `late`; due_at [n]: the lawful promise as known then;
    left_hours: working hours to it; used: share of the promised working hours gone.

    late [dossiers]: 1 where it became late by the lawful clock, whatever moved its promise meanwhile; 0 where it ended
    in time; NaN where neither was known at the end. dossier: its id.
    """

    as_of: list[datetime]
    starts: Ints
    case: Ints
    score: Floats
    left_hours: Floats
    used: Floats
    head: list[str]
    due_at: list[datetime]
    dossier: list[str]
    late: Floats


@dataclass(frozen=True)
class Alerts:
    """Single warnings of one way, in order of time: dossier (position in `Year.late`), the head, week and working hours
    left of each; digest: how many lines went into digests. A dossier whose clock stood may be warned of again."""

    case: Ints
    head: list[str]
    week: list[str]
    left_hours: Floats
    digest: int

    def most_a_week(self) -> int:
        """Single warnings of the head and week that had most."""
        pairs = list(zip(self.head, self.week, strict=True))
        return max((pairs.count(pair) for pair in set(pairs)), default=0)


def year(seed: int, dossiers: int, say: Callable[[str], None]) -> Year:
    """Simulates two years with so many dossiers, learns from the first and scores the second day by day."""
    province = simulate(seed, dossiers, START, END, policy=None)
    until = datetime.combine(END, datetime.min.time(), ZoneInfo(VIETNAM.zone)).astimezone(UTC)
    with TemporaryDirectory() as folder:
        record = Record(str(Path(folder) / "record"))
        chunks = [Chunk(name, table) for name, table in province.tables.items()]
        record.append(chunks, source="simulated", arrived_at=until)
        say(f"seed {seed}: learn from the first year")
        with record.connect(cutoff=CUTOFF) as con:
            model = fit(gather(con, CUTOFF, VIETNAM), target=MAIN.name)
        say(f"seed {seed}: score the second")
        with record.connect(cutoff=until) as con:
            cases = target_cases.landmarks(con, CUTOFF, until, every=DAY)
            cases = cases.filter(pa.array(_worked(cases["as_of"].to_pylist(), VIETNAM), pa.bool_()))
            cases = cases.filter(pa.array(_runs(con, cases), pa.bool_()))
            cells = matrix.build(con, cases, calendar=VIETNAM)
            labelled = target_cases.labels(con, cases, until)
    return _year(cells, labelled, model.probability(cells), VIETNAM)


def run(whole: Year, engine: Engine, watch: Watch, values: Floats, calendar: Calendar = VIETNAM) -> Alerts:
    """Takes an engine through the year; values [n]: what it compares with its threshold."""
    zone = ZoneInfo(calendar.zone)
    alerted, heads, weeks, left, digests = [], [], [], [], 0
    place = {name: at for at, name in enumerate(whole.dossier)}
    for day, as_of in enumerate(whole.as_of):
        rows = range(whole.starts[day], whole.starts[day + 1])
        seen = [
            watch(
                whole.dossier[whole.case[row]], whole.due_at[row], whole.head[row], float(values[row]),
                float(whole.left_hours[row]),
            )
            for row in rows
        ]  # fmt: skip
        local = as_of.astimezone(zone)
        iso = local.isocalendar()
        week = f"{iso.year}-W{iso.week:02d}"
        single, digest = engine.look(seen, week, local.weekday())
        digests += len(digest)
        for one in single:
            alerted.append(place[one.dossier_id])
            heads.append(one.head)
            weeks.append(week)
            left.append(one.left_hours)
    return Alerts(np.array(alerted, np.int64), heads, weeks, np.array(left, float), digests)


def at_same_number(
    whole: Year, number: int, engine: Callable[[float], Engine], watch: Watch, rounds: int = 14
) -> tuple[float, Alerts]:
    """The threshold on the score at which an engine gives most single warnings but not more than `number`, and those.

    Found by halving; no outcome is looked at.
    """
    low, high = 0.0, 1.0
    best, found = 1.0, run(whole, engine(1.0), watch, whole.score)
    for _ in range(rounds):
        middle = (low + high) / 2
        tried = run(whole, engine(middle), watch, whole.score)
        if len(tried.case) > number:
            low = middle
        else:
            high = middle
            if len(tried.case) >= len(found.case):
                best, found = middle, tried
        if len(found.case) == number:
            break
    return best, found


def _worked(moments: Sequence[datetime], calendar: Calendar) -> list[bool]:
    """Whether each moment begins an hour of work."""
    known = {moment: calendar.working_hours(moment, moment + timedelta(hours=1)) == 1 for moment in set(moments)}
    return [known[moment] for moment in moments]


def _runs(con: duckdb.DuckDBPyConnection, cases: pa.Table) -> list[bool]:
    """Whether the clock of each case ran at its moment: of a dossier that waits for the citizen nobody is warned."""
    with states_of_cases(con, cases, VIETNAM) as states:
        running = states.filter("NOT waits").project("dossier_id").to_arrow_table()["dossier_id"].to_numpy()
    runs = np.zeros(cases.num_rows, bool)
    runs[running] = True
    found: list[bool] = runs.tolist()
    return found


def _year(cells: pa.Table, labelled: pa.Table, score: Floats, calendar: Calendar) -> Year:
    as_of, received, due = (microseconds(labelled[name]) for name in ("as_of", "received_at", "due_at"))
    names = np.array(cells["dossier_id"].to_pylist())
    dossiers, case = np.unique(names, return_inverse=True)
    worked = {at: calendar.worked(int(at)) for at in {*as_of.tolist(), *received.tolist(), *due.tolist()}}
    gone, begun, ends = (np.array([worked[at] for at in moments.tolist()]) for moments in (as_of, received, due))
    left = (ends - gone) / HOUR
    used = (gone - begun) / np.maximum(ends - begun, 1)
    days, starts = np.unique(as_of, return_index=True)
    assert (np.diff(as_of) >= 0).all(), "landmarks come by day"
    # the label is of the dossier at the end of the year: the same at each of its scorings whose promise had run out by
    # then, unknown at those of a promise that had not
    label = labelled["label"].to_numpy(zero_copy_only=False).astype(np.float64)
    late = np.full(len(dossiers), np.nan)
    known = ~np.isnan(label)
    late[case[known]] = label[known]
    return Year(
        as_of=[datetime.fromtimestamp(at / 1e6, UTC) for at in days.tolist()],
        starts=np.append(starts, len(as_of)),
        case=case.reshape(-1),
        score=score,
        left_hours=left,
        used=used,
        head=[code or "" for code in cells["unit_code"].to_pylist()],
        due_at=labelled["due_at"].to_pylist(),
        dossier=dossiers.tolist(),
        late=late,
    )
