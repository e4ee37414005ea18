"""`GET /`: one plain page with the risk list."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader

from serving.api.state import Serving, serving

router = APIRouter(include_in_schema=False)
_templates = Environment(loader=PackageLoader("serving.api", "."), autoescape=True, trim_blocks=True)


@router.get("/", response_class=HTMLResponse)
async def first_page(
    state: Annotated[Serving, Depends(serving)], offset: Annotated[int, Query(ge=0, le=100_000_000)] = 0
) -> HTMLResponse:
    """The list of lateness, fifty lines a page."""
    kept = state.lists["lateness"].value
    page = kept.page(offset=offset) if kept else None
    more = bool(page and page.offset + len(page.lines) < page.total)
    shown = _templates.get_template("list.html").render(
        page=page, meta=kept.meta if kept else None, more=more, zone=state.settings.zone
    )
    return HTMLResponse(shown)
