"""`python -m tests.bench nights`: thirty simulated nights of `risk run`, with kills, a full disk, an outage.

The supervisor is the real one, over a clock that the campaign sets; each run is a process of its own, one in four of
them killed at a random moment. On one night no file may grow (a full disk), for two days nothing runs, once the clock
stands 400 days ahead for half an hour, once three hours behind. Sources drop dossiers every day, whatever happens.
"""

import hashlib
import random
import resource
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import func, select

from features.record.record import Record
from serving.access.account import add_account
from serving.access.permissions import Role
from serving.cli.job_actions import action_of
from serving.jobs.run_log import DONE, RunLog
from serving.jobs.runner import run_slot
from serving.jobs.schedule import Job, JobRules
from serving.jobs.supervisor import Supervisor
from serving.settings import Settings
from serving.state import EarlyWarning, JobRun, OutboxMessage, open_state
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts
from serving.work.witnessed_files import file_faults
from tests.bench.group import Card, bench, tell
from tests.bench.kills import SERVER
from tests.bench.section import Figure, Section

FIRST = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # a Monday, nine in the morning
STEP = timedelta(minutes=30)
FULL, OUTAGE, AHEAD, BEHIND = 8, 12, 18, 22
"""Days of the faults."""

RULES = """least_free_gib = 0
[jobs.intake]
cron = "0 1 * * *"
[jobs.warnings]
cron = "0 9 * * *"
[jobs.heads]
cron = "50 23 * * *"
[jobs.monitor]
off = true
"""  # the drawn model has no window of training to watch against
A_DAY = 4  # dossiers dropped
SMALL = 2048
USUAL = 2.0  # seconds
SHOWN = ("score", "backup", "weekly", "heads")


@dataclass
class Counted:
    """What the campaign did to the runs."""

    runs: int = 0
    kills: int = 0


def one_run(home: Path, name: str, slot: datetime, now: datetime, full: bool) -> None:
    """Runs in a process of its own, as `risk jobs run` does."""
    if full:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, SMALL))
    settings = Settings.from_env(home)
    rules = JobRules.of(home, settings.zone)
    state = open_state(settings.database_url)
    run_slot(settings, state, rules, rules.job(name), slot, action_of(name), lambda: now, patience=0.5)
    state.close()


class Started:
    """A run as the supervisor sees it: over when it is looked at again."""

    def __init__(self, process: Any) -> None:
        self._process = process

    def poll(self) -> int | None:
        """Its exit code."""
        self._process.join(120)
        return self._process.exitcode if self._process.exitcode is not None else -9

    def kill(self) -> None:
        """Ends it."""
        self._process.kill()


def campaign(
    home: Path, nights: int, seed: int, say: Callable[[str], None]
) -> tuple[Counted, list[str], dict[str, int]]:
    """The nights over an empty `home`: what was done, what was found wrong, what stands at the end."""
    settings = _prepare(home)
    chance, counted = random.Random(seed), Counted()
    wall, elapsed, full = FIRST, 0.0, False
    state = open_state(settings.database_url)
    rules = JobRules.of(home, ZoneInfo("Asia/Ho_Chi_Minh"))
    stood: dict[str, str] = {}
    wrong: list[str] = []

    def start(job: Job, slot: datetime) -> Started:
        process = SERVER.Process(target=one_run, args=(home, job.name, slot, wall, full))
        process.start()
        counted.runs += 1
        if chance.random() < 0.25:
            time.sleep(chance.uniform(0, USUAL))
            process.kill()
            process.join()
            counted.kills += process.exitcode == -signal.SIGKILL
        return Started(process)

    def supervisor() -> Supervisor:
        return Supervisor(rules, RunLog(state), start, _silent)

    looking = supervisor()
    for day in range(nights):
        _drop(home, day, FIRST + timedelta(days=day))
        full = day == FULL
        if day in (OUTAGE, OUTAGE + 1):
            wall, looking = wall + timedelta(days=1), supervisor()
            continue
        for step in range(48):
            wall, elapsed = wall + STEP, elapsed + STEP.total_seconds()
            shift = timedelta(0)
            if day == AHEAD and step == 10:
                shift = timedelta(days=400)
            if day == BEHIND and 10 <= step < 16:
                shift = -timedelta(hours=3)
            looking.look(wall + shift, elapsed)
            for _ in range(3):  # what waits for another follows within the half hour
                if not looking.busy:
                    break
                elapsed += 1
                looking.look(wall + shift, elapsed)
            full = full and step < 40
        wrong += _changed(home, stood)
        say(f"day {day + 1}: {counted.runs} runs, {counted.kills} killed")
    state.close()
    found, more = _judged(settings, nights)
    return counted, wrong + more, found


def _silent(event: str, fields: Mapping[str, object]) -> None:
    pass


def _prepare(home: Path) -> Settings:
    from tests.drawn_model import drawn_model, ship
    from tests.drawn_office import draw_office

    settings = draw_office(home, dossiers=30)
    ship(settings.models, drawn_model(2.0), "v1")
    (home / "jobs.toml").write_text(RULES)
    state = open_state(settings.database_url)
    with state.writing() as session:
        for unit in ("x1", "x2", "x3"):
            add_account(
                session,
                f"head.{unit}",
                "Trưởng đơn vị",
                Role.UNIT_HEAD,
                now=FIRST,
                unit_code=unit,
                password="mot-hai-ba-bon-nam-sau",
            )
    state.close()
    return settings


def _drop(home: Path, day: int, at: datetime) -> None:
    """A source drops the day's dossiers."""
    folder = home / "inbox" / "canonical"
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["dossier_id,procedure_code,unit_code,official_id,received_at,due_at"]
    for n in range(A_DAY):
        due = at + timedelta(days=4 + n)
        lines.append(f"night-{day:02d}-{n},1.002000,x{1 + n % 3},o{1 + n % 3},{at.isoformat()},{due.isoformat()}")
    (folder / "dossier.csv").write_text("\n".join(lines) + "\n") if not (folder / "dossier.csv").exists() else (
        folder / "dossier.csv"
    ).open("a").write("\n".join(lines[1:]) + "\n")


def _changed(home: Path, stood: dict[str, str]) -> list[str]:
    """Weekly lists and archives that are not what they were the day before; a list that was used is not exchanged."""
    found = []
    for path in (
        *(home / "lists").rglob("*.json"),
        *(home / "reports").rglob("*.docx"),
        *(home / "backups").glob("*.gz"),
    ):
        now, name = hashlib.sha256(path.read_bytes()).hexdigest(), str(path.relative_to(home))
        if stood.setdefault(name, now) != now:
            found.append(f"{name} was made anew")
    return found


def _judged(settings: Settings, nights: int) -> tuple[dict[str, int], list[str]]:
    wrong = []
    state = open_state(settings.database_url)
    with state.reading() as session:
        done = session.execute(
            select(JobRun.job, JobRun.slot, func.count())
            .where(JobRun.outcome == DONE)
            .group_by(JobRun.job, JobRun.slot)
        ).all()
        wrong += [f"{job} {slot.isoformat()} done {count} times" for job, slot, count in done if count > 1]
        warned = session.execute(select(EarlyWarning.dossier_id, EarlyWarning.due_at)).all()
        messages = session.scalars(select(OutboxMessage.key)).all()
    if len(set(warned)) != len(warned) or len(set(messages)) != len(messages):
        wrong.append("a warning or a message stands twice")
    chain = Receipts(state, Witness(settings.keys, settings.home / "receipts"))
    faults = [*chain.verify(), *file_faults(settings.home, chain)]
    wrong += [f"receipts: {fault.what}" for fault in faults]
    state.close()
    with Record(settings.record_url).connect() as con:
        rows, names = con.execute(
            "SELECT count(*), count(DISTINCT dossier_id) FROM dossier WHERE dossier_id LIKE 'night-%'"
        ).fetchall()[0]
    if rows != names or names < A_DAY * (nights - 1):  # the last day's drop waits for the next night
        wrong.append(f"{names} dossiers in {rows} rows of {A_DAY * nights} dropped")
    count = {
        name: sum(job == name for job, _, _ in done) for name in ("score", "backup", "weekly", "warnings", "heads")
    }
    missed = [name for name in ("score", "backup", "heads") if count[name] < nights - 3]
    wrong += [f"{name}: {count[name]} of {nights} nights" for name in missed]
    weeks = len(list((settings.home / "lists" / "lateness" / "dossier").glob("*.json")))
    if weeks != count["weekly"]:
        wrong.append(f"{weeks} weekly lists of {count['weekly']} runs")
    return count | {"warned": len(warned), "dossiers": int(names), "weeks": weeks}, wrong


@bench.command("nights")
def nights(
    card: Card = None,
    count: Annotated[int, typer.Option(help="Nights.", min=25)] = 30,
    seed: Annotated[int, typer.Option(help="Of kills and their moments.")] = 1,
) -> None:
    """Thirty nights by itself: kills, a full disk, two days away, a clock set ahead and back."""
    with TemporaryDirectory(prefix="risk-nights-") as folder:
        counted, wrong, found = campaign(Path(folder) / "home", count, seed, lambda line: typer.echo(line, err=True))
    for line in wrong:
        typer.echo(line, err=True)
    figures = [
        Figure("runs begun", "", [counted.runs]),
        Figure("killed with SIGKILL while they ran", "", [counted.kills]),
        *(Figure(f"slots of {name} done, each once", "", [found[name]]) for name in SHOWN),
        Figure("weekly lists of dossiers, none made anew", "", [found["weeks"]]),
        Figure("warnings, each once", "", [found["warned"]]),
        Figure("dropped dossiers in the record, each once", "", [found["dossiers"]]),
        Figure("lists, warnings, dossiers lost, doubled or made anew", "", [len(wrong)], None, "0", not wrong),
    ]  # fmt: skip
    words = (
        f"`risk run` over {count} simulated nights: one run in four killed at a random moment, one night without room "
        "for any file, two days away, the clock 400 days ahead for half an hour and three hours behind for three."
    )
    tell([Section("Nights by itself", words, figures)], card)
