"""A folder into which systems drop their files: taken in when whole, then put aside.

`<inbox>/<source>/…` holds what comes, in folders named after the sources of `risk ingest`. A file is taken once
it has not changed between two looks and does not end like one still being written; after that it lies under
`done/` or, with the reason beside it, under `refused/`. A crash in between takes it in again, which changes
nothing.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from features.atomic_file import NO_ROOM
from features.record.delivery import DeliveryReceipt
from features.sources import SOURCES

UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", "~")
DONE, REFUSED = "done", "refused"
Take = Callable[[Path, str], DeliveryReceipt]
"""Takes the delivery at a path in the format of a source into the record."""


@dataclass(frozen=True)
class Taken:
    """One file that was looked after: its receipt, or why it was refused."""

    path: Path
    source: str
    receipt: DeliveryReceipt | None
    reason: str = ""


class FolderWatcher:
    """One folder of drops. `look` is called whenever something may have changed."""

    def __init__(self, folder: Path, take: Take) -> None:
        self.folder, self._take = folder, take
        self._sizes: dict[Path, tuple[int, int]] = {}
        for source in SOURCES:
            (folder / source).mkdir(parents=True, exist_ok=True)

    def look(self, now: datetime) -> Iterator[Taken]:
        """Take every file that has come to rest since the last look, oldest name first."""
        before, self._sizes = self._sizes, {}
        for source in SOURCES:
            for path in sorted((self.folder / source).rglob("*")):
                if not path.is_file() or path.name.startswith(".") or path.name.endswith(UNFINISHED):
                    continue
                status = path.stat()
                self._sizes[path] = (status.st_size, status.st_mtime_ns)
                if before.get(path) == self._sizes[path]:
                    yield self._one(path, source, now)

    @property
    def waiting(self) -> bool:
        """Whether a file was seen that has not come to rest yet."""
        return bool(self._sizes)

    def _one(self, path: Path, source: str, now: datetime) -> Taken:
        del self._sizes[path]
        try:
            receipt = self._take(path, source)
            taken = Taken(path, source, receipt, f"nothing of it was read: {receipt}" if _unread(receipt) else "")
        except (ValueError, OSError) as error:  # one unreadable delivery must not hold up the others
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise  # the file is not at fault: it stays and is taken when there is room
            taken = Taken(path, source, None, str(error))
        place = self.folder / (DONE if taken.receipt and not taken.reason else REFUSED) / source / f"{now:%Y-%m-%d}"
        place.mkdir(parents=True, exist_ok=True)
        target = _free(place / path.name)
        shutil.move(path, target)
        if taken.reason:
            target.with_name(target.name + ".reason.txt").write_text(taken.reason + "\n", encoding="utf-8")
        return taken


def _unread(receipt: DeliveryReceipt) -> bool:
    return receipt.refused and not receipt.duplicates


def _free(path: Path) -> Path:
    """`path`, or the next name beside it that is not taken."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}.{number}{path.suffix}")
    return found
