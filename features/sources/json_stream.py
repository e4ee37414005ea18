"""The objects of one JSON file one by one, whatever they are wrapped in and however large the file is.

Reads an array, an envelope with its objects under `data` (domain.md 1.1), JSON lines, or a single object.
Blocks of the file are handed to orjson up to an item's end that is guessed and then proven by the parse; where a
block does not parse, its items are cut out one by one, so that a damaged one is set aside and the rest are read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from features.record.delivery import DeliveryError
from features.sources.files import DeliveredFile, left_unread, members
from features.sources.lines import UNREADABLE, damage
from features.spelling.vietnamese_text import encoding_of

BLOCK = 1 << 20
LONGEST = 16 << 20
"""An item over this many bytes is no dossier; it is refused and skipped without being held."""
HELD = ("data", "items", "result", "content", "hoso", "tien_do")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[{}\[\]]', re.DOTALL)
_ARRAY_KEY = re.compile(rb'"(%s)"\s*:\s*\[' % "|".join(HELD).encode())
_BOUNDARY = re.compile(rb"\}\s*,\s*(?=\{)")
_FIRST_KEY = re.compile(rb'\{\s*("(?:[^"\\]|\\.)*")')
_BARE = re.compile(rb'\s*(?:"(?:[^"\\]|\\.)*+"|[^,\]\[{}"]+|\}+)')


@dataclass(frozen=True, slots=True)
class Item:
    """One object. `line` is its line in JSON lines, else its number in the file, from 1.

    `value` is None where the text is damaged; then `wanted` and `came` say how. With `notes` it
    is no object at all: it tells of the delivery.
    """

    file: str
    line: int
    value: dict[str, Any] | None
    header: dict[str, Any] = field(default_factory=dict)
    wanted: str = "a JSON object"
    came: str = ""
    notes: Mapping[str, int] = field(default_factory=dict)


class JsonStream:
    """One file being read: the bytes at hand, and how many items came out so far."""

    def __init__(self, label: str, source: BinaryIO) -> None:
        self.label, self.source = label, source
        self.buffer = b""
        self.ended = False
        self.count = 0

    def fill(self, size: int = BLOCK) -> bool:
        """Read on until `size` bytes are at hand; False once nothing more comes."""
        parts, held = [self.buffer], len(self.buffer)
        while held < size and not self.ended:
            more = self.source.read(BLOCK)
            self.ended = not more
            parts.append(more)
            held += len(more)
        self.buffer = b"".join(parts)
        return not self.ended

    def item(self, raw: bytes, header: dict[str, Any], line: int | None = None) -> Item:
        """The object that `raw` holds, or why it holds none."""
        self.count += 1
        number = line or self.count
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return Item(self.label, number, None, header, came=_damage(raw))
        return self.parsed(value, header, number)

    def parsed(self, value: object, header: dict[str, Any], number: int) -> Item:
        if isinstance(value, dict):
            return Item(self.label, number, value, header)
        return Item(self.label, number, None, header, came=f"a JSON {type(value).__name__}")

    def read(self) -> Iterator[Item]:
        self.fill()
        if self.buffer.startswith(b"\xef\xbb\xbf"):
            self.buffer = self.buffer[3:]
        self.buffer = self.buffer.lstrip()
        if not self.buffer:
            yield Item(self.label, 1, None, came="an empty file")
        elif self.buffer[:1] == b"[":
            self.buffer = self.buffer[1:]
            yield from self.array({})
        elif self.buffer[:1] != b"{":
            yield Item(self.label, 1, None, came=_damage(self.buffer[:4096]))
        elif self.is_lines():
            yield from self.lines()
        else:
            yield from self.envelope()

    def is_lines(self) -> bool:
        """Whether the first line is an object by itself and more follows."""
        first, _, rest = self.buffer.partition(b"\n")
        if not rest.strip():
            return False
        try:
            return isinstance(orjson.loads(first), dict)
        except orjson.JSONDecodeError:
            return False

    def lines(self) -> Iterator[Item]:
        number = 0
        while self.buffer or self.fill():
            line, end, rest = self.buffer.partition(b"\n")
            if not end and not self.ended and len(line) < LONGEST:
                self.fill(len(self.buffer) + BLOCK)
                continue
            number += 1
            if not end and not self.ended:
                yield Item(self.label, number, None, came=f"a line over {LONGEST >> 20} MB")
                while not end and not self.ended:
                    self.buffer = b""
                    self.fill()
                    _, end, rest = self.buffer.partition(b"\n")
            elif line.strip():
                yield from self.unwrapped(line, number)
            self.buffer = rest

    def unwrapped(self, raw: bytes, number: int) -> Iterator[Item]:
        """A line's object, or the objects of the envelope that the line is."""
        item = self.item(raw, {}, number)
        held = (item.value or {}).get("data")
        if item.value is None or not isinstance(held, list):
            yield item
            return
        header = {key: value for key, value in item.value.items() if key != "data"}
        yield from (self.parsed(one, header, number) for one in held)

    def envelope(self) -> Iterator[Item]:
        """A single object; where it is an envelope, its objects without holding them all."""
        match = _ARRAY_KEY.search(self.buffer)
        if match is None or _depth(self.buffer[: match.start()]) != 1:
            while self.fill(len(self.buffer) + BLOCK) and len(self.buffer) < LONGEST:
                pass
            if not self.ended:
                yield Item(self.label, 1, None, came=f"one object over {LONGEST >> 20} MB")
                return
            yield self.item(self.buffer, {})
            return
        header = _header(self.buffer[: match.start()])
        if match.group(1) != b"data" and not header.get("service") and len(self.buffer) < BLOCK and self.ended:
            yield self.item(self.buffer, {})  # small and of its own shape: the reader of the source knows it
            return
        self.buffer = self.buffer[match.end() :]
        yield from self.array(header)

    def array(self, header: dict[str, Any]) -> Iterator[Item]:
        """The objects of an array whose opening bracket has been read."""
        key: bytes | None = None
        while True:
            self.fill()
            self.buffer = self.buffer.lstrip(b" \t\r\n,")
            if not self.buffer or self.buffer[:1] == b"]":
                break
            if self.ended and (rest := self.whole()) is not None:
                for value in rest:
                    self.count += 1
                    yield self.parsed(value, header, self.count)
                return
            if key is None:
                first = _FIRST_KEY.match(self.buffer)
                key = first.group(1) if first else b""
            end = self.block_end(key) if key and not self.ended else -1
            if end > 0:
                try:
                    values = orjson.loads(b"[" + self.buffer[:end] + b"]")
                except orjson.JSONDecodeError:
                    yield from self.one_by_one(header, end)
                    continue
                for value in values:
                    self.count += 1
                    yield self.parsed(value, header, self.count)
                self.buffer = self.buffer[end:]
            else:
                yield from self.one_by_one(header, 1)
        if not self.buffer:
            self.count += 1
            yield Item(self.label, self.count, None, header, wanted="the end of the array", came="the file ends")

    def whole(self) -> list[object] | None:
        """All remaining items at once, where the rest of the file is an array that parses; else None."""
        end = self.buffer.rfind(b"]")
        try:
            value = orjson.loads(b"[" + self.buffer[: end + 1]) if end > 0 else None
        except orjson.JSONDecodeError:
            return None
        return value if isinstance(value, list) else None

    def block_end(self, key: bytes) -> int:
        """The end of the last item in the buffer that another item follows, by the first key items share."""
        at = len(self.buffer)
        for _ in range(8):
            at = self.buffer.rfind(key, 0, at)
            if at <= 0:
                return -1
            before = self.buffer[:at].rstrip()
            if before.endswith(b"{"):
                before = before[:-1].rstrip()
                if before.endswith(b","):
                    before = before[:-1].rstrip()
                    if before.endswith(b"}"):
                        return len(before)
        return -1

    def one_by_one(self, header: dict[str, Any], until: int) -> Iterator[Item]:
        """Items cut out by their brackets, up to byte `until` of the buffer or the end of the array."""
        done = 0
        while done < until:
            end = _end_of_value(self.buffer)
            while end < 0 and not self.ended and len(self.buffer) < LONGEST:
                self.fill(2 * len(self.buffer) + BLOCK)
                end = _end_of_value(self.buffer)
            if end < 0 or end > LONGEST:
                end = self.skip(header)
                yield Item(self.label, self.count, None, header, came="an item without an end, or too long")
            else:
                item = self.item(self.buffer[:end], header)
                if item.value is None and (earlier := _BOUNDARY.search(self.buffer, 1, end)):
                    end = earlier.end()  # a bracket too many swallowed the next items: begin again there
                yield item
            rest = self.buffer[end:].lstrip(b" \t\r\n,")
            done += len(self.buffer) - len(rest)
            self.buffer = rest
            if not rest or rest[:1] == b"]":
                return

    def skip(self, header: dict[str, Any]) -> int:
        """Where the next item may begin after one that does not end; reads on, holding little."""
        self.count += 1
        while True:
            match = _BOUNDARY.search(self.buffer, 1)
            if match:
                return match.end()
            if self.ended:
                return len(self.buffer)
            self.buffer = self.buffer[-64:]
            self.fill()


def _end_of_value(text: bytes) -> int:
    """The end of the value that begins `text`, by its brackets; -1 where it does not end."""
    if text[:1] not in b"{[":
        match = _BARE.match(text)
        return match.end() if match else (1 if text else -1)
    depth = 0
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in b"{[":
            depth += 1
        elif mark in b"}]":
            depth -= 1
            if depth == 0:
                return token.end()
    return -1


def _depth(text: bytes) -> int:
    """How many brackets are open at the end of `text`."""
    marks = [token.group() for token in _TOKEN.finditer(text)]
    return sum(mark in (b"{", b"[") for mark in marks) - sum(mark in (b"}", b"]") for mark in marks)


def _header(text: bytes) -> dict[str, Any]:
    """The envelope's own fields that stand before its data."""
    try:
        value = orjson.loads(text.rstrip().rstrip(b",") + b"}")
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _damage(raw: bytes) -> str:
    """What damaged text looks like, without any of it."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(raw) - 4:
            return f"bytes in {encoding_of(raw)}"
    return f"{len(raw)} bytes that are no JSON object"


ENDINGS = (".json", ".jsonl", ".ndjson", ".txt")


def items(path: Path) -> Iterator[Item]:
    """Every object of the delivery at `path` (file, folder, zip; `.gz` too), in the order of names and places.

    Of files of other kinds the first item tells. What a file holds never raises: damage comes as an `Item` without a
    value. DeliveryError where there is no file that could hold JSON.
    """
    found, refused = members(path)
    wanted = [member for member in found if member.plain_name.endswith(ENDINGS)] if path.is_dir() else found
    if not wanted and not refused:
        raise DeliveryError(f"{path.name}: files ending in {', '.join(ENDINGS)} were wanted, none came")
    if notes := left_unread(found, wanted):
        yield Item("", 0, None, notes=notes)
    for reject in refused:
        yield Item(reject.file, 0, None, wanted=reject.wanted, came=reject.came)
    for member in wanted:
        yield from _of_file(member)


def _of_file(member: DeliveredFile) -> Iterator[Item]:
    """The items of one file; where unpacking breaks, one damaged item ends it."""
    last = 0
    try:
        with member.open() as source:
            for item in JsonStream(member.name, source).read():
                last = item.line
                yield item
    except UNREADABLE as error:
        yield Item(member.name, last + 1, None, wanted="a whole file", came=f"damaged here ({damage(error)})")
