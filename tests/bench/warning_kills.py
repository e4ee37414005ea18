"""Schedulers of warnings killed at random, two at a time: what came of it beside an oracle that never crashes.

A round is a working day with a scored list. Two processes run a turn at once, one or both are killed with SIGKILL
at a random moment, and one more process starts ten minutes later, as a supervisor would. The oracle runs the same
lists through the rules in memory. A mail server and a webhook receiver in a process of their own write down the key
of each message they are handed.
"""

import multiprocessing
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
from sqlalchemy import func, select

from features.calendar.vietnam import VIETNAM
from features.key_file import key_file
from features.record.delivery import Chunk
from features.record.record import Record
from serving.scoring.score_files import SCHEMA, ListMeta, write_scores
from serving.settings import Settings
from serving.state import EarlyWarning, OutboxMessage, State, WarningEscalation, WarningScoring, open_state
from serving.warnings.firing import OpenDossier
from serving.warnings.held_out import draw
from serving.warnings.policy import Policy
from serving.warnings.quiet import Quiet
from serving.warnings.rules import MailServer, WarningRules
from serving.warnings.turn import SEED, turn
from tests.bench.firing import Firing
from tests.bench.kills import SERVER
from tests.bench.receivers import Handed, mail_server, webhook_receiver

FIRST = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)  # a Monday, nine in the morning
QUIET = Quiet(VIETNAM)
UNITS = [("tinh", None), ("h1", "tinh"), ("h2", "tinh"), *((f"x{n}", f"h{1 + n % 2}") for n in range(6))]
COMMUNES = [code for code, _ in UNITS if code.startswith("x")]
POLICY = Policy(stay=2, a_week=6, held_out=0.2, escalate_hours=6, levels=2)
LIFE = 6  # lists on which a dossier stands
RESTART = timedelta(minutes=10)  # longer than a lease
LONGEST = 0.5  # seconds that a turn is taken to last; on a busy machine kills then come early


@dataclass(frozen=True)
class Campaign:
    """What came of all rounds. wrong: how what stands in the database or arrived differs from the oracle, in words;
    empty where each warning, escalation and message had one effect. repeated: messages handed over once more under
    the same key, after a kill between sending and noting; receivers drop those by the key."""

    rounds: int
    kills: int
    warnings: int
    escalations: int
    messages: int
    repeated: int
    wrong: tuple[str, ...]


def campaign(home: Path, database_url: str, rounds: int, seed: int, say: Callable[[str], None]) -> Campaign:
    """Runs the rounds over an empty `home` and database; the same seed draws the same lists and moments of killing."""
    days = _days(rounds)
    rng = random.Random(seed)
    lists = [_list(rng, at) for at in range(rounds)]
    settings = Settings(home, str(home / "record"), database_url, "", ZoneInfo(VIETNAM.zone))
    with _receivers(home) as ports:
        rules = _rules(*ports)
        _alone(_prepare, settings, days, lists)
        begun = time.perf_counter()
        _alone(_turn, settings, rules, days[0])
        usual = min(time.perf_counter() - begun, LONGEST)
        kills = 0
        for number, now in enumerate(days):
            pair = [_start(_turn, settings, rules, now) for _ in range(2)]
            for process in pair[: 1 + (rng.random() < 0.5)]:
                time.sleep(rng.uniform(0, usual))
                process.kill()
                process.join()
                kills += process.exitcode == -signal.SIGKILL
            pair[1].join()
            _alone(_turn, settings, rules, now + RESTART)
            if (number + 1) % 50 == 0:
                say(f"round {number + 1}: {kills} killed")
    return _judged(settings, days, lists, kills)


def _days(rounds: int) -> list[datetime]:
    """The moment of each round: nine in the morning of working days."""
    days = (FIRST + timedelta(days=n) for n in range(3 * rounds + 30))
    return [day for day in days if QUIET.open(day)][:rounds]


def _list(rng: random.Random, at: int) -> dict[str, float]:
    """The list of round `at`: dossiers of the last rounds, with scores that cross the threshold and fall back."""
    return {
        f"{unit}-{born:04d}-{k}": 0.9 if rng.random() < 0.6 else 0.1
        for born in range(max(0, at - LIFE + 1), at + 1)
        for unit in COMMUNES
        for k in range(2)
    }


def _due(dossier: str, days: list[datetime]) -> datetime:
    return days[int(dossier.split("-")[1])] + timedelta(days=60)


def _rules(mail_port: int, webhook_port: int) -> WarningRules:
    told = {
        code: {"mail": (f"{code}@tinh.gov.vn",), "webhook": (f"http://127.0.0.1:{webhook_port}/{code}",)}
        for code, _ in UNITS
    }
    return WarningRules(
        policy=POLICY,
        mail=MailServer("127.0.0.1", mail_port, "canh-bao@tinh.gov.vn", starttls=False),
        allow_private=True,
        addresses=told,
    )


def _prepare(settings: Settings, days: list[datetime], lists: list[dict[str, float]]) -> None:
    """The record of units, the database and all lists; each is looked at when its day has come."""
    units = [{"unit_code": code, "unit_name": code, "parent_code": parent, "level": "other"} for code, parent in UNITS]
    dossiers = [{"dossier_id": "x0-0000-0", "procedure_code": "1.001", "unit_code": "x0", "received_at": FIRST}]
    record = Record(settings.record_url)
    # every morning something is heard: from a record that has fallen behind nobody is warned
    heard = [now - timedelta(minutes=5) for now in days]
    notes = [{"dossier_id": "x0-0000-0", "kind": "note", "happened_at": at, "known_at": at} for at in heard]
    chunks = [Chunk("unit", units, []), Chunk("dossier", dossiers, []), Chunk("event", notes, [])]
    record.append(chunks, source="canonical", arrived_at=FIRST - timedelta(days=1))
    open_state(settings.database_url).close()
    key_file(settings.keys / SEED)
    for now, scores in zip(days, lists, strict=True):
        rows = [
            {
                "dossier_id": dossier, "unit_code": dossier.split("-")[0], "procedure_code": "1.001", "as_of": now,
                "score": score, "log_odds": 0.0, "base": 0.0, "rank": rank, "left_hours": 100.0,
                "due_at": _due(dossier, days), "received_at": FIRST, "reasons": [],
            }
            for rank, (dossier, score) in enumerate(scores.items(), 1)
        ]  # fmt: skip
        meta = ListMeta("lateness", now, "bench", "", 1, "", len(rows))
        write_scores(settings.scores, pa.Table.from_pylist(rows, SCHEMA), meta)


def _turn(settings: Settings, rules: WarningRules, now: datetime) -> None:
    state = State(settings.database_url)
    turn(settings, state, rules, now=now)
    state.close()


def _start(work: Callable[..., None], *given: object) -> multiprocessing.process.BaseProcess:
    process = SERVER.Process(target=work, args=given)
    process.start()
    return process


def _alone(work: Callable[..., None], *given: object) -> None:
    """Runs `work` to its end in a process of its own: what it opens is not shared with those forked later."""
    process = _start(work, *given)
    process.join()
    if process.exitcode:
        raise RuntimeError(f"{work.__name__} ended with {process.exitcode}")


@contextmanager
def _receivers(home: Path) -> Iterator[tuple[int, int]]:
    """Mail server and webhook receiver in a process of their own; gives their ports."""
    ours, theirs = SERVER.Pipe()
    process = _start(_receive, home / "received.txt", theirs)
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


def _receive(path: Path, pipe: "multiprocessing.connection.Connection") -> None:
    with path.open("a", encoding="ascii") as file:

        def note(key: str) -> None:
            file.write(key + "\n")
            file.flush()

        handed = Handed(note=note, pause=0.002)
        with mail_server(handed) as mail, webhook_receiver(handed) as webhook:
            pipe.send((mail, webhook))
            pipe.recv()


def _judged(settings: Settings, days: list[datetime], lists: list[dict[str, float]], kills: int) -> Campaign:
    expected, escalated, messages = _oracle(key_file(settings.keys / SEED), days, lists)
    state = open_state(settings.database_url)
    with state.reading() as session:
        found = Counter((one.dossier_id, one.manner or "held_out") for one in session.scalars(select(EarlyWarning)))
        levels = session.execute(
            select(EarlyWarning.dossier_id, WarningEscalation.level)
            .join(WarningEscalation, WarningEscalation.warning_id == EarlyWarning.id)
        ).all()  # fmt: skip
        keys = set(session.scalars(select(OutboxMessage.key).where(OutboxMessage.sent_at.is_not(None))))
        unsent = session.scalar(select(func.count()).where(OutboxMessage.sent_at.is_(None))) or 0
        fired = session.scalar(select(func.count()).select_from(WarningScoring))
    state.close()
    received = Counter((settings.home / "received.txt").read_text("ascii").split())
    wrong = {
        f"lists fired: {fired} of {len(days)}": fired != len(days),
        f"warnings: {sum(found.values())} against {sum(expected.values())} of the oracle": found != expected,
        f"escalations: {len(levels)} against {sum(escalated.values())} of the oracle":
            Counter((dossier, level) for dossier, level in levels) != escalated,
        f"messages put in: {len(keys)} against {messages} of the oracle": len(keys) != messages,
        f"messages left unsent: {unsent}": unsent > 0,
        f"messages that arrived: {len(received)} of {len(keys)}": set(received) != keys,
    }  # fmt: skip
    return Campaign(
        len(days), kills, sum(found.values()), len(levels), len(keys), sum(received.values()) - len(received),
        tuple(words for words, is_wrong in wrong.items() if is_wrong),
    )  # fmt: skip


def _oracle(
    seed: bytes, days: list[datetime], lists: list[dict[str, float]]
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, int]], int]:
    """Warnings by manner, escalations by level, and how many messages go out, had nobody been killed."""
    firing = Firing(POLICY)
    warnings: Counter[tuple[str, str]] = Counter()
    escalations: Counter[tuple[str, int]] = Counter()
    told: dict[str, int] = {}
    messages = 0
    above = dict(UNITS)
    for at, (now, scores) in enumerate(zip(days, lists, strict=True)):
        held = {dossier for dossier in scores if draw(seed, "lateness", dossier) < POLICY.held_out}
        scoring = [
            OpenDossier(name, _due(name, days), name.split("-")[0], score, 100.0) for name, score in scores.items()
        ]
        before = {dossier for dossier, _ in firing.fired}
        single, digest = firing.look(scoring, QUIET.week(now), QUIET.weekday(now), held)
        warnings.update((one.dossier_id, "single") for one in single)
        warnings.update((one.dossier_id, "digest") for one in digest)
        warnings.update((name, "held_out") for name in {name for name, _ in firing.fired} - before if name in held)
        messages += len(single) + len({one.head for one in digest})
        upwards = set()
        for dossier, day in told.items():
            level = at - day
            if dossier in scores and 1 <= level <= POLICY.levels:
                parent = above[dossier.split("-")[0]]
                upwards.add(parent if level == 1 else above[str(parent)])
                escalations[dossier, level] += 1
        messages += len(upwards)
        told |= {one.dossier_id: at for one in [*single, *digest]}
    return warnings, escalations, 2 * messages  # each head has a mailbox and a webhook
