"""Photos of findings as a reader adds, sees and takes them back, at a team's visit or a head's own inspection."""

from fastapi import Request
from sqlalchemy.orm import Session

from serving.plan.plan import is_of_head
from serving.read.problem import Problem, refused_as_problem
from serving.state import FindingPhoto
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.use_cases.visits import own_visit, picked, visit_in
from serving.work import finding_photos


def write_photo(
    request: Request, visit_id: str, dossier_id: str, content: bytes, key: str, back: str, own: bool = False
) -> str:  # fmt: skip
    """Adds a photo to one dossier of a sheet whose hour has come; 404 for others, 422 for what is no picture."""
    people, reader = context_of(request).people, reader_of(request)
    visit = own_visit(request, visit_id) if own else visit_in(request, visit_id)
    extra = set() if own else {one.dossier_id for one in picked(request, visit)}
    if dossier_id not in {line["dossier_id"] for line in visit["sheet"]} | extra:
        raise Problem(404, "No dossier of this id on the sheet.")

    def effect(session: Session) -> dict[str, object]:
        photo = finding_photos.add_photo(
            session, f"{visit_id}/{dossier_id}", visit["unit_code"], content, now=people.now(), by=reader.account_id
        )
        return {"visit": visit_id, "dossier": dossier_id, "made": photo.name, "sha256": photo.sha256}

    about = [f"dossier:{dossier_id}", f"visit:{visit_id}"]
    return idempotent_write(request, key, reader.action, back, effect, about)


def withdraw_photo(request: Request, photo_id: int, key: str, back: str, own: bool = False) -> str:
    """Takes a photo back; 404 outside the reader's scope."""
    people, reader = context_of(request).people, reader_of(request)
    photo = photo_in(request, photo_id, own)

    def effect(session: Session) -> dict[str, object]:
        held = session.get_one(FindingPhoto, photo.id)
        finding_photos.withdraw(held, now=people.now(), by=reader.account_id)
        return {"revoked": photo.name, "finding": photo.finding_id}

    return idempotent_write(request, key, reader.action, back, effect)


def photo_in(request: Request, photo_id: int, own: bool = False) -> FindingPhoto:
    """A photo of a unit in the reader's scope; of a head those of own inspections alone; 404 for all others."""
    with context_of(request).people.state.reading() as session, refused_as_problem():
        photo = finding_photos.with_content(session, photo_id) if 0 < photo_id < 2**31 else None
    if (
        photo is None
        or not reader_of(request).scope.covers(photo.unit_code)
        or (own and not is_of_head(photo.finding_id))
    ):
        raise Problem(404, "No photo of this number.")
    return photo


def photos_by_dossier(request: Request, visit_id: str) -> dict[str, list[FindingPhoto]]:
    """dossier_id → the photos of one visit."""
    start = f"{visit_id}/"
    with context_of(request).people.state.reading() as session:
        found = finding_photos.photos_at(session, start)
    return {finding_id.removeprefix(start): photos for finding_id, photos in found.items()}
