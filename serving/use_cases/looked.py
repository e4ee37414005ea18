"""Who looks at persons, on a page or by a program, leaves a receipt of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of


async def looked(request: Request, action: str, detail: Mapping[str, Any], subjects: Iterable[str] = ()) -> None:
    """Writes the receipt of a read, before its answer goes out; for routes that have no thread of their own."""
    await run_in_threadpool(note_look, request, action, detail, subjects)


def note_look(request: Request, action: str, detail: Mapping[str, Any], subjects: Iterable[str] = ()) -> None:
    """The same in a thread of the route's."""
    people = context_of(request).people
    people.receipts.record(reader_of(request).login, action, detail, now=people.now(), subjects=subjects)
