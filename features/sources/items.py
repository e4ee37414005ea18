"""The objects of a JSON delivery: the files of a folder or zip, one after the other, item by item."""

from collections.abc import Iterator
from pathlib import Path

from features.record.delivery import DeliveryError
from features.sources.files import DeliveredFile, left_unread, members
from features.sources.json_stream import Item, JsonStream
from features.sources.lines import UNREADABLE, damage

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
