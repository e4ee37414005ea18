"""`/`: each role's own first page."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from serving.pages.rendering import MENU
from serving.use_cases.guard import reader_of

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(request: Request) -> RedirectResponse:
    """To the page that the reader's role begins its day with."""
    reader = reader_of(request)
    open_to_reader = [door.path for door in MENU if reader.may(door.action)]
    first = reader.role.first_page
    return RedirectResponse(first if first in open_to_reader else open_to_reader[0], 303)
