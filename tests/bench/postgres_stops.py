"""PostgreSQL stopped at once while several processes write: what was confirmed is there, once, and writing goes on.

Writers add receipts, each a link of one chain, and note the number of every one whose commit was confirmed. After
each stop the server is started again; the writers find their way back by themselves.
"""

import multiprocessing
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from serving.state import Receipt, State, open_state
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts
from tests.bench.postgres import cluster

WRITERS = 2
_SPAWN = multiprocessing.get_context("spawn")
_AT = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Stops:
    """Stops, confirmed writes, confirmed ones that were lost, doubled ones, faults of the chain.

    back: seconds from each start to the first confirmed write.
    """

    stops: int
    confirmed: int
    lost: int
    doubled: int
    faults: int
    back: tuple[float, ...]


def stop_under_load(home: Path, rounds: int) -> Stops:
    """Stops a server of our own `rounds` times under load; `home`: an empty folder."""
    with cluster() as server:
        open_state(server.url).close()
        Witness(home / "keys", home / "receipts")  # makes its key before two writers might
        over = _SPAWN.Event()
        logs = [home / f"confirmed-{number}.txt" for number in range(WRITERS)]
        writers = [_SPAWN.Process(target=write, args=(server.url, home, log, over)) for log in logs]
        for writer in writers:
            writer.start()
        back = []
        _await_growth(logs, 60)
        for number in range(rounds):
            time.sleep(0.2 + 0.05 * (number % 5))
            server.stop_at_once()
            begun = time.perf_counter()
            server.start()
            _await_growth(logs, 60)
            back.append(time.perf_counter() - begun)
        over.set()
        for writer in writers:
            writer.join(60)
        return _counted(server.url, home, logs, rounds, tuple(back))


def write(url: str, home: Path, log: Path, over: Event) -> None:
    """Adds receipts until told to end; notes the ones that were confirmed."""
    state = State(url)
    receipts = Receipts(state, Witness(home / "keys", home / "receipts"))
    with log.open("w", encoding="utf-8") as file:
        number = 0
        while not over.is_set():
            number += 1
            try:
                with state.writing() as session:
                    link = receipts.append(session, log.stem, "write", {"number": number}, now=_AT)
            except (DBAPIError, SQLAlchemyError):
                time.sleep(0.05)
                continue
            receipts.anchor(link)
            file.write(f"{number}\n")
            file.flush()
    state.close()


def _await_growth(logs: list[Path], seconds: float) -> None:
    """Waits until every writer has confirmed something more. TimeoutError where one does not."""
    before = [log.stat().st_size if log.exists() else 0 for log in logs]
    until = time.monotonic() + seconds
    while any(not log.exists() or log.stat().st_size <= size for log, size in zip(logs, before, strict=True)):
        if time.monotonic() > until:
            raise TimeoutError("a writer did not come back")
        time.sleep(0.01)


def _counted(url: str, home: Path, logs: list[Path], rounds: int, back: tuple[float, ...]) -> Stops:
    state = State(url)
    with state.reading() as session:
        rows = [(actor, detail) for actor, detail in session.execute(select(Receipt.actor, Receipt.detail))]
    faults = Receipts(state, Witness(home / "keys", home / "receipts")).verify()
    state.close()
    confirmed = [(log.stem, f'{{"number":{line}}}') for log in logs for line in log.read_text("utf-8").split()]
    lost = len(set(confirmed) - set(rows))
    return Stops(rounds, len(confirmed), lost, len(rows) - len(set(rows)), len(faults), back)
