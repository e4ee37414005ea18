"""Photos taken at a visit: kept beside the finding on one dossier, witnessed by their hash, taken back but not lost.

What is kept is the picture alone, turned as it was seen: where a phone writes place, time and its own name (EXIF, XMP,
text chunks) nothing of that stays.
"""

import hashlib
import warnings
from collections.abc import Iterable
from datetime import datetime
from io import BytesIO

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from serving.state import FindingPhoto

MOST_BYTES = 8_000_000
MOST = 12
"""Photos of one dossier at one visit."""
MOST_PIXELS = 60_000_000
"""Of one photo: more than any phone takes, less than what fills the memory of a server."""
_KINDS = {"JPEG": ("image/jpeg", "jpg"), "PNG": ("image/png", "png"), "WEBP": ("image/webp", "webp")}
_NO_PICTURE = "photo: wanted a picture, JPEG, PNG or WebP"


def picture_of(content: bytes) -> tuple[bytes, str, str]:
    """The picture alone, upright, without what the device wrote beside it; media type and ending.

    ValueError for anything but a whole JPEG, PNG or WebP picture: nothing else is ever kept or given out as one.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError  # once somebody brings a photo

    out = BytesIO()
    try:
        with warnings.catch_warnings(), Image.open(BytesIO(content), formats=tuple(_KINDS)) as opened:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # its own bound stands below
            if opened.width * opened.height > MOST_PIXELS:
                raise ValueError(f"photo: wanted at most {MOST_PIXELS // 1_000_000} million pixels")
            kind = str(opened.format)
            upright = ImageOps.exif_transpose(opened)
        plain = upright if upright.mode in ("RGB", "L") or kind != "JPEG" else upright.convert("RGB")
        plain.info.clear()  # EXIF, XMP, comments, colour profile: nothing of it is written below
        plain.save(out, kind, quality=90)
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(_NO_PICTURE) from error
    return out.getvalue(), *_KINDS[kind]


def add_photo(
    session: Session, finding_id: str, unit_code: str, content: bytes, *, now: datetime, by: int
) -> FindingPhoto:  # fmt: skip
    """Keeps a photo for one dossier at one visit. ValueError for no picture, one over 8 MB, the 13th of a dossier.

    The name that the phone gave is not stored: it may name somebody.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"photo: wanted at most {MOST_BYTES // 1_000_000} MB")
    picture, kind, ending = picture_of(content)
    number = len(photos_of(session, [finding_id]).get(finding_id, ())) + 1
    if number > MOST:
        raise ValueError(f"photo: {MOST} of a dossier are kept; take one back first")
    row = FindingPhoto(
        finding_id=finding_id, unit_code=unit_code, name=f"anh-{number}.{ending}", media_type=kind, size=len(picture),
        sha256=hashlib.sha256(picture).hexdigest(), content=picture, added_at=now, added_by=by, withdrawn_at=None,
        withdrawn_by=None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def withdraw(photo: FindingPhoto, *, now: datetime, by: int) -> None:
    """Takes a photo back, which stays stored; ValueError the second time."""
    if photo.withdrawn_at is not None:
        raise ValueError("photo: this one was taken back already")
    photo.withdrawn_at, photo.withdrawn_by = now, by


def photos_of(session: Session, finding_ids: Iterable[str]) -> dict[str, list[FindingPhoto]]:
    """finding_id → its photos that were not taken back, in order, without their bytes."""
    wanted = sorted(set(finding_ids))
    found: dict[str, list[FindingPhoto]] = {}
    for start in range(0, len(wanted), 500):
        query = select(FindingPhoto).where(
            FindingPhoto.finding_id.in_(wanted[start : start + 500]), FindingPhoto.withdrawn_at.is_(None)
        )
        for one in session.scalars(query.order_by(FindingPhoto.id)):
            found.setdefault(one.finding_id, []).append(one)
    return found


def photos_at(session: Session, start: str) -> dict[str, list[FindingPhoto]]:
    """The same of every finding whose id starts so, such as those of one visit."""
    query = select(FindingPhoto.finding_id).where(FindingPhoto.finding_id.startswith(start, autoescape=True))
    return photos_of(session, session.scalars(query))


def with_content(session: Session, photo_id: int) -> FindingPhoto | None:
    """One photo with its bytes; None where there is none, or it was taken back.

    ValueError where the bytes are not those that its hash witnesses.
    """
    wanted = FindingPhoto.id == photo_id
    photo = session.scalars(select(FindingPhoto).where(wanted).options(undefer(FindingPhoto.content))).first()
    if photo is None or photo.withdrawn_at is not None:
        return None
    if hashlib.sha256(photo.content).hexdigest() != photo.sha256:
        raise ValueError("photo: its bytes are not those that were added")
    return photo
