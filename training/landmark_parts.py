"""The matrix of all landmarks in a folder, a Parquet part a landmark, extended in proportion to what is new.

A landmark's cells hold what was known before it. So a part stays as it is while nothing older than it becomes
known; a delivery that tells of an older moment makes the parts after that moment void, and they are made again.
What a new part needs is the dossiers that were open at the part before or had news since, and the daily changes
of the totals before it (`features.matrix.incremental`), which lie beside the parts.

A run that dies leaves files that the manifest (`training.part_manifest`) does not name; the next removes them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from inspect import getsource
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock

from features.calendar.holiday import as_delivered
from features.calendar.working_time import PLAIN_WEEK, Calendar
from features.case_state import courses
from features.case_state.history import STRANDS
from features.matrix import batch as matrix
from features.matrix.incremental import SLACK, IncrementalState
from features.matrix.lawful_promise import COURSE, lawful_rows
from features.matrix.matrix_sql import dossier_relations, groups_of, matrix_relations
from features.matrix.source_relations import record_relations
from features.record.record import Record
from features.record.utc import aware_utc, naive_utc
from models.cases import landmarks
from training.part_manifest import Manifest, read_manifest, write_manifest

Say = Callable[[str], None]
WEEK = timedelta(days=7)
_ROWS = 200_000
_EVER = -(2**40)  # before every day


@dataclass(frozen=True)
class Extended:
    """What an extension did: landmarks and rows made, landmarks made again, and dossiers looked at."""

    made: int
    again: int
    rows: int
    dossiers: int


def extend(
    record: Record,
    folder: Path,
    to: datetime,
    *,
    every: timedelta = WEEK,
    calendar: Calendar = PLAIN_WEEK,
    say: Say = lambda line: None,
) -> Extended:
    """Brings the parts in `folder` up to the last landmark at or before `to` (aware), as the record is now.

    Landmarks stand at local midnight, `every` whole days apart, counted from Monday 2001-01-01; their cases are the
    cohort of the main target. ValueError for other spans, and where the record holds no dossier.
    """
    if every % timedelta(days=1) or every < timedelta(days=1):
        raise ValueError(f"wanted landmarks a whole number of days apart, came {every}")
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        version = record.version()
        con = record.connect(version=version)
        days = every // timedelta(days=1)
        made_of = _made_of(con, calendar)
        was = read_manifest(folder)
        if was is None or (was.made_of, was.every_days) != (made_of, days):
            was = Manifest(version, made_of, days)
        now = _still_true(was, con, calendar)
        again = len(was.parts) - len(now.parts)
        last = None if now.until is None else datetime.fromisoformat(now.until)
        moments = _grid(last + every if last else _first(con), to, every, calendar)
        now = replace(now, version=version)
        if not moments:
            write_manifest(folder, now)
            return Extended(0, again, 0, 0)
        say(f"{len(moments)} landmarks to make")
        if now.through is not None:
            con = _worked(con, now, folder, _midnight(now.through, calendar), moments[-1])
        made, rows = _make(con, folder, now, moments, every, calendar)
        write_manifest(folder, replace(made, until=moments[-1].isoformat()))
        (dossiers,) = con.execute("SELECT COUNT(DISTINCT dossier_id) FROM dossier").fetchall()[0]
        return Extended(len(moments), again, rows, dossiers)


def _make(
    con: duckdb.DuckDBPyConnection, folder: Path, now: Manifest, moments: Sequence[datetime],
    every: timedelta, calendar: Calendar,
) -> tuple[Manifest, int]:  # fmt: skip
    """Writes the parts of `moments` and the changes up to the last of them."""
    files = dict(now.parts)
    cases = landmarks(con, moments[0], moments[-1], every=every)
    if not cases.num_rows:
        return now, 0
    # changes are worked out up to the last case, not to a later landmark that has none
    until = _local_day(cases["as_of"][-1].as_py(), calendar)
    changes = IncrementalState(_EVER if now.through is None else now.through, until, SLACK, now.stored_changes(folder))
    for at, batches in _by_landmark(
        matrix.build_batches(con, cases, calendar=calendar, rows=_ROWS, incremental=changes)
    ):
        name = f"{at:%Y-%m-%d}-{secrets.token_hex(4)}.parquet"
        writer = None
        for batch in batches:
            writer = writer or pq.ParquetWriter(folder / name, batch.schema, compression="zstd")
            writer.write_table(batch)
        if writer is not None:
            writer.close()
            files[at.isoformat()] = name
    names = {}
    for group, table in changes.found.items():
        names[group] = f"changes-{group}-{secrets.token_hex(4)}.parquet"
        pq.write_table(table, folder / names[group], compression="zstd")
    return replace(
        now, parts=files, changes=names, through=until, floor=max(until - SLACK, now.floor or _EVER)
    ), cases.num_rows


def _by_landmark(batches: Iterator[pa.Table]) -> Iterator[tuple[datetime, Iterator[pa.Table]]]:
    """The tables of each landmark; cases come in its order, and one may begin in a table and end in the next."""
    at: datetime | None = None
    held: list[pa.Table] = []
    for batch in batches:
        for moment in pc.unique(batch["as_of"]).to_pylist():
            if at is not None and moment != at:
                yield at, iter(held)
                held = []
            at = moment
            held.append(batch.filter(pc.equal(batch["as_of"], pa.scalar(moment, batch["as_of"].type))))
    if at is not None:
        yield at, iter(held)


def _still_true(was: Manifest, con: duckdb.DuckDBPyConnection, calendar: Calendar) -> Manifest:
    """The manifest without what became void: whatever knows more than the oldest news of later deliveries."""
    news = " UNION ALL ".join(
        f"SELECT known_at FROM {name} WHERE delivery_id IN (SELECT delivery_id FROM delivery WHERE version > $seen)"
        for name in ("dossier", "event", "procedure")
    )
    came, unknown, oldest = con.execute(
        f"SELECT COUNT(*), COUNT(*) FILTER (known_at IS NULL), MIN(known_at) FROM ({news})", {"seen": was.version}
    ).fetchall()[0]
    if not came or was.until is None:
        return was
    fresh = Manifest(was.version, was.made_of, was.every_days)
    if unknown:
        return fresh
    first = aware_utc(oldest)
    until = datetime.fromisoformat(was.until)
    while until > first:
        until -= timedelta(days=was.every_days)
    files = {at: name for at, name in was.parts.items() if datetime.fromisoformat(at) <= until}
    still = replace(was, until=until.isoformat(), parts=files)
    day = _local_day(until, calendar)
    if was.through is None or was.floor is None or day < was.floor:  # summed up already: changes are made anew
        return replace(still, changes={}, through=None, floor=None)
    return replace(still, through=min(was.through, day))


def _worked(
    con: duckdb.DuckDBPyConnection, now: Manifest, folder: Path, since: datetime, until: datetime
) -> duckdb.DuckDBPyConnection:
    """A small record of what may be open at the next landmarks or moved a total since: nothing else is read again.

    That is whoever was open at the last landmark, had news since, or has a promise that ends in this time.
    """
    bound = {"since": naive_utc(since), "until": naive_utc(until)}
    moved = " UNION ".join(
        f"SELECT dossier_id FROM {name} WHERE ({news} >= $since AND {news} < $until)"
        f" OR (due_at >= $since AND due_at < $until)"
        for name, news in (("dossier", "known_at"), ("event", "greatest(known_at, happened_at)"))
    )
    worked = con.sql(moved, params=bound).to_arrow_table()
    last = now.parts.get(str(now.until))
    if last is not None:
        worked = pa.concat_tables([worked, pq.read_table(folder / last, columns=["dossier_id"])])
    small = duckdb.connect()
    small.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    con.register("worked_on", worked)
    for name, condition in {"dossier": " SEMI JOIN worked_on USING (dossier_id)",
                            "event": " SEMI JOIN worked_on USING (dossier_id)",
                            "procedure": "", "holiday": ""}.items():  # fmt: skip
        small.from_arrow(con.sql(f"SELECT * FROM {name}{condition}").to_arrow_table()).create(name)
    con.unregister("worked_on")
    return small


def _made_of(con: duckdb.DuckDBPyConnection, calendar: Calendar) -> str:
    """A hash of everything beside the record's rows that cells depend on."""
    features = [*matrix.FEATURES, *matrix.attributes(con)]
    groups = groups_of(features)
    inputs = [
        [asdict(feature) for feature in features],
        [record_relations((), ()), dossier_relations(features, groups, 1), matrix_relations(features, groups)],
        [COURSE, STRANDS, getsource(courses), getsource(lawful_rows)],
        repr(as_delivered(con, calendar)),
        con.sql("SELECT dossier_id, other_id, known_at FROM alias ORDER BY ALL").fetchall(),
    ]
    return hashlib.sha256(json.dumps(inputs, default=str, sort_keys=True).encode()).hexdigest()


def _first(con: duckdb.DuckDBPyConnection) -> datetime:
    first: datetime | None = con.execute("SELECT MIN(known_at) FROM dossier").fetchall()[0][0]
    if first is None:
        raise ValueError("wanted a record with dossiers, came none; ingest a delivery first")
    return aware_utc(first)


def _grid(start: datetime, to: datetime, every: timedelta, calendar: Calendar) -> list[datetime]:
    """The landmarks in [start, to]."""
    anchor = datetime(2001, 1, 1, tzinfo=ZoneInfo(calendar.zone)).astimezone(UTC)
    first = -((anchor - start) // every)
    return [anchor + n * every for n in range(first, (to - anchor) // every + 1)]


def _local_day(moment: datetime, calendar: Calendar) -> int:
    """Days from 1970 to the local day of a moment."""
    return (moment.astimezone(ZoneInfo(calendar.zone)).date() - date(1970, 1, 1)).days


def _midnight(day: int, calendar: Calendar) -> datetime:
    """When a local day begins."""
    local = date(1970, 1, 1) + timedelta(days=day)
    return datetime.combine(local, time(), ZoneInfo(calendar.zone)).astimezone(UTC)
