"""`/remedies`: what units must put right after a visit, until when, and how it stands."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.pages.rendering import Key, render
from serving.read.problem import Problem
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.remedies import remedies_in, remedy_acts, write_remedy_act
from serving.work import remediation

router = APIRouter(include_in_schema=False)

ACT_WORDS = {
    "reported": lazy("Đơn vị báo cáo đã làm"),
    "accepted": lazy("Công nhận đã xong"),
    "refused": lazy("Chưa đạt, làm tiếp"),
    "extended": lazy("Gia hạn"),
}


@router.get("/remedies", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """The remedies of the reader's units, the most urgent first."""
    reader = reader_of(request)
    found = remedies_in(request)
    note_look(request, "answer.read", {"page": "/remedies", "rows": len(found)})
    return render(
        request, "remedies.html", title=_("Khắc phục sau kiểm tra"), lines=found[:200], states=remediation.STATES,
        acts=remedy_acts(request), words=ACT_WORDS, may_write=reader.scope_for("remedy.write"),
        may_see=reader.may("plan.read"),
    )  # fmt: skip


@router.post("/remedies/{remedy_id}")
def write(
    request: Request,
    remedy_id: int,
    kind: Annotated[str, Form(max_length=20)],
    note: Annotated[str, Form(max_length=2000)],
    key: Key,
    due_on: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """An act on a remedy of the reader's units: the unit's own, or the inspector's."""
    try:
        until = date.fromisoformat(due_on) if due_on else None
    except ValueError as error:
        raise Problem(422, "due_on: wanted the new date, such as 2026-12-24.") from error
    return RedirectResponse(write_remedy_act(request, remedy_id, kind, note, until, key, "/remedies"), 303)
