"""Files that are whole at every moment, also when the process dies while it writes them."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a disk says that is full, and a quota."""


@contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """An empty file to fill, which takes the place of `path` in one step; after an error `path` is as it was."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    """Puts `text` at `path` in one step: a reader sees the file of before or all of this one."""
    with replacing(path) as file:
        file.write(text.encode())


def whole_lines(path: Path) -> list[bytes]:
    """The lines of a file that grows by `add_line`, without half a line that a crash left; none where it is not."""
    data = path.read_bytes() if path.exists() else b""
    return data[: data.rfind(b"\n") + 1].splitlines()


def add_line(path: Path, line: bytes) -> None:
    """Adds a line to the file at `path`, made on first use; half a line that a crash left is taken away first."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
        file.truncate(file.seek(file.read().rfind(b"\n") + 1))
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
