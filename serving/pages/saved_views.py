"""`/views`: the filters of a page kept under a name, and taken away again."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from serving.pages.rendering import Key
from serving.use_cases.saved_views import take_view_away, write_view
from serving.work.saved_views import FILTERS, LONGEST_NAME, LONGEST_QUERY

router = APIRouter(include_in_schema=False)


@router.post("/views")
def keep(
    request: Request,
    page: Annotated[str, Form(max_length=40)],
    name: Annotated[str, Form(max_length=LONGEST_NAME)],
    key: Key,
    query: Annotated[str, Form(max_length=LONGEST_QUERY)] = "",
) -> Response:
    """Keep what the page shows now."""
    back = page + (f"?{query}" if query else "")
    return RedirectResponse(write_view(request, page, name, query, key, back), 303)


@router.post("/views/{view_id}/drop")
def drop(request: Request, view_id: int, key: Key, page: Annotated[str, Form(max_length=40)] = "/list") -> Response:
    """Take a view away."""
    back = page if page in FILTERS else "/"
    return RedirectResponse(take_view_away(request, view_id, key, back), 303)
