"""Photos taken at a visit: kept beside the finding on one dossier, witnessed by their hash, taken back but not lost."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from serving.state import FindingPhoto

MOST_BYTES = 8_000_000
MOST = 12
"""Photos of one dossier at one visit."""
_SIGNS = ((b"\xff\xd8\xff", "image/jpeg", "jpg"), (b"\x89PNG\r\n\x1a\n", "image/png", "png"))


def media_type(content: bytes) -> tuple[str, str]:
    """What the bytes are, by their first ones, whatever the file is called: media type and ending.

    ValueError for anything but a JPEG, PNG or WebP picture: nothing else is ever given out as one.
    """
    for sign, kind, ending in _SIGNS:
        if content.startswith(sign):
            return kind, ending
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp", "webp"
    raise ValueError("photo: wanted a picture, JPEG, PNG or WebP")


def add_photo(
    session: Session, finding_id: str, unit_code: str, content: bytes, *, now: datetime, by: int
) -> FindingPhoto:  # fmt: skip
    """Keeps a photo for one dossier at one visit. ValueError for no picture, one over 8 MB, the 13th of a dossier.

    The name that the phone gave is not kept: it may tell of somebody.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"photo: wanted at most {MOST_BYTES // 1_000_000} MB")
    kind, ending = media_type(content)
    number = len(photos_of(session, [finding_id]).get(finding_id, ())) + 1
    if number > MOST:
        raise ValueError(f"photo: {MOST} of a dossier are kept; take one back first")
    row = FindingPhoto(
        finding_id=finding_id, unit_code=unit_code, name=f"anh-{number}.{ending}", media_type=kind, size=len(content),
        sha256=hashlib.sha256(content).hexdigest(), content=content, added_at=now, added_by=by, withdrawn_at=None,
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
