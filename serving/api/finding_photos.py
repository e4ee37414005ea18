"""Photos of findings: added to one dossier of a visit's sheet, listed, given out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, File, Form, Path, Query, Request, Response, UploadFile

from serving.api.answer import answer
from serving.api.people import Done, Key
from serving.read.problem import documented
from serving.use_cases.finding_photos import photo_in, photos_by_dossier, withdraw_photo, write_photo
from serving.use_cases.visits import visit_in

router = APIRouter(prefix="/findings/photos", tags=["inspection"])


@dataclass(frozen=True)
class PhotoAnswer:
    """One photo; its bytes are at `/findings/photos/{id}`."""

    id: int
    dossier_id: str
    media_type: str
    size: int
    sha256: str
    added_at: datetime


@router.get("", response_model=list[PhotoAnswer], responses=documented(404, 422))
def list_photos(request: Request, visit_id: Annotated[str, Query(max_length=200)]) -> Response:
    """The photos of a visit whose hour has come."""
    visit_in(request, visit_id)
    return answer(
        [
            PhotoAnswer(one.id, dossier_id, one.media_type, one.size, one.sha256, one.added_at)
            for dossier_id, photos in photos_by_dossier(request, visit_id).items()
            for one in photos
        ]
    )


@router.post("", response_model=Done, responses=documented(400, 404, 413, 422))
def add(
    request: Request,
    visit_id: Annotated[str, Form(max_length=200)],
    dossier_id: Annotated[str, Form(max_length=200)],
    photo: Annotated[UploadFile, File()],
    key: Key,
) -> Response:
    """Add a photo, JPEG, PNG or WebP of at most 8 MB."""
    return answer(Done(write_photo(request, visit_id, dossier_id, photo.file.read(), key, "/plan")))


@router.get("/{photo_id}", response_class=Response, responses=documented(404, 422))
def picture(request: Request, photo_id: Annotated[int, Path(ge=1, lt=2**31)]) -> Response:
    """The bytes of one photo."""
    found = photo_in(request, photo_id)
    return Response(found.content, media_type=found.media_type)


@router.post("/{photo_id}/withdraw", response_model=Done, responses=documented(400, 404, 422))
def withdraw(request: Request, photo_id: Annotated[int, Path(ge=1, lt=2**31)], key: Key) -> Response:
    """Take a photo back; it stays stored."""
    return answer(Done(withdraw_photo(request, photo_id, key, "/plan")))
