"""What a restore is about to put in place, written down before it does, so that the next takes back a killed one.

`H/.restore-…/places.json` stands while home, record and database are neither empty nor whole. Nothing but
`risk restore` opens such a home.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from features.atomic_file import NO_ROOM, replace_text

PREFIX = ".restore-"
"""How the folder of a restore begins, in the home."""
_PLACES = "places.json"


@dataclass(frozen=True)
class Journal:
    """names: what comes into the home. record: URL of one that comes elsewhere. database: its URL, without password."""

    names: list[str]
    record: str | None
    database: str

    def write(self, folder: Path) -> None:
        """Writes it to the folder of the restore, before the first move."""
        replace_text(folder / _PLACES, json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> "Journal | None":
        """That of a restore; None where nothing was moved yet, or all of it was."""
        path = folder / _PLACES
        return cls(**json.loads(path.read_text("utf-8"))) if path.exists() else None

    @staticmethod
    def written_at(folder: Path) -> datetime:
        """When it was written (aware): what the database holds of later is not the restore's."""
        return datetime.fromtimestamp((folder / _PLACES).stat().st_mtime, UTC)

    @staticmethod
    def remove(folder: Path) -> None:
        """Says that the home is whole, or empty."""
        (folder / _PLACES).unlink()


def interrupted(home: Path) -> list[Path]:
    """The folders of restores that did not come to their end."""
    return sorted(home.glob(f"{PREFIX}*/"))


def insist_on_whole(home: Path) -> None:
    """ValueError in a home whose restore was killed or still runs."""
    if any(home.glob(f"{PREFIX}*/{_PLACES}")):
        raise ValueError(
            f"{home} is half restored: a restore runs or was stopped. Where none runs, give the same `risk restore` "
            "again: it takes back what had come and begins anew"
        )


@contextmanager
def sole_restore(home: Path) -> Iterator[None]:
    """One restore at a time into a home, which is made for it and goes with it where nothing came; ValueError for
    another."""
    made = not home.exists()
    home.mkdir(parents=True, exist_ok=True)
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(f"another restore into {home} is running") from error
        yield
    finally:
        if made and not any(home.iterdir()):
            home.rmdir()
        os.close(folder)


def no_room(error: BaseException, home: Path) -> None:
    """OSError with what to do, where a restore ended for want of room."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        raise OSError(
            error.errno, f"no room to restore into {home}: what had come was taken back; make room, then restore again"
        ) from error
