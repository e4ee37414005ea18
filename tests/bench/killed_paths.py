"""The write paths that a campaign of kills strikes: one writer each, and what must hold once it was killed.

`check` does what the next run does, the same write again, and gives what it found wrong: nothing, if all is well.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from sqlalchemy import event, func, inspect, select

from features.record.delivery import Chunk
from features.record.record import Record
from models import pointers
from serving.jobs.backup import restore
from serving.plan.draw import seed_hash
from serving.plan.plan_input import PlanInput, Pull, Source, UnitBrief
from serving.plan.rules import Rules, Team
from serving.plan.store import PlanStore
from serving.scoring.score_files import SCHEMA, ListMeta, latest_path, read_scores, write_scores
from serving.settings import Settings
from serving.state import Base, Finding, Receipt, State, downgrade, open_state, upgrade
from serving.work.chain_anchor import Witness
from serving.work.findings import Conclusion, SampledDossier, add, deliver, latest
from serving.work.receipts import Receipts

START = datetime(2026, 1, 5, 1, tzinfo=UTC)
DOSSIERS, FINDINGS, LINES = 400, 25, 4_000


@dataclass(frozen=True)
class WritePath:
    """One write path: `write(home, round)` in a process that may be killed, `check(home, round)` after it."""

    write: Callable[[Path, int], None]
    check: Callable[[Path, int], list[str]]


def ingest(home: Path, number: int) -> None:
    """Takes in the delivery of round `number`: dossiers with four events each."""
    _append(home, number)


def _append(home: Path, number: int) -> tuple[int, int, int]:
    at = START + timedelta(hours=number)
    ids = [f"d{number}-{n}" for n in range(DOSSIERS)]
    chunks = [
        Chunk("dossier", [{"dossier_id": one, "procedure_code": "p", "unit_code": "u", "received_at": at}
                          for one in ids]),
        Chunk("event", [{"dossier_id": one, "kind": "forwarded", "happened_at": at + timedelta(hours=k)}
                        for one in ids for k in range(4)]),
    ]  # fmt: skip
    receipt = Record(home / "record").append(chunks, source="canonical", arrived_at=at)
    return receipt.read, receipt.appended, receipt.duplicates


def ingested(home: Path, number: int) -> list[str]:
    """The killed delivery is wholly in or out; delivered again, every row is there once."""
    held = _rows(home)
    read, appended, known = _append(home, number)
    wrong = []
    if held not in ((number * DOSSIERS, number * 4 * DOSSIERS), ((number + 1) * DOSSIERS, (number + 1) * 4 * DOSSIERS)):
        wrong.append(f"half a delivery was seen: {held}")
    if read != appended + known or appended not in (0, read):
        wrong.append(f"read {read}, appended {appended}, known {known}")
    if _rows(home) != ((number + 1) * DOSSIERS, (number + 1) * 4 * DOSSIERS):
        wrong.append(f"rows lost or doubled: {_rows(home)} after {number + 1} deliveries")
    return wrong


def _rows(home: Path) -> tuple[int, int]:
    with Record(home / "record").connect() as con:
        one, two = con.execute("SELECT (SELECT count(*) FROM dossier), (SELECT count(*) FROM event)").fetchall()[0]
    return int(one), int(two)


def score(home: Path, number: int) -> None:
    """Stores the list of round `number`."""
    as_of = START + timedelta(days=number)
    rows = {field.name: pa.nulls(LINES, field.type) for field in SCHEMA}
    rows |= {"dossier_id": [f"d{n}" for n in range(LINES)], "rank": range(1, LINES + 1), "as_of": [as_of] * LINES}
    table = pa.table({name: pa.array(values, SCHEMA.field(name).type) for name, values in rows.items()})
    write_scores(home, table, ListMeta("lateness", as_of, "v", "ab" * 32, number, "cd" * 32, LINES))


def scored(home: Path, number: int) -> list[str]:
    """The list that is served is whole, the old or the new; the next run stores its own."""
    table, meta = read_scores(latest_path(home, "lateness"))
    wrong = [] if table.num_rows == LINES else [f"{table.num_rows} of {LINES} lines"]
    if meta.record_version not in (number - 1, number):
        wrong.append(f"a list of round {meta.record_version} is served")
    score(home, number)
    if read_scores(latest_path(home, "lateness"))[1].record_version != number:
        wrong.append("the next run's list is not served")
    return wrong


def plan(home: Path, number: int) -> None:
    """Commits to a seed and seals the plan of the round's month."""
    store, month = PlanStore(home / "plans", home / "keys"), _month(number)
    if month not in store.plans():
        store.commit(month, START)
        store.seal(month, _brief(month), START)


def planned(home: Path, number: int) -> list[str]:
    """A seed that was published is the seed; a sealed plan opens; the next run finishes what was begun."""
    store, month = PlanStore(home / "plans", home / "keys"), _month(number)
    told = [line["facts"]["seed_sha256"]
            for line in store.ledger.of(month, "commit")]  # fmt: skip
    plan(home, number)
    wrong = []
    seed = store.seed(month)
    if len(told) > 1 or (told and (seed is None or seed_hash(seed) != told[0])):
        wrong.append("the published seed is not the seed")
    if len(store.ledger.of(month, "seal")) != 1 or store.open(month).plan["month"] != month:
        wrong.append("the month has not one sealed plan that opens")
    return wrong


def _month(number: int) -> str:
    return f"{2026 + number // 12}-{number % 12 + 1:02d}"


def _brief(month: str) -> PlanInput:
    year, of = map(int, month.split("-"))
    days = tuple(one for n in range(28) if (one := date(year, of, 1 + n)).weekday() < 5)
    pulls = [tuple(Pull(f"d{unit}-{n}", f"o{unit}", 0.9 - n / 20, ("x",)) for n in range(6)) for unit in range(3)]
    units = tuple(UnitBrief(f"x{n}", f"X{n}", 2.0, 0.8, None, None, False, pulls[n]) for n in range(3))
    teams = (
        Team("snv", "home_affairs", units=(), visits_a_day=2, days_a_month=4),
        Team("tt-1", "centre", units=(), visits_a_day=2, days_a_month=4),
    )
    source = Source("lateness", START.isoformat(), "v", "ab", "cd", 1, "ef")
    return PlanInput(
        month, "Asia/Ho_Chi_Minh", days, units, Rules(teams=teams, high_risk_visits=1, surprise=0.0), source
    )


def finding(home: Path, number: int) -> None:
    """Concludes on the round's visits, each with its receipt, and hands the conclusions to the record."""
    with _state(home) as state:
        receipts = Receipts(state, Witness(home / "keys", home / "receipts"))
        for place in range(FINDINGS):
            _conclude(state, receipts, number, place)
        deliver(state, Record(home / "record"), now=START)


def _conclude(state: State, receipts: Receipts, number: int, place: int) -> None:
    pulled = SampledDossier(f"v{number}", "u", START, f"d{place}")
    with state.writing() as session:
        if latest(session, f"v{number}/d{place}") is None:
            add(session, pulled, Conclusion("none"), now=START)
            link = receipts.append(session, "kills", "finding.write", {"visit": number, "dossier": place}, now=START)
        else:
            link = None
    if link is not None:
        receipts.anchor(link)


def found(home: Path, number: int) -> list[str]:
    """Each conclusion has its receipt on a sound chain; after the next run all are in the record, once."""
    wrong = []
    with _state(home) as state:
        receipts = Receipts(state, Witness(home / "keys", home / "receipts"))
        wrong += [f"receipts: {fault}" for fault in receipts.verify()]
        with state.reading() as session:
            held = session.scalar(select(func.count()).select_from(Finding))
            told = session.scalar(select(func.count()).select_from(Receipt).where(Receipt.action == "finding.write"))
        if held != told:
            wrong.append(f"{held} findings, {told} receipts")
    finding(home, number)
    with Record(home / "record").connect() as con:
        rows, names = con.execute("SELECT count(*), count(DISTINCT finding_id) FROM finding").fetchall()[0]
    if rows != names or rows != (number + 1) * FINDINGS:
        wrong.append(f"the record has {rows} rows of {names} findings after {number + 1} rounds")
    return wrong


def migration(home: Path, number: int) -> None:
    """Takes the tables of the working state back and forward again."""
    state = State(f"sqlite:///{home / 'state.db'}")
    upgrade(state)
    downgrade(state, "base")
    upgrade(state)
    state.close()


def migrated(home: Path, number: int) -> list[str]:
    """The next start has every table."""
    with _state(home) as state:
        there = set(inspect(state.engine).get_table_names())
    missing = set(Base.metadata.tables) - there
    return [f"tables missing: {', '.join(sorted(missing))}"] if missing else []


def promotion(home: Path, number: int) -> None:
    """Moves the champion's pointer and the previous one's, with a line of history."""
    said = {"version": f"v{number}", "sha256": f"{number:064x}"}
    with pointers.held(home):
        before = pointers.read(home, "champion")
        places = {"champion": said} | ({"previous": before} if before else {})
        pointers.move(home, places, "promote", START + timedelta(days=number))


def promoted(home: Path, number: int) -> list[str]:
    """A whole champion, old or new; after the next run it is the new one and history has each move once."""
    at_once = pointers.read(home, "champion")
    wrong = [] if at_once and at_once["version"] in (f"v{number - 1}", f"v{number}") else [f"champion: {at_once}"]
    with pointers.held(home):
        moved = (pointers.read(home, "champion") or {}).get("version") == f"v{number}"
    if not moved:
        promotion(home, number)
    versions = [line["version"] for line in pointers.history(home)]
    if versions != [f"v{n}" for n in range(number + 1)]:
        wrong.append(f"history of {len(versions)} moves after {number + 1}")
    return wrong


@contextmanager
def _state(home: Path) -> Iterator[State]:
    """The working state of a home, closed at the end."""
    state = open_state(f"sqlite:///{home / 'state.db'}")
    try:
        yield state
    finally:
        state.close()


PATHS = {
    "ingest": WritePath(ingest, ingested),
    "score": WritePath(score, scored),
    "draw": WritePath(plan, planned),
    "finding": WritePath(finding, found),
    "migration": WritePath(migration, migrated),
    "promotion": WritePath(promotion, promoted),
}


WATCHED = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "open", "sqlite3.connect")
"""What a restore does to a disk, as Python tells of it."""


def restore_until(archive: Path, settings: Settings, keys: dict[str, bytes], at: int, told: Path | None) -> None:
    """Restores in this process and kills it at its `at`-th act on the disk; else tells the acts in a file."""
    acts: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event in WATCHED and str(settings.home.parent) in str(arguments[0]):
            acts.append(f"{event} {arguments[0]}")
            if len(acts) == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    restore(archive, settings, keys)
    if told is not None:
        told.write_text("\n".join(acts))


def upgrade_until(url: str, at: int, told: Path | None) -> None:
    """Brings tables to today's revision and kills this process before its `at`-th statement; else tells how many."""
    state, count = State(url), 0

    def watch(*_: object) -> None:
        nonlocal count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(state.engine, "before_cursor_execute", watch)
    upgrade(state)
    state.close()
    if told is not None:
        told.write_text(str(count))
