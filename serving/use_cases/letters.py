"""Letters in the reader's scope, as files: one document of many letters, or a document each."""

from datetime import datetime
from typing import Literal

from fastapi import Request
from fastapi.responses import Response

from serving.documents.letter import MIME, ZIP, Letter, in_many_files, in_one_file
from serving.documents.letterhead import Letterheads
from serving.read.problem import Problem, refused_as_problem
from serving.reports.letters import KINDS, LetterDesk, letters_of
from serving.use_cases.answers import tracked
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.official_names import official_name
from serving.use_cases.visits import Visit, own_inspections, visible_visits

Packed = Literal["docx", "zip"]


def letter_desk(request: Request) -> LetterDesk:
    """What letters of this installation are written with, for this reader."""
    context = context_of(request)
    settings = context.serving.settings
    return LetterDesk(
        context.read_model.register, Letterheads.read(settings.home), settings.zone, context.people.now(),
        lambda official: official_name(request, official),
    )  # fmt: skip


def letters_in(request: Request, kind: str, only: str) -> list[Letter]:
    """The letters of a kind in the reader's scope; 404 for another kind, and where there is nothing to write."""
    reader, people = reader_of(request), context_of(request).people
    if kind not in KINDS:
        raise Problem(404, "No letters of this kind.")
    visits = _visits(request) if kind == "minutes" else ()
    scope = reader.scope_for("explanation.read") if kind == "explanations" else reader.scope
    held = tracked(request)
    with refused_as_problem(), people.state.reading() as session:
        found = letters_of(kind, letter_desk(request), session, held, scope, only=only, visits=visits)
    if not found:
        raise Problem(404, "Nothing to write.")
    return found


def letters_response(request: Request, kind: str, ending: Packed, only: str) -> Response:
    """The file; who took it is on record."""
    found = letters_in(request, kind, only)
    note_look(request, "letter.export", {"kind": kind, "letters": len(found), "as": ending})
    content, mime = (in_one_file(found), MIME) if ending == "docx" else (in_many_files(found), ZIP)
    name = found[0].file if len(found) == 1 else kind
    return Response(
        content, media_type=mime, headers={"Content-Disposition": f'attachment; filename="{_ascii(name)}.{ending}"'}
    )


def _visits(request: Request) -> list[Visit]:
    """Visits whose hour has come: of teams for who reads plans, a head's own for the head."""
    reader, now = reader_of(request), context_of(request).people.now()
    found = visible_visits(request) if reader.may("plan.read") else []
    own = own_inspections(request) if reader.may("self.read") else []
    seen = {one["visit_id"] for one in found}
    begun = [one for one in own if datetime.fromisoformat(one["at"]) <= now and one["visit_id"] not in seen]
    return [*found, *begun]


def _ascii(name: str) -> str:
    return name.encode("ascii", "replace").decode().replace("?", "-")
