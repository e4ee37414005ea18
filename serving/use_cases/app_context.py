"""What the app of one process holds, typed: the one way from a request to it, for pages and API alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from serving.read.read_model import ReadModel
from serving.use_cases.served_state import Serving
from serving.work.people import People
from serving.work.trackers import Trackers


@dataclass(frozen=True)
class AppContext:
    """serving: lists, record, online scorer. people: working state, receipts, keys. read_model: names, counts and case
    files. trackers: what late dossiers owe. refresh: takes over what is new, at once.
    """

    serving: Serving
    people: People
    read_model: ReadModel
    trackers: Trackers
    refresh: Callable[[], None]

    def install(self, app: FastAPI) -> None:
        """Hands the context to every request of `app`."""
        app.state.context = self


async def app_context(connection: HTTPConnection) -> AppContext:
    """The FastAPI dependency; async, or every request would wait for a thread to look it up."""
    return context_of(connection)


async def serving(connection: HTTPConnection) -> Serving:
    """The FastAPI dependency of who needs lists and scorer alone."""
    return context_of(connection).serving


def context_of(connection: HTTPConnection) -> AppContext:
    """The context of the app that handles `connection`, where no dependency is at hand."""
    context: AppContext = connection.app.state.context
    return context


Context = Annotated[AppContext, Depends(app_context)]
"""How a route asks for it."""
