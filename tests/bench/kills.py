"""Kill -9 at random moments of every write path, and what the next run finds.

A round starts one path's writer in a process of its own, kills it somewhere within the time that the writer
usually takes, and then does what the next run would: write again. Nothing may be lost, doubled or torn. Training and
warnings have campaigns of their own (`tests.bench.model_kills`, `warning_kills`).
"""

import multiprocessing
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.killed_paths import PATHS

SERVER = multiprocessing.get_context("forkserver")
"""Children of a process that has touched nothing: Delta's runtime does not survive a fork."""
SERVER.set_forkserver_preload(["pandas", "serving.cli", "tests.bench.killed_paths", "tests.bench.warning_kills"])
LONGEST = 120


@dataclass(frozen=True)
class Kills:
    """What a campaign came to on one path. struck: kills that hit a living writer. broken: what was found wrong."""

    path: str
    rounds: int
    struck: int
    broken: tuple[str, ...]


def campaign(home: Path, rounds: int, seed: int = 1, say: Callable[[str], None] = lambda line: None) -> list[Kills]:
    """`rounds` kills, spread evenly over the paths, under an empty folder `home`."""
    chance = random.Random(seed)
    share = [rounds // len(PATHS) + (place < rounds % len(PATHS)) for place in range(len(PATHS))]
    found = []
    for name, count in zip(PATHS, share, strict=True):
        found.append(_of_path(name, home / name, count, chance))
        say(f"{name}: {count} kills, {found[-1].struck} of a living writer, {len(found[-1].broken)} broken")
    return found


def _of_path(name: str, home: Path, rounds: int, chance: random.Random) -> Kills:
    home.mkdir(parents=True)
    path = PATHS[name]
    _alone(path.write, home, 0)  # the first run makes folders and tables, the second tells the usual time
    path.check(home, 0)
    begun = time.perf_counter()
    _alone(path.write, home, 1)
    usual = time.perf_counter() - begun
    path.check(home, 1)
    struck, broken = 0, []
    for number in range(2, rounds + 2):
        writer = SERVER.Process(target=path.write, args=(home, number))
        writer.start()
        time.sleep(chance.uniform(0, usual))
        writer.kill()  # one that has just ended is not there any more, and that is no error
        writer.join(LONGEST)
        struck += writer.exitcode == -signal.SIGKILL
        broken += [f"{name}, round {number}: {wrong}" for wrong in path.check(home, number)]
    return Kills(name, rounds, struck, tuple(broken))


def _alone(write: Callable[[Path, int], None], home: Path, number: int) -> None:
    writer = SERVER.Process(target=write, args=(home, number))
    writer.start()
    writer.join(LONGEST)
    if writer.exitcode:
        raise OSError(f"{write.__qualname__} without a kill ended with {writer.exitcode}")
