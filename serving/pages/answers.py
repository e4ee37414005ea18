"""`/apologies`, `/consultations`, `/complaints`, `/returns`: what late dossiers still owe, and people's marks on it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from features.calendar.vietnam import VIETNAM
from serving.language import gettext as _
from serving.pages.rendering import Key, render
from serving.pages.risk_list import stretch
from serving.reports.returns import FAULT_WORDS
from serving.use_cases.answers import (
    apologies_in,
    complaints_in,
    consultations_in,
    returned_in,
    tracked,
    write_mark,
)
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.work import apologies, complaints, consultations
from serving.work.annotations import LONGEST_NOTE, marks_of
from serving.work.complaints import TOPIC_WORDS, floods

router = APIRouter(include_in_schema=False)

ROWS = 50
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


@router.get("/apologies", response_class=HTMLResponse)
def show_apologies(request: Request, offset: Offset = 0) -> Response:
    """Late dossiers of the reader's scope: those without an apology first; whether the new day was kept."""
    found = apologies_in(request)
    missing = sum(one.sent_at is None for one in found)
    broken = sum(one.promise == "broken" for one in found)
    return _shown(
        request, "apologies.html", _("Xin lỗi"), found, offset, missing=missing, broken=broken,
        promises=apologies.PROMISES, drafts=drafts_of(request, [one.case.dossier_id for one in found]),
        may_write=reader_of(request).scope_for("apology.write"),
    )  # fmt: skip


@router.get("/consultations", response_class=HTMLResponse)
def show_consultations(request: Request, offset: Offset = 0) -> Response:
    """Questions that units of the scope asked or were asked, and how the consulted units answer."""
    found = consultations_in(request)
    return _shown(
        request, "consultations.html", _("Lấy ý kiến phối hợp"), found, offset, states=consultations.STATES,
        answerers=consultations.answerers(found), may_mark=reader_of(request).scope_for("mark.write"),
    )  # fmt: skip


@router.get("/complaints", response_class=HTMLResponse)
def show_complaints(request: Request, offset: Offset = 0) -> Response:
    """Complaints about units of the scope by their terms and by topic, copies and floods; never who or the words."""
    found = complaints_in(request)
    sorted_by = context_of(request).trackers.sorting()
    return _shown(
        request, "complaints.html", _("Phản ánh, kiến nghị"), found, offset, states=complaints.STATES,
        sorting=sorted_by, floods=floods([one.complaint_id for one in found], sorted_by), topics=TOPIC_WORDS,
        overdue=sum(one.state == "overdue" for one in found), may_mark=reader_of(request).scope_for("mark.write"),
        terms=complaints.terms_of(context_of(request).people.now(), VIETNAM),
    )  # fmt: skip


@router.get("/returns", response_class=HTMLResponse)
def show_returns(request: Request, offset: Offset = 0) -> Response:
    """Dossiers sent back twice or more; a person from outside the unit says through whose fault."""
    reader, people = reader_of(request), context_of(request).people
    found = returned_in(request)
    with people.state.reading() as session:
        marks = marks_of(session, "return", tracked(request).moment.asked)
    faults = {subject.removeprefix("return:"): held["fault"] for subject, held in marks.items() if "fault" in held}
    return _shown(
        request, "returns.html", _("Hồ sơ bị trả nhiều lần"), found, offset, faults=faults, words=FAULT_WORDS,
        may_review=reader.scope_for("return.review"),
    )  # fmt: skip


@router.post("/marks")
def mark(
    request: Request,
    subject: Annotated[str, Form(max_length=400)],
    field: Annotated[str, Form(max_length=20)],
    value: Annotated[str, Form(max_length=20)],
    note: Annotated[str, Form(max_length=LONGEST_NOTE)],
    key: Key,
) -> Response:
    """Marks a return, a consultation or a complaint."""
    back = {"return": "/returns", "consultation": "/consultations"}.get(subject.partition(":")[0], "/complaints")
    return RedirectResponse(write_mark(request, subject, field, value, note, key, back), 303)


def drafts_of(request: Request, dossier_ids: list[str]) -> dict[str, list[Any]]:
    """Our own letters by dossier, in order."""
    with context_of(request).people.state.reading() as session:
        return apologies.letters(session, dossier_ids)


def _shown(request: Request, template: str, title: str, found: list[Any], offset: int, **context: Any) -> Response:
    lines = found[offset : offset + ROWS]
    page = "/" + template.removesuffix(".html")
    note_look(request, "answer.read", {"page": page, "rows": len(lines)})
    return render(
        request, template, title=title, lines=lines, total=len(found), until=_until(request),
        pages=stretch(page, {}, offset, len(lines), ROWS, len(found)), **context,
    )  # fmt: skip


def _until(request: Request) -> datetime:
    return tracked(request).moment.as_of
