"""`/apologies`: drafts of letters of apology, as Word documents, and the note that one went out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from serving.documents.fill import MIME
from serving.pages.rendering import Key, local_moment
from serving.reports.letters import apology_letter
from serving.use_cases.apologies import late_case, letter_in, write_draft, write_sent
from serving.use_cases.letters import letter_desk
from serving.use_cases.looked import note_look
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
    return RedirectResponse(
        write_draft(request, dossier_id, local_moment(request, new_due_at), reason, key, "/apologies"), 303
    )


@router.post("/apologies/{apology_id}/sent")
def sent(request: Request, apology_id: int, key: Key) -> Response:
    """Notes that the letter went out, once."""
    return RedirectResponse(write_sent(request, apology_id, key, "/apologies"), 303)


@router.get("/apologies/{apology_id}.docx")
def document(request: Request, apology_id: int) -> Response:
    """The letter as a Word document; name, address and phone are left open."""
    letter = letter_in(request, apology_id)
    case = late_case(request, letter.dossier_id, "answer.read")
    content = apology_letter(letter_desk(request), letter, case).content()
    note_look(request, "apology.export", {"apology": apology_id}, [f"dossier:{letter.dossier_id}"])
    return Response(
        content, media_type=MIME, headers={"Content-Disposition": f'attachment; filename="xin-loi-{apology_id}.docx"'}
    )
