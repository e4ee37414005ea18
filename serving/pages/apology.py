"""`/apologies`: drafts of letters of apology, as Word documents, and the note that one went out."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from serving.documents.fill import MIME
from serving.pages.answers import late_case
from serving.pages.rendering import Key
from serving.read.problem import Problem, refused_as_problem
from serving.reports.letters import apology_letter
from serving.state import Apology
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.use_cases.letters import letter_desk
from serving.work import apologies

router = APIRouter(include_in_schema=False)


@router.post("/apologies")
def draft(
    request: Request,
    dossier_id: Annotated[str, Form(alias="dossier", max_length=200)],
    new_due_at: Annotated[str, Form(max_length=40)],
    reason: Annotated[str, Form(max_length=apologies.LONGEST_REASON)],
    key: Key,
) -> Response:
    """Drafts a letter for a late dossier of the unit; the new day is local, such as 2026-11-25T16:00."""
    reader, people = reader_of(request), context_of(request).people
    case = late_case(request, dossier_id, "apology.write")
    zone = context_of(request).serving.settings.zone

    def effect(session: Session) -> dict[str, object]:
        told = datetime.fromisoformat(new_due_at)
        apologies.draft(
            session, dossier_id, case.unit_code, case.due_at, told if told.tzinfo else told.replace(tzinfo=zone),
            reason,
            now=people.now(), by=reader.account_id,
        )  # fmt: skip
        return {"dossier": dossier_id, "new_due_at": new_due_at}

    with refused_as_problem():
        back = idempotent_write(people, reader, key, "apology.write", "/apologies", effect, [f"dossier:{dossier_id}"])
    return RedirectResponse(back, 303)


@router.post("/apologies/{apology_id}/sent")
def sent(request: Request, apology_id: int, key: Key) -> Response:
    """Notes that the letter went out, once."""
    reader, people = reader_of(request), context_of(request).people
    letter = _letter(request, apology_id)

    def effect(session: Session) -> dict[str, object]:
        held = session.get_one(Apology, apology_id)
        apologies.send(held, now=people.now(), by=reader.account_id)
        return {"apology": apology_id, "dossier": held.dossier_id}

    with refused_as_problem():
        back = idempotent_write(
            people, reader, key, "apology.write", "/apologies", effect, [f"dossier:{letter.dossier_id}"]
        )
    context_of(request).trackers.of(anew=True)
    return RedirectResponse(back, 303)


@router.get("/apologies/{apology_id}.docx")
def document(request: Request, apology_id: int) -> Response:
    """The letter as a Word document; name, address and phone are left open."""
    letter = _letter(request, apology_id)
    case = late_case(request, letter.dossier_id, "answer.read")
    content = apology_letter(letter_desk(request), letter, case).content()
    people = context_of(request).people
    people.receipts.record(
        reader_of(request).login, "apology.export", {"apology": apology_id}, now=people.now(),
        subjects=[f"dossier:{letter.dossier_id}"],
    )  # fmt: skip
    return Response(
        content, media_type=MIME, headers={"Content-Disposition": f'attachment; filename="xin-loi-{apology_id}.docx"'}
    )


def _letter(request: Request, apology_id: int) -> Apology:
    with context_of(request).people.state.reading() as session:
        found: Apology | None = session.get(Apology, apology_id) if 0 < apology_id < 2**31 else None
    if found is None or not reader_of(request).scope.covers(found.unit_code):
        raise Problem(404, "No letter of this number.")
    return found
