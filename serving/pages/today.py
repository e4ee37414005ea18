"""`/`: what the reader must do now, the oldest duty first, each with one button; the same for every role."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from serving.language import gettext as _
from serving.pages.rendering import render
from serving.use_cases.duties import duties_of, figures_of

router = APIRouter(include_in_schema=False)


@router.get("/", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """The duties of the reader's role in the reader's scope, and where the day's figures stand."""
    return render(request, "today.html", title=_("Hôm nay"), duties=duties_of(request), figures=figures_of(request))
