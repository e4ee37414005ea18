"""Files whose receipts hold their digests: scored lists, lists of the week, pointers to champions and their level.

Whoever writes one lists it under `files` of a receipt: path below `RISK_HOME` → sha256. A file whose sha256 is not the
last one listed was exchanged by hand (a list, or another model in the champion's place): that is a fault.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from serving.settings import Settings
from serving.state import open_state
from serving.work.chain_anchor import Witness
from serving.work.receipts import Fault, Receipts, command_actor

WITNESSED = ("scores/*/*/*.parquet", "lists/*/*/*.json", "models/*/champion.json", "models/*/level.json")
"""Files below the home that need a receipt; but for lists mixed of others, which are made anew for each plan
and stand with their digest in its brief."""
_MADE_ANEW = "scores/mix/"
TELLS = ("file.write", "file.adopt", "model.promote")
"""Actions whose receipts list files."""
_ADOPTED_AT_ONCE = 100  # a receipt's detail is bounded


def digests(home: Path, paths: Iterable[Path]) -> dict[str, str]:
    """Path below `home` → sha256 of what is there."""
    return {path.relative_to(home).as_posix(): _sha256(path) for path in sorted(paths)}


def champions(home: Path) -> dict[str, str]:
    """Path → sha256 of the pointers to champions as they stand, for the receipt of who moved one."""
    return digests(home, home.glob(WITNESSED[2]))


def tell(settings: Settings, files: Mapping[str, str], *, now: datetime) -> None:
    """The receipt of files (path below the home → sha256) that a command makes; who runs it is the machine's account.

    What is written only once gets its receipt before: killed between, it is made again.
    """
    if not files:
        return
    with open_state(settings.database_url) as state:
        chain = Receipts(state, Witness(settings.keys, settings.home / "receipts"))
        chain.record(command_actor(), "file.write", {"files": dict(files)}, now=now)


def adopt(home: Path, receipts: Receipts, *, now: datetime) -> int:
    """Writes receipts for files older than receipts of files, once in the life of a chain; gives how many.

    From then on a file that no receipt names is a fault.
    """
    if receipts.doing("file.adopt"):
        return 0
    witnessed = _last_digests(receipts)
    found = [path for path in sorted(_present(home)) if path.relative_to(home).as_posix() not in witnessed]
    for start in range(0, max(1, len(found)), _ADOPTED_AT_ONCE):
        some = digests(home, found[start : start + _ADOPTED_AT_ONCE])
        receipts.record("", "file.adopt", {"files": some}, now=now)
    return len(found)


def file_faults(home: Path, receipts: Receipts) -> list[Fault]:
    """Files that differ from their last receipt, are gone, or have none."""
    witnessed, faults = _last_digests(receipts), []
    for name, (seq, wanted) in witnessed.items():
        path = home / name
        if not path.is_file():
            faults.append(Fault(seq, f"{name} is gone"))
        elif _sha256(path) != wanted:
            faults.append(Fault(seq, f"{name} is not what this receipt told: it was exchanged since"))
    if receipts.doing("file.adopt"):
        there = sorted(path.relative_to(home).as_posix() for path in _present(home))
        faults += [Fault(0, f"{name} is told of by no receipt") for name in there if name not in witnessed]
    return faults


def _present(home: Path) -> Iterator[Path]:
    for pattern in WITNESSED:
        for path in home.glob(pattern):
            if not path.relative_to(home).as_posix().startswith(_MADE_ANEW):
                yield path


def _last_digests(receipts: Receipts) -> dict[str, tuple[int, str]]:
    """Path → number of the last receipt that names it, and the digest given there."""
    found: dict[str, tuple[int, str]] = {}
    for one in sorted((one for action in TELLS for one in receipts.doing(action)), key=lambda one: one.seq):
        found |= {name: (one.seq, text) for name, text in json.loads(one.detail).get("files", {}).items()}
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
