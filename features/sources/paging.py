"""Answers in pages: whether all pages of a question came, where an answer gives their number."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

_PAGE = ("currentpage", "page", "pagenumber", "pageindex", "number", "trang")
_PAGES = ("totalpages", "pagecount", "pages", "sotrang", "tongsotrang")
_TOTAL = ("totalitems", "total", "totalelements", "totalcount", "totalrecords", "tongso", "tongsobanghi")
_SIZE = ("pagesize", "size", "limit", "perpage", "start", "end", "offset", "first", "last", "numberofelements",
         "hasnext", "hasmore", "count")  # fmt: skip
_OF_PAGES = frozenset((*_PAGE, *_PAGES, *_TOTAL, *_SIZE, "timestamp", "time", "requestid", "message", "status", "code"))


@dataclass
class _Answer:
    pages: set[int] = field(default_factory=set)
    of: int | None = None
    total: int | None = None
    items: int = 0


class Pages:
    """The pages of one delivery, by the question that they answer."""

    def __init__(self) -> None:
        self._answers: dict[bytes, _Answer] = {}

    def page(self, envelope: Mapping[str, object], question: object, items: int) -> None:
        """Counts one page: its envelope, the question it answers, its number of items; none without a total."""
        total, of = _number(envelope, _TOTAL), _number(envelope, _PAGES)
        if total is None and of is None:
            return
        asked = question
        if isinstance(question, Mapping):
            asked = {key: value for key, value in question.items() if str(key).lower() not in _OF_PAGES}
        key = orjson.dumps(asked, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
        answer = self._answers.setdefault(key, _Answer())
        if (page := _number(envelope, _PAGE)) is not None:
            answer.pages.add(page)
        answer.of = of if answer.of is None else max(answer.of, of or 0)
        answer.total = total if answer.total is None else max(answer.total, total or 0)
        answer.items += items

    def gaps(self) -> dict[str, int]:
        """A note for each answer that is not whole, with how many pages or items are missing."""
        notes: dict[str, int] = {}
        for answer in self._answers.values():
            came = f", {answer.items} of {answer.total} items came" if answer.total is not None else ""
            missing = _missing(answer)
            if missing:
                few = ", ".join(map(str, missing[:10]))
                note, count = f"pages missing from an answer: {few} of {answer.of}{came}", len(missing)
            elif answer.total is not None and answer.items < answer.total:
                note, count = f"items missing from an answer{came}", answer.total - answer.items
            else:
                continue
            notes[note] = notes.get(note, 0) + count
        return notes


def _missing(answer: _Answer) -> list[int]:
    if not answer.of or not answer.pages or answer.of > 100_000:
        return []
    first = 0 if 0 in answer.pages else 1
    return sorted(set(range(first, first + answer.of)) - answer.pages)


def _number(envelope: Mapping[str, object], names: tuple[str, ...]) -> int | None:
    plain = {str(key).lower().replace("_", ""): value for key, value in envelope.items()}
    for name in names:
        value = plain.get(name)
        if isinstance(value, str) and value.isdecimal() and len(value) < 10:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9:
            return value
    return None
