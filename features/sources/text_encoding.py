"""Bytes of a text file as UTF-8: UTF-16 of Excel read by its mark, older encodings named, and converted when asked.

TCVN3 (ABC) and VNI put Vietnamese letters on Latin code points, so that nothing fails to decode: a guess would quietly
turn names into other names. They, and Windows-1258, are read only where the mapping or the command says so.
"""

import codecs
from typing import IO, BinaryIO, cast

from features.sources.lines import MAX_LINE
from features.spelling.vietnamese_text import ENCODINGS, converted, encoding_of, is_legacy

_HEAD = 2**16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


class EncodingRefused(ValueError):
    """The file is in an encoding that nobody asked to convert; the text names it."""


def in_utf8(file: BinaryIO, asked: str = "") -> BinaryIO:
    """The same text as lines in UTF-8. `asked`: one of `ENCODINGS`, for a file that is not UTF-8 already.

    EncodingRefused where the first line, which names the columns, is in another encoding.
    """
    head = file.read(_HEAD)
    whole = _Again(head, file)
    codec = next((codec for mark, codec in _MARKS if head.startswith(mark)), None) or _without_mark(head)
    if codec == "utf-8" or (codec is None and _is_utf8(head)):
        return cast(BinaryIO, _Converted(whole, "utf-8", asked) if is_legacy(asked) else whole)
    if codec is None and not asked:
        first = next((line for line in head.split(b"\n") if line.strip()), b"")
        if _is_utf8(first):
            return cast(BinaryIO, whole)  # single lines in other bytes are rejected one by one
        raise EncodingRefused(encoding_of(head))
    return cast(BinaryIO, _Converted(whole, codec or ENCODINGS[asked], asked if codec is None else ""))


def _is_utf8(data: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=len(data) < _HEAD)
    except UnicodeDecodeError:
        return False
    return True


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without its mark shows by the zero bytes of plain letters."""
    some = head[:400]
    even, odd = some[::2].count(0), some[1::2].count(0)
    if len(some) < 4 or 6 * max(even, odd) < len(some) or 10 * min(even, odd) > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


class _Again:
    """A file whose beginning was read and is read again."""

    def __init__(self, head: bytes, file: IO[bytes]) -> None:
        self._head, self._file = head, file

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._file.read(size)
        if size < 0:
            data, self._head = self._head, b""
            return data + self._file.read()
        data, self._head = self._head[:size], self._head[size:]
        return data

    def readline(self, size: int = -1) -> bytes:
        if not self._head:
            return self._file.readline(size)
        end = self._head.find(b"\n") + 1 or len(self._head)
        end = end if size < 0 else min(end, size)
        data, self._head = self._head[:end], self._head[end:]
        if data.endswith(b"\n") or len(data) == size:
            return data
        return data + self._file.readline(-1 if size < 0 else size - len(data))

    def close(self) -> None:
        self._file.close()


class _Converted:
    """Lines of a file in another encoding, in UTF-8; a line that cannot be read stays unreadable."""

    def __init__(self, file: _Again, codec: str, asked: str) -> None:
        self._lines = codecs.getreader(codec)(cast(IO[bytes], file), "replace")
        self._asked = asked

    def readline(self, size: int = -1) -> bytes:
        text = self._lines.readline(MAX_LINE if size < 0 else size // 4)
        if "\ufffd" in text:
            return b"\xff" + text.encode("utf-8", "replace")
        return (converted(text, self._asked) if self._asked else text).encode("utf-8", "replace")

    def close(self) -> None:
        self._lines.close()
