"""A reader's own saved views: the filters of a page under a name."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from serving.api.answer import answer
from serving.api.people import Done, Key
from serving.api.strict import strict
from serving.read.problem import documented
from serving.use_cases.saved_views import own_views, take_view_away, write_view

router = APIRouter(prefix="/views", tags=["views"])


@strict
@dataclass(frozen=True)
class ViewWish:
    """A page (`/list`, `/cases`), a name, and the query to keep, such as `due=overdue&sector=DD`."""

    page: str
    name: str
    query: str = ""


@dataclass(frozen=True)
class ViewAnswer:
    """One saved view; `address`: where it leads."""

    id: int
    page: str
    name: str
    query: str
    address: str
    saved_at: datetime


@router.get("", response_model=list[ViewAnswer])
def list_views(request: Request) -> Response:
    """The reader's own views, by page and name."""
    return answer(
        [
            ViewAnswer(
                one.id, one.page, one.name, one.query, one.page + (f"?{one.query}" if one.query else ""), one.saved_at
            )
            for one in own_views(request)
        ]
    )


@router.post("", response_model=Done, responses=documented(400, 422))
def keep(request: Request, wish: ViewWish, key: Key) -> Response:
    """Keep a view; the same name again replaces what it held."""
    return answer(Done(write_view(request, wish.page, wish.name, wish.query, key, wish.page)))


@router.post("/{view_id}/drop", response_model=Done, responses=documented(400, 404, 422))
def drop(request: Request, view_id: Annotated[int, Path(ge=1, lt=2**31)], key: Key) -> Response:
    """Take a view away."""
    return answer(Done(take_view_away(request, view_id, key, "/api/v1/views")))
