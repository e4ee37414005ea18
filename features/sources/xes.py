"""IEEE XES event logs (IEEE 1849), `.xes` or `.xes.gz`, one trace in memory at a time.

The mapping (`features.sources.mapping`) says which attribute is what. Nothing is fetched; a log that declares
a document type or entities is refused from there on. Lines are those of a trace's or event's tag.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from features.record.delivery import Chunk, Chunks, DeliveryError, Reject
from features.sources import FeedOptions
from features.sources.files import DeliveredFile, left_unread, members
from features.sources.lines import UNREADABLE, damage
from features.sources.log_rows import LogRows
from features.sources.mapping import LogMapping, load_mapping

_EVENT, _TRACE = "{*}event", "{*}trace"


def read(path: Path, options: FeedOptions) -> Chunks:
    """The logs at `path`: a file, a folder or a zip."""
    mapping = load_mapping(options.mapping, zone=options.zone)
    if not mapping.is_log:
        raise DeliveryError("mapping: [event] was wanted for an event log, none came")
    found, refused = members(path)
    logs = [member for member in found if member.plain_name.endswith(".xes")]
    if not logs:
        raise DeliveryError(f"xes: a file .xes or .xes.gz was wanted, {path.name} has none")
    if refused or len(found) > len(logs):
        yield Chunk("event", rejects=refused, notes=left_unread(found, logs))
    for member in logs:
        yield from _log(member, mapping)


def _log(member: DeliveredFile, mapping: LogMapping) -> Iterator[Chunk]:
    rows = LogRows(mapping, member.name)
    traces = loose = 0
    try:
        with member.open() as file:
            parser = etree.iterparse(
                _NoDoctype(file), events=("end",), tag=(_TRACE, _EVENT, "{*}log"), resolve_entities=False,
                no_network=True, load_dtd=False, remove_comments=True, remove_pis=True,
            )  # fmt: skip
            for _, element in parser:
                parent, name = element.getparent(), etree.QName(element).localname
                if name == "log" or (name == "event" and parent is not None and etree.QName(parent).localname != "log"):
                    continue  # an event of a trace is taken with it
                if name == "event":
                    loose += 1
                    _take_loose(element, mapping, rows, member.name)
                else:
                    traces += 1
                    _take(element, rows, member.name)
                yield from rows.chunks()
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        line = error.lineno or 0
        came = "an empty file" if member.size == 0 else "something else from here on"
        rows.rejects.append(Reject(member.name, line, "", "an XES log", came))
    except UNREADABLE as error:
        came = f"damaged after {traces} traces ({damage(error)})"
        rows.rejects.append(Reject(member.name, 0, "", "a whole file", came))
    if loose:
        rows.notes["events outside of traces, read by the case that they name themselves"] = loose
    for column, source in mapping.absent(rows.attributes).items():
        rows.notes[f"{member.name}: no attribute {source.names[0][:40]!r} for {column}"] += 1
    unread = sorted(rows.attributes - mapping.attributes)
    if unread:
        few = ", ".join(repr(name[:40]) for name in unread[:12])
        more = f" and {len(unread) - 12} more" if len(unread) > 12 else ""
        rows.notes[f"{member.name}: attributes never mapped: {few}{more}"] += len(unread)
    yield from rows.rest()


def _take_loose(event: Any, mapping: LogMapping, rows: LogRows, file: str) -> None:
    """An event that stands in the log itself and names its case, as in a flat export (OCEL and streams write so)."""
    item, line = _attributes(event, rows, file), event.sourceline or 0
    rows.attributes |= item.keys()
    if not any(item.get(name) for name in mapping.tables["event"]["dossier_id"].names):
        rows.rejects.append(Reject(file, line, "", "an event in a trace, or with the name of its case", "neither"))
        return
    new = rows.standing(item, line)
    kind = rows.event(item, line)
    if new:
        rows.once(item, {kind}, line)


def _take(trace: Any, rows: LogRows, file: str) -> None:
    case = {f"case:{key}": value for key, value in _attributes(trace, rows, file).items()}
    events = [({**case, **_attributes(event, rows, file)}, event.sourceline or 0) for event in trace.iterfind(_EVENT)]
    line = trace.sourceline or 0
    rows.attributes.update(case, *(item for item, _ in events))
    first = events[0][0] if events else case
    rows.standing(first, line)
    kinds = {rows.event(item, at) for item, at in events}
    rows.once(first, kinds, line)


def _attributes(element: Any, rows: LogRows, file: str) -> dict[str, str]:
    """Key and value of the element's own attributes; events, lists and other children have no value.

    A value without key is set aside alone: nothing says what it is, and the rest of its event can still be read.
    """
    found = {}
    for child in element:
        if (value := child.get("value")) is None:
            continue
        if (key := child.get("key")) is None:
            rows.rejects.append(Reject(file, child.sourceline or 0, "", "an attribute with its key", "a value alone"))
        else:
            found[key] = value
    return found


class _NoDoctype:
    """Passes bytes on until a document type turns up: logs have none, and entities live in it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._tail = b""

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(min(size, 2**16) if size > 0 else 2**16)
        if b"\0" in data:  # UTF-16 would hide what is looked for below
            raise OSError("text in UTF-8 was wanted")
        if b"<!DOCTYPE" in self._tail + data or b"<!ENTITY" in self._tail + data:
            raise OSError("a document type or entities, which a log does not have")
        self._tail = data[-9:]
        return data
