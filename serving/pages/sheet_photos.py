"""Photos on a sheet: the same three routes at a team's visit and at a head's own inspection."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from serving.pages.rendering import Key
from serving.use_cases.finding_photos import photo_in, withdraw_photo, write_photo

VisitId = Annotated[str, Form(alias="visit", max_length=200)]


def photo_routes(prefix: str, own: bool = False) -> APIRouter:
    """Routes under `prefix`, back to its `/visit`. own: of heads' own inspections alone."""
    router = APIRouter(include_in_schema=False)

    def back(visit_id: str) -> str:
        return f"{prefix}/visit?" + urlencode({"id": visit_id})

    @router.post(f"{prefix}/photo")
    def add_photo(
        request: Request,
        visit_id: VisitId,
        dossier_id: Annotated[str, Form(alias="dossier", max_length=200)],
        key: Key,
        photo: Annotated[UploadFile, File()],
    ) -> Response:
        """Add a photo to one dossier of the sheet."""
        content = photo.file.read()
        return RedirectResponse(write_photo(request, visit_id, dossier_id, content, key, back(visit_id), own), 303)

    @router.get(prefix + "/photo/{photo_id}")
    def see_photo(request: Request, photo_id: int) -> Response:
        """One photo."""
        found = photo_in(request, photo_id, own)
        return Response(found.content, media_type=found.media_type)

    @router.post(prefix + "/photo/{photo_id}/withdraw")
    def take_photo_back(request: Request, photo_id: int, key: Key, visit_id: VisitId) -> Response:
        """Take a photo back; it stays stored."""
        return RedirectResponse(withdraw_photo(request, photo_id, key, back(visit_id), own), 303)

    return router
