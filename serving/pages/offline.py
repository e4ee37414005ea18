"""`/sw.js`: the script that keeps sheets of visits on a phone; it stands at the root, for its reach goes down only."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter(include_in_schema=False)


@router.get("/sw.js")
def keeper() -> FileResponse:
    """The service worker."""
    return FileResponse(Path(__file__).parent / "static" / "sw.js", media_type="text/javascript")
