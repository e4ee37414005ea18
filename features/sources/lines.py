"""Lines of a text file in bounded memory; too long, badly encoded and cut-off ones are rejected."""

import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from features.record.delivery import Reject

MAX_LINE = 4 * 2**20
"""Bytes of one line; a canonical row has some hundreds."""

UNREADABLE = (EOFError, OSError, zlib.error, zipfile.BadZipFile)
"""What reading a damaged packed file raises."""


def numbered_lines(file: BinaryIO, name: str, rejects: list[Reject]) -> Iterator[tuple[int, str]]:
    """Pairs (line number from 1, text with its line end); what cannot be a line goes to `rejects`."""
    number = 0
    while True:
        number += 1
        try:
            data = file.readline(MAX_LINE)
            if len(data) == MAX_LINE and not data.endswith(b"\n"):
                length = MAX_LINE
                while (more := file.readline(MAX_LINE)) and not more.endswith(b"\n"):
                    length += len(more)
                length += len(more)
                rejects.append(Reject(name, number, "", f"a line of at most {MAX_LINE} bytes", f"{length} bytes"))
                continue
        except UNREADABLE as error:
            rejects.append(Reject(name, number, "", "a whole file", f"damaged from here on ({damage(error)})"))
            return
        if not data:
            return
        try:
            text = data.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            rejects.append(Reject(name, number, "", "text in UTF-8", f"other bytes at position {error.start + 1}"))
            continue
        yield number, text


def damage(error: BaseException) -> str:
    """A few words on what is wrong with a file, without its content."""
    if isinstance(error, EOFError):
        return "it ends early"
    return type(error).__name__ if isinstance(error, zlib.error) else str(error)[:60]
