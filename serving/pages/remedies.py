"""`/remedies`: what units must put right after a visit, until when, and how it stands."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from serving.access.permissions import Role
from serving.pages.rendering import Key, render
from serving.read.problem import Problem, refused_as_problem
from serving.state import Remediation
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.use_cases.remedies import remedies_in
from serving.work import remediation

router = APIRouter(include_in_schema=False)

ACTS_OF = {Role.UNIT_HEAD: ("reported",), Role.INSPECTOR: ("accepted", "refused", "extended")}
"""The unit reports; who inspected accepts, refuses or gives more time."""
ACT_WORDS = {
    "reported": "Đơn vị báo cáo đã làm", "accepted": "Công nhận đã xong", "refused": "Chưa đạt, làm tiếp",
    "extended": "Gia hạn",
}  # fmt: skip


@router.get("/remedies", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """The remedies of the reader's units, the most urgent first."""
    reader, people = reader_of(request), context_of(request).people
    now = people.now()
    found = remedies_in(request)
    people.receipts.record(reader.login, "answer.read", {"page": "/remedies", "rows": len(found)}, now=now)
    return render(
        request, "remedies.html", title="Khắc phục sau kiểm tra", lines=found[:200], states=remediation.STATES,
        acts=ACTS_OF.get(reader.role, ()), words=ACT_WORDS, may_write=reader.scope_for("remedy.write"),
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
    reader, people = reader_of(request), context_of(request).people
    if kind not in ACTS_OF.get(reader.role, ()):
        raise Problem(422, f"Wanted one of {', '.join(ACTS_OF.get(reader.role, ()))}.")
    with people.state.reading() as session:
        found = session.get(Remediation, remedy_id) if 0 < remedy_id < 2**31 else None
    if found is None or not reader.scope.covers(found.unit_code):
        raise Problem(404, "No remedy of this number.")

    def effect(session: Session) -> dict[str, object]:
        until = date.fromisoformat(due_on) if due_on else None
        remediation.act(session, remedy_id, kind, note, now=people.now(), due_on=until, by=reader.account_id)
        return {"remedy": remedy_id, "act": kind}

    with refused_as_problem():
        return RedirectResponse(idempotent_write(people, reader, key, "remedy.write", "/remedies", effect), 303)
