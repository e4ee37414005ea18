"""`/apologies`, `/consultations`, `/complaints`, `/returns`: what late dossiers still owe, and people's marks on it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from serving.access.guard import Reader, reader_of
from serving.pages.rendering import Key, refused_as_problem, render
from serving.pages.risk_list import stretch
from serving.read.caseload import Case
from serving.read.problem import Problem
from serving.reports.returns import FAULT_WORDS
from serving.work import apologies, complaints, consultations
from serving.work.annotations import LONGEST_NOTE, add_mark, marks_of
from serving.work.apologies import ApologyStanding
from serving.work.complaint_triage import TOPIC_WORDS, floods
from serving.work.complaints import ComplaintStanding
from serving.work.consultations import Consultation
from serving.work.idempotent_write import idempotent_write
from serving.work.trackers import Tracked

router = APIRouter(include_in_schema=False)

ROWS = 50
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


def tracked(request: Request) -> Tracked:
    """What is tracked now."""
    found: Tracked = request.app.state.trackers.of()
    return found


@router.get("/apologies", response_class=HTMLResponse)
def show_apologies(request: Request, offset: Offset = 0) -> Response:
    """Late dossiers of the reader's scope: those without an apology first; whether the new day was kept."""
    found = apologies_in(request)
    missing = sum(one.sent_at is None for one in found)
    broken = sum(one.promise == "broken" for one in found)
    return _shown(
        request, "apologies.html", "Xin lỗi", found, offset, missing=missing, broken=broken,
        promises=apologies.PROMISES, drafts=drafts_of(request, [one.case.dossier_id for one in found]),
        may_write=reader_of(request).scope_for("apology.write"),
    )  # fmt: skip


@router.get("/consultations", response_class=HTMLResponse)
def show_consultations(request: Request, offset: Offset = 0) -> Response:
    """Questions that units of the scope asked or were asked, and how the consulted units answer."""
    found = consultations_in(request)
    return _shown(
        request, "consultations.html", "Lấy ý kiến phối hợp", found, offset, states=consultations.STATES,
        answerers=consultations.answerers(found), may_mark=reader_of(request).scope_for("mark.write"),
    )  # fmt: skip


@router.get("/complaints", response_class=HTMLResponse)
def show_complaints(request: Request, offset: Offset = 0) -> Response:
    """Complaints about units of the scope by their terms and by topic, copies and floods; never who or the words."""
    found = complaints_in(request)
    sorted_by = request.app.state.trackers.sorting()
    return _shown(
        request, "complaints.html", "Phản ánh, kiến nghị", found, offset, states=complaints.STATES,
        sorting=sorted_by, floods=floods([one.complaint_id for one in found], sorted_by), topics=TOPIC_WORDS,
        overdue=sum(one.state == "overdue" for one in found), may_mark=reader_of(request).scope_for("mark.write"),
    )  # fmt: skip


def apologies_in(request: Request) -> list[ApologyStanding]:
    """The late dossiers of the reader's scope for which an apology is owed, those without one first."""
    scope = reader_of(request).scope
    return [one for one in tracked(request).apologies if scope.covers(one.case.unit_code)]


def consultations_in(request: Request) -> list[Consultation]:
    """Questions that units of the reader's scope asked or were asked."""
    scope, found = reader_of(request).scope, tracked(request).consultations
    return [one for one in found if scope.covers(one.lead_unit) or scope.covers(one.asked_unit)]


def returned_in(request: Request) -> list[Case]:
    """Dossiers of the reader's scope that were sent back twice or more."""
    scope = reader_of(request).scope
    return [case for case in tracked(request).returned if scope.covers(case.unit_code)]


def complaints_in(request: Request) -> list[ComplaintStanding]:
    """The complaints about units of the reader's scope, those that wait first."""
    scope = reader_of(request).scope
    return [one for one in tracked(request).complaints if scope.covers(one.unit_code)]


@router.get("/returns", response_class=HTMLResponse)
def show_returns(request: Request, offset: Offset = 0) -> Response:
    """Dossiers sent back twice or more; a person from outside the unit says through whose fault."""
    reader, people = reader_of(request), request.app.state.people
    found = returned_in(request)
    with people.state.reading() as session:
        marks = marks_of(session, "return", tracked(request).moment.asked)
    said = {subject.removeprefix("return:"): held["fault"] for subject, held in marks.items() if "fault" in held}
    return _shown(
        request, "returns.html", "Hồ sơ bị trả nhiều lần", found, offset, said=said, words=FAULT_WORDS,
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


def write_mark(request: Request, subject: str, field: str, value: str, note: str, key: str, back: str) -> str:
    """A mark on something tracked in the reader's scope; 404 outside it, 422 for what is refused."""
    reader, people = reader_of(request), request.app.state.people
    unit = _unit_of(tracked(request), reader, subject)
    if unit is None:
        raise Problem(404, "Nothing tracked under this name.")

    def effect(session: Session) -> dict[str, object]:
        add_mark(session, subject, unit, field, value, note, now=people.now(), by=reader.account_id)
        return {"subject": subject, "field": field, "value": value}

    with refused_as_problem():
        led = idempotent_write(people, reader, key, "mark.write", back, effect, [subject])
    request.app.state.trackers.of(anew=True)
    return led


def late_case(request: Request, dossier_id: str, action: str) -> Case:
    """A dossier for which an apology is owed, in the reader's scope of an action; 404 for others and absent ones."""
    scope = reader_of(request).scope_for(action)
    for one in tracked(request).apologies:
        if one.case.dossier_id == dossier_id and scope.covers(one.case.unit_code):
            return one.case
    raise Problem(404, "No late dossier of this id.")


def drafts_of(request: Request, dossier_ids: list[str]) -> dict[str, list[Any]]:
    """Our own letters by dossier, in order."""
    with request.app.state.people.state.reading() as session:
        return apologies.letters(session, dossier_ids)


def _unit_of(held: Tracked, reader: Reader, subject: str) -> str | None:
    """The unit that a mark is about, where the reader may set it."""
    kind, _, name = subject.partition(":")
    right = "return.review" if kind == "return" else "mark.write"
    units: list[str | None] = []
    if kind == "return":
        units = [case.unit_code for case in held.returned if case.dossier_id == name]
    elif kind == "consultation":
        units = [one.lead_unit for one in held.consultations if one.subject == subject]
    elif kind == "complaint":
        units = [one.unit_code for one in held.complaints if one.subject == subject]
    scope = reader.scope_for(right)
    return next((unit for unit in units if unit is not None and scope.covers(unit)), None)


def _shown(request: Request, template: str, title: str, found: list[Any], offset: int, **context: Any) -> Response:
    reader, people = reader_of(request), request.app.state.people
    lines = found[offset : offset + ROWS]
    page = "/" + template.removesuffix(".html")
    people.receipts.record(reader.login, "answer.read", {"page": page, "rows": len(lines)}, now=people.now())
    return render(
        request, template, title=title, lines=lines, total=len(found), until=_until(request),
        pages=stretch(page, {}, offset, len(lines), ROWS, len(found)), **context,
    )  # fmt: skip


def _until(request: Request) -> datetime:
    return tracked(request).moment.as_of
